//! The first half of a call: its head, its message, and every refusal on the way there.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use otlp_codec::Signal;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use tonic::codegen::http::{Method, Request, Response, request::Parts};
use tonic::server::NamedService;

use super::{Peer, TurnedAway, answer, message};
use crate::authorize::Credentials;
use crate::body::BodyError;
use crate::content::{ContentEncoding, only};
use crate::error::IngestError;
use crate::observer::Transport;
use crate::receiver::{Outcome, Receiver};

/// How the messages of a call are compressed, if they say that they are.
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A message without bytes, which the stub gets in the place of the one that was read.
const EMPTY: Bytes = Bytes::from_static(&[0; message::PREFIX_BYTES]);

/// The message of a call, read and inflated. It goes to the handler beside the body: through the
/// body, tonic would copy it once more.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) bytes: Bytes,
    /// When its call began.
    pub(super) began: Instant,
}

/// A stub that is asked only for messages within the limits, from those who may send.
#[derive(Clone)]
pub(super) struct Guard<S> {
    pub(super) stub: S,
    pub(super) signal: Signal,
    pub(super) receiver: Arc<Receiver>,
    pub(super) stall_timeout: Duration,
}

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stub.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut stub = self.stub.clone();
        if !is_export::<S>(request.uri().path()) {
            // UNIMPLEMENTED, whatever is in it.
            return Box::pin(stub.call(request));
        }
        let receiver = Arc::clone(&self.receiver);
        let (signal, stall_timeout) = (self.signal, self.stall_timeout);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
            let observer = receiver.observer.as_ref();
            let mut outcome = Outcome::new(observer, signal, Transport::Grpc, peer);
            let admitted = judge(&receiver, &parts)
                .and_then(|encoding| Ok((encoding, receiver.budget.admit()?)));
            // The permit is given back when the call ends.
            let (read, _permit) = match admitted {
                Ok((encoding, mut permit)) => {
                    let limit = receiver.config.max_body_bytes;
                    let read = message::read(body, encoding, limit, &mut permit, stall_timeout);
                    let read = timeout(receiver.config.body_timeout, read).await;
                    let late = |_| Err(IngestError::Body(BodyError::TooSlow));
                    (read.unwrap_or_else(late), Some(permit))
                }
                Err(error) => (Err(error), None),
            };
            match read {
                Ok(bytes) => {
                    let began = outcome.hand_over();
                    parts.headers.remove(GRPC_ENCODING);
                    parts.extensions.insert(Message { bytes, began });
                    let empty = Body::new(Full::new(EMPTY));
                    stub.call(Request::from_parts(parts, empty)).await
                }
                Err(error) => {
                    let id = outcome.refused(&error);
                    Ok(answer::refusal(&error, id))
                }
            }
        })
    }
}

/// Whether a path is that of the one method that every service of OTLP has.
fn is_export<S: NamedService>(path: &str) -> bool {
    let method = path.strip_prefix('/').and_then(|path| {
        let rest = path.strip_prefix(S::NAME)?;
        rest.strip_prefix('/')
    });
    method == Some("Export")
}

/// Judges the head of a call. How its message may be compressed.
fn judge(receiver: &Receiver, head: &Parts) -> Result<Option<ContentEncoding>, IngestError> {
    if let Some(TurnedAway(refused)) = head.extensions.get() {
        return Err((*refused).into());
    }
    if head.method != Method::POST {
        return Err(IngestError::Method);
    }
    let peer = head.extensions.get::<Peer>();
    receiver.authorize.check(Credentials {
        authorization: only(values(&head.headers, AUTHORIZATION)),
        peer: peer.and_then(|peer| peer.0),
    })?;
    if !only(values(&head.headers, CONTENT_TYPE)).is_some_and(is_grpc) {
        return Err(IngestError::ContentType);
    }
    if !head.headers.contains_key(GRPC_ENCODING) {
        return Ok(None);
    }
    let encoding = ContentEncoding::of(values(&head.headers, GRPC_ENCODING));
    encoding.map(Some).ok_or(IngestError::ContentEncoding)
}

/// `application/grpc`, alone or with `+proto`, and any parameters. Messages are protobuf.
fn is_grpc(content_type: &[u8]) -> bool {
    let end = content_type.iter().position(|&byte| byte == b';');
    let media_type = content_type[..end.unwrap_or(content_type.len())].trim_ascii();
    [&b"application/grpc"[..], b"application/grpc+proto"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
}

/// The values of a header.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}
