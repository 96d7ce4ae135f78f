//! Which signal a record is of.

use convert::{OnError, Options, OutputForm, Problem};
use otlp_codec::Signal;

use crate::support::{convert, framed, lines, logs, metrics, payload_m, profiles, spans, to, wire};

/// Scenario: protobuf of each signal, bare and with a length, and a real export.
/// Guarantees: the signal is found by what is in it.
#[test]
fn protobuf_is_told_apart() {
    let cases = [
        (Signal::Metrics, wire(Signal::Metrics, &metrics("requests"))),
        (Signal::Metrics, payload_m()),
        (Signal::Traces, wire(Signal::Traces, &spans("checkout"))),
        (Signal::Logs, wire(Signal::Logs, &logs(&["a"]))),
        (Signal::Profiles, wire(Signal::Profiles, &profiles("main"))),
    ];
    for (signal, bytes) in cases {
        for input in [bytes.clone(), framed(&[&bytes])] {
            let summary = convert(input, &Options::default()).summary();
            let index = Signal::ALL.iter().position(|one| *one == signal).unwrap();
            assert!(summary.items[index] > 0, "{signal}: {summary:?}");
            assert_eq!(summary.items[index], summary.total_items());
        }
    }
}

/// Scenario: one file of records with lengths of three signals.
/// Guarantees: each is found anew.
#[test]
fn mixed_lengths() {
    let records = [
        wire(Signal::Logs, &logs(&["a"])),
        wire(Signal::Traces, &spans("b")),
        wire(Signal::Metrics, &metrics("c")),
        wire(Signal::Logs, &logs(&["d"])),
    ];
    let done = convert(framed(&records), &Options::default());
    assert_eq!(done.summary().items, [2, 1, 2, 0]);
    assert_eq!(
        done.lines(),
        [logs(&["a"]), spans("b"), metrics("c"), logs(&["d"])]
    );
}

/// Scenario: protobuf that several signals accept, that has no items, that is none.
/// Guarantees: errors that ask for `--signal`, or tell what each signal says; with the signal
/// said, it is converted.
#[test]
fn protobuf_that_cannot_be_told() {
    // An empty span, log record or profile.
    let ambiguous = [10, 4, 18, 2, 18, 0];
    let done = convert(ambiguous, &Options::default());
    let message = done.error().to_string();
    assert!(
        message.contains("traces and as logs") && message.contains("--signal"),
        "{message}"
    );
    let no_items = [10, 2, 10, 0];
    let done = convert(no_items, &Options::default());
    assert!(done.error().to_string().contains("--signal"));
    for input in [&ambiguous[..], &no_items] {
        let options = Options {
            signal: Some(Signal::Logs),
            ..Options::default()
        };
        assert_eq!(convert(input, &options).summary().records, 1);
    }
    let done = convert([10, 3, 18, 9, 9], &Options::default());
    let message = done.error().to_string();
    for signal in Signal::ALL {
        assert!(message.contains(&format!("as {signal}: ")), "{message}");
    }
}

/// Scenario: JSON of another signal than was said; objects of two signals, and of none.
/// Guarantees: errors by the names of the members: nothing is passed over silently.
#[test]
fn json_of_the_wrong_signal() {
    let skip = |signal| Options {
        signal,
        on_error: OnError::Skip,
        ..Options::default()
    };
    let done = convert(
        lines(&[logs(&["a"]), spans("b")]),
        &skip(Some(Signal::Logs)),
    );
    assert_eq!(done.bodies(), ["a"]);
    let problem = Problem::OtherSignal {
        found: "resourceSpans",
        asked: Signal::Logs,
    };
    assert_eq!(done.skipped[0].problem, problem);

    let two = r#"{"resourceLogs":[],"resourceSpans":[]}"#;
    let none = r#"{"level":"info","message":"not OTLP"}"#;
    let done = convert(format!("{two}\n{none}\n"), &skip(None));
    let problems: Vec<&Problem> = done.skipped.iter().map(|one| &one.problem).collect();
    let expected = Problem::TwoSignals("resourceLogs", "resourceSpans");
    assert_eq!(problems, [&expected, &Problem::NoSignal]);
}

/// Scenario: a second signal in outputs that are one message, or a row of messages.
/// Guarantees: an error for its records alone; what fits is joined.
#[test]
fn one_signal_for_one_message() {
    let input = lines(&[logs(&["a"]), spans("b"), logs(&["c"])]);
    for form in [
        OutputForm::Otlp,
        OutputForm::Protobuf,
        OutputForm::ProtobufDelimited,
    ] {
        let options = Options {
            on_error: OnError::Skip,
            ..to(form)
        };
        let done = convert(&input, &options);
        let message = done.skipped[0].to_string();
        assert!(message.starts_with("line 2, record 2"), "{message}");
        assert!(
            message.contains("traces") && message.contains("logs"),
            "{message}"
        );
        let back = convert(&done.out, &Options::default());
        assert_eq!(back.bodies(), ["a", "c"]);
    }
}
