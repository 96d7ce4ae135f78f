//! Every form of input to every form of output.

use convert::{Compression, InputForm, Options, OutputForm};
use otlp_codec::Signal;
use serde_json::{Value, json};

use crate::support::{
    Done, bodies_of, convert, framed, from, gzip, json_of, lines, logs, metrics, payload_m,
    profiles, spans, to, wire, zstd,
};

/// Three requests of logs in every form of input, with its name.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let requests = [logs(&["a", "b"]), logs(&["c"]), logs(&["d \"}{\\ ü"])];
    let wires = requests.each_ref().map(|one| wire(Signal::Logs, one));
    let compact = requests.each_ref().map(Value::to_string);
    let pretty = requests
        .each_ref()
        .map(|one| serde_json::to_string_pretty(one).unwrap());
    let crlf = compact.join("\r\n\r\n") + "\r\n";
    let plain = [
        ("lines", lines(&requests)),
        ("lines without a last feed", compact.join("\n").into_bytes()),
        ("lines of Windows", crlf.into_bytes()),
        (
            "lines behind a mark",
            [b"\xef\xbb\xbf", lines(&requests).as_slice()].concat(),
        ),
        ("objects in a row", compact.concat().into_bytes()),
        ("pretty objects", pretty.join("\n").into_bytes()),
        (
            "objects behind blanks",
            format!("\n\n {}", pretty.join("")).into_bytes(),
        ),
        ("messages joined", wires.concat()),
        ("messages with lengths", framed(&wires)),
        (
            "compressed messages with lengths",
            framed(&wires.each_ref().map(|one| zstd(one))),
        ),
        (
            "compressed objects with lengths",
            framed(&compact.each_ref().map(|one| zstd(one.as_bytes()))),
        ),
    ];
    let mut all = Vec::from(plain.clone());
    for (name, bytes) in plain {
        all.push((name, gzip(&bytes)));
        all.push((name, zstd(&bytes)));
    }
    all
}

/// What was written, as one request.
fn merged(to: OutputForm, done: &Done) -> Value {
    let wires = match to {
        OutputForm::Otlp | OutputForm::OtlpLines => {
            let lists = done
                .lines()
                .into_iter()
                .map(|line| line["resourceLogs"].clone());
            let elements = lists.flat_map(|list| list.as_array().unwrap().clone());
            return json!({"resourceLogs": elements.collect::<Vec<_>>()});
        }
        OutputForm::Protobuf => done.out.clone(),
        OutputForm::ProtobufDelimited => {
            let mut rest = done.out.as_slice();
            let mut all = Vec::new();
            while let Some((len, body)) = rest.split_first_chunk::<4>() {
                let (one, behind) = body.split_at(u32::from_be_bytes(*len) as usize);
                all.extend_from_slice(one);
                rest = behind;
            }
            all
        }
        OutputForm::ProtoJson | OutputForm::Points => panic!("not joined"),
    };
    serde_json::from_slice(&json_of(Signal::Logs, &wires)).unwrap()
}

/// Scenario: three requests in every form of input, plain and compressed, to every form of output
/// that can be joined again.
/// Guarantees: nothing is lost, added or moved; the items are counted.
#[test]
fn every_form_to_every_form() {
    let expected = logs(&["a", "b", "c", "d \"}{\\ ü"]);
    for (name, input) in inputs() {
        for form in [
            OutputForm::Otlp,
            OutputForm::OtlpLines,
            OutputForm::Protobuf,
            OutputForm::ProtobufDelimited,
        ] {
            let done = convert(&input, &to(form));
            let summary = done.summary();
            assert_eq!(merged(form, &done), expected, "{name} to {form}");
            assert_eq!(summary.items_in_words(), (4, "log records"), "{name}");
            assert_eq!(summary.bytes_in, input.len() as u64, "{name}");
            assert_eq!(summary.bytes_out, done.out.len() as u64, "{name}");
            // One message is one run of fields.
            let records = if name == "messages joined" { 1 } else { 3 };
            assert_eq!(summary.records, records, "{name}");
        }
    }
}

/// Scenario: spans to protobuf's own JSON, from JSON and from protobuf.
/// Guarantees: one object a line, ids in base64.
#[test]
fn protobufs_own_json() {
    let request = spans("checkout");
    let wire = wire(Signal::Traces, &request);
    for input in [
        lines(&[request.clone(), request.clone()]),
        framed(&[&wire, &wire]),
    ] {
        let done = convert(input, &to(OutputForm::ProtoJson));
        assert_eq!(done.summary().records, 2);
        let lines = done.lines();
        assert_eq!(lines.len(), 2);
        let span = &lines[1]["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["spanId"], "7uGbfsPBsXQ=");
    }
}

/// Scenario: three requests in every form of input, to points; profiles, which have none.
/// Guarantees: each log record is a line, in order; profiles are an error that says so.
#[test]
fn points() {
    for (name, input) in inputs() {
        let done = convert(&input, &to(OutputForm::Points));
        let expected = ["a", "b", "c", "d \"}{\\ ü"].map(|body| {
            json!({"signal": "logs", "time": "1970-01-01T00:00:00.000000007Z", "body": body,
                "resource": {"service.name": "s"}})
        });
        assert_eq!(done.lines(), expected, "{name}");
        assert_eq!(done.summary().total_items(), 4, "{name}");
    }
    let done = convert(lines(&[profiles("x")]), &to(OutputForm::Points));
    let message = done.error().to_string();
    assert!(message.contains("profiles"), "{message}");
    assert!(done.out.is_empty());
}

/// Scenario: a real export of metrics, several times, from lines to lengths and back.
/// Guarantees: the lines are equal as JSON.
#[test]
fn there_and_back() {
    let mut line = json_of(Signal::Metrics, &payload_m());
    line.push(b'\n');
    let input = line.repeat(5);
    let there = convert(&input, &to(OutputForm::ProtobufDelimited));
    let back = convert(&there.out, &to(OutputForm::OtlpLines));
    let expected: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(back.lines(), vec![expected; 5]);
    assert_eq!(there.summary().items, back.summary().items);
    assert_eq!(back.summary().items_in_words().1, "data points");
}

/// Scenario: nothing, white space, nothing compressed; empty objects and requests; to each form.
/// Guarantees: success; one object of JSON is an empty one, every other form is empty.
#[test]
fn nothing() {
    let cases: [(Vec<u8>, u64); 8] = [
        (vec![], 0),
        (b" \n\r\n".to_vec(), 0),
        (b"\xef\xbb\xbf".to_vec(), 0),
        (gzip(b""), 0),
        (zstd(b""), 0),
        (b"{}".to_vec(), 1),
        (
            b"{\"resourceLogs\":[]}\n{\"resourceSpans\":[]}\n".to_vec(),
            2,
        ),
        (vec![0, 0, 0, 0], 1),
    ];
    for (input, records) in cases {
        for &form in OutputForm::ALL {
            let done = convert(&input, &to(form));
            assert_eq!(done.summary().records, records, "{input:?}");
            assert_eq!(done.summary().total_items(), 0);
            let expected = if form == OutputForm::Otlp { "{}\n" } else { "" };
            assert_eq!(done.text(), expected, "{input:?} to {form}");
        }
    }
}

/// Scenario: every form of output compressed either way.
/// Guarantees: it is read again as if it weren't.
#[test]
fn compressed_outputs() {
    let input = lines(&[logs(&["a"]), logs(&["b"])]);
    for form in [
        OutputForm::OtlpLines,
        OutputForm::Otlp,
        OutputForm::ProtobufDelimited,
    ] {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let options = Options {
                compression,
                ..to(form)
            };
            let done = convert(&input, &options);
            assert_eq!(done.summary().bytes_out, done.out.len() as u64);
            let back = convert(&done.out, &Options::default());
            assert_eq!(back.bodies(), ["a", "b"], "{form} {compression:?}");
        }
    }
}

/// Scenario: each form of input by its name, and a name that is not true.
/// Guarantees: the name is believed.
#[test]
fn forms_by_name() {
    let request = logs(&["a"]);
    let text = lines(std::slice::from_ref(&request));
    let wire = wire(Signal::Logs, &request);
    for (form, input) in [
        (InputForm::Json, text.clone()),
        (InputForm::JsonLines, text.clone()),
        (InputForm::Protobuf, wire.clone()),
        (InputForm::ProtobufDelimited, framed(&[&wire])),
        (InputForm::ProtobufDelimited, gzip(&framed(&[&wire]))),
    ] {
        assert_eq!(convert(input, &from(form)).bodies(), ["a"], "{form}");
    }
    assert!(convert(&text, &from(InputForm::Protobuf)).result.is_err());
    assert!(convert(&wire, &from(InputForm::JsonLines)).result.is_err());
}

/// Scenario: profiles from each form to each, twice to forms that hold one message.
/// Guarantees: the dictionary comes along; two dictionaries are never joined.
#[test]
fn profiles_are_whole() {
    let request = profiles("main");
    let bytes = wire(Signal::Profiles, &request);
    let inputs = [
        lines(std::slice::from_ref(&request)),
        serde_json::to_vec_pretty(&request).unwrap(),
        bytes.clone(),
        framed(&[&bytes]),
    ];
    for input in &inputs {
        for form in [OutputForm::Otlp, OutputForm::OtlpLines] {
            let done = convert(input, &to(form));
            assert_eq!(done.summary().items_in_words(), (1, "profiles"));
            assert_eq!(done.lines(), std::slice::from_ref(&request));
        }
        let there = convert(input, &to(OutputForm::Protobuf));
        assert_eq!(
            convert(&there.out, &Options::default()).lines(),
            std::slice::from_ref(&request)
        );
    }
    let two = lines(&[request.clone(), profiles("other")]);
    for form in [OutputForm::Otlp, OutputForm::Protobuf] {
        let done = convert(&two, &to(form));
        let message = done.error().to_string();
        assert!(message.starts_with("line 2, record 2, byte "), "{message}");
        assert!(message.contains("two dictionaries"), "{message}");
        assert_eq!(
            convert(&done.out, &Options::default()).lines(),
            std::slice::from_ref(&request)
        );
    }
    assert_eq!(
        convert(&two, &to(OutputForm::ProtobufDelimited))
            .summary()
            .records,
        2
    );
}

/// Scenario: lines of three signals to lines.
/// Guarantees: each is converted by its own signal, and counted there.
#[test]
fn mixed_lines() {
    let requests = [logs(&["a"]), spans("b"), metrics("c"), logs(&["d"])];
    let done = convert(lines(&requests), &Options::default());
    assert_eq!(done.lines(), requests);
    assert_eq!(done.summary().items, [2, 1, 2, 0]);
    assert_eq!(bodies_of(&done.lines()[3]), ["d"]);
}
