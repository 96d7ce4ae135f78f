//! Every vector of `tests/data/otlp-json-vectors.jsonl`, through the typed door; what is protobuf
//! of a request through `transcode` too. `from_json.rs` sends JSON through its own door.

use otlp_codec::json::{self, JsonMessage};
use otlp_codec::proto::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use otlp_codec::proto::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use otlp_codec::proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use otlp_codec::proto::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::{DecodeError, Limits, Signal};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const VECTORS: &str = include_str!("../data/otlp-json-vectors.jsonl");

#[derive(Deserialize)]
struct Vector {
    id: String,
    dir: String,
    signal: String,
    expect: String,
    json: String,
    expected_pb_hex: Option<String>,
}

impl Vector {
    fn wire(&self) -> Vec<u8> {
        let hex = self.expected_pb_hex.as_deref().unwrap();
        let digits = hex.as_bytes().chunks_exact(2);
        digits
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }
}

/// What can be done with a vector of some message.
struct Door {
    /// JSON to protobuf and back to the `Debug` form, where NaN equals NaN.
    decode: fn(&[u8]) -> Result<String, DecodeError>,
    debug: fn(&[u8]) -> String,
    encode: fn(&[u8]) -> Value,
}

fn door<M: JsonMessage + prost::Message + Serialize + std::fmt::Debug>() -> Door {
    Door {
        decode: |text| {
            let message: M = json::decode(text, &Limits::default())?;
            let again = M::decode(message.encode_to_vec().as_slice()).unwrap();
            assert_eq!(
                format!("{message:?}"),
                format!("{again:?}"),
                "through protobuf"
            );
            Ok(format!("{message:?}"))
        },
        debug: |wire| format!("{:?}", M::decode(wire).unwrap()),
        encode: |wire| {
            let mut text = Vec::new();
            json::encode(&M::decode(wire).unwrap(), &Limits::default(), &mut text).unwrap();
            serde_json::from_slice(&text).unwrap()
        },
    }
}

fn door_of(signal: &str) -> Door {
    match signal {
        "metrics" => door::<ExportMetricsServiceRequest>(),
        "traces" => door::<ExportTraceServiceRequest>(),
        "logs" => door::<ExportLogsServiceRequest>(),
        "profiles" => door::<ExportProfilesServiceRequest>(),
        "metrics_response" => door::<ExportMetricsServiceResponse>(),
        "traces_response" => door::<ExportTraceServiceResponse>(),
        "logs_response" => door::<ExportLogsServiceResponse>(),
        other => panic!("no message for {other}"),
    }
}

/// What is wrong with the answer to a vector, if anything.
fn failure(vector: &Vector) -> Option<String> {
    let door = door_of(&vector.signal);
    match (vector.dir.as_str(), vector.expect.as_str()) {
        ("decode", "accept") => match (door.decode)(vector.json.as_bytes()) {
            Ok(got) if got == (door.debug)(&vector.wire()) => None,
            Ok(got) => Some(format!("read as {got}")),
            Err(error) => Some(format!("refused: {error}")),
        },
        ("decode", "reject") => match (door.decode)(vector.json.as_bytes()) {
            Ok(got) => Some(format!("accepted as {got}")),
            Err(error) if error.to_string().len() > 400 => Some(format!("wordy: {error}")),
            Err(_) => None,
        },
        ("decode", "either") => (door.decode)(vector.json.as_bytes())
            .err()
            .and_then(|error| {
                error
                    .to_string()
                    .is_empty()
                    .then(|| "an error without words".to_owned())
            }),
        ("encode", "equal-json") => {
            let got = (door.encode)(&vector.wire());
            let expected: Value = serde_json::from_str(&vector.json).unwrap();
            (got != expected).then(|| format!("written as {got}"))
        }
        other => Some(format!(
            "a kind of vector that the test doesn't know: {other:?}"
        )),
    }
}

/// Scenario: the protobuf of each vector that is a request.
/// Guarantees: `transcode` writes what a vector of this direction says, and of the others what
/// the typed door writes, without help.
#[test]
fn vectors_hold_in_transcode() {
    let mut transcoder = Transcoder::new();
    let mut requests = 0;
    for line in VECTORS.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let signal = Signal::ALL
            .into_iter()
            .find(|s| s.as_str() == vector.signal);
        let (Some(signal), true) = (signal, vector.expected_pb_hex.is_some()) else {
            continue;
        };
        let (wire, limits) = (vector.wire(), Limits::default());
        let mut text = Vec::new();
        transcoder
            .write(signal, Format::Otlp, &wire, &limits, &mut text)
            .unwrap();
        let got: Value = serde_json::from_slice(&text).unwrap();
        let expected = match vector.dir.as_str() {
            "encode" => serde_json::from_str(&vector.json).unwrap(),
            _ => (door_of(&vector.signal).encode)(&wire),
        };
        assert_eq!(got, expected, "{}", vector.id);
        requests += 1;
    }
    assert!(requests >= 60, "the file of vectors was cut short");
    assert_eq!(transcoder.fallbacks(), 0);
}

/// Scenario: each vector goes through the door of its direction.
/// Guarantees: the typed door does what OTLP and ProtoJSON say, in each case on record.
#[test]
fn vectors_hold() {
    let vectors: Vec<Vector> = VECTORS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(vectors.len() >= 100, "the file of vectors was cut short");
    let failures: Vec<_> = vectors
        .iter()
        .filter_map(|vector| failure(vector).map(|failure| format!("{}: {failure}", vector.id)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        vectors.len(),
        failures.join("\n")
    );
}
