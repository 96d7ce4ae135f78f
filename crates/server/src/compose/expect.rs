//! Clients that ask before they send a body (`Expect: 100-continue`; RFC 9110, section 10.1.1).
//!
//! actix says `100 Continue` before the application sees a request. What can be refused for its
//! head is refused here instead; the application judges it again when it comes that far.

use std::net::IpAddr;

use actix_http::{Payload, Request, Response};
use actix_service::{ServiceFactory, fn_service};
use actix_web::body::BoxBody;
use actix_web::{HttpMessage, HttpResponse};
use ingest::{hold_unread, refuse_by_head};

use super::application::{Refused, name, peer, refusal};
use super::{Handle, Parts, Serves, client};
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
        let stripped = base.and_then(|base| base.strip(request.uri()));
        // The application takes the prefix off by itself.
        let asked = stripped.map(|uri| std::mem::replace(&mut request.head_mut().uri, uri));
        let refused = refused(&parts, &request);
        if let Some(uri) = asked {
            request.head_mut().uri = uri;
        }
        let judged = match refused {
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
    let receiver = (parts.serves == Serves::Everything).then_some(&parts.receiver);
    let counted = |refused: Refused, sender| refused.counted(receiver, head, sender);
    let refused = refusal(&parts.rules, head).map(|refused| counted(refused, peer(head)));
    let mut response = refused.or_else(|| match sender(parts, request) {
        Ok(sender) => refuse_by_head(receiver?, head, sender),
        Err(Crowded(client)) => Some(counted(client::crowded(head.headers()), Some(client))),
    })?;
    Cors::mark(page, response.headers_mut());
    let status = response.status();
    // No route has been looked for.
    name(status, response.headers_mut(), None);
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
    let payload = request.take_payload();
    if let Some(connection) = request.conn_data::<Handle>() {
        connection.request_begins();
        if matches!(payload, Payload::None) {
            connection.no_body();
        }
        connection.answer_ended();
    }
    hold_unread(response, payload).into()
}
