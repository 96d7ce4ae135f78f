//! Reading of request heads.

use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

fn head(headers: &[(HeaderName, &'static str)]) -> HeaderMap {
    let mut head = HeaderMap::new();
    for (name, value) in headers {
        head.append(name.clone(), HeaderValue::from_static(value));
    }
    head
}

/// Scenario: missing and unknown types, strict and lenient, with and without an Origin.
/// Guarantees: lenience ends where a web page may be behind the request, whatever its Origin.
#[test]
fn lenience() {
    let text = (CONTENT_TYPE, "text/plain");
    let origin = (ORIGIN, "http://localhost");
    let null = (ORIGIN, "null");
    for (headers, strict, lenient) in [
        (vec![], None, Some(ContentType::Protobuf)),
        (vec![text.clone()], None, Some(ContentType::Protobuf)),
        (vec![text.clone(), origin.clone()], None, None),
        (vec![text, null], None, None),
        (vec![origin.clone()], None, None),
        (
            vec![(CONTENT_TYPE, "application/json"), origin],
            Some(ContentType::Json),
            Some(ContentType::Json),
        ),
    ] {
        let headers = head(&headers);
        assert_eq!(content_type(&headers, false), strict, "{headers:?}");
        assert_eq!(content_type(&headers, true), lenient, "{headers:?}");
    }
}

/// Scenario: Upgrade headers.
/// Guarantees: WebSocket is found in any case and among others; HTTP/2 is no reason to refuse.
#[test]
fn upgrades() {
    for value in ["websocket", "WebSocket", "h2c, websocket", " websocket ,x"] {
        assert!(asks_for_websocket(&head(&[(UPGRADE, value)])), "{value}");
    }
    assert!(asks_for_websocket(&head(&[
        (UPGRADE, "h2c"),
        (UPGRADE, "websocket")
    ])));
    assert!(!asks_for_websocket(&head(&[])));
    assert!(!asks_for_websocket(&head(&[(UPGRADE, "h2c")])));
}

/// Scenario: Content-Length headers.
/// Guarantees: a length beyond 64 bits is not taken for none.
#[test]
fn lengths() {
    assert_eq!(content_length(&head(&[])), None);
    assert_eq!(content_length(&head(&[(CONTENT_LENGTH, "12")])), Some(12));
    let huge = head(&[(CONTENT_LENGTH, "99999999999999999999999")]);
    assert_eq!(content_length(&huge), Some(u64::MAX));
}

/// Scenario: no, one and two Authorization headers.
/// Guarantees: two are worth as much as none.
#[test]
fn repeated_credentials() {
    let authorization = |head: &HeaderMap| only(values(head, AUTHORIZATION)).map(<[u8]>::to_vec);
    assert_eq!(authorization(&head(&[])), None);
    let one = head(&[(AUTHORIZATION, "Bearer a")]);
    assert_eq!(authorization(&one).unwrap(), b"Bearer a");
    let two = head(&[(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer b")]);
    assert_eq!(authorization(&two), None);
}
