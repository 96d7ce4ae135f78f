//! Whether the relative links of documents lead somewhere: to a file that is there, and in it to a
//! heading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// How few links mean that this check can't read them any more.
const AT_LEAST: usize = 50;

/// Each link that leads nowhere.
pub(super) fn violations(root: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let mut count = 0;
    for document in documents(root)? {
        let text = read(&document)?;
        let name = document.strip_prefix(root).unwrap_or(&document).display();
        for (number, target) in links(&text) {
            count += 1;
            if !leads_somewhere(&document, &text, target)? {
                violations.push(format!("{name}:{number}: {target} leads nowhere"));
            }
        }
    }
    ensure!(count >= AT_LEAST, "only {count} links were found");
    Ok(violations)
}

/// Every document of ours.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut documents = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // What others wrote, what was built, what begins with a dot, and parts of documents.
            let is_ours = !["target", "node_modules", "vendor", "proto", "src"].contains(&&*name);
            if path.is_dir() && is_ours && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path);
            }
        }
    }
    Ok(documents)
}

/// The lines of a document that are no code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of relative links, with the number of the line.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                links.push((number, target));
            }
        }
    }
    links
}

fn leads_somewhere(document: &Path, text: &str, target: &str) -> Result<bool> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = document.parent().unwrap_or(document).join(file);
    if !path.exists() {
        return Ok(false);
    }
    if anchor.is_empty() {
        return Ok(true);
    }
    Ok(match file.is_empty() {
        true => anchors(text).contains(anchor),
        false => anchors(&read(&path)?).contains(anchor),
    })
}

/// What the headings of a document are linked by, as GitHub makes it of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = |char: &char| char.is_alphanumeric() || " -_".contains(*char);
        let anchor: String = title.trim().to_lowercase().chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let mut unique = anchor.clone();
        for more in 1.. {
            if anchors.insert(unique) {
                break;
            }
            unique = format!("{anchor}-{more}");
        }
    }
    anchors
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: headings with capitals, marks and code, twice the same, and one inside code.
    /// Guarantees: each has the anchor that GitHub gives it; what is code has none.
    #[test]
    fn headings_have_anchors() {
        let text =
            "# Limits and memory\n## `--slow`, or not?\n```sh\n# no heading\n```\n## A\n## A\n";
        let expected = ["--slow-or-not", "a", "a-1", "limits-and-memory"];
        assert_eq!(anchors(text), BTreeSet::from(expected.map(str::to_owned)));
    }

    /// Scenario: links to a page elsewhere, to headings that there are and are not, to no file.
    /// Guarantees: those that lead nowhere are found, with their lines.
    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "# Here\n[a](https://a.example#b) [b](#here)\n[c](#there) [d](gone.md)\n";
        let document = super::super::workspace_root().join("README.md");
        let nowhere = links(text)
            .into_iter()
            .filter(|(_, target)| !leads_somewhere(&document, text, target).unwrap());
        assert_eq!(nowhere.collect::<Vec<_>>(), [(3, "#there"), (3, "gone.md")]);
    }
}
