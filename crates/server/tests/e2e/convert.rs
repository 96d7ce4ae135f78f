//! `otlp-relay convert` on files and pipes.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

/// An empty folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("convert")
        .join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otlp-relay"));
    command.arg("convert").args(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs with files alone.
fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// Runs with something on standard input.
fn pipe(args: &[&str], input: Vec<u8>) -> Output {
    let mut child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    feed(&mut child, input);
    child.wait_with_output().unwrap()
}

/// Writes to the child as long as it reads.
fn feed(child: &mut Child, input: Vec<u8>) {
    let mut stdin = child.stdin.take().unwrap();
    thread::spawn(move || drop(stdin.write_all(&input)));
}

fn logs(body: &str) -> Value {
    let record = json!({"timeUnixNano": "7", "body": {"stringValue": body}});
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
}

fn lines(bodies: &[&str]) -> String {
    bodies
        .iter()
        .map(|body| format!("{}\n", logs(body)))
        .collect()
}

fn values(text: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(text).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Scenario: a file of lines to protobuf with zstd, that to one object with gzip, that to lines,
/// each by the ending of the output; inputs have names that say nothing.
/// Guarantees: the files are what their names say, and the last is as the first; each run counts.
#[test]
fn file_to_file() {
    let folder = folder("file_to_file");
    let path = |name: &str| folder.join(name).into_os_string().into_string().unwrap();
    fs::write(path("begin"), lines(&["a", "b"])).unwrap();
    for (from, to) in [
        ("begin", "wire.pb.zst"),
        ("wire.pb.zst", "one.json.gz"),
        ("one.json.gz", "end.jsonl"),
    ] {
        let output = run(&[&path(from), "-o", &path(to)]);
        let errors = errors(&output);
        assert_eq!(code(&output), 0, "{errors}");
        assert!(output.stdout.is_empty());
        assert!(errors.contains("2 log records, "), "{errors}");
        assert!(
            errors.contains(" records, ") && errors.contains("0 skipped"),
            "{errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let magic = |name| fs::read(path(name)).unwrap()[..2].to_vec();
    assert_eq!(magic("wire.pb.zst"), [0x28, 0xb5]);
    assert_eq!(magic("one.json.gz"), [0x1f, 0x8b]);
    let end = values(&fs::read(path("end.jsonl")).unwrap());
    let mut merged = logs("a");
    let more = logs("b")["resourceLogs"][0].clone();
    merged["resourceLogs"].as_array_mut().unwrap().push(more);
    assert_eq!(end, [merged]);
}

/// Scenario: a shorter output over a longer file.
/// Guarantees: nothing of the old file is left.
#[test]
fn an_old_output_is_emptied() {
    let folder = folder("old_output");
    let output = folder.join("out.jsonl");
    fs::write(&output, "x".repeat(10_000)).unwrap();
    let done = pipe(&["-o", output.to_str().unwrap()], lines(&["a"]).into());
    assert_eq!(code(&done), 0);
    assert_eq!(values(&fs::read(&output).unwrap()), [logs("a")]);
}

/// Scenario: pipes at both ends, with and without dashes, quietly; a form for the output.
/// Guarantees: lines unless told otherwise; nothing on standard error when quiet.
#[test]
fn pipe_to_pipe() {
    for args in [&["-q"][..], &["--quiet", "-", "-o", "-"]] {
        let output = pipe(args, lines(&["a", "b"]).into());
        assert_eq!((code(&output), errors(&output)), (0, String::new()));
        assert_eq!(values(&output.stdout), [logs("a"), logs("b")]);
    }
    let delimited = pipe(&["--to", "protobuf-delimited"], lines(&["a"]).into());
    assert_eq!(delimited.stdout[..3], [0; 3]);
    let back = pipe(&["--to", "otlp"], delimited.stdout);
    assert_eq!(values(&back.stdout), [logs("a")]);
}

/// Scenario: a broken line, with `stop` and with `skip`; many of them.
/// Guarantees: 1 and what came before, 3 and everything else; the message names file, line,
/// record, byte and path; of many, twenty are told one by one.
#[test]
fn bad_records() {
    let broken = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"flags\":\"x\"}]}]}]}\n";
    let input = lines(&["a"]) + broken + &lines(&["b"]);
    let stopped = pipe(&[], input.clone().into());
    assert_eq!(code(&stopped), 1);
    assert_eq!(values(&stopped.stdout), [logs("a")]);
    let message = errors(&stopped);
    let place = format!("line 2, record 2, byte {}: ", lines(&["a"]).len());
    let path = "resourceLogs[0].scopeLogs[0].logRecords[0].flags: ";
    let expected = format!("otlp-relay: standard input: {place}{path}");
    assert!(message.starts_with(&expected), "{message}");

    let skipped = pipe(&["--on-error", "skip"], input.into());
    assert_eq!(code(&skipped), 3);
    assert_eq!(values(&skipped.stdout), [logs("a"), logs("b")]);
    let message = errors(&skipped);
    assert!(
        message.contains(&format!("skipped: {place}{path}")),
        "{message}"
    );
    assert!(message.contains("3 records, 2 log records, ") && message.contains(", 1 skipped"));

    let many = pipe(
        &["--on-error=skip", "--from=json-lines", "-q"],
        broken.repeat(25).into(),
    );
    assert_eq!(code(&many), 3);
    let message = errors(&many);
    assert_eq!(message.matches("skipped: line ").count(), 20, "{message}");
    assert!(message.contains("5 more records skipped"), "{message}");
}

/// Scenario: a file of zeros, which are lengths of nothing; quietly, too.
/// Guarantees: a warning, as that is hardly meant; it is no error.
#[test]
fn nothing_but_zeros() {
    for args in [&[][..], &["-q"]] {
        let output = pipe(args, vec![0; 4096]);
        assert_eq!(code(&output), 0);
        let warning = "warning: none of 1024 records held anything; is this OTLP?";
        assert!(errors(&output).contains(warning), "{}", errors(&output));
        let output = pipe(args, lines(&["a"]).into());
        assert!(!errors(&output).contains("warning"), "{}", errors(&output));
    }
}

/// Scenario: files that are not there or can't be made, inputs of no known form, flags that mean
/// nothing, help.
/// Guarantees: 1 for what failed, 2 for what was typed wrong, and a message that names it; help
/// lists the exit codes.
#[test]
fn exit_codes() {
    let folder = folder("exit_codes");
    let missing = folder
        .join("missing")
        .into_os_string()
        .into_string()
        .unwrap();
    let nowhere = folder
        .join("no/folder")
        .into_os_string()
        .into_string()
        .unwrap();
    let missed = run(&[&missing]);
    assert_eq!(code(&missed), 1);
    assert!(errors(&missed).contains(&missing));
    let input = folder.join("input");
    fs::write(&input, lines(&["a"])).unwrap();
    let unmade = run(&[input.to_str().unwrap(), "-o", &nowhere]);
    assert_eq!(code(&unmade), 1);
    assert!(errors(&unmade).contains(&nowhere));
    let unknown = pipe(&[], b"PK\x03\x04".to_vec());
    assert_eq!(code(&unknown), 1);
    assert!(errors(&unknown).contains("50 4b 03 04"));
    for args in [["--to", "yaml"], ["--signal", "x"], ["--max-record", "0"]] {
        let wrong = run(&args);
        assert_eq!(code(&wrong), 2);
        assert!(errors(&wrong).contains(args[0]));
    }
    let help = run(&["--help"]);
    assert_eq!(code(&help), 0);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(
        text.contains("Exit codes:") && text.contains("--on-error"),
        "{text}"
    );
}

/// Scenario: an output that is missing its input, and one that fails before a byte was read.
/// Guarantees: a file that can't be read leaves the output alone.
#[test]
fn an_output_without_input_is_left_alone() {
    let folder = folder("left_alone");
    let output = folder.join("out.jsonl");
    fs::write(&output, "precious").unwrap();
    let missing = folder.join("missing");
    let done = run(&[missing.to_str().unwrap(), "-o", output.to_str().unwrap()]);
    assert_eq!(code(&done), 1);
    assert_eq!(fs::read(&output).unwrap(), b"precious");
}

/// Scenario: one file as both ends: by its name, by another name, through pipes of the shell.
/// Guarantees: refused with 2, and the file is as it was.
#[cfg(unix)]
#[test]
fn the_output_is_not_the_input() {
    let folder = folder("same_file");
    let (file, link) = (folder.join("file"), folder.join("link"));
    fs::write(&file, lines(&["a"])).unwrap();
    fs::hard_link(&file, &link).unwrap();
    let (name, other) = (file.to_str().unwrap(), link.to_str().unwrap());
    let appending = || fs::OpenOptions::new().append(true).open(&link).unwrap();
    for output in [
        run(&[name, "-o", name]),
        run(&[name, "-o", other]),
        command(&["-o", name])
            .stdin(fs::File::open(&link).unwrap())
            .output()
            .unwrap(),
        command(&[name]).stdout(appending()).output().unwrap(),
    ] {
        assert_eq!(code(&output), 2);
        assert!(
            errors(&output).contains("is the input"),
            "{}",
            errors(&output)
        );
        assert_eq!(fs::read(&file).unwrap(), lines(&["a"]).into_bytes());
    }
}

/// Scenario: whoever reads the output stops after the first bytes.
/// Guarantees: it ends by itself with 0, and complains about nothing.
#[test]
fn a_reader_that_stops() {
    let input = lines(&["a"]).repeat(200_000);
    let mut child = command(&[]).stdin(Stdio::piped()).spawn().unwrap();
    feed(&mut child, input.into());
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), errors(&output)), (0, String::new()));
}

/// Scenario: a device that is full.
/// Guarantees: 1, a message that says so, and no count of records as if they had been written.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device() {
    let output = pipe(&["-o", "/dev/full"], lines(&["a"]).into());
    assert_eq!(code(&output), 1);
    let message = errors(&output);
    assert!(message.contains("/dev/full: can't write: "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

/// Scenario: gzip that breaks off, of two members.
/// Guarantees: 1, a message that says so, and what was whole is written.
#[test]
fn a_truncated_input() {
    let mut input = crate::support::gzip(lines(&["a"]).as_bytes());
    input.extend(crate::support::gzip(lines(&["b"]).as_bytes()));
    input.truncate(input.len() - 12);
    let output = pipe(&[], input);
    assert_eq!(code(&output), 1);
    assert!(errors(&output).contains("truncated"), "{}", errors(&output));
    assert_eq!(values(&output.stdout)[0], logs("a"));
}
