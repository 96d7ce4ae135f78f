//! The application of a worker: every route, behind the rules that hold for every request.

use std::sync::Arc;

use actix_service::ServiceFactory;
use actix_web::body::BoxBody;
use actix_web::dev::{RequestHead, Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use actix_web::{App, HttpResponse};
use ingest::{Code, IngestError, RequestId, X_REQUEST_ID, status};
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
    App::new()
        .wrap_fn(move |mut request, next| {
            counters.request();
            let counters = Arc::clone(&counters);
            let exchange = Exchange::begin(&mut request);
            let moved = base_path.as_ref().and_then(|base| base.route(&mut request));
            let page = cors.judge(request.head());
            let at_once = client::identify(&connections, &mut request, &exchange)
                .or_else(|| refusal(&rules, request.head()))
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
                name(&mut response);
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
fn name(response: &mut ServiceResponse<BoxBody>) {
    let status = response.status();
    let header = HeaderName::from_static(X_REQUEST_ID);
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().contains_key(&header) {
        return;
    }
    let (id, request) = (RequestId::next(), response.request());
    debug!(
        request = %id,
        route = request.match_pattern(),
        status = status.as_u16(),
        "answered with an error"
    );
    response.headers_mut().insert(header, id.header());
}

/// How a request is answered: at once, or by its handler.
enum Answer<F> {
    Given(ServiceResponse<BoxBody>),
    Handled(F),
}

/// The answer to a request that no handler may see.
pub(super) fn refusal(rules: &Rules, request: &RequestHead) -> Option<HttpResponse> {
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
        return Some(response);
    }
    let upgrades = ingest::asks_for_websocket(request.headers());
    (upgrades && !may_upgrade(request))
        .then(|| status::answer(request.headers(), &IngestError::Upgrade))
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
