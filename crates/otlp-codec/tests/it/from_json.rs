//! The pass from JSON to protobuf, held to the typed door.

mod hostile;
mod mutations;

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use otlp_codec::from_json::{JsonReader, json_to_protobuf};
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{DecodeError, Limits, Signal};
use serde_json::Value;

/// A vector of one of the four requests.
struct Vector {
    id: String,
    decode: bool,
    signal: Signal,
    expect: String,
    json: String,
    wire: Option<Vec<u8>>,
}

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
    let lines = include_str!("../data/otlp-json-vectors.jsonl").lines();
    lines
        .filter_map(|line| {
            let vector: Value = serde_json::from_str(line).unwrap();
            let signal = Signal::ALL
                .into_iter()
                .find(|s| s.as_str() == vector["signal"])?;
            let text = |name: &str| vector[name].as_str().map(str::to_owned);
            Some(Vector {
                id: text("id").unwrap(),
                decode: text("dir").unwrap() == "decode",
                signal,
                expect: text("expect").unwrap(),
                json: text("json").unwrap(),
                wire: text("expected_pb_hex").map(|hex| bytes(&hex)),
            })
        })
        .collect()
});

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Texts of OTLP JSON: the vectors, and what their protobuf is as JSON.
static TEXTS: LazyLock<Vec<(Signal, Vec<u8>)>> = LazyLock::new(|| {
    const LONGEST: usize = 4096;
    let rendered = VECTORS.iter().filter_map(|vector| {
        let mut text = Vec::new();
        let wire = vector.wire.as_deref()?;
        protobuf_to_json(vector.signal, wire, &Limits::default(), &mut text).unwrap();
        Some((vector.signal, text))
    });
    let vectors = VECTORS
        .iter()
        .map(|vector| (vector.signal, vector.json.clone().into_bytes()));
    vectors
        .chain(rendered)
        .filter(|(_, text)| text.len() < LONGEST)
        .collect()
});

/// What a benchmark's payload is as protobuf.
fn payload(gz: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    GzDecoder::new(gz).read_to_end(&mut wire).unwrap();
    wire
}

/// `Debug` text, where NaN equals NaN and -0.0 differs from 0.0.
fn debug(signal: Signal, wire: &[u8]) -> String {
    let request = Request::decode_protobuf(signal, wire, &Limits::default()).unwrap();
    format!("{request:?}")
}

/// Sends a text through both doors, and fails if they differ, or if it needed both.
fn agree(reader: &mut JsonReader, signal: Signal, json: &[u8], limits: &Limits) {
    let expected = Request::decode_json(signal, json, limits);
    let mut out = b"kept".to_vec();
    let got = reader.json_to_protobuf(signal, json, limits, &mut out);
    let wire = out.strip_prefix(b"kept").unwrap();
    let text = || String::from_utf8_lossy(json).into_owned();
    assert_eq!(reader.fallbacks(), 0, "{}", text());
    match (expected, got) {
        // Through no encoder of prost's, which loses the sign of -0.0.
        (Ok(request), Ok(())) => {
            assert_eq!(debug(signal, wire), format!("{request:?}"), "{}", text());
        }
        (Err(expected), Err(got)) => {
            assert_eq!(got, expected, "{}", text());
            assert!(wire.is_empty());
        }
        (expected, got) => panic!("{}: typed {expected:?}, transcoded {got:?}", text()),
    }
}

/// Scenario: each vector that JSON is read in.
/// Guarantees: this door does what OTLP and ProtoJSON say, in each case on record.
#[test]
fn vectors_hold() {
    let limits = Limits::default();
    let mut read = 0;
    for vector in VECTORS.iter().filter(|vector| vector.decode) {
        let mut wire = Vec::new();
        let json = vector.json.as_bytes();
        let result = json_to_protobuf(vector.signal, json, &limits, &mut wire);
        match vector.expect.as_str() {
            "accept" => {
                result.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
                let expected = vector.wire.as_deref().unwrap();
                assert_eq!(
                    debug(vector.signal, &wire),
                    debug(vector.signal, expected),
                    "{}",
                    vector.id
                );
            }
            "reject" => {
                let error = result.expect_err(&vector.id).to_string();
                assert!(error.len() <= 400, "{}: wordy: {error}", vector.id);
            }
            // Whatever the typed door does, see below.
            "either" => {}
            other => panic!("{}: {other}", vector.id),
        }
        agree(&mut JsonReader::new(), vector.signal, json, &limits);
        read += 1;
    }
    assert!(read >= 80, "the file of vectors was cut short");
}

/// Scenario: exports as SDKs and Collectors write them, compact and pretty, and vectors that are
/// to be accepted.
/// Guarantees: the pass does them all without the typed door, and gives what the typed door does.
#[test]
fn usual_exports_take_the_fast_way() {
    let limits = Limits::default();
    let mut reader = JsonReader::new();
    let mut read = |signal, json: &[u8]| agree(&mut reader, signal, json, &limits);
    for gz in [
        include_bytes!("../../benches/data/S.pb.gz").as_slice(),
        include_bytes!("../../benches/data/M.pb.gz"),
        include_bytes!("../../benches/data/H.pb.gz"),
    ] {
        let mut json = Vec::new();
        protobuf_to_json(Signal::Metrics, &payload(gz), &limits, &mut json).unwrap();
        read(Signal::Metrics, &json);
        let value: Value = serde_json::from_slice(&json).unwrap();
        read(Signal::Metrics, &serde_json::to_vec_pretty(&value).unwrap());
    }
    for vector in VECTORS.iter().filter(|vector| vector.expect == "accept") {
        read(vector.signal, vector.json.as_bytes());
    }
}

/// Scenario: a double of -0.0 where protobuf knows no presence.
/// Guarantees: its sign survives; 0.0 is left out.
#[test]
fn negative_zero_keeps_its_sign() {
    let text = |value: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"summary":{{"dataPoints":[{{"sum":{value}}}]}}}}]}}]}}]}}"#
        )
    };
    let read = |value: &str| {
        let mut wire = Vec::new();
        let text = text(value);
        json_to_protobuf(
            Signal::Metrics,
            text.as_bytes(),
            &Limits::default(),
            &mut wire,
        )
        .unwrap();
        wire
    };
    assert!(read("-0.0").ends_with(&(-0.0_f64).to_le_bytes()));
    assert!(read("\"-0\"").ends_with(&(-0.0_f64).to_le_bytes()));
    assert!(read("0.0").ends_with(&[0x5a, 2, 10, 0]));
}

/// Scenario: lists, strings and messages around the lengths where a length takes a byte more,
/// through one reader, so that each length is guessed from that of another.
/// Guarantees: every length is right, and as short as it can be.
#[test]
fn lengths_are_minimal() {
    let limits = Limits::default();
    let mut reader = JsonReader::new();
    let lens = [
        0, 1, 119, 120, 121, 127, 128, 129, 16_383, 16_384, 2_097_152,
    ];
    for len in lens.into_iter().chain(lens.into_iter().rev()) {
        for text in ["x".repeat(len), "\\n".repeat(len)] {
            let json = format!(
                r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{text}"}}}}]}}]}}]}}"#
            );
            let mut wire = Vec::new();
            let mut read = |json: &str| {
                wire.clear();
                let result =
                    reader.json_to_protobuf(Signal::Logs, json.as_bytes(), &limits, &mut wire);
                result.unwrap();
            };
            read(&json);
            let request = Request::decode_protobuf(Signal::Logs, &wire, &limits).unwrap();
            assert!(request.encode_protobuf() == wire, "{len}");
        }
        let bounds = vec!["1"; len.min(20_000)].join(",");
        let json = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{"explicitBounds":[{bounds}]}}]}}}}]}}]}}]}}"#
        );
        let mut wire = Vec::new();
        let result = reader.json_to_protobuf(Signal::Metrics, json.as_bytes(), &limits, &mut wire);
        result.unwrap();
        let request = Request::decode_protobuf(Signal::Metrics, &wire, &limits).unwrap();
        assert!(request.encode_protobuf() == wire, "{len}");
    }
    assert_eq!(reader.fallbacks(), 0);
}

/// Scenario: an input over its limit.
/// Guarantees: the typed error; the caller's buffer is as it was.
#[test]
fn input_is_bounded() {
    let limits = Limits {
        input_bytes: 2,
        ..Limits::default()
    };
    let mut out = b"kept".to_vec();
    json_to_protobuf(Signal::Logs, b"{}", &limits, &mut out).unwrap();
    let error = json_to_protobuf(Signal::Logs, b"{ }", &limits, &mut out).unwrap_err();
    assert_eq!(error, DecodeError::TooLong { limit: 2 });
    assert_eq!(out, b"kept");
}
