//! Snappy, in one block or framed. A block can't be inflated in pieces, so what was sent is held
//! whole; it is at most as long as the limit.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use snap::read::FrameDecoder;
use tokio::io::{AsyncRead, ReadBuf};

use super::{BodyError, Form, too_large};
use crate::budget::Permit;

/// Up to this many bytes are inflated on the spot: to 4 MiB at most.
const AT_ONCE_BYTES: usize = 64 << 10;

/// How framed data begins (Snappy framing format, 4.1).
const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// How many bytes one byte of a block can stand for: a copy of 64 takes three (Snappy format
/// description, 2.2).
const MOST: usize = 64;

/// Whether data is framed, whatever its coding is called.
pub(super) fn is_framed(sent: &[u8]) -> bool {
    sent.starts_with(STREAM_IDENTIFIER)
}

/// Inflates a block, away from the calling thread if it is long. It says how long it is inflated;
/// all of that is taken from `permit`, and more than the limit is refused before anything is
/// inflated.
///
/// # Errors
///
/// [`BodyError::Compression`]; [`BodyError::TooLarge`] for more than `limit` bytes;
/// [`BodyError::Overloaded`].
pub(super) async fn block(
    sent: Bytes,
    limit: usize,
    permit: &mut Permit,
) -> Result<Bytes, BodyError> {
    let length = snap::raw::decompress_len(&sent).map_err(bad)?;
    if length > limit {
        return Err(too_large(limit, Form::Inflated));
    }
    // It can't be longer than this, whatever it says of itself.
    if length / MOST > sent.len() {
        return Err(bad("it is shorter than it says"));
    }
    permit.take(length)?;
    let at_once = sent.len() <= AT_ONCE_BYTES;
    let inflate = move || snap::raw::Decoder::new().decompress_vec(&sent).map_err(bad);
    let body = match at_once {
        true => inflate(),
        false => permit.decoders().run(inflate).await.map_err(bad)?,
    };
    body.map(Bytes::from)
}

/// Frames, inflated one after the other.
pub(super) struct Frames<'s>(FrameDecoder<&'s [u8]>);

impl<'s> Frames<'s> {
    /// The frames of what was sent.
    ///
    /// # Errors
    ///
    /// [`BodyError::Compression`] if it doesn't begin as frames do.
    pub(super) fn of(sent: &'s [u8]) -> Result<Self, BodyError> {
        // Encoders begin with the identifier only once there is something to write.
        match sent.is_empty() || is_framed(sent) {
            true => Ok(Self(FrameDecoder::new(sent))),
            false => Err(bad("it doesn't begin with the stream identifier")),
        }
    }
}

impl AsyncRead for Frames<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.0.read(buffer.initialize_unfilled())?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

fn bad(what: impl ToString) -> BodyError {
    BodyError::Compression {
        coding: "snappy",
        what: what.to_string(),
    }
}
