//! The relay between programs that nobody here wrote: exports by the official Python SDK,
//! watched by Python's `websockets`, compared with what Python's protobuf makes of them; and the
//! JSON that Python's protobuf writes itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tidy::workspace_root;
use crate::verify::{cargo, say};

/// What is installed, with exact versions.
const REQUIREMENTS: &str = "xtask/interop/requirements.txt";
/// The relay between an SDK and a client.
const RELAY: &str = "xtask/interop/metrics.py";
/// The other signals, and compressions.
const SIGNALS: &str = "xtask/interop/signals.py";
/// The ways to watch and to show a token.
const WATCHING: &str = "xtask/interop/watching.py";
/// The format that is Python's own.
const PROTOJSON: &str = "xtask/interop/protojson.py";

/// Installs what is needed below `target/`, builds the relay and runs the comparison.
pub(crate) fn run() -> Result<()> {
    let root = workspace_root();
    let python = environment(&root)?;
    cargo(&["build", "--package", "server", "--locked"], &[])?;
    let relay = target_folder(&root)?.join("debug/otlp-relay");
    execute(Command::new(&python).arg(root.join(RELAY)).arg(&relay))?;
    execute(Command::new(&python).arg(root.join(SIGNALS)).arg(&relay))?;
    execute(Command::new(&python).arg(root.join(WATCHING)).arg(&relay))?;
    let codec = root.join("crates/otlp-codec");
    let inputs =
        ["tests/data/otlp-json-vectors.jsonl", "benches/data"].map(|path| codec.join(path));
    let mut protojson = Command::new(python);
    execute(protojson.arg(root.join(PROTOJSON)).arg(relay).args(inputs))?;
    say("interop: passed");
    Ok(())
}

/// A virtual environment with the requirements; made anew when they change.
fn environment(root: &Path) -> Result<PathBuf> {
    let folder = target_folder(root)?.join("interop");
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let requirements = std::fs::read_to_string(root.join(REQUIREMENTS))?;
    if std::fs::read_to_string(&stamp).ok().as_ref() == Some(&requirements) {
        return Ok(python);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let venv = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&folder)
        .status();
    if !venv.is_ok_and(|status| status.success()) {
        bail!("a Python 3 with venv is needed (Debian: apt-get install python3-venv)");
    }
    let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
    execute(Command::new(&python).args(pip).arg(root.join(REQUIREMENTS)))?;
    std::fs::write(stamp, requirements)?;
    Ok(python)
}

/// Where cargo builds to.
fn target_folder(root: &Path) -> Result<PathBuf> {
    let manifest = root.join("Cargo.toml");
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into())
}

fn execute(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} can't be run"))?;
    if !status.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}
