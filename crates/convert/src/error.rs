//! What can go wrong in a conversion.

use std::fmt;
use std::io;

use otlp_codec::{DecodeError, EncodeError, Signal};
use thiserror::Error;

use crate::Summary;
use crate::options::OutputForm;

/// Where a record begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which record, from 1, those that were skipped included.
    pub record: u64,
    /// The line of the input, from 1, if that is JSON.
    pub line: Option<u64>,
    /// Bytes in front of it, of the inflated input.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "record {}, byte {}", self.record, self.offset)
    }
}

/// A record that was not converted. Those behind it can be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct RecordError {
    /// Where the record begins.
    pub place: Place,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// It is not the OTLP that it should be. Lines, offsets and the first index of the path are
    /// those of the whole input, unless the record was compressed alone.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It can't be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Longer than the limit.
    #[error("the record is over the limit of {limit} bytes")]
    TooLong {
        /// The limit, [`otlp_codec::Limits::input_bytes`].
        limit: usize,
    },
    /// A JSON object without a member that is OTLP's.
    #[error(
        "no member `resourceMetrics`, `resourceSpans`, `resourceLogs` or `resourceProfiles`: not OTLP JSON"
    )]
    NoSignal,
    /// A JSON object with the lists of two signals, of which the codec would drop one.
    #[error("`{0}` and `{1}` in one object: each signal has requests of its own")]
    TwoSignals(&'static str, &'static str),
    /// A JSON object of a signal that was not asked for.
    #[error("`{found}`, but the signal is said to be {asked}")]
    OtherSignal {
        /// The member that was found.
        found: &'static str,
        /// The signal of [`crate::Options::signal`].
        asked: Signal,
    },
    /// A list that stands twice in one object.
    #[error("`{0}`: the field occurs twice")]
    MemberTwice(&'static str),
    /// A member of a long object that is not a list.
    #[error("`{0}`: expected a list")]
    NotAList(&'static str),
    /// Protobuf that more than one signal accepts.
    #[error("protobuf that can be read as {}: say which with --signal", list(.0))]
    AmbiguousSignal(Vec<Signal>),
    /// Protobuf without items, in which signals differ.
    #[error("protobuf without items, which can't be told apart: say the signal with --signal")]
    NoItems,
    /// Protobuf that no signal accepts.
    #[error("not OTLP protobuf of any signal: {}", refusals(.0))]
    NotOtlp(Vec<(Signal, DecodeError)>),
    /// A signal besides that of the records before it, in an output that is one message.
    #[error("{found}, but `{to}` holds one signal, and this one has begun with {before}")]
    Mixed {
        /// The signal of this record.
        found: Signal,
        /// The signal of those before it.
        before: Signal,
        /// The output's form.
        to: OutputForm,
    },
    /// A second request of profiles in an output that is one message: each has a dictionary of
    /// its own.
    #[error("a second request of profiles: `{0}` can't hold two dictionaries")]
    SecondDictionary(OutputForm),
    /// A record that was compressed alone and can't be inflated.
    #[error("the zstd frame of the record can't be inflated: {0}")]
    Inflate(String),
}

/// A conversion that did not reach the end of its input.
#[derive(Debug, Error)]
pub enum ConvertError {
    /// The input can't be read.
    #[error("can't read: {0}")]
    Read(#[source] io::Error),
    /// The output can't be written.
    #[error("can't write: {0}")]
    Write(#[source] io::Error),
    /// The compressed input ends too early.
    #[error("the {0} stream is truncated: it ends in the middle")]
    TruncatedStream(&'static str),
    /// The compressed input is damaged.
    #[error("the {coding} stream is damaged: {source}")]
    DamagedStream {
        /// gzip or zstd.
        coding: &'static str,
        /// What the decompressor said.
        source: io::Error,
    },
    /// Compressed more often than anybody does.
    #[error("compressed more than {0} times")]
    TooManyLayers(usize),
    /// The first bytes are those of no known form.
    #[error(
        "neither OTLP JSON (begins with {{), nor protobuf (0a or 12), nor length-prefixed protobuf (00 to 04), nor gzip or zstd of them: the input begins with {}; --from says what it is", hex(.0)
    )]
    Unrecognised(Vec<u8>),
    /// The input ends in the middle of a record.
    #[error("{place}: truncated: the input ends in the middle of {what}")]
    Truncated {
        /// Where the record begins.
        place: Place,
        /// In the middle of what.
        what: &'static str,
    },
    /// What lies around records is broken, so that none can be found any more.
    #[error("{place}: {message}")]
    Broken {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A bad record, with [`crate::OnError::Stop`].
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl ConvertError {
    /// Whether nobody reads the output any more, as when it is piped into `head`.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// An error, and what was done before it.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct Failure {
    /// Why it ended.
    pub error: ConvertError,
    /// What has been converted; all of it is written unless writing failed.
    pub summary: Summary,
}

fn list(signals: &[Signal]) -> String {
    let names: Vec<&str> = signals.iter().map(|signal| signal.as_str()).collect();
    names.join(" and as ")
}

fn refusals(refusals: &[(Signal, DecodeError)]) -> String {
    let texts: Vec<String> = refusals
        .iter()
        .map(|(signal, error)| format!("as {signal}: {error}"))
        .collect();
    texts.join("; ")
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
