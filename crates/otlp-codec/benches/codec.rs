//! The doors of the codec beside prost and the `serde` types of `opentelemetry-proto`.
//!
//! `cargo bench -p otlp-codec`. Each line compares the two in one run: rounds alternate between
//! them, and medians are shown, so that what else the machine does hits both alike. Both use
//! mimalloc, as the relay does. Each reads JSON of its own making, since the other's reader
//! refuses some of what OTLP allows to leave out.

mod payloads;

use std::hint::black_box;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use opentelemetry_proto::tonic::collector as theirs;
use otlp_codec::from_json::JsonReader;
use otlp_codec::select::Selected;
use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{Limits, Signal, check};
use payloads::Payload;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How often each contestant runs, in turn with the other.
const ROUNDS: usize = 31;
/// A round lasts at least this long, so that the clock doesn't matter.
const ROUND: Duration = Duration::from_millis(5);

const FORMATS: [(&str, Format); 3] = [
    ("transcode to JSON", Format::Otlp),
    ("to protojson", Format::ProtoJson),
    ("to points", Format::Points),
];

fn main() {
    // `cargo test --benches` only wants to see it run.
    let rounds = if std::env::args().any(|arg| arg == "--bench") {
        ROUNDS
    } else {
        1
    };
    print(
        "payload  what                 otlp-codec us  MB/s of input  opentelemetry-proto us  ratio",
    );
    for payload in payloads::all() {
        match payload.signal {
            Signal::Metrics => {
                compare::<theirs::metrics::v1::ExportMetricsServiceRequest>(&payload, rounds);
            }
            Signal::Traces => {
                compare::<theirs::trace::v1::ExportTraceServiceRequest>(&payload, rounds);
            }
            Signal::Logs => {
                compare::<theirs::logs::v1::ExportLogsServiceRequest>(&payload, rounds);
            }
            Signal::Profiles => unreachable!("no payload of profiles"),
        }
        if payload.name == "M" {
            one_in_fifty(&payload, rounds);
        }
    }
}

/// A view that keeps one metric in fifty, against the whole.
fn one_in_fifty(payload: &Payload, rounds: usize) {
    let Payload { signal, wire, .. } = payload;
    let limits = Limits::default();
    let selector = payloads::one_in_fifty().compile();
    let (mut part, mut walked, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut transcoder = Transcoder::new();
    let mut view = || {
        part.clear();
        walked.clear();
        let selected = selector.select(*signal, black_box(wire), &limits, &mut part);
        assert_eq!(selected, Ok(Selected::Part));
        let result = transcoder.protobuf_to_json(*signal, &part, &limits, &mut walked);
        result.expect("a part of a payload");
        walked.len()
    };
    let mut transcoder = Transcoder::new();
    let mut rival = || {
        whole.clear();
        let result = transcoder.protobuf_to_json(*signal, black_box(wire), &limits, &mut whole);
        result.expect("a payload");
        whole.len()
    };
    let times = race(rounds, &mut view, &mut rival);
    report(payload.name, "one in 50, to all", wire.len(), times);
}

fn compare<Theirs: Message + Default + Serialize + DeserializeOwned>(
    payload: &Payload,
    rounds: usize,
) {
    let Payload { name, signal, wire } = payload;
    let (signal, wire) = (*signal, wire.as_slice());
    let limits = Limits::default();
    let mut ours = Vec::new();
    protobuf_to_json(signal, wire, &limits, &mut ours).expect("a payload is OTLP");
    let theirs = serde_json::to_vec(&Theirs::decode(wire).expect("a payload is OTLP"))
        .expect("a payload can be written");
    let line = |what, input: &[u8], ours: Contestant<'_>, theirs: Contestant<'_>| {
        report(name, what, input.len(), race(rounds, ours, theirs));
    };

    let mut rival = || {
        let request = Theirs::decode(black_box(wire)).expect("as before");
        serde_json::to_vec(&request).expect("as before").len()
    };
    for (what, format) in FORMATS {
        let mut transcoder = Transcoder::new();
        let mut walked = Vec::new();
        let mut transcode = || {
            walked.clear();
            let wire = black_box(wire);
            let result = transcoder.write(signal, format, wire, &limits, &mut walked);
            result.expect("as before");
            walked.len()
        };
        line(what, wire, &mut transcode, &mut rival);
    }
    let mut text = Vec::new();
    let mut typed = || {
        text.clear();
        protobuf_to_json(signal, black_box(wire), &limits, &mut text).expect("as before");
        text.len()
    };
    line("typed to JSON", wire, &mut typed, &mut rival);

    let mut reader = JsonReader::new();
    let mut walked = Vec::new();
    let mut transcode = || {
        walked.clear();
        let json = black_box(&ours);
        let result = reader.json_to_protobuf(signal, json, &limits, &mut walked);
        result.expect("our own JSON");
        walked.len()
    };
    let mut typed = || {
        let request = Request::decode_json(signal, black_box(&ours), &limits);
        request.expect("our own JSON").encode_protobuf().len()
    };
    let mut rival = || {
        let request: Theirs = serde_json::from_slice(black_box(&theirs)).expect("their own JSON");
        request.encode_to_vec().len()
    };
    line("transcode from JSON", &ours, &mut transcode, &mut rival);
    line("typed from JSON", &ours, &mut typed, &mut rival);

    let mut check = || {
        let checked = check::check(signal, black_box(wire), &limits);
        checked.expect("as before").items
    };
    let mut rival = || {
        drop(black_box(
            Theirs::decode(black_box(wire)).expect("as before"),
        ));
        wire.len()
    };
    line("check, to decode", wire, &mut check, &mut rival);
}

/// What is measured; it gives some number that depends on all of its work.
type Contestant<'a> = &'a mut dyn FnMut() -> usize;

/// The median time of one call of each.
fn race(rounds: usize, ours: Contestant<'_>, theirs: Contestant<'_>) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        times[0].push(round(ours));
        times[1].push(round(theirs));
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

fn round(run: Contestant<'_>) -> Duration {
    let begin = Instant::now();
    let mut calls = 0;
    while begin.elapsed() < ROUND {
        black_box(run());
        calls += 1;
    }
    begin.elapsed() / calls
}

fn report(name: &str, what: &str, input: usize, [ours, theirs]: [Duration; 2]) {
    let [ours, theirs] = [ours, theirs].map(|time| time.as_secs_f64() * 1e6);
    let speed = input as f64 / ours;
    print(&format!(
        "{name:<7}  {what:<19}  {ours:>14.1}  {speed:>12.0}  {theirs:>22.1}  {:>5.2}",
        theirs / ours
    ));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
