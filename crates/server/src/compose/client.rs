//! Who has sent a request, where a trusted proxy stands between.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use ingest::{IngestError, status};

use super::application::Refused;
use super::exchange::Exchange;
use crate::conn::{Connections, Crowded};
use crate::proxies::Way;

/// Seconds after which a client with too many requests in flight may try again.
const RETRY_AFTER: u32 = 1;

/// Gives a request that a trusted proxy has passed on the address of its client, for everybody
/// who asks for it behind here, and counts it for that address. The answer to it if the address
/// has too many.
pub(super) fn identify(
    connections: &Connections,
    request: &mut ServiceRequest,
    exchange: &Exchange,
) -> Option<Refused> {
    let peer = request.peer_addr()?.ip();
    match connections.client(peer, way(request.headers())) {
        Ok(None) => None,
        Ok(Some((client, seat))) => {
            note(client, request);
            exchange.serve(seat);
            None
        }
        Err(Crowded(client)) => {
            note(client, request);
            Some(crowded(request.headers()))
        }
    }
}

/// Notes whose request it is; its port is not known.
fn note(client: IpAddr, request: &mut ServiceRequest) {
    request.head_mut().peer_addr = Some(SocketAddr::new(client, 0));
}

/// The answer to a client that has too much in flight.
pub(super) fn crowded(request: &HeaderMap) -> Refused {
    let error = IngestError::Refused(ingest::Refused::crowded(RETRY_AFTER));
    Refused {
        response: status::answer(request, &error),
        reason: error.reason(),
    }
}

/// What the headers say of the way of a request.
pub(super) fn way(
    headers: &HeaderMap,
) -> Way<impl Iterator<Item = &[u8]>, impl Iterator<Item = &[u8]>> {
    Way {
        forwarded: lines(headers, FORWARDED),
        x_forwarded_for: lines(headers, X_FORWARDED_FOR),
    }
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).map(HeaderValue::as_bytes)
}
