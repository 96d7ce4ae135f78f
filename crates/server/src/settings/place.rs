//! What is said of a value, and of what came of it: with where it stands, and without what may be a
//! secret.

use std::path::Path;

use super::problem::Place;
use super::source::{Loaded, Value};
use crate::settings::Written;
use crate::tokens::is_token;
use crate::{RunError, StartError};

impl Loaded {
    /// Why the relay didn't start, an error a line, each with where that was set which it comes from.
    #[must_use]
    pub fn told(&self, error: &RunError) -> Vec<String> {
        match error {
            RunError::Start(errors) => errors.iter().map(|error| self.told_one(error)).collect(),
            RunError::Server(_) => vec![error.to_string()],
        }
    }

    /// The same of one error.
    pub(crate) fn told_one(&self, error: &StartError) -> String {
        let name = error.setting();
        let value = self.values.iter().find(|value| value.setting.name == name);
        let Some(value) = value else {
            return error.to_string();
        };
        let why = match value.may_be_secret() {
            true => format!(
                "{name} should be the path of a file; there is no such file, and what stands there \
                 looks like a secret, so it isn't repeated"
            ),
            false => error.to_string(),
        };
        match value.place {
            Place::Default => why,
            _ => format!("{}: {why}", value.place),
        }
    }
}

impl Value {
    /// The value as it would stand in a file; `None` for what may be a secret.
    pub(crate) fn shown(&self) -> Option<String> {
        let toml = || self.setting.form().toml(&self.texts);
        (!self.may_be_secret()).then(toml)
    }

    /// Whether somebody may have written a token, or a key, in the place of its file's name: there is
    /// no such file, and it looks like one.
    pub(crate) fn may_be_secret(&self) -> bool {
        let is_path = matches!(self.setting.form().written, Written::Path);
        let looks_so = |text: &String| {
            let path = Path::new(text);
            // What is not absolute in a file is beside that file.
            let folder = match &self.place {
                Place::File { path, .. } => path.parent(),
                _ => None,
            };
            let name = folder.and_then(|folder| path.strip_prefix(folder).ok());
            let name = name.unwrap_or(path).to_string_lossy();
            looks_secret(&name) && !path.exists()
        };
        is_path && self.texts.iter().any(looks_so)
    }
}

/// Whether this looks more like a token, or like a key as PEM, than like a path: base64 may hold
/// slashes, but paths seldom end with `=` or hold a `+`, and no token ends like `relay.pem`.
fn looks_secret(text: &str) -> bool {
    /// In letters, of files.
    const LONGEST_ENDING: usize = 6;
    let is_of_paths = text.contains('/') && !text.contains('+') && !text.ends_with('=');
    let is_of_files = text.rsplit_once('.').is_some_and(|(_, ending)| {
        ending.len() <= LONGEST_ENDING && ending.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    text.contains('\n') || (is_token(text) && !is_of_paths && !is_of_files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: what `openssl rand` prints, as base64 and as hexadecimal, a key as PEM; names of
    /// files and paths.
    /// Guarantees: the first look like secrets, and paths don't.
    #[test]
    fn secrets_are_told_from_paths() {
        for secret in [
            "mLr0tw0Nn5zGq1LX4ZSwyI7Vh3vn0eQ2m0q1oS8iW0c=",
            "9/ZJmLr0tw0Nn5zGq1LX4ZSwyI7Vh3vn0eQ2m0q1oS8=",
            "/+ZJmLr0tw0Nn5zGq1LX4ZSwyI7Vh3vn0eQ2m0q1oS8",
            "b1946ac92492d2347c6235b4d2611184",
            "-----BEGIN PRIVATE KEY-----\nMC4CAQ",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for path in [
            "tokens",
            "watch.tokens",
            "the-certificate-of-the-relay.pem",
            "/etc/otlp-relay/ingest-tokens",
            "secrets/of-the-relay/tokens.txt",
        ] {
            assert!(!looks_secret(path), "{path}");
        }
    }
}
