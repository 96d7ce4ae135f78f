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
    take_modules(source, folder)?;
    Ok(Tool::Ready(folder.to_owned()))
}

/// Makes the modules of a folder those of its source: one that was renamed there would be run twice.
fn take_modules(source: &Path, folder: &Path) -> Result<()> {
    for path in modules(folder)? {
        std::fs::remove_file(path)?;
    }
    for path in modules(source)? {
        if let Some(name) = path.file_name() {
            std::fs::copy(&path, folder.join(name))?;
        }
    }
    Ok(())
}

fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if extension(&path) == Some("mjs") {
            modules.push(path);
        }
    }
    Ok(modules)
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a module is renamed in its source; the packages lie beside it.
    /// Guarantees: the folder has the new one and not the old one, and the rest stays.
    #[test]
    fn modules_that_are_gone_go() {
        let target = crate::interop::target_folder(&crate::tidy::workspace_root()).unwrap();
        let [source, folder] = ["source", "folder"].map(|name| target.join("node-test").join(name));
        for folder in [&source, &folder] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(source.join("new.mjs"), "1").unwrap();
        std::fs::write(folder.join("old.mjs"), "0").unwrap();
        std::fs::write(folder.join("package.json"), "{}").unwrap();
        take_modules(&source, &folder).unwrap();
        assert_eq!(modules(&folder).unwrap(), [folder.join("new.mjs")]);
        assert!(folder.join("package.json").exists());
    }
}
