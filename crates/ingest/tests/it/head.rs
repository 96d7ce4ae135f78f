//! Everything that is decided by a request's head, and by the sink.

use ingest::{IngestConfig, Refused};

use crate::client::{
    Client, JSON, JSON_BODY, PROTOBUF, PROTOBUF_BODY, exchange, head, post, request,
};
use crate::recorder::Event;
use crate::server::{Server, Setup};

/// Scenario: every method but POST, with a media type that would be refused as well.
/// Guarantees: 405 with Allow, before the type is looked at.
#[test]
fn methods() {
    let server = Server::start();
    let headers = [("Content-Type", "text/plain")];
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"] {
        let answer = exchange(
            &server,
            request(method, "/v1/metrics", &headers, Some(b"x")),
        );
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.failure(JSON).code, 12);
        assert_eq!(server.event(), Event::Refused("method"));
    }
}

/// Scenario: HEAD.
/// Guarantees: the head of the answer to GET, and no body before the next answer.
#[test]
fn head_has_no_body() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.send(&head("HEAD", "/v1/metrics", &[]));
    let answer = client.answer_head();
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    client.send(&post(&[("Content-Type", JSON)], b"{}"));
    assert_eq!(client.answer().status, 200);
}

/// Scenario: no media type, unknown ones, and two.
/// Guarantees: 415 with a JSON status.
#[test]
fn unknown_types() {
    let server = Server::start();
    for headers in [
        vec![],
        vec![("Content-Type", "")],
        vec![("Content-Type", "text/plain")],
        vec![("Content-Type", "application/protobuf")],
        vec![("Content-Type", "application/grpc")],
        vec![("Content-Type", JSON), ("Content-Type", JSON)],
    ] {
        let answer = exchange(&server, post(&headers, JSON_BODY));
        assert_eq!(answer.status, 415, "{headers:?}");
        assert_eq!(answer.failure(JSON).code, 3);
        assert_eq!(server.event(), Event::Refused("content_type"));
    }
}

/// Scenario: the same with a lenient receiver, without and with an Origin.
/// Guarantees: an unknown type is protobuf, in the answer too; but not if a web page may be
/// behind the request.
#[test]
fn lenient_types() {
    let server = Server::with(Setup {
        config: IngestConfig {
            lenient_content_type: true,
            ..IngestConfig::default()
        },
        ..Setup::default()
    });
    for mut headers in [vec![], vec![("Content-Type", "text/plain;charset=UTF-8")]] {
        let answer = exchange(&server, post(&headers, PROTOBUF_BODY));
        assert_eq!(answer.status, 200, "{headers:?}");
        assert_eq!(answer.header("content-type"), Some(PROTOBUF));
        let answer = exchange(&server, post(&headers, JSON_BODY));
        assert_eq!(answer.status, 400, "{headers:?}");
        assert_eq!(answer.failure(PROTOBUF).code, 3);
        for origin in ["http://evil.example", "null", ""] {
            headers.push(("Origin", origin));
            let answer = exchange(&server, post(&headers, PROTOBUF_BODY));
            assert_eq!(answer.status, 415, "{headers:?}");
            answer.failure(JSON);
            headers.pop();
        }
    }
    let named = [("Content-Type", JSON), ("Origin", "http://app.example")];
    assert_eq!(exchange(&server, post(&named, JSON_BODY)).status, 200);
    assert_eq!(server.exports().len(), 3);
}

/// Scenario: no credentials, wrong ones, insufficient ones, right ones, the right ones twice. No
/// body is sent with those that are refused.
/// Guarantees: 401 and 403 come before the body is read.
#[test]
fn credentials() {
    let server = Server::with(Setup {
        token: Some(b"Bearer secret"),
        ..Setup::default()
    });
    let base = [("Content-Type", PROTOBUF), ("Content-Length", "31")];
    for (credentials, status, code, reason) in [
        (vec![], 401, 16, "unauthenticated"),
        (vec!["Bearer wrong"], 401, 16, "unauthenticated"),
        (vec!["Bearer secret"; 2], 401, 16, "unauthenticated"),
        (vec!["Bearer guest"], 403, 7, "forbidden"),
    ] {
        let credentials = credentials.iter().map(|value| ("Authorization", *value));
        let headers: Vec<_> = base.into_iter().chain(credentials).collect();
        let mut client = Client::connect(&server);
        client.send(&head("POST", "/v1/metrics", &headers));
        let answer = client.answer();
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.failure(PROTOBUF).code, code);
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert_eq!(server.event(), Event::Refused(reason));
    }
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Authorization", "Bearer secret"),
    ];
    assert_eq!(exchange(&server, post(&headers, PROTOBUF_BODY)).status, 200);
}

/// Scenario: a WebSocket handshake on a path that takes telemetry.
/// Guarantees: a plain 400.
#[test]
fn websocket_upgrade() {
    let server = Server::start();
    let headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut client = Client::connect(&server);
    client.send(&head("GET", "/v1/metrics", &headers));
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.failure(JSON).code, 3);
    assert_eq!(server.event(), Event::Refused("upgrade"));
}

/// Scenario: a sink that holds too much, and one that is shutting down.
/// Guarantees: 503 with Retry-After in whole seconds, at least 1, in both encodings.
#[test]
fn the_sink_refuses() {
    for (refused, retry_after, reason) in [
        (Refused::too_many_bytes(7), "7", "too_many_bytes"),
        (Refused::draining(0), "1", "draining"),
    ] {
        let server = Server::with(Setup {
            refuse: Some(refused),
            ..Setup::default()
        });
        for (content_type, body) in [(PROTOBUF, PROTOBUF_BODY), (JSON, JSON_BODY)] {
            let answer = exchange(&server, post(&[("Content-Type", content_type)], body));
            assert_eq!(answer.status, 503);
            assert_eq!(answer.header("retry-after"), Some(retry_after));
            assert_eq!(answer.failure(content_type).code, 14);
            assert_eq!(server.event(), Event::Refused(reason));
        }
    }
}

/// Scenario: the same request in both encodings.
/// Guarantees: one form arrives, and the observer hears its items and its length.
#[test]
fn one_form_arrives() {
    let server = Server::start();
    for (content_type, body) in [(PROTOBUF, PROTOBUF_BODY), (JSON, JSON_BODY)] {
        let answer = exchange(&server, post(&[("Content-Type", content_type)], body));
        assert_eq!(answer.status, 200);
        let (items, bytes) = (1, PROTOBUF_BODY.len());
        assert_eq!(server.event(), Event::Accepted { items, bytes });
    }
    let exports = server.exports();
    assert_eq!(exports[0], exports[1]);
    assert_eq!(exports[0].wire, PROTOBUF_BODY);
}
