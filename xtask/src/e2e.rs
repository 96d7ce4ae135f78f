//! The page in a real browser: unit tests of its modules by Node.js, then Chromium, driven by
//! Playwright, before a relay that is sent real exports.
//!
//! The scripts are in `xtask/e2e`; this part gets them what they need, and runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::interop::{Tool, execute, node, target_folder};
use crate::tidy::workspace_root;
use crate::verify::{cargo, say};

/// The scripts of the browser, and the packages that they need.
const SCRIPTS: &str = "xtask/e2e";
/// The page, and the tests of what it computes.
const VIEWER: &str = "crates/viewer";
/// The names that distributions give the browser, in the order in which they are tried.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];
/// The pictures of the docs, by the picture that is taken.
const PICTURES: [(&str, &str); 4] = [
    ("charts-middle-dark", "viewer-metrics"),
    ("traces-middle-dark", "viewer-traces"),
    ("logs-middle-light", "viewer-logs"),
    ("charts-narrow-dark", "viewer-narrow"),
];

/// What is to be done beside the tests.
pub(crate) struct Wishes {
    /// Fail where Node.js or the browser is missing.
    pub(crate) all: bool,
    /// This browser, and no other.
    pub(crate) browser: Option<PathBuf>,
    /// Only these scripts, by their names.
    pub(crate) only: Vec<String>,
    /// Put the pictures into `docs/images`.
    pub(crate) pictures: bool,
    /// Measure the page under load for so many seconds instead of testing it.
    pub(crate) load: Option<u64>,
}

/// Runs the tests, or measures.
///
/// # Errors
///
/// If a test fails; with [`Wishes::all`], if something is missing.
pub(crate) fn run(wishes: &Wishes) -> Result<()> {
    let root = workspace_root();
    let folder = target_folder(&root)?.join("e2e");
    let scripts = match node::packages(&root.join(SCRIPTS), &folder.join("scripts"))? {
        Tool::Ready(scripts) => scripts,
        Tool::Missing(needs) => return left_out(wishes, &needs),
    };
    if wishes.load.is_none() && wishes.only.is_empty() {
        say("== what the page computes");
        let tests = tests_in(&root.join(VIEWER).join("tests"), ".test.js")?;
        execute(Command::new("node").arg("--test").args(tests))?;
    }
    let Some(browser) = wishes.browser.clone().or_else(browser) else {
        return left_out(wishes, "needs Chromium (Debian: apt-get install chromium)");
    };
    cargo(&["build", "--package", "server", "--locked"], &[])?;
    let pictures = folder.join("pictures");
    let mut command = Command::new("node");
    command
        .env("RELAY", target_folder(&root)?.join("debug/otlp-relay"))
        .env("CHROMIUM", browser)
        .env("SHOTS", &pictures);
    if let Some(seconds) = wishes.load {
        say("== the page under load");
        command
            .arg(scripts.join("load.mjs"))
            .arg(seconds.to_string());
        return execute(&mut command);
    }
    say("== the page in a browser");
    let mut tests = tests_in(&scripts, ".test.mjs")?;
    if !wishes.only.is_empty() {
        tests.retain(|test| {
            wishes
                .only
                .iter()
                .any(|name| test.ends_with(format!("{name}.test.mjs")))
        });
    }
    if wishes.pictures {
        command.env("PICTURES", "yes");
    }
    // One after another: each has a browser of its own.
    execute(command.args(["--test", "--test-concurrency=1"]).args(tests))?;
    if wishes.pictures {
        keep(&pictures, &root.join("docs/images"))?;
    }
    say(&format!(
        "e2e: passed; pictures of every view are in {}",
        pictures.display()
    ));
    Ok(())
}

fn left_out(wishes: &Wishes, needs: &str) -> Result<()> {
    if wishes.all {
        bail!("the page in a browser {needs}");
    }
    say(&format!("the page in a browser: SKIPPED, {needs}"));
    Ok(())
}

/// The first of the browsers that the shell finds.
fn browser() -> Option<PathBuf> {
    let find = BROWSERS
        .map(|name| format!("command -v {name}"))
        .join(" || ");
    let found = Command::new("sh").args(["-c", &find]).output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    (found.status.success()).then(|| path.trim().into())
}

/// The files of a folder with this ending, by name.
fn tests_in(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            tests.push(path);
        }
    }
    tests.sort();
    Ok(tests)
}

fn keep(pictures: &Path, docs: &Path) -> Result<()> {
    std::fs::create_dir_all(docs)?;
    for (taken, kept) in PICTURES {
        let (from, to) = (format!("{taken}.png"), format!("{kept}.png"));
        std::fs::copy(pictures.join(from), docs.join(to))?;
    }
    Ok(())
}
