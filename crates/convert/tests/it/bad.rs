//! Records that can't be converted, and inputs that break off.

use convert::{ConvertError, InputForm, OnError, Options, OutputForm, Problem};
use otlp_codec::{DecodeError, Signal};

use crate::support::{convert, framed, from, lines, logs, spans, to, wire};

fn skipping(options: Options) -> Options {
    Options {
        on_error: OnError::Skip,
        ..options
    }
}

/// Five lines, of which the second is blank and the third broken.
const BROKEN: &str = concat!(
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"a"}}]}]}]}"#,
    "\n\n",
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"x"}]}]}]}"#,
    "\n",
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"b"}}]}]}]}"#,
    "\nthis is no JSON at all\n",
);

/// Scenario: broken lines, with `stop`.
/// Guarantees: the error names line, record, byte, and what the codec says with its path and the
/// line of the file; what came before is written.
#[test]
fn stop_at_a_line() {
    let done = convert(BROKEN, &Options::default());
    let message = done.error().to_string();
    let path = "resourceLogs[0].scopeLogs[0].logRecords[0].severityNumber: ";
    assert!(
        message.starts_with(&format!("line 3, record 2, byte 101: {path}")),
        "{message}"
    );
    assert!(message.contains("at line 3 column 68"), "{message}");
    assert_eq!(done.bodies(), ["a"]);
    let failure = done.result.as_ref().unwrap_err();
    assert_eq!((failure.summary.records, failure.summary.skipped), (2, 0));
    assert_eq!(failure.summary.bytes_in, BROKEN.len() as u64);
    assert_eq!(failure.summary.bytes_out, done.out.len() as u64);
}

/// Scenario: broken lines, with `skip`, to each form that takes them.
/// Guarantees: only they are left out, and each is told of.
#[test]
fn skip_lines() {
    for form in [
        OutputForm::OtlpLines,
        OutputForm::Protobuf,
        OutputForm::Otlp,
    ] {
        let done = convert(BROKEN, &skipping(to(form)));
        let summary = done.summary();
        assert_eq!((summary.records, summary.skipped), (4, 2));
        let places: Vec<_> = done.skipped.iter().map(|one| one.place).collect();
        assert_eq!((places[0].line, places[0].record), (Some(3), 2));
        assert_eq!((places[1].line, places[1].record), (Some(5), 4));
        let back = convert(&done.out, &Options::default());
        assert_eq!(back.bodies(), ["a", "b"]);
    }
}

/// Scenario: a first line that breaks off, inside of a string and outside of one.
/// Guarantees: inside, the lines are told anyway; outside, the message says how to.
#[test]
fn a_broken_first_line() {
    let good = logs(&["b"]);
    let inside = format!("{{\"resourceLogs\":[{{\"schemaUrl\":\"ht\n{good}\n");
    let done = convert(&inside, &skipping(Options::default()));
    assert_eq!(done.bodies(), ["b"]);
    assert_eq!(done.skipped[0].place.line, Some(1));
    let outside = format!("{{\"resourceLogs\":[\n{good}\n");
    let error = convert(&outside, &skipping(Options::default()));
    let message = error.error().to_string();
    assert!(message.contains("--from json-lines"), "{message}");
    // Brackets that don't match, too many and too few, in short inputs and in long ones.
    for first in [
        "{\"resourceLogs\":[}]}}",
        "{\"resourceLogs\":[{]}",
        "{\"resourceLogs\":[[{]}",
    ] {
        for times in [1, 20_000] {
            let input = format!("{first}\n{}", format!("{good}\n").repeat(times));
            let done = convert(&input, &skipping(Options::default()));
            assert!(done.result.is_err(), "{first} {times}");
            let message = done.error().to_string();
            assert!(message.contains("--from json-lines"), "{message}");
            let done = convert(&input, &skipping(from(InputForm::JsonLines)));
            assert_eq!((done.bodies().len(), done.skipped.len()), (times, 1));
        }
    }
    let done = convert(&outside, &skipping(from(InputForm::JsonLines)));
    assert_eq!(done.bodies(), ["b"]);
}

/// Scenario: a broken object among pretty ones.
/// Guarantees: it alone is skipped; line and column are those of the file.
#[test]
fn skip_objects() {
    let good = serde_json::to_string_pretty(&logs(&["a"])).unwrap();
    let bad = "{\n \"resourceLogs\": [\n  {\"scopeLogs\": 5}\n ]\n}";
    let done = convert(
        format!("{good}\n  {bad}\n{good}"),
        &skipping(Options::default()),
    );
    assert_eq!(done.bodies(), ["a", "a"]);
    let error = &done.skipped[0];
    let line = good.lines().count() + 1;
    assert_eq!(error.place.line, Some(line as u64));
    assert_eq!(error.place.offset, good.len() as u64 + 3);
    let Problem::Decode(DecodeError::Json(json)) = &error.problem else {
        panic!("{error}");
    };
    assert_eq!(
        (json.line, json.path.as_str()),
        (line + 2, "resourceLogs[0].scopeLogs")
    );

    // On the first line of an object, the column counts what is in front of it.
    let done = convert(
        format!("{{}} {{\"resourceLogs\":7}}{good}"),
        &skipping(Options::default()),
    );
    let Problem::Decode(DecodeError::Json(json)) = &done.skipped[0].problem else {
        panic!("{}", done.skipped[0]);
    };
    let behind = "{} {\"resourceLogs\":7".len();
    assert_eq!(
        (json.line, json.column, json.offset),
        (1, behind, behind - 1)
    );
}

/// Scenario: text between objects, lists that break off, keys without values, in short and in
/// long objects.
/// Guarantees: an error with a place even with `skip`, after what is whole was written.
#[test]
fn broken_between_records() {
    let good = logs(&["a"]).to_string();
    let long_begin = format!("{{\"x\":\"{}\"", "y".repeat(1 << 20));
    let list = format!(",\"resourceLogs\":[{}", logs(&["b"])["resourceLogs"][0]);
    for (rest, whole, expected) in [
        ("x".to_owned(), 1, "expected an object"),
        ("{\"a\":".to_owned(), 1, "truncated"),
        (format!("{long_begin} \"a\":1}}"), 1, "expected `,` or `}`"),
        (format!("{long_begin},a:1}}"), 1, "a key in quotes"),
        (format!("{long_begin},\"a\" 1}}"), 1, "expected `:`"),
        (format!("{long_begin},\"a\""), 1, "truncated"),
        (format!("{long_begin},\"a\":{{"), 1, "truncated"),
        (format!("{long_begin},\"a\":\"\\\""), 1, "truncated"),
        (format!("{long_begin},\"a\":12"), 1, "truncated"),
        (format!("{long_begin}{list}"), 2, "truncated"),
        (format!("{long_begin}{list},{{"), 2, "truncated"),
        (format!("{long_begin}{list},]}}"), 2, "in the list"),
        (format!("{long_begin}{list}{{}}]}}"), 2, "in the list"),
        (format!("{long_begin}{list} 5]}}"), 2, "in the list"),
    ] {
        let done = convert(format!("{good}{rest}"), &skipping(Options::default()));
        let message = done.error().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with("line 1, record "), "{message}");
        assert!(!message.contains("--from json-lines"), "{message}");
        assert_eq!(done.bodies().len(), whole, "{message}");
    }
}

/// Scenario: fields of a message of which one is broken inside, which is cut off, which has a
/// broken tag.
/// Guarantees: a broken field is skipped alone, with the byte where it is broken; a cut and a tag
/// are errors even with `skip`; what is whole is written.
#[test]
fn fields_of_a_message() {
    let [a, b] = ["a", "b"].map(|body| wire(Signal::Logs, &logs(&[body])));
    let broken = [0x0a, 3, 18, 9, 9];
    let done = convert(
        [&a[..], &broken, &b].concat(),
        &skipping(Options::default()),
    );
    assert_eq!(done.bodies(), ["a", "b"]);
    let error = &done.skipped[0];
    assert_eq!((error.place.record, error.place.line), (2, None));
    assert_eq!(error.place.offset, a.len() as u64);
    let Problem::Decode(DecodeError::Protobuf(inner)) = &error.problem else {
        panic!("{error}");
    };
    assert!(inner.offset >= a.len() && inner.offset < a.len() + broken.len());
    assert!(inner.path.starts_with("resourceLogs[1]"), "{}", inner.path);

    let stopped = convert([&a[..], &broken, &b].concat(), &Options::default());
    assert_eq!(stopped.bodies(), ["a"]);
    for (rest, expected) in [
        (&b[..b.len() - 1], "truncated"),
        (&b[..1], "truncated"),
        (&[0x0f][..], "wire type"),
        (&[0x0b], "a group"),
        (&[0x02, 0], "a field's number"),
        (
            &[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
            "10 bytes",
        ),
    ] {
        let done = convert([&a, rest].concat(), &skipping(Options::default()));
        let message = done.error().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains(&format!("byte {}", a.len())), "{message}");
        assert_eq!(done.bodies(), ["a"]);
    }
}

/// Scenario: records with lengths of which one is broken inside, or the last is cut off at every
/// byte.
/// Guarantees: the broken one is skipped alone; a cut is an error that says so.
#[test]
fn records_with_lengths() {
    let [a, b] = ["a", "b"].map(|body| wire(Signal::Logs, &logs(&[body])));
    let done = convert(
        framed(&[&a, &a[1..].to_vec(), &b]),
        &skipping(Options::default()),
    );
    assert_eq!(done.bodies(), ["a", "b"]);
    assert_eq!(done.skipped[0].place.record, 2);
    let whole = framed(&[&a, &b]);
    for cut in a.len() + 5..whole.len() {
        let done = convert(&whole[..cut], &skipping(Options::default()));
        assert!(
            matches!(done.error(), ConvertError::Truncated { .. }),
            "{cut}"
        );
        assert!(
            done.error().to_string().contains("record 2, byte "),
            "{cut}"
        );
        assert_eq!(done.bodies(), ["a"]);
    }
}

/// Scenario: JSON behind lengths, broken on its first line and on its second.
/// Guarantees: line and column are those of the record, the byte is that of the input.
#[test]
fn places_in_json_with_lengths() {
    let bad = ["{\"resourceLogs\":5}", "{\"resourceLogs\":\n5}"];
    let done = convert(framed(&bad), &skipping(Options::default()));
    let place = |one: &convert::RecordError| match &one.problem {
        Problem::Decode(DecodeError::Json(json)) => (json.line, json.column, json.offset),
        other => panic!("{other}"),
    };
    let places: Vec<_> = done.skipped.iter().map(place).collect();
    let begin = "{\"resourceLogs\":".len();
    let second = 8 + bad[0].len();
    assert_eq!(
        places,
        [(1, begin + 1, 4 + begin), (2, 1, second + begin + 1)]
    );
}

/// Scenario: ids of a length that OTLP doesn't have, as JSON and as protobuf.
/// Guarantees: the record is refused by the path of the id.
#[test]
fn ids_of_a_wrong_length() {
    let mut bad = spans("x");
    bad["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] = "07".into();
    let good = spans("y");
    let wires = [wire(Signal::Traces, &good), wire(Signal::Traces, &bad)];
    for input in [lines(&[good.clone(), bad]), framed(&wires), wires.concat()] {
        let done = convert(input, &skipping(Options::default()));
        assert_eq!(done.lines(), std::slice::from_ref(&good));
        let message = done.skipped[0].to_string();
        assert!(
            message.contains("scopeSpans[0].spans[0].spanId: "),
            "{message}"
        );
    }
}

/// Scenario: inputs that begin like nothing that is known.
/// Guarantees: the message says what was looked for, and shows the first bytes; nothing is written.
#[test]
fn unknown_inputs() {
    for (input, shown) in [
        (&b"[1,2]"[..], "5b 31 2c 32 5d"),
        (b"PK\x05\x06", "50 4b 05 06"),
        (b"\xff\xfe{\0", "ff fe 7b 00"),
    ] {
        let done = convert(input, &to(OutputForm::Otlp));
        assert_eq!(done.text(), "");
        let message = done.error().to_string();
        for part in ["OTLP JSON", "protobuf", "gzip", "--from", shown] {
            assert!(message.contains(part), "{message}");
        }
    }
}
