//! The transcode door from OTLP JSON to protobuf, in one pass over the text, without a tree.
//!
//! It accepts what [`Request::decode_json`] accepts (see [`crate::json`] for the rules), refuses
//! the rest with the same errors, and gives protobuf that decodes to the same message. Two things
//! differ from what [`Request::encode_protobuf`] would give: fields stand in the order of the
//! JSON text, and an implicit double of -0.0 is written, where prost's encoder loses its sign.
//!
//! The pass takes everything that is to be accepted, and doesn't word errors. Where it can't go on
//! (an error, a limit), the text is read again as the [typed door](crate::typed) reads it, and
//! gives that door's error; but what is read is dropped at once, so that no tree grows of a text
//! that is refused. A text that the pass stops at for another reason, of which none is known, is
//! left to the typed door.
//!
//! ```
//! use otlp_codec::{Limits, Signal, from_json::JsonReader};
//!
//! let json = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9}]}]}]}"#;
//! let mut wire = Vec::new();
//! let mut reader = JsonReader::new();
//! reader.json_to_protobuf(Signal::Logs, json, &Limits::default(), &mut wire)?;
//! assert_eq!(wire, [10, 6, 18, 4, 18, 2, 16, 9]);
//! # Ok::<(), otlp_codec::DecodeError>(())
//! ```

mod attributes;
mod fields;
mod numbers;
mod strings;
mod tokens;
mod writer;

pub(crate) use attributes::key_values;
pub(crate) use fields::*;
pub(crate) use strings::{base64, hex, profile_id, string};
pub(crate) use tokens::{After, Rest, UNKNOWN, after, empty, key, literal, unknown, ws};
pub(crate) use writer::Cx;

use crate::check::check_items;
use crate::proto::collector::logs::v1::ExportLogsServiceRequest;
use crate::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use crate::proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::from_json as generated;
use crate::typed::Request;
use crate::walk::Stop;
use crate::{DecodeError, Limits, Signal, json};

/// Appends the protobuf of the request `json` to `out`. On error `out` is as it was.
///
/// A [`JsonReader`] does the same, and keeps its buffer from one call to the next.
///
/// # Errors
///
/// Those of [`Request::decode_json`].
pub fn json_to_protobuf(
    signal: Signal,
    json: &[u8],
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    JsonReader::new().json_to_protobuf(signal, json, limits, out)
}

/// Writes protobuf from OTLP JSON, over and over. Holds a scratch buffer that grows to the longest
/// input or output so far, and one for the longest text with an escape; drop it to give the memory
/// back.
#[derive(Debug)]
pub struct JsonReader {
    /// Kept at full length: making it longer writes zeros.
    scratch: Vec<u8>,
    /// How many bytes the lengths of sub-messages took the last time.
    widths: [u8; strings::ALL_SLOTS],
    /// The last text that had an escape.
    unescaped: Vec<u8>,
    memo: writer::Memo,
    fallbacks: u64,
}

/// What the buffer is longer than the input, so that short inputs fit.
const SLACK: usize = 512;

impl Default for JsonReader {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonReader {
    /// A reader without a buffer yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            scratch: Vec::new(),
            widths: [1; strings::ALL_SLOTS],
            unescaped: Vec::new(),
            memo: writer::Memo::new(),
            fallbacks: 0,
        }
    }

    /// Appends the protobuf of the request `json` to `out`. On error `out` is as it was.
    ///
    /// Protobuf is at most about four times as long as its JSON, in lists of one-digit doubles, and
    /// usually half of it or less.
    ///
    /// # Errors
    ///
    /// Those of [`Request::decode_json`]; [`DecodeError::TooLong`] also if the protobuf is longer
    /// than [`Limits::output_bytes`].
    pub fn json_to_protobuf(
        &mut self,
        signal: Signal,
        json: &[u8],
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        if json.len() <= limits.input_bytes
            && (json.is_ascii() || std::str::from_utf8(json).is_ok())
            && let Some(len) = self.read(signal, json, limits)?
        {
            let wire = &self.scratch[..len];
            if limits.items < limits.elements {
                let input_bytes = len;
                check_items(
                    signal,
                    wire,
                    &Limits {
                        input_bytes,
                        ..*limits
                    },
                )?;
            }
            out.extend_from_slice(wire);
            return Ok(());
        }
        // It may be far longer than the text.
        self.scratch = Vec::new();
        examine(signal, json, limits)?;
        self.fallbacks += 1;
        let wire = Request::decode_json(signal, json, limits)?.encode_protobuf();
        if wire.len() > limits.output_bytes {
            return Err(too_long(limits));
        }
        out.extend_from_slice(&wire);
        Ok(())
    }

    /// How often a text that was accepted took the way through a tree. Tests hold it to zero.
    #[must_use]
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    /// How many bytes its buffers hold, used or not.
    #[must_use]
    pub fn scratch_bytes(&self) -> usize {
        self.scratch.capacity() + self.unescaped.capacity()
    }

    /// Writes into the scratch buffer; gives the length, or nothing if one pass can't do it.
    fn read(
        &mut self,
        signal: Signal,
        json: &[u8],
        limits: &Limits,
    ) -> Result<Option<usize>, DecodeError> {
        // While a message is open, it may take a few bytes more than in the end.
        let most = limits.output_bytes.saturating_add(SLACK);
        let mut room = json
            .len()
            .saturating_add(SLACK)
            .max(self.scratch.len())
            .min(most);
        loop {
            if self.scratch.len() < room {
                self.scratch.resize(room, 0);
            }
            let mut cx = Cx::new(
                &mut self.scratch,
                limits,
                &mut self.widths,
                &mut self.unescaped,
                &mut self.memo,
            );
            match request(signal, json, limits, &mut cx) {
                Ok(()) if cx.written() > limits.output_bytes => return Err(too_long(limits)),
                Ok(()) => return Ok(Some(cx.written())),
                Err(Stop) if cx.is_full() && room == most => return Err(too_long(limits)),
                Err(Stop) if cx.is_full() => room = room.saturating_mul(2).min(most),
                Err(Stop) => return Ok(None),
            }
        }
    }
}

/// The error that [`Request::decode_json`] has for a text, if it has one before it counts items.
#[cold]
fn examine(signal: Signal, json: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    match signal {
        Signal::Metrics => json::examine::<ExportMetricsServiceRequest>(json, limits),
        Signal::Traces => json::examine::<ExportTraceServiceRequest>(json, limits),
        Signal::Logs => json::examine::<ExportLogsServiceRequest>(json, limits),
        Signal::Profiles => json::examine::<ExportProfilesServiceRequest>(json, limits),
    }
}

fn too_long(limits: &Limits) -> DecodeError {
    DecodeError::TooLong {
        limit: limits.output_bytes,
    }
}

/// Reads a request and what surrounds it: white space, nothing else.
fn request(signal: Signal, json: &[u8], limits: &Limits, cx: &mut Cx<'_>) -> Result<(), Stop> {
    let [b'{', json @ ..] = ws(json) else {
        return Err(Stop);
    };
    let depth = limits.depth.min(Limits::MAX_DEPTH);
    let rest = match signal {
        Signal::Metrics => generated::metrics(json, cx, depth),
        Signal::Traces => generated::traces(json, cx, depth),
        Signal::Logs => generated::logs(json, cx, depth),
        Signal::Profiles => generated::profiles(json, cx, depth),
    }?;
    if ws(rest).is_empty() {
        Ok(())
    } else {
        Err(Stop)
    }
}
