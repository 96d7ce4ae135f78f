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

/// A metric that can be read as a span: its name is as long as the id of a trace, and its one
/// point has attributes and nothing else.
const READ_AS_A_SPAN: &[u8] =
    b"\n$\x12\"\x12 \n\x10sixteen.char.nam*\x0c\n\n:\x08\n\x01k\x12\x03\n\x01v";

/// Scenario: records with lengths: a span, and a metric that can be read as a span.
/// Guarantees: the record before it says nothing of the second one: it is an error that asks for
/// the signal, and with that it is converted as what it is.
#[test]
fn every_record_is_told_anew() {
    let span = wire(Signal::Traces, &spans("a"));
    for order in [[&span[..], READ_AS_A_SPAN], [READ_AS_A_SPAN, &span[..]]] {
        let options = Options {
            on_error: OnError::Skip,
            ..Options::default()
        };
        let done = convert(framed(&order), &options);
        assert_eq!(done.lines(), [spans("a")]);
        let several = Problem::AmbiguousSignal(vec![Signal::Metrics, Signal::Traces]);
        assert_eq!(done.skipped[0].problem, several);
    }
    let options = Options {
        signal: Some(Signal::Metrics),
        ..Options::default()
    };
    let done = convert(framed(&[READ_AS_A_SPAN]), &options);
    assert!(done.text().contains("sixteen.char.nam"));
    // One message is of one signal: that of what comes first.
    let done = convert([&span, READ_AS_A_SPAN].concat(), &Options::default());
    assert_eq!(done.summary().items, [0, 2, 0, 0]);
}

/// Scenario: fields of a message without items, one that is broken, one with items.
/// Guarantees: the last says the signal of all, and the broken one alone is skipped.
#[test]
fn the_signal_of_a_run() {
    let without = [10, 2, 10, 0];
    let span = wire(Signal::Traces, &spans("a"));
    let options = Options {
        on_error: OnError::Skip,
        ..Options::default()
    };
    let input = [&without[..], &[10, 3, 18, 9, 9], &without, &span].concat();
    let done = convert(&input, &options);
    assert_eq!((done.lines().len(), done.skipped.len()), (3, 1));
    assert_eq!(
        (done.skipped[0].place.record, done.skipped[0].place.offset),
        (2, 4)
    );
    let done = convert(&input[..13], &options);
    assert_eq!((done.lines().len(), done.skipped.len()), (0, 3));
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

    // `{}` is a request of any signal; a dictionary alone is one of profiles.
    for (signal, input, skipped) in [
        (Signal::Logs, r#"{"foo":1}"#, 1),
        (Signal::Logs, r#"{"resourceLog":[]}"#, 1),
        (Signal::Logs, r#"{"dictionary":{}}"#, 1),
        (Signal::Profiles, r#"{"dictionary":{}}"#, 0),
        (Signal::Logs, "{}", 0),
        (Signal::Logs, "{ }", 0),
    ] {
        let done = convert(input, &skip(Some(signal)));
        assert_eq!(done.summary().records, 1, "{input}");
        assert_eq!(done.skipped.len(), skipped, "{input}");
        let of_none = |error: &convert::RecordError| error.problem == Problem::NoSignal;
        assert!(done.skipped.iter().all(of_none), "{input}");
    }

    let two = r#"{"resourceLogs":[],"resourceSpans":[]}"#;
    let none = r#"{"level":"info","message":"not OTLP"}"#;
    let done = convert(format!("{two}\n{none}\n"), &skip(None));
    let problems: Vec<&Problem> = done.skipped.iter().map(|one| &one.problem).collect();
    let expected = Problem::TwoSignals("resourceLogs", "resourceSpans");
    assert_eq!(problems, [&expected, &Problem::NoSignal]);
}

/// Scenario: zeros, empty objects and lists, with and without a signal; something among them; a
/// resource without items.
/// Guarantees: that nothing was held is told from that something was.
#[test]
fn empty_records_are_counted() {
    let zeros = vec![0; 4000];
    let log = wire(Signal::Logs, &logs(&["a"]));
    for signal in [None, Some(Signal::Logs)] {
        let options = Options {
            signal,
            ..Options::default()
        };
        for (input, empty, is_all) in [
            (zeros.clone(), 1000, true),
            (b"{}\n{ }\n{\"resourceLogs\":[]}".to_vec(), 3, true),
            ([&zeros, &framed(&[&log])[..]].concat(), 1000, false),
            (b"{\"resourceLogs\":[{}]}".to_vec(), 0, false),
            (Vec::new(), 0, false),
        ] {
            let summary = convert(input, &options).summary();
            assert_eq!((summary.empty, summary.is_all_empty()), (empty, is_all));
        }
    }
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
