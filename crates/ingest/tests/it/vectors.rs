//! The shared HTTP cases of `tests/data/otlp-http-cases.jsonl` that concern metrics.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::client::{Client, JSON, PROTOBUF, PROTOBUF_BODY, exchange, post, request};
use crate::server::{Server, Setup};

const CASES: &str = include_str!("../data/otlp-http-cases.jsonl");

/// Cases that are not run from the file, and why.
const NOT_FROM_THE_FILE: &[(&str, &str)] = &[
    ("size.gzip-bomb", "generated, in hostile.rs"),
    ("size.at-limit", "generated, below"),
    (
        "path.wrong-signal",
        "not metrics; run by `server`, in its e2e tests",
    ),
    (
        "partial",
        "of a server that refuses a good point; ours refuses bad ones, in hostile.rs",
    ),
    (
        "cors.preflight",
        "answered by `server`, run in its e2e tests",
    ),
];

/// Scenario: every case of the file but those above.
/// Guarantees: status, content type, body and Allow are as the case says.
#[test]
fn shared_cases() {
    let server = Server::start();
    let mut left: Vec<&str> = NOT_FROM_THE_FILE.iter().map(|(id, _)| *id).collect();
    let mut run = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        if left.contains(&id) {
            left.retain(|known| *known != id);
        } else {
            check(&server, id, &case);
            run += 1;
        }
    }
    assert_eq!(left, [""; 0], "not in the file");
    assert!(run >= 23, "{run}");
}

fn check(server: &Server, id: &str, case: &Value) {
    let method = case["method"].as_str().unwrap();
    let path = case["path"].as_str().unwrap();
    let headers = case["headers"].as_object().unwrap().iter();
    let headers: Vec<(&str, &str)> = headers
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let body = case["body_b64"].as_str();
    let body = body.map(|body| STANDARD.decode(body).unwrap());
    let mut client = Client::connect(server);
    client.send(&request(method, path, &headers, body.as_deref()));
    let answer = if method == "HEAD" {
        client.answer_head()
    } else {
        client.answer()
    };

    let expected = &case["expect"];
    let statuses = expected["status"].as_array().unwrap();
    assert!(statuses.contains(&answer.status.into()), "{id}: {answer:?}");
    if let Some(content_type) = expected["content_type"].as_str() {
        assert_eq!(answer.header("content-type"), Some(content_type), "{id}");
    }
    if let Some(allow) = expected["allow"].as_str() {
        assert_eq!(answer.header("allow"), Some(allow), "{id}");
    }
    let content_type = answer.header("content-type").unwrap();
    match (answer.status, content_type) {
        (200, PROTOBUF) => assert_eq!(answer.header("content-length"), Some("0"), "{id}"),
        (200, _) => assert_eq!(answer.body, b"{}", "{id}"),
        _ if method == "HEAD" => {
            client.finish();
            assert_eq!(client.rest(), b"", "{id}");
        }
        _ => {
            let failure = answer.failure(content_type);
            assert!(!failure.message.is_empty(), "{id}");
        }
    }
}

/// Scenario: case `size.at-limit`: a valid request, padded by an unknown field to exactly the
/// limit, and to one byte more; the same in JSON with blanks.
/// Guarantees: exactly the limit passes, in both encodings; one byte more is a 413.
#[test]
fn size_at_limit() {
    const LIMIT: usize = 4096;
    let server = Server::with(Setup::with_limit(LIMIT));
    for (excess, status) in [(0, 200), (1, 413)] {
        // Tag of field 15 and a length of two bytes.
        let padding = LIMIT + excess - PROTOBUF_BODY.len() - 3;
        let mut body = vec![0x7a, (padding & 0x7f) as u8 | 0x80, (padding >> 7) as u8];
        body.resize(3 + padding, 0);
        body.extend(PROTOBUF_BODY);
        let answer = exchange(&server, post(&[("Content-Type", PROTOBUF)], &body));
        assert_eq!(answer.status, status, "{answer:?}");

        let body = format!("{{{:1$}}}", "", LIMIT + excess - 2);
        let answer = exchange(&server, post(&[("Content-Type", JSON)], body.as_bytes()));
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(server.exports().len(), 2);
    assert_eq!(server.exports()[0].wire.len(), LIMIT);
}
