//! Globs: `*` for any text, `?` for any one character, `\*`, `\?` and `\\` for the character behind
//! the backslash, the rest for itself.
//!
//! What stands between two `*` is looked for from left to right, and never again further on, so
//! that a text is gone through once for each glob: as fast as memory where there is no `?`, and
//! otherwise in at most its length times the number of those behind a `*`, which
//! [`MAX_FLOATING`](super::MAX_FLOATING) bounds.

use std::collections::BTreeSet;
use std::mem;

use memchr::memmem::Finder;

/// The alternatives of one clause.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// One of them is `*`.
    Any,
    /// What each of them has between its `*`.
    Globs(Vec<Glob>),
}

impl Pattern {
    pub(super) fn new(globs: &BTreeSet<String>) -> Self {
        match globs.iter().any(|glob| is_any(glob)) {
            true => Self::Any,
            false => Self::Globs(globs.iter().map(|glob| Glob::new(glob)).collect()),
        }
    }

    /// Whether it matches whatever comes.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Globs(globs) => globs.iter().any(|glob| glob.matches(text)),
        }
    }
}

/// Whether a glob is one or more `*`.
pub(super) fn is_any(glob: &str) -> bool {
    !glob.is_empty() && glob.bytes().all(|byte| byte == b'*')
}

/// A glob.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    /// What the text begins with; without a `*`, all of it.
    first: Run,
    /// What comes behind the `*`; the last ends the text.
    behind: Vec<Run>,
}

/// What stands between two `*`.
#[derive(Clone, Debug)]
struct Run {
    /// The texts before, between and behind its `?`.
    texts: Vec<Finder<'static>>,
}

/// What a glob has between its `*`, and of that what it has between its `?`.
fn runs(glob: &str) -> Vec<Vec<String>> {
    let (mut runs, mut texts, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut chars = glob.chars().peekable();
    while let Some(one) = chars.next() {
        match one {
            '\\' => text.push(chars.next_if(|next| is_special(*next)).unwrap_or(one)),
            '?' => texts.push(mem::take(&mut text)),
            '*' => {
                texts.push(mem::take(&mut text));
                runs.push(mem::take(&mut texts));
            }
            one => text.push(one),
        }
    }
    texts.push(text);
    runs.push(texts);
    runs
}

/// How many `?` a glob has behind a `*`, where they may stand anywhere.
pub(super) fn floating(glob: &str) -> usize {
    let behind = runs(glob).into_iter().skip(1);
    behind.map(|texts| texts.len() - 1).sum()
}

/// Whether a backslash before it makes it stand for itself.
fn is_special(one: char) -> bool {
    matches!(one, '*' | '?' | '\\')
}

impl Glob {
    fn new(glob: &str) -> Self {
        let mut runs = runs(glob).into_iter().map(|texts| Run::new(&texts));
        Self {
            // There is always one, if an empty one.
            first: runs.next().unwrap_or_else(|| Run::new(&[String::new()])),
            behind: runs.collect(),
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        let Some(mut rest) = self.first.after_begin(text) else {
            return false;
        };
        let Some((last, between)) = self.behind.split_last() else {
            return rest.is_empty();
        };
        for run in between {
            match run.after_first(rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        last.ends(rest)
    }
}

impl Run {
    fn new(texts: &[String]) -> Self {
        let texts = texts.iter().map(|text| Finder::new(text).into_owned());
        Self {
            texts: texts.collect(),
        }
    }

    /// What comes behind it, if the text begins with it.
    fn after_begin<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let mut rest = text;
        for (at, one) in self.texts.iter().enumerate() {
            if at > 0 {
                rest = rest.get(char_len(rest)?..)?;
            }
            rest = rest.strip_prefix(one.needle())?;
        }
        Some(rest)
    }

    /// What comes behind the first place where it stands.
    fn after_first<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (first, more) = self.texts.split_first()?;
        let mut rest = text;
        loop {
            let at = first.find(rest)?;
            let found = &rest[at..];
            if more.is_empty() {
                return Some(&found[first.needle().len()..]);
            }
            if let Some(behind) = self.after_begin(found) {
                return Some(behind);
            }
            // A `?` first may stand for any character: on to the next.
            rest = found.get(char_len(found)?..)?;
        }
    }

    /// Whether the text ends in it.
    fn ends(&self, text: &[u8]) -> bool {
        let mut rest = text;
        for (at, one) in self.texts.iter().rev().enumerate() {
            if at > 0 {
                let Some(begin) = last_char(rest) else {
                    return false;
                };
                rest = &rest[..begin];
            }
            match rest.strip_suffix(one.needle()) {
                Some(before) => rest = before,
                None => return false,
            }
        }
        true
    }
}

/// How long the first character is, in bytes; a byte that begins none is one.
fn char_len(text: &[u8]) -> Option<usize> {
    let more = text.get(1..)?.iter().take(3);
    Some(1 + more.take_while(|byte| is_inner(**byte)).count())
}

/// Where the last character begins.
fn last_char(text: &[u8]) -> Option<usize> {
    let last = text.len().checked_sub(1)?;
    let inner = text
        .iter()
        .rev()
        .take(3)
        .take_while(|byte| is_inner(**byte));
    Some(last.saturating_sub(inner.count()))
}

/// Whether a byte stands inside a character of UTF-8.
fn is_inner(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(globs: &[&str], text: &str) -> bool {
        let globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Pattern::new(&globs).matches(text.as_bytes())
    }

    /// The obvious way, which may take long.
    fn obvious(glob: &[char], text: &[char]) -> bool {
        match (glob, text) {
            ([], []) => true,
            (['\\', one, glob @ ..], _) if is_special(*one) => {
                text.first() == Some(one) && obvious(glob, &text[1..])
            }
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
            (&[r"a\*b?"], "a*bc", true),
            (&[r"a\*b?"], "axbc", false),
            (&[r"*\?"], "why?", true),
            (&[r"*\?"], "whyx", false),
            (&[r"a\\*"], r"a\b", true),
            (&[r"a\\*"], "ab", false),
            (&[r"C:\dir\"], r"C:\dir\", true),
        ] {
            assert_eq!(matches(globs, text), expected, "{globs:?} {text:?}");
        }
    }

    proptest::proptest! {
        /// Scenario: globs and texts of few letters, so that many match.
        /// Guarantees: the same answer as the obvious way.
        #[test]
        fn globs_match_as_the_obvious_way(glob in r"[ab*?é\\]{0,9}", text in r"[abé€𝄞*?\\\n]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = obvious(&chars(&glob), &chars(&text));
            proptest::prop_assert_eq!(matches(&[&glob], &text), expected);
        }
    }
}
