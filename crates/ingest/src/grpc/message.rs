//! Reads the one message of a call, within the limits that hold for a body over HTTP.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::stream;
use tokio::time::timeout;
use tonic::codegen::Body;

use crate::body::{self, BodyError};
use crate::budget::Permit;
use crate::content::ContentEncoding;
use crate::error::IngestError;

/// What stands before a message: whether it is compressed, and four bytes of length (gRPC over
/// HTTP/2, "Length-Prefixed-Message").
pub(super) const PREFIX_BYTES: usize = 5;

/// Reads `body` to its end: one message, inflated if it says that it is compressed. `encoding` is
/// how, if the head says so.
///
/// # Errors
///
/// [`IngestError::Framing`] if it is not exactly one message; [`IngestError::Body`] as
/// [`body::read`] has it, a length over `limit` being refused before any of the message is read;
/// [`BodyError::TooSlow`] for a client that sends nothing for `stall_timeout`.
pub(super) async fn read<B>(
    body: B,
    encoding: Option<ContentEncoding>,
    limit: usize,
    permit: &mut Permit,
    stall_timeout: Duration,
) -> Result<Bytes, IngestError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut chunks = Chunks {
        body,
        stall_timeout,
        chunk: Bytes::new(),
    };
    let [flag, length @ ..] = chunks.prefix().await?;
    let encoding = match (flag, encoding) {
        (0, _) => ContentEncoding::Identity,
        (1, Some(encoding)) => encoding,
        (1, None) => return Err(IngestError::Framing("it is compressed, but not said how")),
        _ => return Err(IngestError::Framing("its first byte is neither 0 nor 1")),
    };
    let length = u32::from_be_bytes(length);
    let message = {
        let mut payload = Payload {
            chunks: &mut chunks,
            left: u64::from(length),
        };
        let stream = pin!(stream::unfold(&mut payload, |payload| async move {
            payload.next().await.map(|piece| (piece, payload))
        }));
        body::read(stream, encoding, Some(length.into()), limit, permit).await?
    };
    match chunks.next().await? {
        None => Ok(message),
        Some(_) => Err(IngestError::Framing("something stands behind the message")),
    }
}

/// The data of a body, in pieces that are not empty.
struct Chunks<B> {
    body: B,
    stall_timeout: Duration,
    /// What is left of the chunk that was read last.
    chunk: Bytes,
}

impl<B> Chunks<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// All that is there of a chunk, or the next one.
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        while self.chunk.is_empty() {
            let frame = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx));
            match timeout(self.stall_timeout, frame).await {
                Ok(None) => return Ok(None),
                // Trailers are of no interest.
                Ok(Some(Ok(frame))) => self.chunk = frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_))) => return Err(BodyError::Incomplete),
                Err(_) => return Err(BodyError::TooSlow),
            }
        }
        Ok(Some(std::mem::take(&mut self.chunk)))
    }

    /// The bytes before the message.
    async fn prefix(&mut self) -> Result<[u8; PREFIX_BYTES], IngestError> {
        let mut prefix = [0; PREFIX_BYTES];
        let mut filled = 0;
        while filled < PREFIX_BYTES {
            let Some(mut chunk) = self.next().await? else {
                return Err(match filled {
                    0 => IngestError::Framing("there is none"),
                    _ => IngestError::Body(BodyError::Incomplete),
                });
            };
            let more = chunk.len().min(PREFIX_BYTES - filled);
            chunk.copy_to_slice(&mut prefix[filled..filled + more]);
            filled += more;
            self.chunk = chunk;
        }
        Ok(prefix)
    }
}

/// The bytes of a message, up to its length.
struct Payload<'a, B> {
    chunks: &'a mut Chunks<B>,
    left: u64,
}

impl<B> Payload<'_, B>
where
    B: Body<Data = Bytes> + Unpin,
{
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        if self.left == 0 {
            return None;
        }
        let mut piece = match self.chunks.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => return Some(Err(BodyError::Incomplete)),
            Err(error) => return Some(Err(error)),
        };
        if let Ok(left) = usize::try_from(self.left) {
            self.chunks.chunk = piece.split_off(left.min(piece.len()));
        }
        self.left -= piece.len() as u64;
        Some(Ok(piece))
    }
}
