//! The transcode door: protobuf to OTLP JSON in one walk over the bytes, without a tree.
//!
//! The walk writes JSON in the order of the wire. It is never wrong, but it needn't be complete:
//! where it can't go on in one pass (a field that comes twice, a list that is interleaved with
//! other fields or not packed, a group), it gives up. Then the request is checked whole, which
//! says where it is malformed, if it is, and brought to its usual form, which can be walked.
//! Encoders write fields in order and pack lists, so that is rare.
//!
//! ```
//! use otlp_codec::transcode::{Format, Transcoder};
//! use otlp_codec::{Limits, Signal};
//!
//! let wire = b"\x0a\x0a\x12\x08\x12\x06\x10\x09\x1a\x02hi";
//! let (mut transcoder, limits) = (Transcoder::new(), Limits::default());
//! let mut out = Vec::new();
//! transcoder.write(Signal::Logs, Format::Otlp, wire, &limits, &mut out)?;
//! let record = r#"{"severityNumber":9,"severityText":"hi"}"#;
//! let scope = format!(r#"{{"scopeLogs":[{{"logRecords":[{record}]}}]}}"#);
//! assert_eq!(out, format!(r#"{{"resourceLogs":[{scope}]}}"#).as_bytes());
//! # Ok::<(), otlp_codec::EncodeError>(())
//! ```

mod memo;
mod number;
mod out;
mod points;
mod text;

pub(crate) use memo::{attribute, bounds, time};
pub(crate) use number::{double, int32, int64, sint32, uint32, uint64};
pub(crate) use out::{Cx, Out, end, key, put};
pub(crate) use text::{base64, boolean, enumeration, id, profile_id, string};

use memo::Memo;

use crate::check::check_items;
use crate::proto::transcode as generated;
use crate::walk::{In, Stop};
use crate::{EncodeError, Limits, Signal, wire};

/// A form that a request is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Canonical OTLP JSON, one object.
    #[default]
    Otlp,
    /// Protobuf's own JSON mapping, one object: ids in base64, enums by name where they have
    /// one. The JSON value that `MessageToJson` of Python's protobuf
    /// writes; the text has no white space, and escapes nothing that needn't be.
    ProtoJson,
    /// One object for each data point, span or log record, each on a line of its own: flat, with
    /// what its metric, its scope and its resource say of it folded in. For charts, `jq` and SQL;
    /// `docs/points.md` has the schema. No items: nothing. Not for profiles. What lines share is
    /// repeated in each, so that few bytes can become many: [`Limits::output_bytes`] counts all
    /// lines.
    Points,
}

/// Writes JSON from protobuf, over and over. [`Transcoder::write`] holds a scratch buffer that
/// grows to the longest output so far; drop it to give the memory back.
#[derive(Debug, Default)]
pub struct Transcoder {
    /// Kept at full length: making it longer writes zeros.
    scratch: Vec<u8>,
    /// Made by the first walk: one for formats that write attributes in a list, one for points.
    memos: [Option<Box<Memo>>; 2],
    fallbacks: u64,
}

/// How much longer than protobuf the JSON of an export usually is.
const EXPANSION: usize = 4;
/// How many bytes are copied out of the scratch buffer at a time: from some kilobytes on, memcpy
/// takes to an instruction that many machines, virtual ones above all, are slow at.
const COPIED_AT_ONCE: usize = 2048;
/// What is added to the first guess, so that short inputs fit.
const SLACK: usize = 512;

/// Why a walk ended early.
enum Stopped {
    /// The output would be too long.
    NoRoom,
    /// One pass can't do it.
    Elsewhere,
}

impl Transcoder {
    /// A transcoder without a buffer yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            scratch: Vec::new(),
            memos: [None, None],
            fallbacks: 0,
        }
    }

    /// Appends the OTLP JSON of the request `wire` to `out`: [`Transcoder::write`] in
    /// [`Format::Otlp`].
    ///
    /// # Errors
    ///
    /// Those of [`Transcoder::write`].
    pub fn protobuf_to_json(
        &mut self,
        signal: Signal,
        wire: &[u8],
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.write(signal, Format::Otlp, wire, limits, out)
    }

    /// Appends the request `wire` to `out` in a format: [`Transcoder::write_over`], and a copy out
    /// of a scratch buffer. On error `out` is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Transcoder::write_over`].
    pub fn write(
        &mut self,
        signal: Signal,
        format: Format,
        wire: &[u8],
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        if scratch.len() < guess(wire).min(limits.output_bytes) {
            // Without room, it begins with the guess.
            scratch.clear();
        }
        let written = self.write_over(signal, format, wire, limits, &mut scratch, 0);
        if let Ok(end) = written {
            copy(&scratch[..end], out);
        }
        self.scratch = scratch;
        written.map(drop)
    }

    /// Writes the request `wire` in a format over what is in `page` from `at` on, and gives where
    /// that ends; what is behind it, and all from `at` on in case of an error, means nothing.
    ///
    /// A page that is too short is made longer. That writes zeros, and may cost a second walk, so
    /// it pays to use one over and over: the output is tried in what room there is, if any.
    ///
    /// Accepts what prost accepts within the limits. What it gives in OTLP JSON is the value that
    /// `typed::protobuf_to_json` gives; the order of members is that of the wire. What it gives
    /// as points is the text that `Request::encode_points` gives.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Decode`] where a [`DecodeError`](crate::DecodeError) says that the request
    /// is malformed, or over a limit; [`EncodeError::TooLong`] if the output is;
    /// [`EncodeError::NoPoints`] for [`Format::Points`] of profiles.
    pub fn write_over(
        &mut self,
        signal: Signal,
        format: Format,
        wire: &[u8],
        limits: &Limits,
        page: &mut Vec<u8>,
        at: usize,
    ) -> Result<usize, EncodeError> {
        let points = format == Format::Points;
        if points && signal == Signal::Profiles {
            return Err(EncodeError::NoPoints { signal });
        }
        // Points leave out parts that must be in order too.
        if points || limits.items < limits.elements {
            check_items(signal, wire, limits)?;
        }
        let too_long = EncodeError::TooLong {
            limit: limits.output_bytes,
        };
        if wire.len() <= limits.input_bytes {
            match self.walk(signal, format, wire, limits, page, at) {
                Ok(end) => return Ok(end),
                // Nothing behind it can be malformed, and another form would be as long.
                Err(Stopped::NoRoom) if points => {
                    self.fallbacks += 1;
                    return Err(too_long);
                }
                Err(_) => {}
            }
        }
        self.fallbacks += 1;
        let root = wire::root(signal);
        wire::validate(root, wire, limits)?;
        let normal = wire::normalized(root, wire)?;
        match self.walk(signal, format, &normal, limits, page, at) {
            Ok(end) => Ok(end),
            Err(Stopped::NoRoom) => Err(too_long),
            Err(Stopped::Elsewhere) => Err(wire::not_walked(&normal).into()),
        }
    }

    /// How often a call took the slower way, or ended in an error.
    #[must_use]
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    /// How many bytes the scratch buffer of [`Transcoder::write`] holds.
    #[must_use]
    pub fn scratch_bytes(&self) -> usize {
        self.scratch.len()
    }

    /// Writes over the page from `at` on; gives the end.
    fn walk(
        &mut self,
        signal: Signal,
        format: Format,
        wire: &[u8],
        limits: &Limits,
        page: &mut Vec<u8>,
        at: usize,
    ) -> Result<usize, Stopped> {
        let guess = guess(wire);
        let there = page.len().checked_sub(at).filter(|room| *room > 0);
        let mut room = there.unwrap_or(guess).min(limits.output_bytes);
        loop {
            let end = at.saturating_add(room);
            if page.len() < end {
                page.reserve_exact(end - page.len());
                page.resize(end, 0);
            }
            let memo = &mut self.memos[usize::from(format == Format::Points)];
            let memo = memo.get_or_insert_default();
            let cx = &mut Cx::new(limits, wire, memo);
            let depth = limits.depth.min(Limits::MAX_DEPTH);
            let out = &mut page[at..end];
            let rest = match format {
                Format::Otlp => request::<false>(signal, wire, out, cx, depth),
                Format::ProtoJson => request::<true>(signal, wire, out, cx, depth),
                Format::Points => points::request(signal, wire, out, cx, depth),
            };
            match rest {
                Ok(rest) => return Ok(end - rest.len()),
                Err(Stop) if cx.is_full() && room < limits.output_bytes => {
                    let more = room.saturating_mul(2).max(guess);
                    room = more.min(limits.output_bytes);
                }
                Err(Stop) if cx.is_full() => return Err(Stopped::NoRoom),
                Err(Stop) => return Err(Stopped::Elsewhere),
            }
        }
    }
}

/// How long the JSON of a request is at most, mostly.
fn guess(wire: In<'_>) -> usize {
    wire.len().saturating_mul(EXPANSION).saturating_add(SLACK)
}

/// Appends what was written.
fn copy(written: &[u8], out: &mut Vec<u8>) {
    out.reserve(written.len());
    for piece in written.chunks(COPIED_AT_ONCE) {
        out.extend_from_slice(piece);
    }
}

fn request<'o, const PROTOJSON: bool>(
    signal: Signal,
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    match signal {
        Signal::Metrics => generated::metrics::<PROTOJSON>(wire, out, cx, depth),
        Signal::Traces => generated::traces::<PROTOJSON>(wire, out, cx, depth),
        Signal::Logs => generated::logs::<PROTOJSON>(wire, out, cx, depth),
        Signal::Profiles => generated::profiles::<PROTOJSON>(wire, out, cx, depth),
    }
}
