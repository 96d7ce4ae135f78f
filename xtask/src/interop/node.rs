//! The official SDK for JavaScript, and `ws`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use super::{Tool, cached, execute, or_later, texts, version};

/// The oldest Node.js that the packages run on, as their `engines` say.
const NODE: (u32, u32) = (20, 6);
/// What is installed, with exact versions and checksums.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// The packages that a folder names and, beside them, where Node.js looks for them, the modules of
/// the folder that use them.
pub(crate) fn packages(source: &Path, folder: &Path) -> Result<Tool<PathBuf>> {
    let node = version("node", &["--version"]);
    if node.is_none_or(|found| found < NODE) || version("npm", &["--version"]).is_none() {
        let needs = or_later("Node.js", NODE) + " with npm (https://nodejs.org)";
        return Ok(Tool::Missing(needs));
    }
    cached(folder, &texts(source, &PACKAGES)?, || {
        for name in PACKAGES {
            std::fs::copy(source.join(name), folder.join(name))?;
        }
        let mut npm = Command::new("npm");
        // Nothing of a package runs before it is imported.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        execute(npm.current_dir(folder).stdout(Stdio::null()))
    })?;
    for entry in std::fs::read_dir(source)? {
        let path = entry?.path();
        if let (Some(name), Some("mjs")) = (path.file_name(), extension(&path)) {
            std::fs::copy(&path, folder.join(name))?;
        }
    }
    Ok(Tool::Ready(folder.to_owned()))
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}
