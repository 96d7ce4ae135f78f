//! Records that are too long, and inputs of any length in little memory.

use std::io::{self, Read, Write};

use convert::{NoObserver, OnError, Options, OutputForm, Problem};
use otlp_codec::{DecodeError, Signal};
use serde_json::json;

use crate::support::{convert, framed, lines, logs, metrics, spans, wire};

fn limited(input_bytes: usize) -> Options {
    let mut options = Options {
        on_error: OnError::Skip,
        ..Options::default()
    };
    options.limits.input_bytes = input_bytes;
    options
}

/// Scenario: a record over the limit between two others, in each form; a limit that it just
/// keeps.
/// Guarantees: it alone is skipped, with its place; at the limit it is converted.
#[test]
fn too_long_in_the_middle() {
    let long = "x".repeat(5000);
    let requests = [logs(&["a"]), logs(&[&long]), logs(&["b"])];
    let wires = requests.each_ref().map(|one| wire(Signal::Logs, one));
    let text = requests[1].to_string().len();
    let element = requests[1]["resourceLogs"][0].to_string().len();
    let list: Vec<_> = requests
        .iter()
        .map(|one| one["resourceLogs"][0].to_string())
        .collect();
    let object = format!("{{\"resourceLogs\":[{}]}}", list.join(" ,\n"));
    for (input, len) in [
        (lines(&requests), text),
        (framed(&wires), wires[1].len()),
        (wires.concat(), wires[1].len()),
        (object.into_bytes(), element),
    ] {
        let done = convert(&input, &limited(len));
        assert_eq!(done.bodies(), ["a", &long, "b"]);
        let done = convert(&input, &limited(len - 1));
        assert_eq!(done.bodies(), ["a", "b"]);
        let [error] = &done.skipped[..] else {
            panic!("{:?}", done.skipped);
        };
        assert_eq!(error.problem, Problem::TooLong { limit: len - 1 });
        assert_eq!(error.place.record, 2);
    }
}

/// Scenario: an object longer than a piece, with members around its list, of every kind.
/// Guarantees: it is taken apart, and nothing of its list is lost; a bad element is skipped alone,
/// by its index in the list and its place in the file.
#[test]
fn a_long_object() {
    let element = |body: &str| logs(&[body])["resourceLogs"][0].to_string();
    let mut list: Vec<String> = (0..9000)
        .map(|number| element(&number.to_string()))
        .collect();
    list[7777] = r#"{"scopeLogs":[{"logRecords":[{"severityNumber":[]}]}]}"#.to_owned();
    let object = format!(
        r#"{{"a": null,"b\"": "\\\"}}","c":[[{{}}],"]"],"resourceLogs" :[ {} ] , "d":-1.5e3 }}"#,
        list.join(",\n"),
    );
    assert!(object.len() > 1 << 20);
    let begin = object
        .find("{\"scopeLogs\":[{\"logRecords\":[{\"severityNumber")
        .unwrap();
    let done = convert(format!("{object}{object}"), &limited(64 << 20));
    let mut expected: Vec<String> = (0..9000).map(|number| number.to_string()).collect();
    expected.remove(7777);
    assert_eq!(done.bodies(), [expected.clone(), expected].concat());
    assert_eq!(done.skipped.len(), 2);
    let error = &done.skipped[0];
    assert_eq!(error.place.offset, begin as u64);
    assert_eq!(error.place.line, Some(7778));
    let message = error.to_string();
    let path = "resourceLogs[7777].scopeLogs[0].logRecords[0].severityNumber: ";
    assert!(message.contains(path), "{message}");
    assert!(message.contains("at line 7778 column 50"), "{message}");
    let Problem::Decode(DecodeError::Json(json)) = &error.problem else {
        panic!("{error}");
    };
    assert_eq!(json.offset, begin + 49);
    assert!(done.summary().largest_buffer < 8 << 20);
}

/// Scenario: long objects with the lists of two signals, one list twice, a list that is none,
/// another signal than was said, no list at all; a long object of profiles.
/// Guarantees: an error for each, and what is good of them is converted; profiles are read whole.
#[test]
fn long_objects_of_the_wrong_kind() {
    let filler = format!("\"x\":\"{}\"", "y".repeat(1 << 20));
    let list = |request: serde_json::Value| {
        let text = request.to_string();
        text[1..text.len() - 1].to_owned()
    };
    let (log, span) = (list(logs(&["a"])), list(spans("b")));
    for (members, expected) in [
        (
            format!("{log},{span}"),
            "`resourceLogs` and `resourceSpans`",
        ),
        (format!("{log},{log}"), "twice"),
        (
            log.replace('[', "{\"\":[").replace(']', "]}"),
            "expected a list",
        ),
        (String::from("\"y\":0"), "not OTLP JSON"),
    ] {
        let input = format!("{{{filler},{members}}} {}", logs(&["z"]));
        let done = convert(input, &limited(64 << 20));
        assert_eq!(done.bodies().last().unwrap(), "z", "{expected}");
        let [error] = &done.skipped[..] else {
            panic!("{:?}", done.skipped);
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
    let said = Options {
        signal: Some(Signal::Logs),
        ..limited(64 << 20)
    };
    let done = convert(format!("{{{filler},{span}}}"), &said);
    assert!(done.skipped[0].to_string().contains("said to be logs"));

    let profile = crate::support::profiles(&"y".repeat(1 << 20));
    let input = format!("{profile}{profile}");
    assert_eq!(convert(&input, &limited(64 << 20)).lines().len(), 2);
    let done = convert(&input, &limited((1 << 20) - 1));
    assert_eq!((done.lines().len(), done.skipped.len()), (0, 2));
}

/// Gives a text over and over, up to a length, between a begin and an end.
struct Endless<'a> {
    begin: &'a [u8],
    text: &'a [u8],
    at: usize,
    times: usize,
    end: &'a [u8],
}

impl Read for Endless<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if !self.begin.is_empty() {
            return self.begin.read(room);
        }
        if self.times == 0 {
            return self.end.read(room);
        }
        let len = (&self.text[self.at..]).read(room)?;
        self.at += len;
        if self.at == self.text.len() {
            self.at = 0;
            self.times -= 1;
        }
        Ok(len)
    }
}

/// Counts what it is given.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Scenario: four times the memory that is allowed, as lines, as one object, as one message, and
/// as records with lengths; and much more that is passed over.
/// Guarantees: no buffer grows with the input.
#[test]
fn memory_is_bounded() {
    const BOUND: usize = 5 << 20;
    let body = "a body of some length, so that there is less to do ".repeat(200);
    let request = logs(&[&body]);
    let line = format!("{request}\n").into_bytes();
    let element = format!("{},", request["resourceLogs"][0]).into_bytes();
    let bytes = wire(Signal::Logs, &request);
    let framed = framed(&[&bytes]);
    let times = 4 * BOUND / line.len();
    type Case<'a> = (&'a str, &'a [u8], &'a [u8], &'a [u8]);
    let cases: [Case<'_>; 5] = [
        ("lines", b"", &line, b""),
        ("one object", b"{\"resourceLogs\":[", &element, b"{}]}"),
        ("one message", b"", &bytes, b""),
        ("lengths", b"", &framed, b""),
        (
            "passed over",
            b"{\"x\":[",
            b"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456\",",
            b"0],\"resourceLogs\":[{}]}",
        ),
    ];
    for (name, begin, text, end) in cases {
        let times = if name == "passed over" {
            4 * BOUND / text.len()
        } else {
            times
        };
        let reader = Endless {
            begin,
            text,
            at: 0,
            times,
            end,
        };
        let options = Options {
            to: OutputForm::OtlpLines,
            ..Options::default()
        };
        let summary = convert::run(reader, Nowhere, &options, &mut NoObserver).unwrap();
        assert!(summary.bytes_in > 3 * BOUND as u64, "{name}");
        let most = summary.largest_buffer;
        // The first line is looked at far enough to tell what it is.
        let bound = match name {
            "one object" | "passed over" => 32 << 20,
            _ => BOUND,
        };
        assert!(most <= bound, "{name}: {most}");
    }
}

/// A message whose resources become far longer as points: each point repeats the attributes.
fn amplified(resources: usize) -> Vec<u8> {
    let mut request = metrics("m");
    let resource = &mut request["resourceMetrics"][0];
    resource["resource"] = json!({"attributes": [
        {"key": "k", "value": {"stringValue": "x".repeat(2000)}},
    ]});
    let points = &mut resource["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"];
    *points = vec![json!({"asInt": "1"}); 200].into();
    wire(Signal::Metrics, &request).repeat(resources)
}

/// Scenario: a run of resources that becomes longer than the limit of an output as a whole, but
/// none of which does alone; then a limit that each is over.
/// Guarantees: they are converted one by one, and written one by one: no buffer holds them all;
/// over the limit, each is an error of its own.
#[test]
fn renderings_are_bounded() {
    let input = amplified(40);
    let mut options = Options {
        to: OutputForm::Points,
        on_error: OnError::Skip,
        ..Options::default()
    };
    options.limits.output_bytes = 1 << 20;
    let done = convert(&input, &options);
    assert!(done.out.len() > 12 << 20, "{}", done.out.len());
    assert_eq!(done.summary().items[0], 40 * 200);
    assert_eq!(done.skipped, []);
    let most = done.summary().largest_buffer;
    assert!(most < 4 << 20, "{most}");

    options.limits.output_bytes = 100 << 10;
    let done = convert(&input, &options);
    assert_eq!((done.out.len(), done.skipped.len()), (0, 40));
    assert_eq!(Options::default().limits.output_bytes, Options::RENDERED);
}
