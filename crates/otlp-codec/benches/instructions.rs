//! One conversion, so many times: for counting instructions under callgrind.
//!
//! `cargo xtask instructions` runs it; by hand: `instructions WHAT PAYLOAD TIMES`. The difference
//! of two runs with different TIMES is what the conversions cost, and nothing else. It uses the
//! system's allocator: what mimalloc does in its own time would count too.

mod payloads;

use std::hint::black_box;

use opentelemetry_proto::tonic::collector as theirs;
use otlp_codec::from_json::JsonReader;
use otlp_codec::select::Selected;
use otlp_codec::transcode::Transcoder;
use otlp_codec::{Limits, Signal, check};
use payloads::Payload;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, what, name, times, ..] = args.as_slice() else {
        // Run as a benchmark or a test, it has nothing to do.
        return;
    };
    let Ok(times) = times.parse() else { return };
    let payload = payloads::all()
        .into_iter()
        .find(|payload| payload.name == *name);
    let payload = payload.expect("a payload of this name");
    match payload.signal {
        Signal::Metrics => {
            run::<theirs::metrics::v1::ExportMetricsServiceRequest>(what, &payload, times)
        }
        Signal::Traces => {
            run::<theirs::trace::v1::ExportTraceServiceRequest>(what, &payload, times)
        }
        Signal::Logs => run::<theirs::logs::v1::ExportLogsServiceRequest>(what, &payload, times),
        Signal::Profiles => unreachable!("no payload of profiles"),
    }
}

fn run<T: Message + Default + Serialize + DeserializeOwned>(
    what: &str,
    payload: &Payload,
    times: u32,
) {
    let Payload { signal, wire, .. } = payload;
    let limits = Limits::default();
    let mut out = Vec::new();
    let mut transcoder = Transcoder::new();
    let mut reader = JsonReader::new();
    let request = T::decode(wire.as_slice()).expect("a payload");
    let their_json = serde_json::to_vec(&request).expect("a payload");
    let mut json = Vec::new();
    transcoder
        .protobuf_to_json(*signal, wire, &limits, &mut json)
        .expect("a payload");
    let selector = payloads::one_in_fifty().compile();
    let mut part = Vec::new();
    // Warm: the first run makes the buffers.
    for _ in 0..=times {
        out.clear();
        let wire = black_box(wire.as_slice());
        match what {
            "transcode" => {
                transcoder
                    .protobuf_to_json(*signal, wire, &limits, &mut out)
                    .expect("a payload");
            }
            "one-in-fifty" => {
                part.clear();
                let selected = selector.select(*signal, wire, &limits, &mut part);
                assert_eq!(selected, Ok(Selected::Part));
                transcoder
                    .protobuf_to_json(*signal, &part, &limits, &mut out)
                    .expect("a part of a payload");
            }
            "rival-to-json" => {
                let request = T::decode(wire).expect("a payload");
                serde_json::to_writer(&mut out, &request).expect("a payload");
            }
            "from-json" => {
                let json = black_box(json.as_slice());
                reader
                    .json_to_protobuf(*signal, json, &limits, &mut out)
                    .expect("our own JSON");
            }
            "rival-from-json" => {
                let json = black_box(their_json.as_slice());
                let request: T = serde_json::from_slice(json).expect("their own JSON");
                request.encode(&mut out).expect("a buffer grows");
            }
            "check" => drop(black_box(
                check::check(*signal, wire, &limits).expect("a payload"),
            )),
            "rival-decode" => drop(black_box(T::decode(wire).expect("a payload"))),
            other => unreachable!("no conversion {other}"),
        }
        black_box(&out);
    }
}
