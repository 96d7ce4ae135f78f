//! OTLP/HTTP over actix-web: the routes, the head of a request, the answer.

mod unread;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{
    AUTHORIZATION, AsHeaderName, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, UPGRADE,
};
use actix_web::{HttpRequest, HttpResponse, web};
use otlp_codec::Signal;
use tokio::time::timeout;

pub use self::unread::{hold, hold_unread};

use self::unread::RequestBody;
use crate::authorize::Credentials;
use crate::body::{self, BodyError};
use crate::config::IngestConfig;
use crate::content::{ContentEncoding, ContentType, only};
use crate::error::{IngestError, Reason};
use crate::observer::Transport;
use crate::receiver::{Outcome, Receiver, Taken};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::{status, success};

/// The paths that are served and their signals (OTLP spec, "OTLP/HTTP Request").
const ROUTES: [(&str, Signal); 4] = [
    ("/v1/metrics", Signal::Metrics),
    ("/v1/traces", Signal::Traces),
    ("/v1/logs", Signal::Logs),
    ("/v1development/profiles", Signal::Profiles),
];

/// Those that are switched on.
fn routes(config: &IngestConfig) -> impl Iterator<Item = (&'static str, Signal)> + use<> {
    let profiles = config.profiles;
    let is_on = move |signal| signal != Signal::Profiles || profiles;
    ROUTES.into_iter().filter(move |(_, signal)| is_on(*signal))
}

/// Whether a request asks for WebSocket, maybe among other protocols (RFC 9110, 7.8).
#[must_use]
pub fn asks_for_websocket(headers: &HeaderMap) -> bool {
    values(headers, UPGRADE)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Adds the receiver's routes to an actix application, for every method: POST is served, all
/// others are a 405 (RFC 9110, 15.5.6). Other paths stay the application's own; it can answer
/// them in the same form with [`status::answer`] and
/// [`hold_unread`].
///
/// Refusals before the end of a body rely on `client_disconnect_timeout`: with 0 seconds, the
/// default of plain actix-http, a client that is still sending may see a reset instead.
pub fn configure(cfg: &mut web::ServiceConfig, receiver: Receiver) {
    let receiver = Arc::new(receiver);
    for (path, signal) in routes(&receiver.config) {
        let receiver = Arc::clone(&receiver);
        let handler = move |request: HttpRequest, payload: web::Payload| {
            let receiver = Arc::clone(&receiver);
            async move { export(&receiver, signal, &request, payload).await }
        };
        cfg.service(web::resource(path).route(web::route().to(handler)));
    }
}

/// Serves one request.
async fn export(
    receiver: &Receiver,
    signal: Signal,
    request: &HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let observer = receiver.observer.as_ref();
    let mut outcome = Outcome::new(observer, signal, Transport::Http, peer(request));
    let mut body = RequestBody::new(payload);
    let content_type = content_type(request.headers(), receiver.config.lenient_content_type);
    let began = outcome.began();
    match receive(receiver, signal, request, content_type, &mut body, began).await {
        Ok((content_type, taken)) => {
            outcome.accepted(&taken);
            success::answer(content_type, signal, taken.rejected.as_ref())
        }
        Err(error) => {
            let id = outcome.refused(&error);
            body.outlive(answer(content_type, &error, id))
        }
    }
}

/// The answer to a request that is refused for its head alone, from `peer`; for those that wait
/// to hear so before they send a body (RFC 9110, 10.1.1). `None` for all others, and for paths
/// that are not the receiver's. The body, as far as there is one, is left to the caller: see
/// [`hold_unread`].
#[must_use]
pub fn refuse_by_head(
    receiver: &Receiver,
    head: &RequestHead,
    peer: Option<IpAddr>,
) -> Option<HttpResponse> {
    let (_, signal) = routes(&receiver.config).find(|(path, _)| *path == head.uri.path())?;
    let content_type = content_type(head.headers(), receiver.config.lenient_content_type);
    let error = judge(receiver, head, peer, content_type).err()?;
    let observer = receiver.observer.as_ref();
    let id = Outcome::new(observer, signal, Transport::Http, peer).refused(&error);
    Some(answer(content_type, &error, id))
}

/// Counts a request on one of the receiver's paths that the application has refused by itself,
/// before the receiver saw it. What its answer is to be found by, in the header [`X_REQUEST_ID`];
/// `None` for other paths.
#[must_use]
pub fn count_refusal(
    receiver: &Receiver,
    path: &str,
    peer: Option<IpAddr>,
    reason: Reason,
) -> Option<RequestId> {
    let (_, signal) = routes(&receiver.config).find(|(known, _)| *known == path)?;
    let observer = receiver.observer.as_ref();
    Some(Outcome::new(observer, signal, Transport::Http, peer).refused_as(reason))
}

/// The answer to a request that was refused.
fn answer(content_type: Option<ContentType>, error: &IngestError, id: RequestId) -> HttpResponse {
    let encoding = content_type.unwrap_or(ContentType::Json);
    let mut response = status::answer_in(encoding, error);
    let name = HeaderName::from_static(X_REQUEST_ID);
    response.headers_mut().insert(name, id.header());
    response
}

/// Judges the head.
fn judge(
    receiver: &Receiver,
    head: &RequestHead,
    peer: Option<IpAddr>,
    content_type: Option<ContentType>,
) -> Result<(ContentType, ContentEncoding), IngestError> {
    let headers = head.headers();
    if asks_for_websocket(headers) {
        return Err(IngestError::Upgrade);
    }
    if head.method != Method::POST {
        return Err(IngestError::Method);
    }
    receiver.authorize.check(Credentials {
        authorization: only(values(headers, AUTHORIZATION)),
        peer,
    })?;
    let content_type = content_type.ok_or(IngestError::ContentType)?;
    let encoding = ContentEncoding::of(values(headers, CONTENT_ENCODING))
        .ok_or(IngestError::ContentEncoding)?;
    body::check_length(content_length(headers), receiver.config.max_body_bytes)?;
    Ok((content_type, encoding))
}

fn peer(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip())
}

/// Judges the head, reads the body, and gives the export to the sink.
async fn receive(
    receiver: &Receiver,
    signal: Signal,
    request: &HttpRequest,
    content_type: Option<ContentType>,
    body: &mut RequestBody,
    began: Instant,
) -> Result<(ContentType, Taken), IngestError> {
    let (content_type, encoding) = judge(receiver, request.head(), peer(request), content_type)?;
    let limit = receiver.config.max_body_bytes;
    // From here on it costs memory: before, there is nothing but the head.
    let mut permit = receiver.budget.admit()?;
    let declared = content_length(request.headers());
    let read = body::read(body, encoding, declared, limit, &mut permit);
    let bytes = timeout(receiver.config.body_timeout, read)
        .await
        .map_err(|_| BodyError::TooSlow)??;
    if content_type == ContentType::Json {
        // Its protobuf form is usually half as long, and is not made in place.
        permit.take(bytes.len())?;
    }
    let taken = receiver.take(signal, content_type, bytes, began).await?;
    Ok((content_type, taken))
}

/// The encoding of the body. `lenient` takes a missing or unknown type for protobuf, unless a
/// web page may be behind the request.
fn content_type(headers: &HeaderMap, lenient: bool) -> Option<ContentType> {
    let assumed = (lenient && !headers.contains_key(ORIGIN)).then_some(ContentType::Protobuf);
    ContentType::of(values(headers, CONTENT_TYPE)).or(assumed)
}

/// The announced length of the body as sent. The HTTP parser has refused anything that is not a
/// number; one that is too big for the type counts as the biggest.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(CONTENT_LENGTH)?;
    Some(value.to_str().ok()?.parse().unwrap_or(u64::MAX))
}

/// The values of a header.
fn values(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests;
