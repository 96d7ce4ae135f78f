//! Snappy, in one block or framed. A block can't be inflated in pieces, so what was sent is held
//! whole; it is at most as long as the limit.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{BodyError, Form, finish, too_large};
use crate::budget::Permit;
/// Up to this many bytes are inflated on the spot: to 4 MiB at most.
const AT_ONCE_BYTES: usize = 64 << 10;

/// How framed data begins (Snappy framing format, 4.1).
const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// Inflates `sent`, away from the calling thread if it is long.
///
/// # Errors
///
/// [`BodyError::Compression`]; [`BodyError::TooLarge`] for more than `limit` bytes.
pub(super) async fn inflated(
    sent: Bytes,
    framed: bool,
    limit: usize,
    permit: &mut Permit,
) -> Result<Bytes, BodyError> {
    let framed = framed || sent.starts_with(STREAM_IDENTIFIER);
    permit
        .take(most(&sent, framed).min(limit))
        .map_err(BodyError::Overloaded)?;
    if sent.len() <= AT_ONCE_BYTES {
        return inflate(&sent, framed, limit);
    }
    let inflated = spawn_blocking(move || inflate(&sent, framed, limit));
    inflated.await.unwrap_or_else(|failure| Err(bad(failure)))
}

fn inflate(sent: &[u8], framed: bool, limit: usize) -> Result<Bytes, BodyError> {
    match framed {
        true => frames(sent, limit),
        false => block(sent, limit),
    }
}

/// A block says how long it is inflated; more than the limit is refused before anything is.
fn block(sent: &[u8], limit: usize) -> Result<Bytes, BodyError> {
    let length = snap::raw::decompress_len(sent).map_err(bad)?;
    if length > limit {
        return Err(too_large(limit, Form::Inflated));
    }
    // It can't be longer than this, whatever it says of itself.
    if length / MOST > sent.len() {
        return Err(bad("it is shorter than it says"));
    }
    let body = snap::raw::Decoder::new().decompress_vec(sent);
    body.map(Bytes::from).map_err(bad)
}

/// The most that it can be inflated: a block says it, and frames are estimated.
fn most(sent: &[u8], framed: bool) -> usize {
    match framed {
        true => sent.len().saturating_mul(MOST),
        false => snap::raw::decompress_len(sent).unwrap_or(0),
    }
}

/// How many bytes one byte of a block can stand for: a copy of 64 takes three (Snappy format
/// description, 2.2).
const MOST: usize = 64;

fn frames(sent: &[u8], limit: usize) -> Result<Bytes, BodyError> {
    // Encoders begin with the identifier only once there is something to write.
    if sent.is_empty() {
        return Ok(Bytes::new());
    }
    if !sent.starts_with(STREAM_IDENTIFIER) {
        return Err(bad("it doesn't begin with the stream identifier"));
    }
    let mut body = Vec::new();
    let decoder = snap::read::FrameDecoder::new(sent);
    let read = decoder
        .take(limit.saturating_add(1) as u64)
        .read_to_end(&mut body);
    match read {
        Ok(length) if length > limit => Err(too_large(limit, Form::Inflated)),
        Ok(_) => Ok(finish(body)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(bad("it ends early")),
        Err(error) => Err(bad(error)),
    }
}

fn bad(what: impl ToString) -> BodyError {
    BodyError::Compression {
        coding: "snappy",
        what: what.to_string(),
    }
}
