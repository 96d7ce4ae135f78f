//! What the page has of others: files of packages, taken over byte for byte, with their licence.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::interop::{Tool, node, target_folder};
use crate::tidy::workspace_root;
use crate::verify::say;

/// The packages, with exact versions and checksums.
const PACKAGES: &str = "xtask/vendor";
/// Where they are kept.
const VENDOR: &str = "crates/viewer/web/vendor";
/// The files that are taken over: from a package, to the folder of the same name.
const FILES: [(&str, &str); 4] = [
    ("uplot/dist/uPlot.esm.js", "uplot/uPlot.esm.js"),
    ("uplot/dist/uPlot.min.css", "uplot/uPlot.min.css"),
    ("uplot/LICENSE", "uplot/LICENSE"),
    ("uplot/package.json", "uplot/package.json"),
];

/// Takes the files over, or, to `check`, fails if one is another.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = workspace_root();
    let folder = target_folder(&root)?.join("vendor");
    let packages = match node::packages(&root.join(PACKAGES), &folder)? {
        Tool::Ready(folder) => folder.join("node_modules"),
        Tool::Missing(needs) if check => {
            say(&format!("vendored files: SKIPPED, {needs}"));
            return Ok(());
        }
        Tool::Missing(needs) => bail!("{needs}"),
    };
    for (from, to) in FILES {
        let (from, to) = (packages.join(from), root.join(VENDOR).join(to));
        match check {
            true => compare(&from, &to)?,
            false => take(&from, &to)?,
        }
    }
    Ok(())
}

fn compare(from: &Path, to: &PathBuf) -> Result<()> {
    if std::fs::read(from)? != std::fs::read(to)? {
        bail!(
            "{}: not what the package holds; run cargo xtask vendor",
            to.display()
        );
    }
    Ok(())
}

fn take(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to)?;
    Ok(())
}
