//! House rules that a machine can check: layering, module docs, file lengths, manifests, what tests
//! say and do, the proofs that the docs name, and where their links lead.

mod layering;
mod links;
mod proofs;
mod testing;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The most lines of a hand-written source file. Beyond it there are two things in one.
const MAX_LINES: usize = 400;

/// The folder that holds the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}

/// Fails with every violation of a house rule.
pub(crate) fn check() -> Result<()> {
    let mut violations = layering::violations()?;
    violations.extend(proofs::violations()?);
    let root = workspace_root();
    violations.extend(links::violations(&root)?);
    for file in source_files(&root)? {
        violations.extend(violations_in(&root, &file)?);
    }
    violations.sort();
    if !violations.is_empty() {
        bail!("{}", violations.join("\n"));
    }
    Ok(())
}

/// Every `.rs` file of ours.
fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = ["crates", "tools", "xtask"]
        .map(|part| root.join(part))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn violations_in(root: &Path, file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    let generated = file
        .components()
        .any(|part| part.as_os_str() == "generated");
    let name = file.strip_prefix(root).unwrap_or(file).display();
    let mut violations = Vec::new();
    if !text.starts_with("//! ") {
        violations.push(format!(
            "{name}: does not open with `//!` and what the file is"
        ));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES && !generated {
        violations.push(format!("{name}: {lines} lines, more than {MAX_LINES}"));
    }
    let tests = file.ends_with("tests.rs")
        || file
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "e2e");
    let broken = testing::violations(&text, tests).into_iter();
    violations.extend(broken.map(|broken| format!("{name}:{broken}")));
    Ok(violations)
}

#[cfg(test)]
mod tests {
    /// Scenario: the workspace as it is.
    /// Guarantees: no house rule is broken.
    #[test]
    fn the_workspace_is_tidy() {
        super::check().unwrap();
    }

    /// Scenario: a source file without a word on what it is, and one that is too long.
    /// Guarantees: both are found.
    #[test]
    fn violations_are_found() {
        let root = super::workspace_root();
        let folder = crate::interop::target_folder(&root).unwrap();
        let folder = folder.join("tidy-test");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("bad.rs");
        std::fs::write(&file, "fn f() {}\n".repeat(super::MAX_LINES + 1)).unwrap();
        let violations = super::violations_in(&root, &file).unwrap();
        assert_eq!(violations.len(), 2, "{violations:?}");
    }
}
