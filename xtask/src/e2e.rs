//! The page in a real browser: unit tests of its modules by Node.js, then Chromium, driven by
//! Playwright, before a relay that is sent real exports.
//!
//! The scripts are in `xtask/e2e`; this part gets them what they need, and runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::interop::{Tool, execute, node, or_later, target_folder, version};
use crate::tidy::workspace_root;
use crate::verify::{cargo, say};

/// The scripts of the browser, and the packages that they need.
const SCRIPTS: &str = "xtask/e2e";
/// The page, and the tests of what it computes.
const VIEWER: &str = "crates/viewer";
/// The oldest Node.js that runs the tests of what the page computes: the first with a runner.
const NODE: (u32, u32) = (18, 0);
/// How the tests that need the browser end.
const BROWSER_TEST: &str = ".test.mjs";
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
    // What is asked for is looked at before anything is installed.
    chosen(tests_in(&root.join(SCRIPTS), BROWSER_TEST)?, &wishes.only)?;
    if wishes.load.is_none() && wishes.only.is_empty() {
        // These need no package, and so an older Node.js does.
        if version("node", &["--version"]).is_none_or(|found| found < NODE) {
            return left_out(wishes, &or_later("Node.js", NODE));
        }
        say("== what the page computes");
        let tests = tests_in(&root.join(VIEWER).join("tests"), ".test.js")?;
        execute(Command::new("node").arg("--test").args(tests))?;
    }
    let scripts = match node::packages(&root.join(SCRIPTS), &folder.join("scripts"))? {
        Tool::Ready(scripts) => scripts,
        Tool::Missing(needs) => return left_out(wishes, &needs),
    };
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
    let tests = chosen(tests_in(&scripts, BROWSER_TEST)?, &wishes.only)?;
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

/// Those of the parts that were asked for, or all. An empty list would be all to Node.js too.
fn chosen(tests: Vec<PathBuf>, only: &[String]) -> Result<Vec<PathBuf>> {
    if only.is_empty() {
        return Ok(tests);
    }
    let part = |test: &PathBuf| {
        let name = test.file_name().and_then(|name| name.to_str());
        let part = name.and_then(|name| name.strip_suffix(BROWSER_TEST));
        part.unwrap_or_default().to_owned()
    };
    let parts: Vec<_> = tests.iter().map(part).collect();
    for name in only {
        ensure!(
            parts.contains(name),
            "there is no part {name}; there are {}",
            parts.join(", ")
        );
    }
    let tests = tests.into_iter();
    Ok(tests.filter(|test| only.contains(&part(test))).collect())
}

fn keep(pictures: &Path, docs: &Path) -> Result<()> {
    std::fs::create_dir_all(docs)?;
    for (taken, kept) in PICTURES {
        let (from, to) = (format!("{taken}.png"), format!("{kept}.png"));
        std::fs::copy(pictures.join(from), docs.join(to))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: every part of `xtask/e2e`, two of them, and one that there is not.
    /// Guarantees: those that were asked for are found; a name that is none is refused, with those
    /// that there are.
    #[test]
    fn parts_are_chosen_by_name() {
        let all = || tests_in(&workspace_root().join(SCRIPTS), BROWSER_TEST).unwrap();
        assert_eq!(chosen(all(), &[]).unwrap(), all());
        let two = ["socket", "logs"].map(str::to_owned);
        assert_eq!(chosen(all(), &two).unwrap().len(), 2);
        let error = chosen(all(), &["log".to_owned()]).unwrap_err();
        assert!(
            error.to_string().contains("there is no part log"),
            "{error}"
        );
        assert!(error.to_string().contains("logs"), "{error}");
    }
}
