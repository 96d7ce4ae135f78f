//! Places in a record, as places in the input.

use otlp_codec::{DecodeError, EncodeError, Signal};

use crate::Problem;
use crate::source::{Form, Record};

/// What is put around a part of an object, so that it is one.
pub(crate) fn around(form: Form) -> [&'static str; 2] {
    match form {
        Form::Elements(Signal::Metrics) => ["{\"resourceMetrics\":[", "]}"],
        Form::Elements(Signal::Traces) => ["{\"resourceSpans\":[", "]}"],
        Form::Elements(Signal::Logs) => ["{\"resourceLogs\":[", "]}"],
        Form::Elements(Signal::Profiles) => ["{\"resourceProfiles\":[", "]}"],
        Form::Key => ["{", ":0}"],
        Form::Value => ["{\"\":", "}"],
        Form::Json | Form::Protobuf | Form::Framed => ["", ""],
    }
}

/// How far places in a record are from places in the input.
pub(crate) fn shift_of(record: &Record<'_>) -> Shift {
    // What the engine has put in front of the text.
    let added = around(record.form)[0].len();
    let offset = usize::try_from(record.place.offset).unwrap_or(0);
    Shift {
        lines: record.place.line.map_or(0, |line| line - 1),
        column: record.column.wrapping_sub(added),
        offset: offset.wrapping_sub(added),
        elements: record.elements_before,
    }
}

/// How far places in a record are from places in the input. Sums wrap around: the engine may have
/// put more in front of a record than there is in front of it in the input.
pub(crate) struct Shift {
    lines: u64,
    /// Of the first line.
    column: usize,
    offset: usize,
    elements: u64,
}

impl Shift {
    /// The problem with the places of the input.
    pub(crate) fn problem(&self, problem: Problem) -> Problem {
        match problem {
            Problem::Decode(error) => Problem::Decode(self.error(error)),
            Problem::Encode(EncodeError::Decode(error)) => Problem::Decode(self.error(error)),
            Problem::NotOtlp(refusals) => Problem::NotOtlp(
                refusals
                    .into_iter()
                    .map(|(signal, error)| (signal, self.error(error)))
                    .collect(),
            ),
            other => other,
        }
    }

    fn error(&self, error: DecodeError) -> DecodeError {
        match error {
            DecodeError::Json(mut error) => {
                if error.line == 1 {
                    error.column = error.column.wrapping_add(self.column);
                }
                let lines = usize::try_from(self.lines).unwrap_or(0);
                error.line = error.line.saturating_add(lines);
                error.offset = error.offset.wrapping_add(self.offset);
                error.path = self.path(&error.path);
                DecodeError::Json(error)
            }
            DecodeError::Protobuf(mut error) => {
                error.offset = error.offset.wrapping_add(self.offset);
                error.path = self.path(&error.path);
                DecodeError::Protobuf(error)
            }
            DecodeError::IdLength {
                path,
                len,
                expected,
            } => DecodeError::IdLength {
                path: self.path(&path),
                len,
                expected,
            },
            other => other,
        }
    }

    /// The path with its first index so much higher.
    fn path(&self, path: &str) -> String {
        let higher = path.split_once('[').and_then(|(list, rest)| {
            let (index, rest) = rest.split_once(']')?;
            let index: u64 = index.parse().ok()?;
            Some(format!("{list}[{}]{rest}", index + self.elements))
        });
        match higher {
            Some(higher) if self.elements > 0 => higher,
            _ => path.to_owned(),
        }
    }
}
