//! What `docs/` says of the settings: printed by the relay, which knows them.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tidy::workspace_root;

/// What `otlp-relay config` prints, and the file that holds it, below the workspace root.
const FILES: [(&str, &str); 2] = [
    ("reference", "docs/configuration.md"),
    ("schema", "docs/otlp-relay.schema.json"),
];

/// Writes what differs.
pub(crate) fn write() -> Result<()> {
    for (what, path) in FILES {
        let (path, text) = (workspace_root().join(path), printed(what)?);
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            std::fs::write(&path, text)?;
        }
    }
    Ok(())
}

/// Fails, naming the files, if the committed ones are not what the relay prints.
pub(crate) fn check() -> Result<()> {
    let mut stale = Vec::new();
    for (what, path) in FILES {
        let committed = std::fs::read_to_string(workspace_root().join(path)).ok();
        if committed != Some(printed(what)?) {
            stale.push(path);
        }
    }
    if !stale.is_empty() {
        bail!(
            "run `cargo xtask config`: not up to date: {}",
            stale.join(", ")
        );
    }
    Ok(())
}

fn printed(what: &str) -> Result<String> {
    let run = ["run", "--quiet", "--locked", "--package", "server"];
    let output = Command::new("cargo")
        .args(run)
        .args(["--bin", "otlp-relay", "--", "config", what])
        .current_dir(workspace_root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo can't be run")?;
    if !output.status.success() {
        bail!("otlp-relay config {what} failed");
    }
    Ok(String::from_utf8(output.stdout)?)
}
