//! Whether the tests exist that documents name as proofs.

use anyhow::{Result, ensure};

use super::{testing, workspace_root};

/// Each with how few proofs mean that this check can't read it any more.
const DOCUMENTS: [(&str, usize); 4] = [
    ("docs/otlp-conformance.md", 30),
    ("docs/websocket.md", 30),
    ("docs/stream.md", 10),
    ("docs/operations.md", 10),
];
/// The languages of proofs: how a file ends, the folder that it is below, and whether a test of a
/// name is in it.
const LANGUAGES: [(&str, &str, Has); 3] = [
    (".rs", "crates", |text, name| testing::has_test(text, name)),
    (".py", "xtask", |text, name| {
        text.contains(&format!("def {name}("))
    }),
    (".mjs", "xtask", |text, name| {
        text.contains(&format!("test('{name}'"))
    }),
];

/// Whether a source has a test of this name.
type Has = fn(&str, &str) -> bool;

/// Each proof that isn't there.
pub(super) fn violations() -> Result<Vec<String>> {
    let documents = DOCUMENTS.into_iter();
    let documents = documents.map(|(document, at_least)| missing(document, at_least));
    Ok(documents.collect::<Result<Vec<_>>>()?.concat())
}

fn missing(document: &str, at_least: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(workspace_root().join(document))?;
    let mut violations = Vec::new();
    let mut proofs = 0;
    for (number, line) in text.lines().enumerate() {
        let Some(last) = line
            .strip_suffix(" |")
            .and_then(|row| row.rsplit(" | ").next())
        else {
            continue;
        };
        // A file, and behind it the tests that are in it.
        let mut source: Option<(String, &Has)> = None;
        for quoted in last.split('`').skip(1).step_by(2) {
            let language = LANGUAGES.iter().find(|(end, ..)| quoted.ends_with(end));
            let known = match (language, &source) {
                (Some((_, folder, has)), _) => {
                    let path = workspace_root().join(folder).join(quoted);
                    let text = std::fs::read_to_string(path).ok();
                    source = text.map(|text| (text, has));
                    source.is_some()
                }
                (None, None) => false,
                (None, Some((text, has))) => {
                    proofs += 1;
                    has(text, quoted)
                }
            };
            if !known {
                violations.push(format!(
                    "{document}:{}: there is no test {quoted}",
                    number + 1
                ));
            }
        }
    }
    ensure!(
        proofs >= at_least,
        "{document}: only {proofs} proofs were found"
    );
    Ok(violations)
}
