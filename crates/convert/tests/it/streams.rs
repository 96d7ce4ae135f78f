//! How the bytes come and go: in parts of any size, and not at all.

use std::io::{self, Read, Write};
use std::sync::LazyLock;

use convert::{ConvertError, NoObserver, OnError, Options, OutputForm};
use otlp_codec::Signal;
use proptest::prelude::*;

use crate::support::{
    InParts, convert, convert_from, framed, gzip, json_of, lines, logs, metrics, payload_m,
    profiles, spans, wire, zstd,
};

/// Inputs of every form, good and bad.
fn inputs() -> Vec<Vec<u8>> {
    let requests = [
        logs(&["a", "b"]),
        spans("c \\\" d"),
        metrics("e"),
        profiles("f"),
    ];
    let pretty: Vec<String> = requests
        .iter()
        .map(|one| serde_json::to_string_pretty(one).unwrap())
        .collect();
    let wires = [
        wire(Signal::Logs, &requests[0]),
        wire(Signal::Traces, &requests[1]),
        wire(Signal::Metrics, &requests[2]),
    ];
    let all_lines = lines(&requests);
    let one_pretty = format!("\n\n{}", pretty[0]);
    vec![
        all_lines.clone(),
        [&all_lines[..], b"\n{\"resourceLogs\":[{]}\n", &all_lines].concat(),
        [b"\xef\xbb\xbf", &all_lines[..]].concat(),
        all_lines[..all_lines.len() - 9].to_vec(),
        pretty.join("\r\n").into_bytes(),
        one_pretty.into_bytes(),
        framed(&wires),
        framed(&wires)[..50].to_vec(),
        framed(&wires.each_ref().map(|one| zstd(one))),
        wires[0].repeat(3),
        wire(Signal::Profiles, &requests[3]),
        gzip(&all_lines),
        zstd(&framed(&wires)),
        b"\n{\x12\x10".to_vec(),
        b"nothing".to_vec(),
    ]
}

fn outcome(reader: impl Read, limit: usize) -> (Vec<u8>, String, Vec<String>) {
    let mut options = Options {
        on_error: OnError::Skip,
        ..Options::default()
    };
    options.limits.input_bytes = limit;
    let done = convert_from(reader, &options);
    let end = match &done.result {
        Ok(summary) => format!(
            "{:?} {} {}",
            summary.items, summary.records, summary.skipped
        ),
        Err(failure) => failure.to_string(),
    };
    let skipped = done.skipped.iter().map(ToString::to_string).collect();
    (done.out, end, skipped)
}

/// Scenario: inputs of every form, one byte at a time, with limits that make records too long
/// and objects long.
/// Guarantees: output, errors and counts are the same as at once.
#[test]
fn byte_by_byte() {
    for input in inputs() {
        for limit in [30, 150, 64 << 20] {
            let bytes = &input;
            let parts = InParts {
                bytes,
                sizes: vec![1],
                at: 0,
            };
            assert_eq!(outcome(parts, limit), outcome(&input[..], limit));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Scenario: the same, in parts of random sizes, with random limits, of inputs that aren't
    /// compressed with a random byte changed.
    /// Guarantees: the same; and no panic.
    #[test]
    fn parts_of_any_size(
        which in any::<proptest::sample::Index>(),
        sizes in proptest::collection::vec(1_usize..200, 1..6),
        limit in prop_oneof![20_usize..400, Just(64 << 20)],
        change in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
    ) {
        static INPUTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(inputs);
        let mut input = INPUTS[which.index(INPUTS.len())].clone();
        // How much comes out of a damaged stream depends on how much is asked for.
        let is_packed = [gzip(b""), zstd(b"")].iter().any(|one| input.starts_with(&one[..2]));
        if let Some((at, byte)) = change.filter(|_| !is_packed) {
            let at = at.index(input.len());
            input[at] = byte;
        }
        let parts = InParts { bytes: &input, sizes, at: 0 };
        prop_assert_eq!(outcome(parts, limit), outcome(&input[..], limit));
    }
}

/// Fails when it is asked for the second time.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.0.read(room)? {
            0 => Err(io::Error::from_raw_os_error(5)),
            len => Ok(len),
        }
    }
}

/// Scenario: a disk that fails in the middle of a line, of a message, of an object.
/// Guarantees: what is whole is written, then the error of the disk is told.
#[test]
fn reading_fails() {
    let two = [logs(&["a"]), logs(&["b"])];
    let wires = two.each_ref().map(|one| wire(Signal::Logs, one));
    for input in [
        lines(&two),
        wires.concat(),
        framed(&wires),
        lines(&two).repeat(2),
    ] {
        let done = convert_from(Failing(&input[..input.len() - 3]), &Options::default());
        assert!(
            matches!(done.error(), ConvertError::Read(_)),
            "{}",
            done.error()
        );
        assert_eq!(done.bodies()[0], "a");
    }
}

/// Takes so many bytes.
struct Full(usize, io::ErrorKind);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let len = bytes.len().min(self.0);
        self.0 -= len;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Scenario: a disk that is full, and a pipe that is closed, plain and compressed.
/// Guarantees: an error of writing; a closed pipe is told apart; the input isn't read on.
#[test]
fn writing_fails() {
    let mut line = json_of(Signal::Metrics, &payload_m());
    line.push(b'\n');
    let input = line.repeat(20);
    for (kind, is_pipe) in [
        (io::ErrorKind::StorageFull, false),
        (io::ErrorKind::BrokenPipe, true),
    ] {
        for compression in [convert::Compression::None, convert::Compression::Gzip] {
            let options = Options {
                to: OutputForm::OtlpLines,
                compression,
                ..Options::default()
            };
            let result = convert::run(&input[..], Full(1000, kind), &options, &mut NoObserver);
            let failure = result.unwrap_err();
            assert!(matches!(failure.error, ConvertError::Write(_)), "{failure}");
            assert_eq!(failure.error.is_broken_pipe(), is_pipe);
        }
    }
    let at_once = convert(&input, &Options::default());
    assert_eq!(at_once.summary().records, 20);
}
