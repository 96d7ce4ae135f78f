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

/// Scenario: the same mistakes beside a list and in it, in a short object and in a long one.
/// Guarantees: each is an error of a record that can be skipped, and says the same; what is good
/// of the long object is converted.
#[test]
fn long_objects_are_judged_like_short_ones() {
    let element = logs(&["a"])["resourceLogs"][0].to_string();
    let filler = format!("\"schemaUrl\":\"{}\"", "y".repeat(1 << 20));
    let deep = format!("\"x\":{}{}", "[".repeat(200), "]".repeat(200));
    let key = "k".repeat(70 << 10);
    for (members, bad) in [
        (r#""x":nonsense,"#, true),
        (r#""x":"\q","#, true),
        ("\"x\":\"\u{1}\",", true),
        (r#""x":[},"#, true),
        (r#""x":[1 2],"#, true),
        (r#""x":01,"#, true),
        (&format!("{deep},"), true),
        (r#""\q":0,"#, true),
        ("\"\u{1}\":0,", true),
        (&format!("\"{key}\":0,"), false),
        ("\"\\u00e9\u{e9}\":{},", false),
    ] {
        let short = format!("{{{members}\"resourceLogs\":[{element}]}}");
        let long = short.replace("\"scopeLogs\"", &format!("{filler},\"scopeLogs\""));
        let [short, long] = [short, long].map(|text| convert(text, &limited(64 << 20)));
        assert_eq!(long.bodies(), ["a"], "{members}");
        assert_eq!(
            (short.skipped.len(), long.skipped.len()),
            (usize::from(bad), usize::from(bad))
        );
        let what = |one: &convert::RecordError| match &one.problem {
            Problem::Decode(DecodeError::Json(json)) => (json.message.clone(), json.offset),
            other => (other.to_string(), 0),
        };
        let problems = [&short, &long].map(|done| done.skipped.first().map(what));
        assert_eq!(problems[0], problems[1], "{members}");
    }
    for (list, bodies, skipped) in [
        (format!("{element},null,{element}"), 2, 1),
        (format!("5,{element},\"x\",[{element}],{element}"), 2, 3),
        (format!("{element},nonsense,{{\"a\":[}}}}"), 1, 2),
    ] {
        let long = format!("{{\"resourceLogs\":[{{{filler}}},{list}]}}");
        let done = convert(long, &limited(64 << 20));
        assert_eq!(done.summary().skipped, skipped);
        let resources = done.text().matches("\"logRecords\"").count();
        assert_eq!(resources, bodies, "{list}");
    }
    for (list, expected) in [("null", None), ("nul", Some("")), ("nonsense", Some(""))] {
        let long = format!("{{\"resourceLogs\":{list},{filler}}}");
        let done = convert(long, &limited(64 << 20));
        assert_eq!(done.skipped.first().map(|_| ""), expected, "{list}");
    }
    let said = Options {
        signal: Some(Signal::Logs),
        ..limited(64 << 20)
    };
    let done = convert(format!("{{{filler}}}"), &said);
    assert_eq!(done.skipped[0].problem, Problem::NoSignal);
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

/// Scenario: several times the memory that is allowed, as lines, as one object, as one message,
/// and as records with lengths; as white space at every place in an object; as a member that is
/// longer than a record; with short records and long ones.
/// Guarantees: no buffer grows with the input.
#[test]
fn memory_is_bounded() {
    const MIB: usize = 1 << 20;
    let body = "a body of some length, so that there is less to do ".repeat(200);
    let request = logs(&[&body]);
    let line = format!("{request}\n").into_bytes();
    let element = format!("{},", request["resourceLogs"][0]).into_bytes();
    let bytes = wire(Signal::Logs, &request);
    let framed = framed(&[&bytes]);
    let blank = [b' '; 4096];
    let string = b"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456\",";
    let list: &[u8] = b"{\"resourceLogs\":[";
    let end: &[u8] = b"{}]}";
    // The longest record, and what is allowed. A first line is looked at far enough to tell what
    // it is: as far as a record may reach, and 16 MiB at most.
    let (short, default) = ((MIB, 5 * MIB), (64 * MIB, 32 * MIB));
    type Case<'a> = (&'a str, (usize, usize), &'a [u8], &'a [u8], &'a [u8]);
    let cases: [Case<'_>; 12] = [
        ("lines", (64 * MIB, 5 * MIB), b"", &line, b""),
        ("one object", short, list, &element, end),
        ("one object, looked at", default, list, &element, end),
        ("one message", (64 * MIB, 5 * MIB), b"", &bytes, b""),
        ("lengths", (64 * MIB, 5 * MIB), b"", &framed, b""),
        (
            "a member",
            short,
            b"{\"x\":[",
            string,
            b"0],\"resourceLogs\":[{}]}",
        ),
        ("in front", short, b"{", &blank, b"\"resourceLogs\":[{}]}"),
        ("of a value", short, b"{\"resourceLogs\":", &blank, b"[{}]}"),
        ("of an element", short, list, &blank, end),
        (
            "of a comma",
            short,
            b"{\"resourceLogs\":[{}",
            &blank,
            b",{}]}",
        ),
        (
            "behind a comma",
            short,
            b"{\"resourceLogs\":[{},",
            &blank,
            end,
        ),
        ("at the end", short, b"{\"resourceLogs\":[{}", &blank, b"]}"),
    ];
    for (name, (longest, bound), begin, text, end) in cases {
        let reader = Endless {
            begin,
            text,
            at: 0,
            times: 3 * bound / text.len(),
            end,
        };
        let options = Options {
            to: OutputForm::OtlpLines,
            limits: Options::limits_for(longest),
            ..Options::default()
        };
        let summary = convert::run(reader, Nowhere, &options, &mut NoObserver).unwrap();
        assert!(summary.bytes_in > 29 * bound as u64 / 10, "{name}");
        assert!(summary.records > 0 && summary.skipped == 0, "{name}");
        let most = summary.largest_buffer;
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
