//! Clients that ask before they send a body (`Expect: 100-continue`; RFC 9110, section 10.1.1).
//!
//! actix says `100 Continue` before the application sees a request. What can be refused for its
//! head is refused here instead; the application judges it again when it comes that far.

use std::net::IpAddr;

use actix_http::{Request, Response};
use actix_service::{ServiceFactory, fn_service};
use actix_web::body::BoxBody;
use actix_web::{HttpMessage, HttpResponse};
use ingest::{hold_unread, refuse_by_head};

use super::application::refusal;
use super::{Handle, Parts, client};
use crate::conn::Crowded;
use crate::cors::Cors;

/// Lets those requests pass that may send their bodies.
pub(super) fn judging(
    parts: Parts,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Request,
    Error = Response<BoxBody>,
    InitError = (),
> {
    fn_service(move |mut request: Request| {
        let base = parts.base_path.as_ref();
        if let Some(uri) = base.and_then(|base| base.strip(request.uri())) {
            request.head_mut().uri = uri;
        }
        let judged = match refused(&parts, &request) {
            Some(response) => {
                parts.counters.request();
                parts.counters.response(response.status());
                Err(answer(request, response))
            }
            None => Ok(request),
        };
        async { judged }
    })
}

fn refused(parts: &Parts, request: &Request) -> Option<HttpResponse> {
    let head = request.head();
    let page = parts.cors.judge(head);
    let mut response = refusal(&parts.rules, head).or_else(|| match sender(parts, request) {
        Ok(sender) => refuse_by_head(&parts.receiver, head, sender),
        Err(Crowded) => Some(client::crowded(head.headers())),
    })?;
    Cors::mark(page, response.headers_mut());
    Some(response)
}

/// Who has sent it. It is counted when the application sees it.
fn sender(parts: &Parts, request: &Request) -> Result<Option<IpAddr>, Crowded> {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else {
        return Ok(None);
    };
    let way = client::way(request.headers());
    let client = parts.connections.client(peer, way)?;
    Ok(Some(client.map_or(peer, |(client, _)| client)))
}

/// An answer in the place of the 100.
fn answer(mut request: Request, response: HttpResponse) -> Response<BoxBody> {
    if let Some(connection) = request.conn_data::<Handle>() {
        connection.request_begins();
        connection.answer_ended();
    }
    hold_unread(response, request.take_payload()).into()
}
