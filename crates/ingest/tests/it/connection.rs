//! Bodies in transit: chunked, cut off, malformed, refused before their end.

use std::time::Duration;

use crate::client::{Client, JSON, JSON_BODY, PROTOBUF, PROTOBUF_BODY, head, post};
use crate::compression::gzip;
use crate::recorder::Event;
use crate::server::{Server, Setup};

const CHUNKED: (&str, &str) = ("Transfer-Encoding", "chunked");

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// Scenario: a chunked body of one byte a chunk, plain and gzip.
/// Guarantees: accepted without a Content-Length; the connection stays open for the next.
#[test]
fn chunked_bodies() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    for (coding, body) in [
        ("identity", PROTOBUF_BODY),
        ("gzip", &gzip(PROTOBUF_BODY)[..]),
    ] {
        let headers = [
            ("Content-Type", PROTOBUF),
            ("Content-Encoding", coding),
            CHUNKED,
        ];
        let mut request = head("POST", "/v1/metrics", &headers);
        body.chunks(1).for_each(|byte| request.extend(chunk(byte)));
        request.extend(chunk(b""));
        client.send(&request);
        assert_eq!(client.answer().status, 200, "{coding}");
    }
    assert_eq!(server.exports()[0], server.exports()[1]);
}

/// Scenario: good and bad requests one after another on one connection.
/// Guarantees: a refusal of a body that was read keeps the connection open.
#[test]
fn connections_are_kept() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    for (method, content_type, body, status) in [
        ("POST", JSON, JSON_BODY, 200),
        ("POST", JSON, PROTOBUF_BODY, 400),
        ("GET", JSON, b"", 405),
        ("POST", PROTOBUF, PROTOBUF_BODY, 200),
    ] {
        let length = body.len().to_string();
        let headers = [("Content-Type", content_type), ("Content-Length", &length)];
        client.send(&head(method, "/v1/metrics", &headers));
        client.send(body);
        let answer = client.answer();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("connection"), None);
    }
}

/// Scenario: a Content-Length over the limit, and not one byte of the body.
/// Guarantees: 413 at once; the connection is closed, as the rest is not wanted.
#[test]
fn announced_too_long() {
    let server = Server::with(Setup::with_limit(1000));
    for length in ["1001", "18446744073709551615"] {
        let mut client = Client::connect(&server);
        let headers = [("Content-Type", PROTOBUF), ("Content-Length", length)];
        client.send(&head("POST", "/v1/metrics", &headers));
        let answer = client.answer();
        assert_eq!(answer.status, 413, "{length}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.failure(PROTOBUF).code, 8);
        client.finish();
        assert_eq!(client.rest(), b"");
        assert_eq!(server.event(), Event::Refused("body_too_large"));
    }
}

/// Scenario: chunked bodies that are refused by their head, and by their length on the way, and
/// whose client sends on for a while before it reads.
/// Guarantees: the client can go on sending without an error, and then sees the answer.
#[test]
fn early_refusals_reach_the_client() {
    let server = Server::with(Setup::with_limit(1000));
    let data = chunk(&[0; 700]);
    for (content_type, answer_in, status) in [("text/plain", JSON, 415), (PROTOBUF, PROTOBUF, 413)]
    {
        let mut client = Client::connect(&server);
        let headers = [("Content-Type", content_type), CHUNKED];
        client.send(&head("POST", "/v1/metrics", &headers));
        for _ in 0..50 {
            client.send(&data);
        }
        let answer = client.answer();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("connection"), Some("close"));
        answer.failure(answer_in);
        client.send(&data);
        client.finish();
        assert_eq!(client.rest(), b"");
    }
}

/// Scenario: a chunked body that is refused and never ends.
/// Guarantees: the server closes the connection instead of reading for as long as it comes.
#[test]
fn endless_uploads_are_cut_off() {
    /// 64 GiB: more than a connection can carry in the second for which the server reads on.
    const MANY: usize = 1 << 20;
    let server = Server::with(Setup {
        linger: Duration::from_secs(1),
        ..Setup::default()
    });
    let mut client = Client::connect(&server);
    let headers = [("Content-Type", "text/plain"), CHUNKED];
    client.send(&head("POST", "/v1/metrics", &headers));
    assert_eq!(client.answer().status, 415);
    let data = chunk(&[0; 1 << 16]);
    assert!((0..MANY).any(|_| client.try_send(&data).is_err()));
}

/// Scenario: a length of a chunk that is no number, at once and after a good chunk.
/// Guarantees: 400 with a status.
#[test]
fn malformed_chunks() {
    let server = Server::start();
    for good in [&b""[..], &chunk(b"x")] {
        let mut client = Client::connect(&server);
        let headers = [("Content-Type", JSON), CHUNKED];
        client.send(&head("POST", "/v1/metrics", &headers));
        client.send(&[good, b"nonsense\r\n"].concat());
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.failure(JSON).code, 3);
        assert_eq!(server.event(), Event::Refused("incomplete_body"));
    }
}

/// Scenario: a client stops in the middle of a body, of either framing, and closes its side.
/// Guarantees: 400, counted once; nothing reaches the sink, even if what came is valid.
#[test]
fn half_sent_bodies() {
    let server = Server::start();
    let whole = post(&[("Content-Type", JSON)], b"{}        ");
    let mut chunked = head("POST", "/v1/metrics", &[("Content-Type", JSON), CHUNKED]);
    chunked.extend(chunk(b"{}"));
    for half in [&whole[..whole.len() - 1], &chunked] {
        let mut client = Client::connect(&server);
        client.send(half);
        client.finish();
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.failure(JSON).code, 3);
        assert_eq!(server.event(), Event::Refused("incomplete_body"));
    }
    assert!(server.exports().is_empty());
}

/// Scenario: a client resets the connection before its body: by closing it with something unread,
/// the interim answer that it asked for.
/// Guarantees: the request is counted, although actix drops its handler.
#[test]
fn reset_connections() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let headers = [
        ("Content-Type", JSON),
        ("Content-Length", "2"),
        ("Expect", "100-continue"),
    ];
    client.send(&head("POST", "/v1/metrics", &headers));
    client.wait_for_answer();
    drop(client);
    assert_eq!(server.event(), Event::Refused("incomplete_body"));
}

/// Scenario: a client goes away in the middle of a body, and another one comes.
/// Guarantees: the first is counted once, and the second served.
#[test]
fn vanished_clients() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let whole = post(&[("Content-Type", JSON)], JSON_BODY);
    client.send(&whole[..whole.len() - 1]);
    drop(client);
    assert_eq!(server.event(), Event::Refused("incomplete_body"));
    let mut client = Client::connect(&server);
    client.send(&whole);
    assert_eq!(client.answer().status, 200);
    let (items, bytes) = (1, PROTOBUF_BODY.len());
    assert_eq!(server.event(), Event::Accepted { items, bytes });
}
