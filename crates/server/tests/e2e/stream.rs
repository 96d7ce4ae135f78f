//! Lines over plain HTTP, read by a library that is not ours, and by hand.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;

use reqwest::blocking::{Client, Response};
use serde_json::Value;

use crate::support::{
    Http, JSON, PATIENCE, Relay, TokenFile, Watcher, exchange, gauge, gauge_json, head, lets_in,
    post, request, shake,
};

/// A stream, read by reqwest.
struct Lines(BufReader<Response>);

impl Lines {
    fn open(address: SocketAddr, path: &str, token: Option<&str>) -> Self {
        let client = Client::builder().timeout(PATIENCE).no_proxy();
        let mut request = client
            .build()
            .unwrap()
            .get(format!("http://{address}{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().unwrap();
        assert_eq!(response.status(), 200);
        let media_type = response.headers().get("content-type").unwrap();
        assert_eq!(media_type, "application/x-ndjson");
        Self(BufReader::new(response))
    }

    /// The next line with its newline; empty at the end, which must be said.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }
}

/// Scenario: a stream and a WebSocket session, both with a token; exports; then SIGTERM.
/// Guarantees: both get the same, and the stream ends as it should; the relay ends with success.
#[test]
fn a_stream_gets_what_a_session_gets() {
    let token = "a-token-of-the-test-of-streams";
    let file = TokenFile::new("stream", token);
    let mut relay = Relay::with(&["--watch-token-file", file.path()]);
    let mut lines = Lines::open(relay.address(), "/stream/metrics", Some(token));
    let path = format!("/ws/metrics?access_token={token}");
    let mut watcher = Watcher::connect_to(relay.address(), &path);
    let path = format!("/stream?format=points&metric=m*&access_token={token}");
    let mut points = Lines::open(relay.address(), &path, None);
    for number in 0..20 {
        post(relay.address(), &gauge("m", number));
        assert_eq!(lines.json(), gauge_json("m", number));
        assert_eq!(watcher.frame(), gauge_json("m", number));
        assert_eq!(points.json()["value"], number);
    }
    for (path, status) in [("/stream", 401), ("/stream?format=protobuf", 401)] {
        let answer = exchange(relay.address(), &head("GET", path, &[]));
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    relay.signal("TERM");
    assert_eq!(
        (lines.line(), points.line()),
        (String::new(), String::new())
    );
    assert_eq!(watcher.close_code(), 1001);
    assert!(relay.wait_for_exit().success());
}

/// Scenario: an idle stream, with a short interval between pings; the one session that there may
/// be; then its token goes.
/// Guarantees: empty lines say that it lives; no other session meanwhile, and one after it; it ends
/// as it should when the token goes.
#[test]
fn a_stream_is_a_session() {
    let token = "a-token-of-the-test-of-streams";
    let file = TokenFile::new("stream-session", token);
    let watch = ["--watch-token-file", file.path()];
    let relay = Relay::with(&[&watch[..], &["--ping-interval", "100ms"]].concat());
    let mut lines = Lines::open(relay.address(), "/stream/logs", Some(token));
    for _ in 0..3 {
        assert_eq!(lines.line(), "\n");
    }
    std::fs::write(file.path(), "another-token-of-the-same-test").unwrap();
    relay.signal("HUP");
    while lines.line() == "\n" {}
    assert_eq!(lines.line(), "");

    let relay = Relay::with(&["--max-sessions", "1"]);
    let lines = Lines::open(relay.address(), "/stream/logs", None);
    assert_eq!(shake(relay.address(), &[]), 503);
    drop(lines);
    assert!(lets_in(relay.address()));
}

/// Scenario: a page of another origin asks for a stream; so does the relay's own.
/// Guarantees: 403, and a stream; neither answer lets another origin read it.
#[test]
fn pages_of_other_origins_get_none() {
    let relay = Relay::start();
    let own = format!("http://{}", relay.address());
    for (origin, status) in [("https://evil.example", 403), (own.as_str(), 200)] {
        let host = relay.address().to_string();
        let headers = [("Origin", origin), ("Host", host.as_str())];
        let mut http = Http::connect(relay.address());
        http.send(&head("GET", "/stream", &headers));
        let answer = http.answer_head();
        assert_eq!(answer.status, status, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

/// Scenario: behind a request for a stream come an export and another such request in the same
/// bytes, and again when the head is there.
/// Guarantees: the client gets lines and nothing else; nothing of it is received, and there is no
/// other session.
#[test]
fn what_comes_behind_is_not_looked_at() {
    let relay = Relay::with(&["--max-sessions", "1"]);
    let stream = head("GET", "/stream/metrics", &[]);
    let headers = [("Content-Type", JSON)];
    let body = gauge_json("m", 1).to_string();
    let export = request("POST", "/v1/metrics", &headers, body.as_bytes());
    let mut http = Http::connect(relay.address());
    http.send(&[&stream[..], &export, &stream].concat());
    let answer = http.answer_head();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"));
    http.send(&[&export[..], &stream].concat());
    post(relay.address(), &gauge("m", 2));
    let line = http.chunk();
    assert!(line.ends_with(b"\n"));
    assert_eq!(
        serde_json::from_slice::<Value>(&line).unwrap(),
        gauge_json("m", 2)
    );
    drop(http);
    assert!(lets_in(relay.address()));
}
