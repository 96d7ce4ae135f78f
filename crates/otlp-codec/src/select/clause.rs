//! Clauses as text: the names and values that query parameters and flags have.

use super::{Filter, FilterError, Subject};
use crate::Signal;

/// The names of severities (OTLP logs, `SeverityNumber`): of each the first of its four numbers.
const SEVERITIES: [(&str, i32); 6] = [
    ("trace", 1),
    ("debug", 5),
    ("info", 9),
    ("warn", 13),
    ("error", 17),
    ("fatal", 21),
];

/// The greatest severity number.
const MAX_SEVERITY: i32 = 24;

impl Filter {
    /// Adds a clause that is written as a name and a value:
    ///
    /// | name | value |
    /// |---|---|
    /// | `metric`, `scope`, `span` | a glob |
    /// | `resource.KEY`, `attr.KEY` | a glob; all behind the first dot is the key |
    /// | `severity` | the least severity: a number from 1 to 24, or a name as OTLP has it (`WARN`, `error2`), in any case |
    ///
    /// # Errors
    ///
    /// [`FilterError::UnknownName`], [`FilterError::BadSeverity`], and those of
    /// [`Filter::add`]; the filter is as it was.
    pub fn add_clause(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let subject = match (name, name.split_once('.')) {
            ("metric", _) => Subject::Metric,
            ("scope", _) => Subject::Scope,
            ("span", _) => Subject::Span,
            ("severity", _) => {
                self.min_severity(severity(value).ok_or(FilterError::BadSeverity)?);
                return Ok(());
            }
            (_, Some(("resource", key))) => Subject::Resource(key.to_owned()),
            (_, Some(("attr", key))) => Subject::Attribute(key.to_owned()),
            _ => return Err(FilterError::UnknownName),
        };
        self.add(subject, value)
    }

    /// Drops the clauses that have no say in any of `signals`, so that filters that leave the
    /// same of them are more often equal.
    pub fn narrow(&mut self, signals: &[Signal]) {
        let any = |wanted: &[Signal]| signals.iter().any(|signal| wanted.contains(signal));
        self.clauses.retain(|subject, _| match subject {
            Subject::Resource(_) | Subject::Scope => true,
            Subject::Metric => any(&[Signal::Metrics]),
            Subject::Span => any(&[Signal::Traces]),
            Subject::Attribute(_) => any(&[Signal::Metrics, Signal::Traces, Signal::Logs]),
        });
        if !any(&[Signal::Logs]) {
            self.severity = 0;
        }
    }
}

/// The number of a severity.
fn severity(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=MAX_SEVERITY).contains(&number).then_some(number);
    }
    let text = text.to_ascii_lowercase();
    SEVERITIES.iter().find_map(|(name, first)| {
        let finer = match text.strip_prefix(name)? {
            "" => 0,
            "2" => 1,
            "3" => 2,
            "4" => 3,
            _ => return None,
        };
        Some(first + finer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: severities by number and by name, and what is neither.
    /// Guarantees: the numbers of OTLP.
    #[test]
    fn severities_have_numbers_and_names() {
        for (text, expected) in [
            ("1", Some(1)),
            ("24", Some(24)),
            ("0", None),
            ("25", None),
            ("-1", None),
            ("TRACE", Some(1)),
            ("Warn", Some(13)),
            ("error2", Some(18)),
            ("FATAL4", Some(24)),
            ("fatal5", None),
            ("error1", None),
            ("", None),
            ("warning", None),
        ] {
            assert_eq!(severity(text), expected, "{text}");
        }
    }
}
