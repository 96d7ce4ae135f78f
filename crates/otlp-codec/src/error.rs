//! What can go wrong in a call of the codec.

use thiserror::Error;

use crate::Signal;

/// The input is not an acceptable message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than [`Limits::input_bytes`](crate::Limits::input_bytes).
    #[error("the message is over the limit of {limit} bytes")]
    TooLong {
        /// The limit that was reached.
        limit: usize,
    },
    /// More than [`Limits::elements`](crate::Limits::elements).
    #[error("the message holds more than {limit} sub-messages, the limit; send it in several")]
    TooManyElements {
        /// The limit that was reached.
        limit: usize,
    },
    /// More than [`Limits::items`](crate::Limits::items).
    #[error("the request holds more than {limit} items, the limit; send it in several")]
    TooManyItems {
        /// The limit that was reached.
        limit: usize,
    },
    /// Nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error(
        "the message is nested deeper than {limit} levels, the limit; an attribute or a body that \
         holds lists of lists is what gets so deep"
    )]
    TooDeep {
        /// The limit that was reached.
        limit: u32,
    },
    /// Not a protobuf encoding of the message.
    #[error(transparent)]
    Protobuf(#[from] ProtobufError),
    /// Not a JSON encoding of the message.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// An identifier of a length that OTLP does not have: a trace id is 16 bytes long and a
    /// span id 8, or either is empty.
    #[error("{path}: {len} bytes, but OTLP has {expected} or none")]
    IdLength {
        /// Which one, as a path of JSON names.
        path: String,
        /// The length found.
        len: usize,
        /// The length that it must have.
        expected: usize,
    },
}

impl DecodeError {
    /// The field at fault as a path of JSON names (`resourceMetrics[0].scopeMetrics[2]…`),
    /// where it is known.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Protobuf(error) => Some(&error.path),
            Self::Json(error) => Some(&error.path),
            Self::IdLength { path, .. } => Some(path),
            Self::TooLong { .. }
            | Self::TooManyElements { .. }
            | Self::TooManyItems { .. }
            | Self::TooDeep { .. } => None,
        }
    }
}

/// Bytes that are not protobuf of the message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}, at byte {offset}")]
pub struct ProtobufError {
    /// Where, as a path of JSON names; `.` for the top level.
    pub path: String,
    /// What is wrong, short and safe to print.
    pub message: String,
    /// Where, in bytes from the begin of the outermost message.
    pub offset: usize,
}

/// JSON text that is not OTLP JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}, at line {line} column {column}")]
pub struct JsonError {
    /// Where, as a path of JSON names; `.` for the top level.
    pub path: String,
    /// What is wrong, short and safe to print.
    pub message: String,
    /// Line of the text, from 1.
    pub line: usize,
    /// Column in the line, in bytes, from 1.
    pub column: usize,
    /// The same place in bytes from the begin of the text. It lies in the value at fault or at
    /// its end.
    pub offset: usize,
}

/// A message could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The output would be longer than [`Limits::output_bytes`](crate::Limits::output_bytes).
    #[error("the output is over the limit of {limit} bytes")]
    TooLong {
        /// The limit that was reached.
        limit: usize,
    },
    /// Of a signal whose items are no points: profiles.
    #[error("there are no points of {signal}")]
    NoPoints {
        /// Which one.
        signal: Signal,
    },
    /// The input could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}
