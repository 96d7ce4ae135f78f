//! Fuzzing of the codec for a bounded time, from seeds that the vectors give.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tidy::workspace_root;
use crate::verify::say;

/// The targets, and what their inputs are behind the byte that names the signal.
const TARGETS: &[(&str, Input)] = &[
    ("protobuf_to_json", Input::ProtobufToEither),
    ("check", Input::Protobuf),
    ("json_to_protobuf", Input::Json),
    ("select", Input::Filtered),
];

#[derive(Clone, Copy)]
enum Input {
    Protobuf,
    /// Behind a line for each clause of a filter, and an empty one.
    Filtered,
    /// To be written in either format: [`POINTS`] in the first byte chooses.
    ProtobufToEither,
    Json,
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
/// The longest seed, in bytes.
const MAX_SEED: usize = 4096;

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
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .collect();
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    ensure!(
        !targets.is_empty(),
        "no such target; there are {}",
        names.join(", ")
    );
    for (name, input) in targets {
        let corpus = workspace_root().join("target/fuzz").join(name);
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
            .current_dir(workspace_root().join("crates/otlp-codec"))
            .status()?;
        ensure!(
            status.success(),
            "{name} found something: see crates/otlp-codec/fuzz/artifacts"
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
        let body = match input {
            Input::Json => vector["json"].as_str().map(|json| json.as_bytes().to_vec()),
            Input::Filtered => {
                let filter = FILTERS[number % FILTERS.len()].as_bytes();
                let wire = vector["expected_pb_hex"].as_str().map(unhex).transpose()?;
                wire.map(|wire| [filter, &wire].concat())
            }
            Input::Protobuf | Input::ProtobufToEither => {
                vector["expected_pb_hex"].as_str().map(unhex).transpose()?
            }
        };
        let Some(body) = body.filter(|body| body.len() < MAX_SEED) else {
            continue;
        };
        let signal = u8::try_from(signal)?;
        let seed = [&[signal], body.as_slice()].concat();
        std::fs::write(corpus.join(format!("vector-{number}")), seed)?;
        seeds += 1;
        if matches!(input, Input::ProtobufToEither) {
            let seed = [&[signal | POINTS], body.as_slice()].concat();
            std::fs::write(corpus.join(format!("vector-{number}-points")), seed)?;
            seeds += 1;
        }
    }
    Ok(seeds)
}

fn unhex(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
