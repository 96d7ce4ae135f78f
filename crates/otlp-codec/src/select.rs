//! The select door: what a filter leaves of a request, over the bytes of its protobuf.
//!
//! What is left keeps its shape: resources, scopes and metrics stay around the items that are
//! kept, and those that nothing is left of are dropped. What is dropped is never decoded, and of
//! what is kept only the parts that the filter speaks of.
//!
//! ```
//! use otlp_codec::select::{Filter, Selected, Subject};
//! use otlp_codec::{Limits, Signal};
//!
//! let mut filter = Filter::new();
//! filter.add(Subject::Span, "GET *")?;
//! filter.add(Subject::Span, "checkout")?;
//! filter.add(Subject::Resource("service.name".into()), "shop-*")?;
//! let selector = filter.compile();
//!
//! let wire = b"\x0a\x0c\x12\x0a\x12\x08\x2a\x06POST /";
//! let mut out = Vec::new();
//! let selected = selector.select(Signal::Traces, wire, &Limits::default(), &mut out)?;
//! assert_eq!(selected, Selected::Nothing);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clause;
pub(crate) mod pattern;
mod values;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use crate::check::check_items;
use crate::walk::Stop;
use crate::{DecodeError, Limits, Signal, wire};
use pattern::{Pattern, floating, is_any};

/// How many clauses and values one filter may have in all.
pub const MAX_CLAUSES: usize = 64;
/// How long a glob, or the key of an attribute, may be, in bytes.
pub const MAX_LENGTH: usize = 256;
/// How many bytes all globs of a filter may have.
pub const MAX_GLOB_BYTES: usize = 4096;
/// How many `?` may stand behind a `*` in all globs of a filter: each may have to be looked at once
/// more for each character of a text.
pub const MAX_FLOATING: usize = 64;

/// What a clause of a filter speaks of. It constrains those items that have such a thing, and no
/// others: a clause about spans says nothing of metrics and logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The attribute of a resource that has this key.
    Resource(String),
    /// The name of a scope; empty without a scope.
    Scope,
    /// The name of a metric.
    Metric,
    /// The name of a span.
    Span,
    /// The attribute of a data point, a span or a log record that has this key.
    Attribute(String),
}

/// Which parts of requests are wanted.
///
/// Values of one [`Subject`] are alternatives, different subjects all have to match. Filters of
/// the same clauses are equal, in whatever order they were added, twice or beside a `*`.
///
/// A value is a glob: `*` stands for any text, also none, and `?` for any one character; behind a
/// `\`, these two and it stand for themselves, as does the rest. Of an attribute, the text of a
/// string, a boolean, an integer or a double (as OTLP JSON writes it) is compared; `*` alone
/// matches whatever its value is. If a key occurs twice, one that matches is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    clauses: BTreeMap<Subject, BTreeSet<String>>,
    severity: i32,
}

/// A filter can't have this clause.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilterError {
    /// More values than [`MAX_CLAUSES`].
    #[error("a filter may have {MAX_CLAUSES} values")]
    TooManyClauses,
    /// A glob or a key that is longer than [`MAX_LENGTH`].
    #[error("a glob or a key may be {MAX_LENGTH} bytes long")]
    TooLong,
    /// Globs that are longer than [`MAX_GLOB_BYTES`] together.
    #[error("the globs of a filter may be {MAX_GLOB_BYTES} bytes long together")]
    TooLongTogether,
    /// More `?` behind a `*` than [`MAX_FLOATING`].
    #[error("the globs of a filter may have {MAX_FLOATING} `?` behind a `*` together")]
    TooManyFloating,
    /// No clause has this name.
    #[error("the clauses of a filter are metric, scope, span, severity, resource.KEY and attr.KEY")]
    UnknownName,
    /// Neither the number of a severity nor its name.
    #[error("a severity is a number from 1 to 24, or a name like INFO, WARN or ERROR")]
    BadSeverity,
}

impl Filter {
    /// A filter that wants everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an alternative.
    ///
    /// # Errors
    ///
    /// [`FilterError`], of whichever limit is reached; the filter is as it was.
    pub fn add(&mut self, subject: Subject, glob: &str) -> Result<(), FilterError> {
        let key = match &subject {
            Subject::Resource(key) | Subject::Attribute(key) => key.len(),
            Subject::Scope | Subject::Metric | Subject::Span => 0,
        };
        if key.max(glob.len()) > MAX_LENGTH {
            return Err(FilterError::TooLong);
        }
        let known = self.clauses.get(&subject);
        if known.is_some_and(|globs| globs.contains(glob)) {
            return Ok(());
        }
        let all = || self.clauses.values().flatten();
        if all().count() == MAX_CLAUSES {
            return Err(FilterError::TooManyClauses);
        }
        if all().map(String::len).sum::<usize>() + glob.len() > MAX_GLOB_BYTES {
            return Err(FilterError::TooLongTogether);
        }
        if self.floating() + floating(glob) > MAX_FLOATING {
            return Err(FilterError::TooManyFloating);
        }
        let alternatives = self.clauses.entry(subject).or_default();
        if is_any(glob) {
            // Beside it, no other counts.
            *alternatives = BTreeSet::from(["*".to_owned()]);
        } else if !alternatives.contains("*") {
            alternatives.insert(glob.to_owned());
        }
        Ok(())
    }

    /// Wants log records of this severity number at least (OTLP logs, `SeverityNumber`); a record
    /// without one has 0. Two are alternatives, so the lesser counts; 0 and less is no clause.
    pub fn min_severity(&mut self, number: i32) {
        self.severity = match (self.severity, number.max(0)) {
            (0, number) | (number, 0) => number,
            (one, other) => one.min(other),
        };
    }

    /// How many `?` its globs have behind a `*`, at most [`MAX_FLOATING`]. A text may take so many
    /// times longer to compare than without them.
    #[must_use]
    pub fn floating(&self) -> usize {
        let globs = self.clauses.values().flatten();
        globs.map(|glob| floating(glob)).sum()
    }

    /// Whether it wants everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty() && self.severity == 0
    }

    /// Makes it ready for use.
    #[must_use]
    pub fn compile(&self) -> Selector {
        let mut selector = Selector {
            severity: self.severity,
            ..Selector::default()
        };
        for (subject, globs) in &self.clauses {
            let pattern = Pattern::new(globs);
            match subject {
                Subject::Resource(key) => selector.resource.push((key.clone(), pattern)),
                Subject::Attribute(key) => selector.attributes.push((key.clone(), pattern)),
                Subject::Scope => selector.scope = Some(pattern),
                Subject::Metric => selector.metric = Some(pattern),
                Subject::Span => selector.span = Some(pattern),
            }
        }
        selector
    }
}

/// For a human: `metric=http.*, attr.code="5*"`, with quotes around what could be mistaken.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| {
            let plain = |c: char| c.is_ascii_graphic() && !"=,\"\\".contains(c);
            match !text.is_empty() && text.chars().all(plain) {
                true => text.to_owned(),
                false => format!("{text:?}"),
            }
        };
        let mut separator = "";
        for (subject, globs) in &self.clauses {
            for glob in globs {
                let (name, key) = match subject {
                    Subject::Resource(key) => ("resource.", quoted(key)),
                    Subject::Attribute(key) => ("attr.", quoted(key)),
                    Subject::Scope => ("scope", String::new()),
                    Subject::Metric => ("metric", String::new()),
                    Subject::Span => ("span", String::new()),
                };
                write!(f, "{separator}{name}{key}={}", quoted(glob))?;
                separator = ", ";
            }
        }
        match self.severity {
            0 => Ok(()),
            number => write!(f, "{separator}severity={number}"),
        }
    }
}

/// A [`Filter`] that is ready for use.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    pub(crate) resource: Vec<(String, Pattern)>,
    pub(crate) scope: Option<Pattern>,
    pub(crate) metric: Option<Pattern>,
    pub(crate) span: Option<Pattern>,
    /// Of data points, spans and log records.
    pub(crate) attributes: Vec<(String, Pattern)>,
    /// The least severity number of a log record.
    pub(crate) severity: i32,
}

/// What a filter leaves of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// All of it: nothing was written, the request itself is wanted.
    Whole,
    /// Less than all: what was written.
    Part,
    /// Nothing of it.
    Nothing,
}

impl Selector {
    /// Whether the filter has a say in requests of a signal. Where it has none, they are wanted
    /// as they are.
    #[must_use]
    pub fn concerns(&self, signal: Signal) -> bool {
        !self.resource.is_empty() || self.scope.is_some() || self.concerns_items(signal)
    }

    /// Whether it has a say in what lies below a scope.
    pub(crate) fn concerns_items(&self, signal: Signal) -> bool {
        let attributes = !self.attributes.is_empty();
        match signal {
            Signal::Metrics => self.metric.is_some() || attributes,
            Signal::Traces => self.span.is_some() || attributes,
            Signal::Logs => self.severity > 0 || attributes,
            Signal::Profiles => false,
        }
    }

    /// Appends to `out` what the filter leaves of the request `wire`, if that is less than all.
    ///
    /// The request is one that [`crate::check`] accepts within the same limits, of which
    /// [`Limits::input_bytes`] is looked at again. Of another, what the filter doesn't look at is
    /// not noticed to be malformed or too much. Unknown fields of what is kept are kept, but for
    /// groups where the request is in an unusual order.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check::check), where the walk notices; `out` is as it was.
    pub fn select(
        &self,
        signal: Signal,
        wire: &[u8],
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<Selected, DecodeError> {
        if wire.len() > limits.input_bytes {
            return Err(DecodeError::TooLong {
                limit: limits.input_bytes,
            });
        }
        if !self.concerns(signal) {
            return Ok(Selected::Whole);
        }
        let begin = out.len();
        if let Ok(selected) = walk::request(self, signal, wire, out) {
            return Ok(selected);
        }
        out.truncate(begin);
        check_items(signal, wire, limits)?;
        let normal = wire::normalized(wire::root(signal), wire)?;
        walk::request(self, signal, &normal, out).map_err(|Stop| {
            out.truncate(begin);
            wire::not_walked(&normal)
        })
    }
}
