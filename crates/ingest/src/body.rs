//! Reads a request body: stream, decoder, buffer, with limits on both sides of the decoder.
//!
//! The compressed body is never held whole, but for snappy, of which a block can't be inflated in
//! pieces.
//! Every buffer grows with what has arrived, never with what was announced.

mod snappy;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{BufMut, Bytes};
use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt};
use tokio::task::yield_now;
use tokio_util::io::StreamReader;

use crate::budget::Permit;
use crate::content::ContentEncoding;
use crate::sink::Refused;

/// The first size of a buffer, in bytes, if the body may be as long; it doubles from there.
const FIRST_BUFFER_BYTES: usize = 64 << 10;

/// How many bytes are inflated in one go, before other tasks of the thread get their turn.
const STEP_BYTES: usize = 256 << 10;

/// The longest window of zstd that is allowed, 8 MiB, as a power of two (RFC 9659). The decoder
/// keeps that much of what it has inflated last, beside the buffer, and it counts as much.
const ZSTD_WINDOW_LOG: u32 = 23;

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
    /// something else (RFC 1952, 2.3.1.2; RFC 1950, 2.2; RFC 8878, 3.1). The text comes from the decoder, not from the data.
    #[error("the {coding} data is bad: {what}")]
    Compression {
        /// The name of the coding.
        coding: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The body doesn't fit into what all requests may hold together.
    #[error(transparent)]
    Overloaded(Refused),
    /// It took longer than a body may (RFC 9110, 15.5.9).
    #[error("the body took too long")]
    TooSlow,
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
    /// In memory, with what it becomes: JSON takes as much again for its protobuf form.
    Held,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "as sent",
            Self::Inflated => "after decompression",
            Self::Held => "in memory, where JSON takes twice its length",
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
/// Nothing is inflated beyond the limit. What is held is taken from `permit` as it grows, which in
/// the end holds the length of the result; there is [`BodyError::Overloaded`] if there is no more.
/// Errors of `stream` are passed on. On error the stream may have more to give.
pub async fn read<S, E>(
    stream: S,
    encoding: ContentEncoding,
    declared: Option<u64>,
    limit: usize,
    permit: &mut Permit,
) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<BodyError>,
{
    let body = inflate(stream, encoding, declared, limit, permit).await?;
    permit.keep(body.len());
    Ok(body)
}

async fn inflate<S, E>(
    stream: S,
    encoding: ContentEncoding,
    declared: Option<u64>,
    limit: usize,
    permit: &mut Permit,
) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<BodyError>,
{
    let ceiling = check_length(declared, limit)?;
    let metered = Metered {
        stream,
        left: limit,
        limit,
    };
    let failed = |error| body_error(encoding, error);
    let result = match encoding {
        ContentEncoding::Identity => plain(metered, ceiling, permit).await,
        ContentEncoding::Gzip => {
            let mut decoder = GzipDecoder::new(StreamReader::new(metered));
            // Without this a second member, or junk, is dropped and success reported.
            decoder.multiple_members(true);
            inflated(&mut decoder, limit, 0, permit).await
        }
        ContentEncoding::Deflate => {
            let mut decoder = ZlibDecoder::new(StreamReader::new(metered));
            match inflated(&mut decoder, limit, 0, permit).await {
                Ok(body) => nothing_behind(decoder.into_inner()).await.map(|()| body),
                Err(error) => Err(error),
            }
        }
        ContentEncoding::Zstd => {
            let window = DParameter::window_log_max(ZSTD_WINDOW_LOG);
            let mut decoder = ZstdDecoder::with_params(StreamReader::new(metered), &[window]);
            decoder.multiple_members(true);
            inflated(&mut decoder, limit, 1 << ZSTD_WINDOW_LOG, permit).await
        }
        ContentEncoding::Snappy | ContentEncoding::SnappyFramed => {
            let sent = plain(metered, ceiling, permit).await.map_err(failed)?;
            permit.keep(sent.len());
            match encoding == ContentEncoding::SnappyFramed || snappy::is_framed(&sent) {
                true => inflated(snappy::Frames::of(&sent)?, limit, 0, permit).await,
                false => return snappy::block(sent, limit, permit).await,
            }
        }
    };
    result.map_err(failed)
}

/// Up to how many bytes may come, if `declared` are announced and `limit` are allowed.
///
/// # Errors
///
/// [`BodyError::TooLarge`] if that is too much.
pub fn check_length(declared: Option<u64>, limit: usize) -> Result<usize, BodyError> {
    match declared.map(usize::try_from) {
        None => Ok(limit),
        Some(Ok(length)) if length <= limit => Ok(length),
        Some(_) => Err(too_large(limit, Form::Sent)),
    }
}

/// Refuses what stands behind the end of compressed data.
async fn nothing_behind(mut reader: impl AsyncBufRead + Unpin) -> io::Result<()> {
    match reader.fill_buf().await?.is_empty() {
        true => Ok(()),
        false => Err(io::Error::other("something stands behind its end")),
    }
}

/// Collects chunks; the stream keeps to the limit.
async fn plain<S>(mut stream: S, ceiling: usize, permit: &mut Permit) -> io::Result<Bytes>
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        grow(&mut buffer, chunk.len(), ceiling, permit)?;
        buffer.extend_from_slice(&chunk);
    }
    Ok(finish(buffer))
}

/// Reads a decoder to its end, or to the first byte over the limit. It keeps up to `window` bytes
/// of what it has given.
async fn inflated<R>(
    decoder: R,
    limit: usize,
    window: usize,
    permit: &mut Permit,
) -> io::Result<Bytes>
where
    R: AsyncRead + Unpin,
{
    let ceiling = limit.saturating_add(1);
    let mut decoder = decoder.take(ceiling as u64);
    let mut buffer = Vec::new();
    let (mut step, mut kept) = (0, 0);
    loop {
        grow(&mut buffer, 1, ceiling, permit)?;
        let keeps = (buffer.len() + STEP_BYTES)
            .min(buffer.capacity())
            .min(window);
        permit.take(keeps - kept).map_err(io::Error::other)?;
        kept = keeps;
        let read = decoder
            .read_buf(&mut (&mut buffer).limit(STEP_BYTES))
            .await?;
        if read == 0 {
            return Ok(finish(buffer));
        }
        if buffer.len() > limit {
            return Err(io::Error::other(too_large(limit, Form::Inflated)));
        }
        step += read;
        if step >= STEP_BYTES {
            step = 0;
            yield_now().await;
        }
    }
}

/// Makes room for `more` bytes by doubling, but not beyond `ceiling`, nor what all requests may
/// hold, unless `more` needs it; what the buffer grows by is taken from the budget.
fn grow(buffer: &mut Vec<u8>, more: usize, ceiling: usize, permit: &mut Permit) -> io::Result<()> {
    let needed = buffer.len() + more;
    if needed > buffer.capacity() {
        let doubled = (buffer.capacity() * 2).max(FIRST_BUFFER_BYTES);
        let most = buffer.capacity() + permit.left();
        let capacity = doubled.min(ceiling).min(most).max(needed);
        let taken = permit.take(capacity - buffer.capacity());
        taken.map_err(io::Error::other)?;
        buffer.reserve_exact(capacity - buffer.len());
    }
    Ok(())
}

/// Gives spare capacity back: bodies are kept for long.
fn finish(mut buffer: Vec<u8>) -> Bytes {
    buffer.shrink_to_fit();
    Bytes::from(buffer)
}

fn too_large(limit: usize, form: Form) -> BodyError {
    BodyError::TooLarge { limit, form }
}

/// Takes a [`BodyError`] out of its wrapper; all others are the decoder's own.
fn body_error(encoding: ContentEncoding, error: io::Error) -> BodyError {
    let coding = encoding.as_str();
    match error.downcast::<BodyError>() {
        Ok(error) => error,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let what = "it ends early".to_owned();
            BodyError::Compression { coding, what }
        }
        Err(error) => {
            let what = error.to_string();
            BodyError::Compression { coding, what }
        }
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
    E: Into<BodyError>,
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
                Err(error) => Err(io::Error::other(error.into())),
            })
        })
    }
}

#[cfg(test)]
mod tests;
