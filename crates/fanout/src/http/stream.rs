//! `GET /stream/…`: a view as lines (NDJSON) in the body of an HTTP answer without an end.
//!
//! actix writes the head and would write the body, each piece copied for each client. So it gets a
//! body that says nothing until the head is out, and then fails: that ends the dispatcher, which
//! leaves the socket to the session, as behind the 101 of a WebSocket. Nothing that the client sent
//! behind its request is looked at.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{
    self, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Detach, Detaching, Fanout};
use crate::hub::Subscription;
use crate::observer::TurnedAway;
use crate::refusal::Refusal;
use crate::session::serve_lines;
use crate::view::{Format, Signals};

/// nginx hands on at once what comes with this, and would gather it otherwise.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers GET with lines, and HEAD with the head of that.
pub(super) async fn stream<D: Detach>(
    request: &HttpRequest,
    fanout: &Fanout,
    signals: Signals,
) -> Result<HttpResponse, Refusal> {
    let (pass, query) = super::admit(request, fanout, signals)?;
    if query.view.format == Format::Protobuf {
        fanout.hub.turned_away(TurnedAway::Query);
        let text = "protobuf has no lines: take another format here, or protobuf at /ws";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_ACCEL_BUFFERING, "no"));
    if request.method() == Method::HEAD {
        return Ok(response.body(actix_web::body::None::new()));
    }
    let subscription = super::subscribe(fanout, pass, query)?;
    let connection = super::connection::<D>(request)?;
    let chunked = request.version() >= Version::HTTP_11;
    if !chunked {
        response.no_chunking(0);
    }
    actix_web::rt::spawn(attend(connection.detach(), chunked, subscription));
    let mut response = response.force_close().body(Head(connection));
    if !chunked {
        // It ends with the connection (RFC 9112, section 6.3).
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    Ok(response)
}

/// 405.
pub(super) async fn only_read() -> HttpResponse {
    let text = "this is a stream of lines: GET, or HEAD";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text)
        .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
        .response()
}

/// The task of one client, from the moment that the head is on its way.
pub(super) async fn attend<Io>(socket: Detaching<Io>, chunked: bool, subscription: Subscription)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(io) = socket.await {
        serve_lines(io, chunked, subscription).await;
    }
}

/// A body that is there only until the head is out.
struct Head<D>(D);

/// The head is out, and the rest is not for this dispatcher.
#[derive(Debug)]
struct Detached;

impl<D: Detach> MessageBody for Head<D> {
    type Error = Detached;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Detached>>> {
        // Whoever writes the head wakes the dispatcher when it is out, and that asks again.
        match self.0.is_ready() {
            true => Poll::Ready(Some(Err(Detached))),
            false => Poll::Pending,
        }
    }
}

impl fmt::Display for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection belongs to a session now")
    }
}

impl std::error::Error for Detached {}
