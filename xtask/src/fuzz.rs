//! Fuzzing of the codec, of conversions, of the receiver and of what WebSocket clients send, for a
//! bounded time, from seeds that the vectors give.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::interop::target_folder;
use crate::tidy::workspace_root;
use crate::verify::say;

/// The targets, the crates that they are about, and what their inputs are behind the byte that
/// names the signal.
const TARGETS: &[(&str, &str, Input)] = &[
    ("protobuf_to_json", CODEC, Input::ProtobufToAny),
    ("check", CODEC, Input::Protobuf),
    ("json_to_protobuf", CODEC, Input::Json),
    ("select", CODEC, Input::Filtered),
    ("split", CODEC, Input::Protobuf),
    ("pieces", "crates/convert", Input::File),
    ("request", "crates/ingest", Input::Request),
    ("client", "crates/fanout", Input::Client),
];
const CODEC: &str = "crates/otlp-codec";

#[derive(Clone, Copy)]
enum Input {
    Protobuf,
    /// Behind a line for each clause of a filter, and an empty one.
    Filtered,
    /// To be written in a format that [`POINTS`] and [`PROTO_JSON`] in the first byte choose.
    ProtobufToAny,
    Json,
    /// Of either encoding: [`FILE_JSON`] in the first byte chooses.
    File,
    /// Of either encoding, with a head of three bytes that the target explains.
    Request,
    /// WebSocket frames, behind a byte that the target explains.
    Client,
}

/// The signals in the order of the codec's `Signal::ALL`.
const SIGNALS: [&str; 4] = ["metrics", "traces", "logs", "profiles"];
/// Filters that keep something of some vector.
const FILTERS: [&str; 6] = [
    "metric=?*\n\n",
    "scope=s*\nspan=*\n\n",
    "severity=9\n\n",
    "resource.k=*\n\n",
    "attr.k=*\nmetric=m\n\n",
    "attr.k=1\nattr.s=a*\n\n",
];
/// The bit of the first byte that asks for points.
const POINTS: u8 = 0x80;
/// The bit that asks for protobuf's own JSON mapping.
const PROTO_JSON: u8 = 0x40;
/// For [`Input::File`]: JSON. The other bits choose how long a record may be.
const FILE_JSON: u8 = 1 << 2;
/// For [`Input::Request`], in the first byte: JSON, compression, and where the coding stands.
const REQUEST_JSON: u8 = 1 << 2;
const REQUEST_COMPRESS: u8 = 1 << 7;
const REQUEST_CODING: u32 = 4;
/// The codings that it knows, plain bodies included.
const REQUEST_CODINGS: usize = 6;
/// Its other two bytes: pieces of 1024 bytes, nothing repeated, nothing spoilt.
const REQUEST_REST: [u8; 2] = [10, 0];
/// For [`Input::Client`]: a list of frames, and pieces of four bytes.
const CLIENT_FRAMES: u8 = 2 | 3 << 2;
/// The longest payload of such a frame, in bytes.
const CLIENT_PAYLOAD: usize = 255;
/// The longest seed, in bytes.
const MAX_SEED: usize = 4096;

/// The crates that have targets.
pub(crate) fn crates() -> impl Iterator<Item = &'static str> {
    let mut crates: Vec<_> = TARGETS.iter().map(|(_, about, _)| *about).collect();
    crates.dedup();
    crates.into_iter()
}

/// Runs each target, or only the one that is named, for so many seconds.
pub(crate) fn run(seconds: u64, only: Option<&str>) -> Result<()> {
    let installed = Command::new("cargo")
        .args(["+nightly", "fuzz", "--version"])
        .output();
    if !installed.is_ok_and(|output| output.status.success()) {
        bail!("needed: rustup toolchain install nightly; cargo install cargo-fuzz --locked");
    }
    let targets: Vec<_> = TARGETS
        .iter()
        .filter(|(name, ..)| only.is_none_or(|only| only == *name))
        .collect();
    let names: Vec<_> = TARGETS.iter().map(|(name, ..)| *name).collect();
    ensure!(
        !targets.is_empty(),
        "no such target; there are {}",
        names.join(", ")
    );
    for (name, about, input) in targets {
        let corpus = target_folder(&workspace_root())?.join("fuzz").join(name);
        std::fs::create_dir_all(&corpus)?;
        let seeds = seed(&corpus, *input)?;
        say(&format!("== {name}: {seconds} s from {seeds} seeds"));
        let status = Command::new("cargo")
            .args(["+nightly", "fuzz", "run", name])
            .arg(&corpus)
            .args([
                "--",
                &format!("-max_total_time={seconds}"),
                "-max_len=8192",
                "-timeout=10",
            ])
            .arg("-rss_limit_mb=4096")
            .current_dir(workspace_root().join(about))
            .status()?;
        ensure!(
            status.success(),
            "{name} found something: see {about}/fuzz/artifacts"
        );
    }
    Ok(())
}

/// Writes the requests of the vectors as seeds; how many.
fn seed(corpus: &Path, input: Input) -> Result<usize> {
    let vectors = workspace_root().join("crates/otlp-codec/tests/data/otlp-json-vectors.jsonl");
    let text = std::fs::read_to_string(&vectors)?;
    let mut seeds = 0;
    for (number, line) in text.lines().enumerate() {
        let vector: serde_json::Value =
            serde_json::from_str(line).with_context(|| format!("line {number} of the vectors"))?;
        let Some(signal) = SIGNALS
            .iter()
            .position(|signal| vector["signal"] == *signal)
        else {
            continue;
        };
        let signal = u8::try_from(signal)?;
        let json = vector["json"].as_str().map(|json| json.as_bytes().to_vec());
        let wire = vector["expected_pb_hex"].as_str().map(unhex).transpose()?;
        for (name, head, body) in inputs(input, number, signal, json, wire) {
            if body.len() < MAX_SEED {
                let path = corpus.join(format!("vector-{number}{name}"));
                std::fs::write(path, [head, body].concat())?;
                seeds += 1;
            }
        }
    }
    Ok(seeds)
}

/// What a vector gives for a target: the end of a name, a head, and a body.
fn inputs(
    input: Input,
    number: usize,
    signal: u8,
    json: Option<Vec<u8>>,
    wire: Option<Vec<u8>>,
) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let seeds = match input {
        Input::Json => vec![("", vec![signal], json)],
        Input::Protobuf => vec![("", vec![signal], wire)],
        Input::Filtered => {
            let filter = FILTERS[number % FILTERS.len()].as_bytes();
            vec![("", [&[signal], filter].concat(), wire)]
        }
        Input::ProtobufToAny => vec![
            ("-points", vec![signal | POINTS], wire.clone()),
            ("-protojson", vec![signal | PROTO_JSON], wire.clone()),
            ("", vec![signal], wire),
        ],
        Input::File => vec![
            ("-json", vec![signal | FILE_JSON], json),
            ("", vec![signal], wire),
        ],
        Input::Request => {
            // Below the number of codings, so that it fits.
            let coding = ((number % REQUEST_CODINGS) as u8) << REQUEST_CODING;
            let first = signal | coding | REQUEST_COMPRESS;
            let head = |first: u8| [&[first], &REQUEST_REST[..]].concat();
            vec![
                ("-json", head(first | REQUEST_JSON), json),
                ("", head(first), wire),
            ]
        }
        Input::Client => {
            let message = |first: u8| {
                move |mut payload: Vec<u8>| {
                    payload.truncate(CLIENT_PAYLOAD);
                    [&[first, payload.len() as u8], &payload[..]].concat()
                }
            };
            vec![
                ("-text", vec![CLIENT_FRAMES], json.map(message(0x81))),
                ("", vec![CLIENT_FRAMES], wire.map(message(0x82))),
            ]
        }
    };
    let there = |(name, head, body): (_, _, Option<_>)| Some((name, head, body?));
    seeds.into_iter().filter_map(there).collect()
}

fn unhex(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
