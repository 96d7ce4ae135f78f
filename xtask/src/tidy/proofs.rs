//! Whether the tests exist that documents name as proofs.

use anyhow::{Result, ensure};

use super::workspace_root;

const DOCUMENTS: [&str; 2] = ["docs/otlp-conformance.md", "docs/websocket.md"];
/// How few proofs mean that this check can't read a document any more.
const AT_LEAST: usize = 30;

/// Each proof that isn't there.
pub(super) fn violations() -> Result<Vec<String>> {
    let documents = DOCUMENTS.into_iter().map(missing);
    Ok(documents.collect::<Result<Vec<_>>>()?.concat())
}

fn missing(document: &str) -> Result<Vec<String>> {
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
        // A file, and behind it the functions that are in it.
        let mut source = None;
        for quoted in last.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                let path = workspace_root().join("crates").join(quoted);
                source = std::fs::read_to_string(path).ok();
            }
            let known = match &source {
                None => false,
                Some(_) if quoted.ends_with(".rs") => true,
                Some(source) => {
                    proofs += 1;
                    source.contains(&format!("fn {quoted}("))
                }
            };
            if !known {
                violations.push(format!("{document}:{}: there is no {quoted}", number + 1));
            }
        }
    }
    ensure!(
        proofs >= AT_LEAST,
        "{document}: only {proofs} proofs were found"
    );
    Ok(violations)
}
