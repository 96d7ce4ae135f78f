//! Counts instructions under callgrind: the same on every run of the same binary, however busy
//! the machine is, so a ratio of two counts can be guarded where a time can't.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tidy::workspace_root;
use crate::verify::say;

/// What is compared, on which payloads, and how many times fewer instructions ours must take: nine
/// tenths or more of what it does take (docs/performance.md), since the system's `memcpy` differs by
/// processor.
const GUARDS: &[Guard] = &[
    Guard {
        ours: "transcode",
        rival: "rival-to-json",
        payload: "M",
        at_least: 9.0,
    },
    Guard {
        ours: "transcode",
        rival: "rival-to-json",
        payload: "H",
        at_least: 8.0,
    },
    Guard {
        ours: "transcode",
        rival: "rival-to-json",
        payload: "T",
        at_least: 8.1,
    },
    Guard {
        ours: "transcode",
        rival: "rival-to-json",
        payload: "G",
        at_least: 6.9,
    },
    Guard {
        ours: "one-in-fifty",
        rival: "transcode",
        payload: "M",
        at_least: 16.6,
    },
    Guard {
        ours: "check",
        rival: "rival-decode",
        payload: "M",
        at_least: 9.6,
    },
    Guard {
        ours: "check",
        rival: "rival-decode",
        payload: "H",
        at_least: 10.9,
    },
    Guard {
        ours: "check",
        rival: "rival-decode",
        payload: "T",
        at_least: 9.3,
    },
    Guard {
        ours: "from-json",
        rival: "rival-from-json",
        payload: "M",
        at_least: 10.4,
    },
    Guard {
        ours: "from-json",
        rival: "rival-from-json",
        payload: "H",
        at_least: 6.7,
    },
    Guard {
        ours: "from-json",
        rival: "rival-from-json",
        payload: "T",
        at_least: 7.4,
    },
    Guard {
        ours: "from-json",
        rival: "rival-from-json",
        payload: "G",
        at_least: 5.8,
    },
];

struct Guard {
    ours: &'static str,
    rival: &'static str,
    payload: &'static str,
    at_least: f64,
}

/// Two runs of so many conversions; their difference is what the conversions between them cost.
const TIMES: [u64; 2] = [1, 11];

/// Prints every ratio, and fails if one is below its guard.
pub(crate) fn run() -> Result<()> {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if !valgrind.is_ok_and(|output| output.status.success()) {
        bail!("valgrind is needed (Debian: apt-get install valgrind)");
    }
    let binary = build()?;
    let mut counts = BTreeMap::new();
    let mut short = Vec::new();
    say("what          payload  instructions  of the rival  ratio  at least");
    for guard in GUARDS {
        let mut count = |what| -> Result<f64> {
            if let Some(count) = counts.get(&(what, guard.payload)) {
                return Ok(*count);
            }
            let count = instructions(&binary, what, guard.payload)?;
            counts.insert((what, guard.payload), count);
            Ok(count)
        };
        let (ours, rival) = (count(guard.ours)?, count(guard.rival)?);
        let ratio = rival / ours;
        say(&format!(
            "{:<12}  {:<7}  {ours:>12.0}  {rival:>12.0}  {ratio:>5.2}  {:>8.2}",
            guard.ours, guard.payload, guard.at_least
        ));
        if ratio < guard.at_least {
            short.push(format!("{} on {}: {ratio:.2}", guard.ours, guard.payload));
        }
    }
    ensure!(short.is_empty(), "below the guard: {}", short.join(", "));
    Ok(())
}

/// Builds the benchmark and finds its binary.
fn build() -> Result<PathBuf> {
    let args = [
        "bench",
        "--package",
        "otlp-codec",
        "--bench",
        "instructions",
        "--locked",
    ];
    let output = Command::new("cargo")
        .args(args)
        .args(["--no-run", "--message-format", "json"])
        .current_dir(workspace_root())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the benchmark does not build");
    cargo_metadata::Message::parse_stream(output.stdout.as_slice())
        .filter_map(Result::ok)
        .find_map(|message| match message {
            cargo_metadata::Message::CompilerArtifact(artifact)
                if artifact.target.name == "instructions" =>
            {
                artifact.executable.map(Into::into)
            }
            _ => None,
        })
        .context("cargo names no binary")
}

/// Instructions of one conversion.
fn instructions(binary: &Path, what: &str, payload: &str) -> Result<f64> {
    let [few, many] = TIMES.map(|times| total(binary, what, payload, times));
    Ok((many? - few?) / (TIMES[1] - TIMES[0]) as f64)
}

/// Instructions of a whole run.
fn total(binary: &Path, what: &str, payload: &str, times: u64) -> Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args([what, payload, &times.to_string()])
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed: {log}");
    let count = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.with_context(|| format!("callgrind says no count: {log}"))?;
    Ok(count.trim().parse()?)
}
