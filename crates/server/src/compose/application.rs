//! The application of a worker: every route, behind the rules that hold for every request.

use std::net::IpAddr;
use std::sync::Arc;

use actix_service::ServiceFactory;
use actix_web::body::BoxBody;
use actix_web::dev::{RequestHead, Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};
use actix_web::{App, HttpResponse};
use ingest::{Code, IngestError, Reason, Receiver, RequestId, X_REQUEST_ID, count_refusal, status};
use tracing::debug;

use super::exchange::Exchange;
use super::{Handle, Parts, Serves, client};
use crate::cors::Cors;
use crate::gate::Rules;
use crate::pages;

/// The routes of all crates, behind the rules that hold for every request.
pub(super) fn application(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let Parts {
        receiver,
        fanout,
        rules,
        cors,
        base_path,
        serves,
        about,
        metrics,
        counters,
        connections,
        draining,
        routes,
        ..
    } = parts;
    let own = (serves == Serves::Everything).then(|| receiver.clone());
    App::new()
        .wrap_fn(move |mut request, next| {
            counters.request();
            let counters = Arc::clone(&counters);
            let exchange = Exchange::begin(&mut request);
            let moved = base_path.as_ref().and_then(|base| base.route(&mut request));
            let page = cors.judge(request.head());
            let refused = client::identify(&connections, &mut request, &exchange)
                .or_else(|| refusal(&rules, request.head()));
            let at_once = refused
                .map(|refused| refused.counted(own.as_ref(), request.head(), peer(request.head())))
                .or_else(|| cors.preflight(request.head(), &page))
                .or(moved);
            let answer = match at_once {
                Some(response) => Answer::Given(request.into_response(response)),
                None => Answer::Handled(next.call(request)),
            };
            async move {
                let mut response = match answer {
                    Answer::Given(response) => response,
                    Answer::Handled(response) => response.await?,
                };
                Cors::mark(page, response.headers_mut());
                counters.response(response.status());
                let (status, route) = (response.status(), response.request().match_pattern());
                name(status, response.headers_mut(), route.as_deref());
                Ok(exchange.answer(response))
            }
        })
        .configure(|cfg| {
            if serves == Serves::Everything {
                ingest::configure(cfg, receiver);
                fanout::configure::<Handle>(cfg, fanout);
                routes(cfg);
                pages::configure_viewer(cfg, &about);
            }
        })
        .configure(|cfg| pages::configure(cfg, metrics.as_ref(), draining))
}

/// Gives an error's answer an id, unless it has one, and tells it to the log. Of the path only the
/// route is told, which no client chooses.
pub(super) fn name(status: StatusCode, headers: &mut HeaderMap, route: Option<&str>) {
    let header = HeaderName::from_static(X_REQUEST_ID);
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || headers.contains_key(&header) {
        return;
    }
    let id = RequestId::next();
    debug!(request = %id, route, status = status.as_u16(), "answered with an error");
    headers.insert(header, id.header());
}

/// How a request is answered: at once, or by its handler.
enum Answer<F> {
    Given(ServiceResponse<BoxBody>),
    Handled(F),
}

/// Whom a request is from, as far as is known.
pub(super) fn peer(head: &RequestHead) -> Option<IpAddr> {
    head.peer_addr.map(|peer| peer.ip())
}

/// A request that no handler may see.
pub(super) struct Refused {
    /// What it is answered.
    pub(super) response: HttpResponse,
    /// What it is counted as, if it was one to export.
    pub(super) reason: Reason,
}

impl Refused {
    /// The answer, counted and with its id, if the request was to `receiver`; `sender` has sent it.
    pub(super) fn counted(
        self,
        receiver: Option<&Receiver>,
        head: &RequestHead,
        sender: Option<IpAddr>,
    ) -> HttpResponse {
        let Self {
            mut response,
            reason,
        } = self;
        let path = head.uri.path();
        let id = receiver.and_then(|receiver| count_refusal(receiver, path, sender, reason));
        if let Some(id) = id {
            let header = HeaderName::from_static(X_REQUEST_ID);
            response.headers_mut().insert(header, id.header());
        }
        response
    }
}

/// Refuses what breaks the rules.
pub(super) fn refusal(rules: &Rules, request: &RequestHead) -> Option<Refused> {
    if let Err(refusal) = rules.check_host(request) {
        let code = match refusal.status() {
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            _ => Code::InvalidArgument,
        };
        let (status, text) = (refusal.status(), refusal.message());
        let mut response = status::answer_with(request.headers(), status, code, text);
        for (name, value) in refusal.headers() {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        let reason = Reason::Forbidden;
        return Some(Refused { response, reason });
    }
    let upgrades = ingest::asks_for_websocket(request.headers());
    (upgrades && !may_upgrade(request)).then(|| {
        let error = IngestError::Upgrade;
        Refused {
            response: status::answer(request.headers(), &error),
            reason: error.reason(),
        }
    })
}

/// Whether an upgrade makes sense: there is WebSocket at the path, and the request has no body.
/// actix takes what follows an upgrade for a body without an end.
fn may_upgrade(request: &RequestHead) -> bool {
    let headers = request.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    pages::is_watched(request.uri.path()) && !has_body
}
