//! More than there is room for, and bodies that take too long.

use std::time::{Duration, Instant};

use ingest::IngestConfig;

use crate::client::{Client, JSON, PROTOBUF, PROTOBUF_BODY, exchange, head, post};
use crate::compression::gzip;
use crate::recorder::Event;
use crate::server::{PATIENCE, Server, Setup};

const PB: (&str, &str) = ("Content-Type", PROTOBUF);

fn server(config: IngestConfig) -> Server {
    Server::with(Setup {
        config,
        ..Setup::default()
    })
}

/// Waits until so many requests are in flight.
fn wait_for_requests(server: &Server, count: usize) {
    let begin = Instant::now();
    while server.budget.requests() != count {
        assert!(
            begin.elapsed() < PATIENCE,
            "{} in flight",
            server.budget.requests()
        );
        std::thread::yield_now();
    }
}

/// Scenario: two requests whose bodies are yet to come, where two may be in flight; a third.
/// Guarantees: the third is told to come again, before its body is read; the two get their 200,
/// and then there is room.
#[test]
fn requests_in_flight_are_bounded() {
    let server = server(IngestConfig {
        max_requests: 2,
        ..IngestConfig::default()
    });
    let length = PROTOBUF_BODY.len().to_string();
    let request = head("POST", "/v1/metrics", &[PB, ("Content-Length", &length)]);
    let mut waiting = [Client::connect(&server), Client::connect(&server)];
    for client in &mut waiting {
        client.send(&request);
    }
    wait_for_requests(&server, 2);
    let mut third = Client::connect(&server);
    third.send(&head(
        "POST",
        "/v1/metrics",
        &[PB, ("Content-Length", "1000000")],
    ));
    let refused = third.answer();
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(refused.failure(PROTOBUF).code, 14);
    assert_eq!(server.event(), Event::Refused("overloaded"));
    for client in &mut waiting {
        client.send(PROTOBUF_BODY);
        assert_eq!(client.answer().status, 200);
    }
    // What a request took is free before its answer is sent.
    assert_eq!((server.budget.requests(), server.budget.bytes()), (0, 0));
    assert_eq!(exchange(&server, post(&[PB], PROTOBUF_BODY)).status, 200);
}

/// Scenario: bodies that would hold more than all requests together may: plain, inflated, and
/// JSON with its protobuf form.
/// Guarantees: 503 as soon as that shows, and what was taken is free again.
#[test]
fn bytes_in_flight_are_bounded() {
    const BYTES: usize = 100_000;
    let server = server(IngestConfig {
        max_requests_bytes: BYTES,
        ..IngestConfig::default()
    });
    let zeros = vec![0; BYTES + 1];
    let spaces = [&vec![b' '; BYTES * 2 / 3][..], b"{}"].concat();
    for (content_type, coding, body) in [
        (PROTOBUF, "identity", zeros.clone()),
        (PROTOBUF, "gzip", gzip(&zeros)),
        (JSON, "identity", spaces),
    ] {
        let headers = [("Content-Type", content_type), ("Content-Encoding", coding)];
        let answer = exchange(&server, post(&headers, &body));
        assert_eq!(answer.status, 503, "{content_type}, {coding}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(server.event(), Event::Refused("overloaded"));
        assert_eq!((server.budget.requests(), server.budget.bytes()), (0, 0));
    }
    assert_eq!(exchange(&server, post(&[PB], PROTOBUF_BODY)).status, 200);
}

/// Scenario: a body of which the first bytes come, and no more.
/// Guarantees: 408 once it has taken longer than a body may, and its place is free.
#[test]
fn slow_bodies_end() {
    let server = server(IngestConfig {
        body_timeout: Duration::from_millis(200),
        ..IngestConfig::default()
    });
    let mut client = Client::connect(&server);
    client.send(&head(
        "POST",
        "/v1/metrics",
        &[PB, ("Content-Length", "1000000")],
    ));
    client.send(&[0; 1000]);
    let answer = client.answer();
    assert_eq!(answer.status, 408);
    assert_eq!(answer.failure(PROTOBUF).code, 8);
    assert_eq!(server.event(), Event::Refused("slow_body"));
    assert_eq!((server.budget.requests(), server.budget.bytes()), (0, 0));
}

/// Scenario: chunked bodies whose extension of a chunk, or trailer, never ends: a byte of it at a
/// time, for as long as the connection lives.
/// Guarantees: 408 once it has taken longer than a body may; nothing of it is kept.
#[test]
fn endless_extensions_and_trailers_end() {
    for begin in ["2;name=", "0\r\nName: "] {
        let server = server(IngestConfig {
            body_timeout: Duration::from_millis(200),
            max_requests_bytes: 1,
            ..IngestConfig::default()
        });
        let mut client = Client::connect(&server);
        let chunked = ("Transfer-Encoding", "chunked");
        client.send(&head("POST", "/v1/metrics", &[PB, chunked]));
        client.send(begin.as_bytes());
        client.send_in_background_until_closed(vec![b'x'; 1000]);
        let answer = client.answer();
        assert_eq!(answer.status, 408, "{begin:?}");
        assert_eq!(server.event(), Event::Refused("slow_body"));
        assert_eq!((server.budget.requests(), server.budget.bytes()), (0, 0));
    }
}
