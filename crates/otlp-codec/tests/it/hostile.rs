//! Input made to hurt: depth, numbers of elements, lengths, bytes that are no text.

use otlp_codec::check::check;
use otlp_codec::transcode::Transcoder;
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{DecodeError, EncodeError, Limits, ProtobufError, Signal};
use prost::encoding::{WireType, encode_key, encode_varint};

/// A length-delimited field.
fn field(number: u32, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(contents.len() as u64, &mut out);
    out.extend_from_slice(contents);
    out
}

/// A log record with a body, as a request in protobuf.
fn log_wire(body: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, &field(5, body))))
}

/// The same in JSON.
fn log_json(body: &str) -> Vec<u8> {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{body}}}]}}]}}]}}"#)
        .into_bytes()
}

/// `levels` arrays, one in another, in both encodings.
fn arrays(levels: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut wire, mut json) = (Vec::new(), "{}".to_owned());
    for _ in 0..levels {
        wire = field(5, &field(1, &wire));
        json = format!(r#"{{"arrayValue":{{"values":[{json}]}}}}"#);
    }
    (log_wire(&wire), log_json(&json))
}

/// `levels` kvlists, one in another, in both encodings.
fn kvlists(levels: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut wire, mut json) = (Vec::new(), "{}".to_owned());
    for _ in 0..levels {
        wire = field(6, &field(1, &field(2, &wire)));
        json = format!(r#"{{"kvlistValue":{{"values":[{{"value":{json}}}]}}}}"#);
    }
    (log_wire(&wire), log_json(&json))
}

fn both(
    signal: Signal,
    (wire, json): &(Vec<u8>, Vec<u8>),
    limits: &Limits,
) -> [Result<Request, DecodeError>; 2] {
    [
        Request::decode_protobuf(signal, wire, limits),
        Request::decode_json(signal, json, limits),
    ]
}

/// Scenario: values nested to the limit, one level further, and absurdly deep.
/// Guarantees: the limit is the same in both encodings: 48 arrays or 32 kvlists in a log body.
#[test]
fn depth_is_one_rule_for_both_encodings() {
    let limits = Limits::default();
    for nested in [arrays(48), kvlists(32)] {
        let [wire, json] = both(Signal::Logs, &nested, &limits);
        assert_eq!(wire.unwrap(), json.unwrap());
    }
    for nested in [arrays(49), kvlists(33), arrays(2000)] {
        for result in both(Signal::Logs, &nested, &limits) {
            assert_eq!(result.unwrap_err(), DecodeError::TooDeep { limit: 100 });
        }
    }
    let shallow = Limits { depth: 8, ..limits };
    for result in both(Signal::Logs, &arrays(2), &shallow) {
        assert!(result.is_ok());
    }
    for result in both(Signal::Logs, &arrays(3), &shallow) {
        assert_eq!(result.unwrap_err(), DecodeError::TooDeep { limit: 8 });
    }
}

/// Scenario: what no field is known for, nested: JSON members and protobuf groups.
/// Guarantees: skipped while shallow, refused when deep, and the stack is safe.
#[test]
fn depth_of_the_unknown_is_bounded() {
    let limits = Limits::default();
    let json = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(Request::decode_json(Signal::Logs, json(100).as_bytes(), &limits).is_ok());
    for levels in [101, 20_000] {
        let error = Request::decode_json(Signal::Logs, json(levels).as_bytes(), &limits);
        assert_eq!(error.unwrap_err(), DecodeError::TooDeep { limit: 100 });
    }
    let groups =
        |levels: usize| [[0xfb_u8, 0x01].repeat(levels), [0xfc, 0x01].repeat(levels)].concat();
    assert!(Request::decode_protobuf(Signal::Logs, &groups(50), &limits).is_ok());
    let error = Request::decode_protobuf(Signal::Logs, &groups(20_000), &limits).unwrap_err();
    assert_eq!(error, DecodeError::TooDeep { limit: 100 });
    let brackets_in_text = format!(r#"{{"x":"{}\"[["}}"#, "[".repeat(1000));
    assert!(Request::decode_json(Signal::Logs, brackets_in_text.as_bytes(), &limits).is_ok());
}

/// Scenario: a million and one sub-messages of two or three bytes each, and strings likewise.
/// Guarantees: refused with the limit, in both encodings, before they fill memory; one fewer
/// passes.
#[test]
fn elements_are_counted() {
    let limits = Limits {
        elements: 1000,
        ..Limits::default()
    };
    let spans = |n: usize| {
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
            vec!["{}"; n].join(",")
        );
        (
            field(1, &field(2, &field(2, &[]).repeat(n))),
            json.into_bytes(),
        )
    };
    let keys = |n: usize| {
        let keys = vec![r#""""#; n].join(",");
        let json = format!(
            r#"{{"resourceSpans":[{{"resource":{{"entityRefs":[{{"idKeys":[{keys}]}}]}}}}]}}"#
        );
        (
            field(1, &field(1, &field(3, &field(3, &[]).repeat(n)))),
            json.into_bytes(),
        )
    };
    for (below, above) in [(spans(998), spans(999)), (keys(997), keys(998))] {
        for result in both(Signal::Traces, &below, &limits) {
            assert!(result.is_ok(), "{result:?}");
        }
        for result in both(Signal::Traces, &above, &limits) {
            assert_eq!(
                result.unwrap_err(),
                DecodeError::TooManyElements { limit: 1000 }
            );
        }
    }
    let million = field(1, &field(2, &field(2, &[]).repeat(1_000_000)));
    let error = Request::decode_protobuf(Signal::Traces, &million, &Limits::default());
    assert_eq!(
        error.unwrap_err(),
        DecodeError::TooManyElements { limit: 1_000_000 }
    );
}

/// Scenario: a sub-message that says it is one byte long and holds millions of empty ones behind
/// that; other breaches of the outline.
/// Guarantees: refused where it breaks, with the offset, and not after a tree was built: prost
/// takes note of such a length only at the end.
#[test]
fn a_broken_outline_is_refused_at_once() {
    let mut wire = vec![0x0a, 0x01, 0x12];
    encode_varint(2 * 5_000_000, &mut wire);
    wire.extend([0x12, 0].repeat(5_000_000));
    let refused =
        |signal, wire: &[u8]| match Request::decode_protobuf(signal, wire, &Limits::default())
            .unwrap_err()
        {
            DecodeError::Protobuf(error) => (error.message, error.offset),
            error => panic!("{error}"),
        };
    let (message, offset) = refused(Signal::Metrics, &wire);
    assert_eq!((message.as_str(), offset), ("a varint that doesn't end", 3));
    for (wire, what, at) in [
        (
            b"\x0a\x05\x12\x03".as_slice(),
            "a length beyond the end of the message",
            1,
        ),
        (
            b"\x0a\x02\x12\x03",
            "a length beyond the end of the message",
            3,
        ),
        (b"\x08\x01", "a field of another wire type", 0),
        (b"\x0a\x02\x0e\x00", "an unknown wire type", 2),
        (b"\x00", "field number 0", 0),
        (b"\x99\x06\x00", "a value that is cut off", 2),
        (b"\x9c\x06", "the end of a group that didn't begin", 2),
        (
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            "a varint that doesn't end",
            0,
        ),
    ] {
        assert_eq!(
            refused(Signal::Metrics, wire),
            (what.to_owned(), at),
            "{wire:?}"
        );
    }
}

/// Scenario: bad values deep inside a request: a string that is not UTF-8, a packed list that is
/// cut off, a field of another wire type, in the second elements of lists.
/// Guarantees: the error names the field as a path, and the very byte.
#[test]
fn a_bad_value_is_named_and_located() {
    let point = |bad: &[u8]| {
        let metric = |point: &[u8]| field(2, &field(9, &field(1, point)));
        let scope = [metric(&[]), metric(bad)].concat();
        field(1, &[field(2, &[]), field(2, &scope)].concat())
    };
    let path = "resourceMetrics[0].scopeMetrics[1].metrics[1].histogram.dataPoints[0]";
    for (bad, name, message, back) in [
        (
            [field(9, b""), field(9, &field(1, b"ab\xffcd"))].concat(),
            ".attributes[1].key",
            "a string that is not UTF-8",
            3,
        ),
        (
            field(6, &[0; 15]),
            ".bucketCounts[0]",
            "a value that is cut off",
            7,
        ),
        (
            b"\x18\x01".to_vec(),
            ".timeUnixNano",
            "a field of another wire type",
            2,
        ),
        (vec![0x07], "", "an unknown wire type", 1),
    ] {
        let wire = point(&bad);
        let expected = DecodeError::Protobuf(ProtobufError {
            path: format!("{path}{name}"),
            message: message.to_owned(),
            offset: wire.len() - back,
        });
        let limits = Limits::default();
        let typed = Request::decode_protobuf(Signal::Metrics, &wire, &limits).unwrap_err();
        assert_eq!(typed, expected);
        let checked = check(Signal::Metrics, &wire, &limits).unwrap_err();
        assert_eq!(checked, expected);
        let mut transcoder = Transcoder::new();
        let written = transcoder.protobuf_to_json(Signal::Metrics, &wire, &limits, &mut Vec::new());
        assert_eq!(written, Err(EncodeError::Decode(expected)));
    }
}

/// Scenario: input and output a byte over their limits.
/// Guarantees: typed errors; the caller's buffer is as it was.
#[test]
fn lengths_are_bounded() {
    let exactly = Limits {
        input_bytes: 2,
        output_bytes: 2,
        ..Limits::default()
    };
    let mut out = b"kept".to_vec();
    protobuf_to_json(Signal::Metrics, &[], &exactly, &mut out).unwrap();
    assert_eq!(out, b"kept{}");
    let short = Limits {
        output_bytes: 1,
        ..exactly
    };
    let error = protobuf_to_json(Signal::Metrics, &[], &short, &mut out).unwrap_err();
    assert_eq!(error, EncodeError::TooLong { limit: 1 });
    assert_eq!(out, b"kept{}");
    for result in both(Signal::Metrics, &(vec![0; 3], b"{ }".to_vec()), &exactly) {
        assert_eq!(result.unwrap_err(), DecodeError::TooLong { limit: 2 });
    }
}

/// Scenario: bytes that are no UTF-8, a byte order mark, lone surrogates, text after the end.
/// Guarantees: refused, with a position.
#[test]
fn text_must_be_text() {
    let limits = Limits::default();
    let read = |json: &[u8]| Request::decode_json(Signal::Logs, json, &limits);
    let latin1 = read(b"{\"x\":1,\n\"y\":\"\xe9\"}").unwrap_err().to_string();
    assert_eq!(latin1, ".: the text is not UTF-8, at line 2 column 6");
    for (json, at) in [
        (b"{\n\"x\":1,\n\"y\":\"\xe9\"}".as_slice(), 14),
        (b"{\"resourceLogs\":\n[7]}", 18),
        (b"{\"resourceLogs\":\n\n[{\"schemaUrl\":true}]}", 35),
        (b"{\n", 2),
    ] {
        let DecodeError::Json(error) = read(json).unwrap_err() else {
            panic!("{json:?}")
        };
        assert_eq!(error.offset, at, "{error}");
    }
    assert!(read(b"\xef\xbb\xbf{}").is_err());
    assert!(read(&log_json(r#"{"stringValue":"\ud800"}"#)).is_err());
    assert!(read(b"{}{}").is_err());
    assert!(read(b"{} \n\t").is_ok());
    assert!(read(b"").is_err());
    assert!(read(b"[]").is_err());
}
