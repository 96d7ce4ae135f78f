//! Reads a request body: stream, decoder, buffer, with limits on both sides of the decoder.
//!
//! The compressed body is never held whole. Every buffer grows with what has arrived, never
//! with what was announced.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compression::tokio::bufread::GzipDecoder;
use bytes::{BufMut, Bytes};
use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::yield_now;
use tokio_util::io::StreamReader;

use crate::content::ContentEncoding;

/// The first size of a buffer, in bytes, if the body may be as long; it doubles from there.
const FIRST_BUFFER_BYTES: usize = 64 << 10;

/// How many bytes are inflated in one go, before other tasks of the thread get their turn.
const STEP_BYTES: usize = 256 << 10;

/// A body that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Longer than allowed (OTLP spec, "OTLP/HTTP Request": 413).
    #[error("the body is over the limit of {limit} bytes {form}")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// What was measured.
        form: Form,
    },
    /// Not what its coding says: bad header, bad data, bad checksum, cut short, or followed by
    /// something else (RFC 1952, 2.3.1.2). The text comes from the decoder, not from the data.
    #[error("the gzip data is bad: {0}")]
    Compression(String),
    /// The connection ended before the body did, or the chunks of the body are malformed (RFC
    /// 9112, 7.1 and 8). A stream's error does not tell which.
    #[error("the body is incomplete, or its chunks are malformed")]
    Incomplete,
}

/// A form of a body that has a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As on the network.
    Sent,
    /// After decompression.
    Inflated,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "as sent",
            Self::Inflated => "after decompression",
        })
    }
}

/// Reads `stream` to its end and inflates it. `declared` is the announced length, of what is
/// sent. The result holds at most `limit` bytes and no spare capacity.
///
/// # Errors
///
/// [`BodyError`], at the first byte that is one too many: what was sent and what it inflates to
/// are both held to `limit` bytes, and a longer `declared` is refused before anything is read.
/// Nothing is inflated beyond the limit. Any error of `stream` is [`BodyError::Incomplete`]. On
/// error the stream may have more to give.
pub async fn read<S, E>(
    stream: S,
    encoding: ContentEncoding,
    declared: Option<u64>,
    limit: usize,
) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let ceiling = match declared.map(usize::try_from) {
        None => limit,
        Some(Ok(length)) if length <= limit => length,
        Some(_) => return Err(too_large(limit, Form::Sent)),
    };
    let metered = Metered {
        stream,
        left: limit,
        limit,
    };
    match encoding {
        ContentEncoding::Identity => plain(metered, ceiling).await,
        ContentEncoding::Gzip => {
            let mut decoder = GzipDecoder::new(StreamReader::new(metered));
            // Without this a second member, or junk, is dropped and success reported.
            decoder.multiple_members(true);
            inflated(decoder, limit).await
        }
    }
}

/// Collects chunks; the stream keeps to the limit.
async fn plain<S>(mut stream: S, ceiling: usize) -> Result<Bytes, BodyError>
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(body_error)?;
        grow(&mut buffer, chunk.len(), ceiling);
        buffer.extend_from_slice(&chunk);
    }
    Ok(finish(buffer))
}

/// Reads a decoder to its end, or to the first byte over the limit.
async fn inflated<R>(decoder: R, limit: usize) -> Result<Bytes, BodyError>
where
    R: AsyncRead + Unpin,
{
    let ceiling = limit.saturating_add(1);
    let mut decoder = decoder.take(ceiling as u64);
    let mut buffer = Vec::new();
    loop {
        grow(&mut buffer, 1, ceiling);
        let read = decoder
            .read_buf(&mut (&mut buffer).limit(STEP_BYTES))
            .await
            .map_err(body_error)?;
        if read == 0 {
            return Ok(finish(buffer));
        }
        if buffer.len() > limit {
            return Err(too_large(limit, Form::Inflated));
        }
        if read == STEP_BYTES {
            yield_now().await;
        }
    }
}

/// Makes room for `more` bytes by doubling, but not beyond `ceiling` unless `more` needs it.
fn grow(buffer: &mut Vec<u8>, more: usize, ceiling: usize) {
    let needed = buffer.len() + more;
    if needed > buffer.capacity() {
        let doubled = (buffer.capacity() * 2).max(FIRST_BUFFER_BYTES);
        let capacity = doubled.min(ceiling).max(needed);
        buffer.reserve_exact(capacity - buffer.len());
    }
}

/// Gives spare capacity back: bodies are kept for long.
fn finish(mut buffer: Vec<u8>) -> Bytes {
    buffer.shrink_to_fit();
    Bytes::from(buffer)
}

fn too_large(limit: usize, form: Form) -> BodyError {
    BodyError::TooLarge { limit, form }
}

/// Takes a [`BodyError`] of [`Metered`] out of its wrapper; all others are the decoder's own.
fn body_error(error: io::Error) -> BodyError {
    match error.downcast::<BodyError>() {
        Ok(error) => error,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            BodyError::Compression("it ends early".to_owned())
        }
        Err(error) => BodyError::Compression(error.to_string()),
    }
}

/// A stream that ends in an error at the first chunk beyond its limit.
struct Metered<S> {
    stream: S,
    left: usize,
    limit: usize,
}

impl<S, E> Stream for Metered<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx).map(|chunk| {
            Some(match chunk? {
                Ok(chunk) => match self.left.checked_sub(chunk.len()) {
                    Some(left) => {
                        self.left = left;
                        Ok(chunk)
                    }
                    None => Err(io::Error::other(too_large(self.limit, Form::Sent))),
                },
                Err(_) => Err(io::Error::other(BodyError::Incomplete)),
            })
        })
    }
}

#[cfg(test)]
mod tests;
