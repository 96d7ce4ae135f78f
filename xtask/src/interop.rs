//! The relay between programs that nobody here wrote. Exports by the official SDKs of Python and
//! JavaScript, by the Collector and by its `telemetrygen`; compared with what Python's protobuf makes
//! of the bytes that were on the wire. Watched by Python's `websockets` and by `ws`, which go through
//! the whole protocol, and by `curl` and `jq`.
//!
//! The scripts are in `xtask/interop`; this part gets them what they need, and runs them.

mod go;
pub(crate) mod node;
mod python;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::tidy::workspace_root;
use crate::verify::{cargo, say};

/// The scripts.
const SCRIPTS: &str = "xtask/interop";
/// What the folder of something that was made is made of, word by word.
const STAMP: &str = "made-of";
/// What reads lines in the docs.
const LINE_TOOLS: [&str; 2] = ["curl", "jq"];

/// What a comparison is written for, where the machine has it.
pub(crate) enum Tool<T> {
    /// Installed or built, below `target/`.
    Ready(T),
    /// Not there; what somebody has to install.
    Missing(String),
}

/// Installs and builds what is needed below `target/`, and runs every comparison that the machine
/// has the programs for. `flags` are more of the relay's.
///
/// # Errors
///
/// If anything differs; without Python; with `all`, if Node.js or Go is missing.
pub(crate) fn run(all: bool, flags: &[String]) -> Result<()> {
    let root = workspace_root();
    let target = target_folder(&root)?;
    let folder = target.join("interop");
    let scripts = root.join(SCRIPTS);
    // Downloads wait for the network while compilers wait for processors.
    let (python, node, go) = thread::scope(|scope| {
        let python = scope.spawn(|| python::environment(&scripts, &folder.join("python")));
        let node =
            scope.spawn(|| node::packages(&scripts.join("javascript"), &folder.join("javascript")));
        let go = scope.spawn(|| go::binaries(&scripts, &folder.join("go")));
        cargo(&["build", "--package", "server", "--locked"], &[])?;
        anyhow::Ok((join(python)?, join(node)?, join(go)?))
    })?;
    let suite = Suite {
        python,
        scripts,
        relay: target.join("debug/otlp-relay"),
        flags,
    };
    let codec = root.join("crates/otlp-codec");
    let samples =
        ["tests/data/otlp-json-vectors.jsonl", "benches/data"].map(|path| codec.join(path));
    suite.sdk_for_python(&samples)?;
    let mut left_out = Vec::new();
    // Without it, the protocol is spoken by the client of Python alone.
    let mut client = PathBuf::new();
    match node {
        Tool::Ready(folder) => {
            suite.run("javascript.py", [&folder])?;
            client = folder;
        }
        Tool::Missing(needs) => left_out.push(format!("JavaScript SDK, `ws`: SKIPPED, {needs}")),
    }
    suite.run("protocol.py", samples.iter().chain([&client]))?;
    match go {
        Tool::Ready(binaries) => {
            suite.run("collector.py", [binaries.collector])?;
            suite.run("telemetrygen.py", [binaries.telemetrygen])?;
        }
        Tool::Missing(needs) => {
            left_out.push(format!("Collector and telemetrygen: SKIPPED, {needs}"));
        }
    }
    match LINE_TOOLS
        .iter()
        .find(|tool| version(tool, &["--version"]).is_none())
    {
        None => suite.run("curl.py", [""; 0])?,
        Some(tool) => left_out.push(format!("curl and jq: SKIPPED, needs {tool}")),
    }
    for line in &left_out {
        say(line);
    }
    if all && !left_out.is_empty() {
        bail!("--all, and something had to be left out");
    }
    say(match left_out.len() {
        0 => "interop: passed, with every client",
        _ => "interop: passed, but for what was skipped",
    });
    Ok(())
}

/// What all comparisons have in common.
struct Suite<'a> {
    python: PathBuf,
    scripts: PathBuf,
    relay: PathBuf,
    flags: &'a [String],
}

impl Suite<'_> {
    fn sdk_for_python(&self, samples: &[PathBuf]) -> Result<()> {
        self.run("metrics.py", [""; 0])?;
        self.run("signals.py", [""; 0])?;
        self.run("lines.py", [""; 0])?;
        execute(self.script("protojson.py").arg(&self.relay).args(samples))
    }

    /// Runs a script with arguments of its own, the relay and its flags.
    fn run(&self, name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<()> {
        let mut command = self.script(name);
        execute(command.args(args).arg(&self.relay).args(self.flags))
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(self.scripts.join(name))
            // Would leave out what the scripts assert.
            .env_remove("PYTHONOPTIMIZE")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Makes a folder anew with `make`, unless it is there and was made of the same.
fn cached(folder: &Path, made_of: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == made_of) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    make()?;
    std::fs::write(stamp, made_of)?;
    Ok(())
}

/// The texts of some files, one after another.
fn texts(folder: &Path, names: &[&str]) -> Result<String> {
    let read = |name: &&str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    names.iter().map(read).collect()
}

/// The least version of a program, in words.
pub(crate) fn or_later(name: &str, (major, minor): (u32, u32)) -> String {
    format!("needs {name} {major}.{minor} or later")
}

/// The major and the minor version that a program tells, if it is there.
pub(crate) fn version(program: &str, args: &[&str]) -> Option<(u32, u32)> {
    // Not in a folder whose files might choose another version.
    let command = Command::new(program)
        .args(args)
        .current_dir(workspace_root())
        .output();
    let output = command.ok().filter(|output| output.status.success())?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The first two numbers of `v20.1.0` or `go1.26`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let mut numbers = text[start..].split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Where cargo builds to.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    let manifest = root.join("Cargo.toml");
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into())
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread
        .join()
        .map_err(|_| anyhow!("a thread has panicked"))?
}

pub(crate) fn execute(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} can't be run"))?;
    if !status.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    /// Scenario: what `node --version`, `go env GOVERSION` and something else print.
    /// Guarantees: the first two numbers, or none.
    #[test]
    fn versions() {
        assert_eq!(super::parse_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(super::parse_version("go1.26rc1\n"), Some((1, 26)));
        assert_eq!(super::parse_version("devel\n"), None);
        assert_eq!(super::parse_version("v20\n"), None);
    }

    /// Scenario: a folder is asked for twice as made of one text, then as made of another.
    /// Guarantees: it is made at first, and anew when the text changes, with nothing old in it.
    #[test]
    fn folders_are_made_once() {
        let target = super::target_folder(&crate::tidy::workspace_root()).unwrap();
        let folder = target.join("interop-test");
        let file = folder.join("file");
        let make = |made_of: &str, text: &'static str| {
            super::cached(&folder, made_of, || Ok(std::fs::write(&file, text)?)).unwrap();
            std::fs::read_to_string(&file).unwrap()
        };
        drop(std::fs::remove_dir_all(&folder));
        assert_eq!(make("a", "first"), "first");
        std::fs::write(folder.join("old"), "").unwrap();
        assert_eq!(make("a", "second"), "first");
        assert_eq!(make("b", "third"), "third");
        assert!(!folder.join("old").exists());
    }
    /// Scenario: the clients that README.md lists, and the files that pin their versions.
    /// Guarantees: both name the same.
    #[test]
    fn the_readme_names_the_versions_that_run() {
        const PYTHON: &str = "xtask/interop/requirements.txt";
        const JAVASCRIPT: &str = "xtask/interop/javascript/package.json";
        const GO: &str = "xtask/interop/collector/go.mod";
        let number_after = |file: &str, prefix: &str| {
            let text = std::fs::read_to_string(super::workspace_root().join(file)).unwrap();
            let (_, rest) = text.split_once(prefix).expect(prefix);
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            rest[..end.unwrap()].to_owned()
        };
        for (told, file, pinned) in [
            (
                "| Collector, `otlp_http` | ",
                GO,
                "exporter/otlphttpexporter v",
            ),
            ("| Collector, `otlp_grpc` | ", GO, "exporter/otlpexporter v"),
            ("| `telemetrygen` | ", GO, "cmd/telemetrygen v"),
            ("| Python SDK | ", PYTHON, "opentelemetry-sdk=="),
            (
                "| JavaScript SDK | ",
                JAVASCRIPT,
                "exporter-trace-otlp-http\": \"",
            ),
            (
                "| Rust SDK | ",
                "Cargo.toml",
                "opentelemetry-otlp = { version = \"",
            ),
            ("Python's `websockets` ", PYTHON, "websockets=="),
            ("Node's `ws` ", JAVASCRIPT, "\"ws\": \""),
        ] {
            assert_eq!(
                number_after("README.md", told),
                number_after(file, pinned),
                "{told}"
            );
        }
    }
}
