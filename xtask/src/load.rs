//! Builds the load generator and the servers as they are released, and runs the load generator.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::interop::target_folder;
use crate::tidy::workspace_root;
use crate::verify::cargo;

/// The crates whose binaries are needed. The load generator finds the others beside itself.
const PACKAGES: [&str; 10] = [
    "-p", "load", "-p", "plain", "-p", "discard", "-p", "floor", "-p", "server",
];

/// Runs the load generator with `args`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let build = ["build", "--release", "--locked", "--bins"];
    cargo(&[&build[..], &PACKAGES].concat(), &[])?;
    let program = target_folder(&workspace_root())?.join("release/otlp-load");
    let status = Command::new(&program)
        .args(args)
        .status()
        .with_context(|| format!("{} can't be run", program.display()))?;
    if !status.success() {
        bail!("the load generator failed");
    }
    Ok(())
}
