//! What a subscriber asks for.

use std::collections::HashSet;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web;
use otlp_codec::Signal;

use crate::gate::TOKEN_PARAMETER;
use crate::refusal::Refusal;

/// A set of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signals(u8);

impl Signals {
    /// All of them; profiles come only where they are received.
    pub const ALL: Self = Self((1 << Signal::ALL.len()) - 1);

    /// The set of one signal.
    #[must_use]
    pub const fn only(signal: Signal) -> Self {
        Self(1 << signal as u8)
    }

    /// Whether `signal` is in the set.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << signal as u8) != 0
    }
}

impl From<Signal> for Signals {
    fn from(signal: Signal) -> Self {
        Self::only(signal)
    }
}

/// How an export is written into a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Canonical OTLP JSON of the whole export, one text frame an export.
    #[default]
    Otlp,
}

impl Format {
    /// The value of the query parameter `format`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes one view differ from another. Equal keys share one log and one rendering.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// Which exports it sees.
    pub signals: Signals,
    /// How they are written.
    pub format: Format,
}

impl ViewKey {
    /// The view that a path (its signals) and a query string ask for. An empty query asks for
    /// the default of everything. Names and values are percent-decoded. [`TOKEN_PARAMETER`] is
    /// passed over.
    ///
    /// # Errors
    /// 400 for a query that is not `application/x-www-form-urlencoded`, an unknown parameter,
    /// one given twice, and a value that it does not take. The text names what is allowed.
    pub fn parse(signals: impl Into<Signals>, query: &str) -> Result<Self, Refusal> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| bad(format!("the query string cannot be read: {error}")))?;
        let mut key = Self {
            signals: signals.into(),
            format: Format::default(),
        };
        let mut seen = HashSet::new();
        for (name, value) in pairs.iter() {
            match name.as_str() {
                "format" => key.format = format(value)?,
                TOKEN_PARAMETER => continue,
                _ => return Err(bad(format!("unknown query parameter {name:?}"))),
            }
            if !seen.insert(name) {
                return Err(bad(format!("query parameter {name:?} is given twice")));
            }
        }
        Ok(key)
    }
}

fn format(value: &str) -> Result<Format, Refusal> {
    match value {
        "otlp" => Ok(Format::Otlp),
        _ => Err(bad(format!(
            "query parameter \"format\" does not take {value:?}"
        ))),
    }
}

fn bad(problem: String) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        format!("{problem}; allowed: format=otlp (the default)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the same view written in several ways, and other signals.
    /// Guarantees: equal views are one key, others are not.
    #[test]
    fn equal_views_are_one_key() {
        let plain = ViewKey::parse(Signal::Metrics, "").unwrap();
        for query in [
            "format=otlp",
            "format=%6ftlp",
            "&format=otlp&",
            "access_token=a&format=otlp&access_token",
        ] {
            assert_eq!(
                ViewKey::parse(Signal::Metrics, query).unwrap(),
                plain,
                "{query}"
            );
        }
        assert_ne!(ViewKey::parse(Signal::Logs, "").unwrap(), plain);
        assert!(plain.signals.contains(Signal::Metrics));
        assert!(!plain.signals.contains(Signal::Traces));
    }

    /// Scenario: unknown parameters, bad values, a parameter given twice.
    /// Guarantees: 400, and the text names the culprit and what is allowed.
    #[test]
    fn anything_else_is_refused_with_a_helpful_text() {
        for (query, culprit) in [
            ("format=xml", "\"xml\""),
            ("format=", "\"\""),
            ("format", "\"\""),
            ("Format=otlp", "\"Format\""),
            ("replay=3", "\"replay\""),
            ("format=otlp&format=otlp", "twice"),
        ] {
            let refusal = ViewKey::parse(Signal::Metrics, query).unwrap_err();
            assert_eq!(refusal.status().as_u16(), 400);
            assert_eq!(refusal.code(), 3);
            assert!(refusal.message().contains(culprit), "{refusal}");
            assert!(refusal.message().contains("format=otlp"), "{refusal}");
        }
    }
}
