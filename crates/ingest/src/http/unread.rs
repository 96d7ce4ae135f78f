//! What happens to the rest of a body when the answer comes before its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::error::PayloadError;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::body::BodyError;

/// The body of a request, and whether it has been read to its end.
pub(super) struct RequestBody {
    payload: web::Payload,
    ended: bool,
}

impl RequestBody {
    pub(super) fn new(payload: web::Payload) -> Self {
        Self {
            payload,
            ended: false,
        }
    }

    /// Sends `response` to a client that may still be sending.
    pub(super) fn outlive(self, response: HttpResponse) -> HttpResponse {
        if self.ended {
            response
        } else {
            hold_unread(response, self.payload)
        }
    }
}

/// Keeps `payload`, the body of a request that was not read to its end, alive until `response`
/// is sent. For everything that is answered from its head alone, also outside the receiver.
///
/// actix-http 3.20 reads and discards the rest of a chunked body without limit if the payload is
/// dropped before the answer is out. While it is alive, actix answers with `Connection: close`,
/// discards for at most its `client_disconnect_timeout`, and closes: the client sees the answer,
/// and can't keep the connection busy. A request without a body keeps its connection.
pub fn hold_unread<P: Unpin + 'static>(response: HttpResponse, payload: P) -> HttpResponse {
    response.map_body(|_, body| hold(body, payload))
}

/// The body of an answer, with something that is dropped when it is sent, or given up.
pub fn hold(body: BoxBody, held: impl Unpin + 'static) -> BoxBody {
    BoxBody::new(Held { body, _held: held })
}

impl From<PayloadError> for BodyError {
    /// It does not tell whether the connection ended or a chunk is malformed.
    fn from(_: PayloadError) -> Self {
        Self::Incomplete
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = self.payload.poll_next_unpin(cx);
        if let Poll::Ready(None | Some(Err(_))) = chunk {
            self.ended = true;
        }
        chunk
    }
}

/// See [`hold`].
struct Held<T> {
    body: BoxBody,
    _held: T,
}

impl<T: Unpin> MessageBody for Held<T> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}
