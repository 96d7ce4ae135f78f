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
    run_tool("otlp-load", &PACKAGES, args)
}

/// Builds `packages` as they are released, and runs a binary of them.
pub(crate) fn run_tool(name: &str, packages: &[&str], args: &[String]) -> Result<()> {
    let build = ["build", "--release", "--locked", "--bins"];
    cargo(&[&build[..], packages].concat(), &[])?;
    let folder = target_folder(&workspace_root())?.join("release");
    let program = folder.join(name);
    let status = Command::new(&program)
        .args(args)
        .status()
        .with_context(|| format!("{} can't be run", program.display()))?;
    if !status.success() {
        bail!("{name} failed");
    }
    Ok(())
}
