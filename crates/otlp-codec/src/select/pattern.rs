//! Globs: `*` for any text, `?` for any one character, the rest for itself.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

use super::FilterError;

/// The memory that the globs of one clause may take compiled, and again while they match.
const COMPILED_BYTES: usize = 1 << 20;

/// The alternatives of one clause.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// One of them is `*`.
    Any,
    /// None of them has a wildcard.
    Texts(Vec<Box<[u8]>>),
    /// Takes time in the length of the text, whatever the globs are.
    Globs(Regex),
}

impl Pattern {
    pub(super) fn new(globs: &BTreeSet<String>) -> Result<Self, FilterError> {
        if globs.iter().any(|glob| is_any(glob)) {
            return Ok(Self::Any);
        }
        if !globs.iter().any(|glob| glob.contains(['*', '?'])) {
            let texts = globs.iter().map(|glob| glob.as_bytes().into());
            return Ok(Self::Texts(texts.collect()));
        }
        let alternatives: Vec<_> = globs.iter().map(|glob| expression(glob)).collect();
        RegexBuilder::new(&format!(r"\A(?:{})\z", alternatives.join("|")))
            .dot_matches_new_line(true)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .build()
            .map(Self::Globs)
            .map_err(|error| FilterError::TooComplex(error.to_string()))
    }

    /// Whether it matches whatever comes.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Texts(texts) => texts.iter().any(|one| **one == *text),
            Self::Globs(regex) => regex.is_match(text),
        }
    }
}

fn is_any(glob: &str) -> bool {
    !glob.is_empty() && glob.bytes().all(|byte| byte == b'*')
}

/// A glob as a regular expression.
fn expression(glob: &str) -> String {
    let mut expression = String::new();
    let mut rest = glob;
    while let Some(at) = rest.find(['*', '?']) {
        expression.push_str(&regex::escape(&rest[..at]));
        expression.push_str(if rest[at..].starts_with('*') {
            ".*"
        } else {
            "."
        });
        rest = &rest[at + 1..];
    }
    expression.push_str(&regex::escape(rest));
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(globs: &[&str], text: &str) -> bool {
        let globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Pattern::new(&globs).unwrap().matches(text.as_bytes())
    }

    /// The obvious way, which may take long.
    fn obvious(glob: &[char], text: &[char]) -> bool {
        match (glob, text) {
            ([], []) => true,
            (['*', glob @ ..], _) => (0..=text.len()).any(|at| obvious(glob, &text[at..])),
            (['?', glob @ ..], [_, text @ ..]) => obvious(glob, text),
            ([one, glob @ ..], [other, text @ ..]) => one == other && obvious(glob, text),
            _ => false,
        }
    }

    /// Scenario: globs with wildcards at every place, with what is special in regular
    /// expressions, with line breaks and characters of several bytes.
    /// Guarantees: wildcards mean what they say, everything else stands for itself, the whole
    /// text has to match, in the case that it has.
    #[test]
    fn globs_mean_what_they_say() {
        for (globs, text, expected) in [
            (["http.*"].as_slice(), "http.server.duration", true),
            (&["http.*"], "httpx", false),
            (&["http.*"], "xhttp.a", false),
            (&["*"], "", true),
            (&["**"], "any\nthing", true),
            (&[""], "", true),
            (&[""], "a", false),
            (&["?"], "é", true),
            (&["?"], "", false),
            (&["a?c", "x*"], "abc", true),
            (&["a?c", "x*"], "xyz", true),
            (&["a?c", "x*"], "a.bc", false),
            (&["a|b*"], "a|b", true),
            (&["a|b*"], "a", false),
            (&["[a]*"], "[a]b", true),
            (&["[a]*"], "ab", false),
            (&["(?i)a*"], "A", false),
            (&["*\n*"], "a\nb", true),
            (&["GET"], "get", false),
        ] {
            assert_eq!(matches(globs, text), expected, "{globs:?} {text:?}");
        }
    }

    proptest::proptest! {
        /// Scenario: globs and texts of few letters, so that many match.
        /// Guarantees: the same answer as the obvious way.
        #[test]
        fn globs_match_as_the_obvious_way(glob in "[ab*?é.]{0,8}", text in "[abé.\n]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = obvious(&chars(&glob), &chars(&text));
            proptest::prop_assert_eq!(matches(&[&glob], &text), expected);
        }
    }
}
