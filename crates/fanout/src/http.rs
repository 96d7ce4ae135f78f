//! The way in: `GET /ws/…` and `GET /stream/…`, from the request to a session on the bare socket.

mod handshake;
mod stream;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use actix_web::dev;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use otlp_codec::Signal;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::config::FanoutConfig;
use crate::gate::{Gate, Pass};
use crate::hub::{Hub, SubscribeError, Subscription};
use crate::observer::TurnedAway;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::session::serve;
use crate::view::Signals;

use self::handshake::{Handshake, shake_hands};

/// How many bytes a client may send behind its handshake before it has the answer. RFC 6455
/// section 4.1 lets it send none; a client that sends more is dropped.
pub const EARLY_BYTES: usize = 64 << 10;

/// A handle on the connection under a request, found with `HttpRequest::conn_data`: it gives
/// the socket away once HTTP is done with it.
pub trait Detach: Clone + 'static {
    /// The socket, with TLS where there is any.
    type Io: AsyncRead + AsyncWrite + Unpin + 'static;

    /// Asks for the socket. Called before the answer is returned: a 101, or one whose body never
    /// has a byte. The future is ready once the head of that is flushed and the HTTP layer is done
    /// with the connection, with `None` if the connection ended before that.
    fn detach(&self) -> Detaching<Self::Io>;

    /// Whether the head is flushed, so that the HTTP layer has to be done. Its task is woken when
    /// that happens.
    fn is_ready(&self) -> bool;
}

/// A socket to come, or none.
pub type Detaching<Io> = Pin<Box<dyn Future<Output = Option<Io>>>>;

/// What the routes need.
#[derive(Clone)]
pub struct Fanout {
    /// Where sessions read from. Its configuration and observer hold for the routes too.
    pub hub: Hub,
    /// Who may watch.
    pub gate: Arc<dyn Gate>,
}

/// The paths that are served below `/ws` and `/stream`, and what is watched there.
const ROUTES: [(&str, Signals); 5] = [
    ("", Signals::ALL),
    ("/metrics", Signals::only(Signal::Metrics)),
    ("/traces", Signals::only(Signal::Traces)),
    ("/logs", Signals::only(Signal::Logs)),
    (PROFILES, Signals::only(Signal::Profiles)),
];
const PROFILES: &str = "/profiles";

fn routes(config: &FanoutConfig) -> impl Iterator<Item = (&'static str, Signals)> {
    let profiles = config.profiles;
    ROUTES
        .into_iter()
        .filter(move |(path, _)| profiles || *path != PROFILES)
}

/// Registers `GET /ws`, for all signals, and `/ws/metrics`, `/ws/traces` and `/ws/logs`, for one;
/// `/ws/profiles` if [`FanoutConfig::profiles`] is set. The same below `/stream`, for lines in the
/// body of an HTTP answer instead of WebSocket, and HEAD beside GET. Other methods get 405.
///
/// A request is judged in this order: the gate (what it says), the query (400; a stream has no
/// protobuf), the hub (503 with Retry-After), the handshake of a WebSocket (426 without an upgrade,
/// 400 if it is wrong), and the connection, which has to carry a `D` (500). The subscription is
/// taken before the head of the answer is sent, so nothing that is published after the client has
/// seen it is missed.
pub fn configure<D: Detach>(cfg: &mut web::ServiceConfig, fanout: Fanout) {
    let data = web::Data::new(fanout);
    for (path, signals) in routes(data.hub.config()) {
        let watch = move |request: HttpRequest, payload: web::Payload, fanout| async move {
            watch::<D>(&request, payload, &fanout, signals).await
        };
        let websocket = web::resource(format!("/ws{path}"))
            .app_data(data.clone())
            .route(web::get().to(watch))
            .default_service(web::to(only_get));
        let stream = move |request: HttpRequest, fanout: web::Data<Fanout>| async move {
            let answer = stream::stream::<D>(&request, &fanout, signals).await;
            answer.unwrap_or_else(|refusal| refusal.response())
        };
        let lines = web::resource(format!("/stream{path}"))
            .app_data(data.clone())
            .route(web::get().to(stream))
            .route(web::head().to(stream))
            .default_service(web::to(stream::only_read));
        cfg.service(websocket).service(lines);
    }
}

async fn watch<D: Detach>(
    request: &HttpRequest,
    payload: web::Payload,
    fanout: &web::Data<Fanout>,
    signals: Signals,
) -> HttpResponse {
    match upgrade::<D>(request, payload.into_inner(), fanout, signals).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(),
    }
}

async fn only_get() -> HttpResponse {
    let text = "this is a WebSocket endpoint: GET with an upgrade, or nothing";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text)
        .with_header(header::ALLOW, HeaderValue::from_static("GET"))
        .response()
}

async fn upgrade<D: Detach>(
    request: &HttpRequest,
    payload: dev::Payload,
    fanout: &Fanout,
    signals: Signals,
) -> Result<HttpResponse, Refusal> {
    let (pass, query) = admit(request, fanout, signals)?;
    let mut subscription = subscribe(fanout, pass, query)?;
    let compression = fanout.hub.config().compression;
    let Handshake { response, deflate } = shake_hands(request, compression)
        .await
        .inspect_err(|_| fanout.hub.turned_away(TurnedAway::Handshake))?;
    if deflate {
        subscription.accept_compressed();
    }
    let connection = connection::<D>(request)?;
    actix_web::rt::spawn(attend(connection.detach(), payload, subscription));
    Ok(response)
}

/// Asks the gate, and reads what the request asks for.
fn admit(
    request: &HttpRequest,
    fanout: &Fanout,
    signals: Signals,
) -> Result<(Pass, Query), Refusal> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let pass = fanout.gate.admit(request.head(), peer)?;
    let query = Query::parse(signals, request.query_string(), fanout.hub.config());
    let query = query.inspect_err(|_| fanout.hub.turned_away(TurnedAway::Query))?;
    Ok((pass, query))
}

fn subscribe(fanout: &Fanout, pass: Pass, query: Query) -> Result<Subscription, Refusal> {
    let subscription = fanout.hub.subscribe(query).map_err(|error| {
        fanout.hub.turned_away(error.into());
        unavailable(error)
    })?;
    Ok(subscription.under(pass))
}

/// The connection under a request.
fn connection<D: Detach>(request: &HttpRequest) -> Result<D, Refusal> {
    request.conn_data::<D>().cloned().ok_or_else(|| {
        tracing::error!("the connection cannot be detached; is this route on another server?");
        let text = "this server cannot serve watchers here";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    })
}

/// The task of one client, from the moment that its 101 is on its way.
async fn attend<Io>(socket: Detaching<Io>, payload: dev::Payload, subscription: Subscription)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    if let Some((io, early)) = take_socket(socket, payload).await {
        serve(io, early, subscription).await;
    }
}

/// Waits for the socket, while it takes what the client sends too early.
async fn take_socket<Io>(mut socket: Detaching<Io>, payload: dev::Payload) -> Option<(Io, Bytes)> {
    let mut early = BytesMut::new();
    let mut payload = pin!(payload);
    let mut payload_ended = false;
    poll_fn(|cx| {
        let io = socket.as_mut().poll(cx);
        while !payload_ended {
            match payload.as_mut().poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(bytes))) => early.extend_from_slice(&bytes),
                // The dispatcher was told that the stream has ended.
                Poll::Ready(None | Some(Err(_))) => payload_ended = true,
            }
            if early.len() > EARLY_BYTES {
                return Poll::Ready(None);
            }
        }
        io.map(|io| io.map(|io| (io, std::mem::take(&mut early).freeze())))
    })
    .await
}

fn unavailable(error: SubscribeError) -> Refusal {
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    match error {
        SubscribeError::TooMany { .. }
        | SubscribeError::TooManyViews { .. }
        | SubscribeError::Closed => {
            refusal.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::observer::NoObserver;
    use crate::view::ViewKey;

    /// Scenario: the task of a client on a TCP socket, which is all that an idle one holds.
    /// Guarantees: it stays under 1.25 KB, so that with its socket and its place in the log an
    /// idle client is under 2 KB.
    #[tokio::test]
    async fn an_idle_client_is_small() {
        let hub = Hub::new(FanoutConfig::default(), Arc::new(NoObserver));
        let subscription = hub.subscribe(ViewKey::of(Signal::Metrics)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let io = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let again = hub.subscribe(ViewKey::of(Signal::Metrics)).unwrap();
        let none = Box::pin(async { None::<TcpStream> });
        let of_lines = size_of_val(&stream::attend(none, true, again));
        let socket = Box::pin(async { Some(io) });
        let size = size_of_val(&attend(socket, dev::Payload::None, subscription));
        assert!(size < 1280 && of_lines < 1280, "{size}, {of_lines} bytes");
    }
}
