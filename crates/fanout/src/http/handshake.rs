//! The WebSocket handshake (RFC 6455 section 4.2), and what is agreed on in it.

use actix_web::body::BoxBody;
use actix_web::dev;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use crate::deflate;
use crate::gate::SUBPROTOCOL;
use crate::refusal::Refusal;

/// A handshake that succeeded.
pub(super) struct Handshake {
    /// The 101, with an empty body.
    pub(super) response: HttpResponse,
    /// Whether messages may be compressed from now on.
    pub(super) deflate: bool,
}

/// Judges a handshake; permessage-deflate is agreed on if `compression` is allowed.
pub(super) async fn shake_hands(
    request: &HttpRequest,
    compression: bool,
) -> Result<Handshake, Refusal> {
    check(request)?;
    let extension = match compression {
        true => {
            let offers = request.headers().get_all(header::SEC_WEBSOCKET_EXTENSIONS);
            deflate::negotiate(offers.map(HeaderValue::as_bytes)).map_err(bad)?
        }
        false => None,
    };
    // The real payload is kept: it is where bytes sent too early are.
    let nothing = web::Payload::from_request(request, &mut dev::Payload::None)
        .await
        .map_err(bad)?;
    let (response, _, _) = actix_ws::handle_with_protocols(request, nothing, &[SUBPROTOCOL])
        .map_err(|error| bad(format!("the WebSocket handshake: {error}")))?;
    let mut response = response.set_body(BoxBody::new(()));
    if let Some(extension) = extension {
        let value = HeaderValue::from_static(extension);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_EXTENSIONS, value);
    }
    Ok(Handshake {
        response,
        deflate: extension.is_some(),
    })
}

/// What actix doesn't check, or answers otherwise (section 4.2.1).
fn check(request: &HttpRequest) -> Result<(), Refusal> {
    let headers = request.headers();
    // One protocol and nothing else: the HTTP layer takes only that for an upgrade, and would
    // go on reading requests behind any other.
    if !one(headers, &header::UPGRADE).is_some_and(|it| it.eq_ignore_ascii_case(b"websocket")) {
        return Err(upgrade_required(
            "this is a WebSocket endpoint: connect to it with a WebSocket client, \
             for example `websocat ws://HOST:PORT/ws/metrics`, or take lines over plain HTTP from \
             /stream/metrics",
        ));
    }
    if request.version() < Version::HTTP_11 {
        return Err(bad("the WebSocket handshake: HTTP/1.1 is needed"));
    }
    if one(headers, &header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return Err(upgrade_required(
            "only version 13 of the WebSocket protocol is spoken here",
        ));
    }
    if one(headers, &header::SEC_WEBSOCKET_KEY).is_none() {
        return Err(bad(
            "the WebSocket handshake: one Sec-WebSocket-Key is needed",
        ));
    }
    Ok(())
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

fn bad(problem: impl ToString) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, problem.to_string())
}

fn upgrade_required(text: &str) -> Refusal {
    // RFC 9110 section 15.5.22 and RFC 6455 section 4.4.
    Refusal::new(StatusCode::UPGRADE_REQUIRED, text)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        )
}
