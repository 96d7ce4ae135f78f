//! Every gate, as CI runs them.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tidy::{self, workspace_root};
use crate::{codegen, config, fuzz};

/// The version of cargo-deny that the gates were written for; `.ci/run` finds it here.
const CARGO_DENY: &str = "0.20.2";

/// Runs the gates one after another and stops at the first that fails.
pub(crate) fn run(skip_tests: bool) -> Result<()> {
    gate("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    gate("house rules and layering", tidy::check)?;
    gate("generated code is fresh", codegen::check)?;
    gate("clippy", || {
        let args = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ];
        cargo(&args, &[])
    })?;
    gate("docs of the settings are fresh", config::check)?;
    gate("features of the codec", codec_features)?;
    gate("fuzz targets", fuzz_targets)?;
    gate("docs", || {
        let args = [
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ];
        cargo(&args, &[("RUSTDOCFLAGS", "-D warnings")])
    })?;
    gate("bans, licences and sources", deny)?;
    gate("advisories", advisories)?;
    if skip_tests {
        say("tests: left out, as asked");
    } else {
        gate("tests", || cargo(&["test", "--workspace", "--locked"], &[]))?;
    }
    say("all gates passed");
    Ok(())
}

fn gate(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    say(&format!("== {name}"));
    run().with_context(|| format!("gate failed: {name}"))
}

/// The codec with some of its features only, and for WebAssembly where that target is installed.
fn codec_features() -> Result<()> {
    const NO_DEFAULT: [&str; 5] = [
        "-p",
        "otlp-codec",
        "--no-default-features",
        "--locked",
        "-q",
    ];
    for features in ["", "select", "typed"] {
        let args = [
            &["clippy"],
            &NO_DEFAULT[..],
            &["--all-targets", "--features", features],
        ];
        cargo(&[args.concat(), vec!["--", "-D", "warnings"]].concat(), &[])?;
    }
    // The examples in the docs that need no more.
    let args = [&["test"], &NO_DEFAULT[..], &["--features", "select"]];
    cargo(&args.concat(), &[])?;
    let wasm = "wasm32-unknown-unknown";
    let targets = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .output();
    let installed = targets.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .any(|line| line == wasm)
    });
    if !installed {
        say(&format!("{wasm}: SKIPPED, rustup target add {wasm}"));
        return Ok(());
    }
    cargo(
        &[
            "check",
            "-p",
            "otlp-codec",
            "--locked",
            "-q",
            "--target",
            wasm,
        ],
        &[],
    )?;
    let args = [&["check"], &NO_DEFAULT[..], &["--target", wasm]];
    cargo(&args.concat(), &[])
}

/// The fuzz crates are no members of the workspace. To be run they need a nightly compiler, but not
/// to be checked.
fn fuzz_targets() -> Result<()> {
    for about in fuzz::crates() {
        let manifest = format!("{about}/fuzz/Cargo.toml");
        cargo(&["fmt", "--manifest-path", &manifest, "--check"], &[])?;
        cargo(
            &["check", "--manifest-path", &manifest, "--locked", "-q"],
            &[],
        )?;
    }
    Ok(())
}

fn deny() -> Result<()> {
    let installed = Command::new("cargo").args(["deny", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        bail!("install cargo-deny: cargo install cargo-deny --version {CARGO_DENY} --locked");
    }
    cargo(
        &["deny", "--locked", "check", "bans", "licenses", "sources"],
        &[],
    )
}

/// The database of advisories lies on another server than the crates.
fn advisories() -> Result<()> {
    let fetch = Command::new("cargo")
        .args(["deny", "fetch", "db"])
        .current_dir(workspace_root())
        .output()?;
    if !fetch.status.success() {
        say("advisories: SKIPPED, the database can't be reached from this machine");
        return Ok(());
    }
    cargo(&["deny", "--locked", "check", "advisories"], &[])
}

/// Runs cargo in the workspace, showing what it says.
pub(crate) fn cargo(args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    let status = Command::new("cargo")
        .args(args)
        .envs(env.iter().copied())
        .current_dir(workspace_root())
        .status()
        .context("cargo can't be run")?;
    if !status.success() {
        bail!("cargo {} failed", args.join(" "));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a task tells what it does")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
