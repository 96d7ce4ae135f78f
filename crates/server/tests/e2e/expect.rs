//! Clients that ask before they send a body.

use crate::support::{Http, PROTOBUF, Relay, TokenFile, Watcher, gauge, gauge_json, head, request};

const TOKEN: &str = "the-token-of-those-who-ask";

/// Scenario: heads with `Expect: 100-continue` that are refused for their Host, method, token, type,
/// coding and length, with a body of a known length and a chunked one, which never comes.
/// Guarantees: the refusal is the first thing that the client hears; the connection ends.
#[test]
fn who_asks_is_refused_before_the_body() {
    let file = TokenFile::new("expect", TOKEN);
    let relay = Relay::with(&["--ingest-token-file", file.path(), "--max-body", "1000B"]);
    let token = format!("Bearer {TOKEN}");
    let good = [
        ("Host", "localhost"),
        ("Authorization", token.as_str()),
        ("Content-Type", PROTOBUF),
        ("Content-Encoding", "gzip"),
        ("Content-Length", "10"),
    ];
    for (method, name, value, status) in [
        ("POST", "Host", "evil.example", 403),
        ("PUT", "Host", "localhost", 405),
        ("POST", "Authorization", "Bearer of nothing", 401),
        ("POST", "Content-Type", "text/plain", 415),
        ("POST", "Content-Encoding", "br", 415),
        ("POST", "Content-Length", "1001", 413),
    ] {
        for chunked in [false, true] {
            if chunked && name == "Content-Length" {
                continue;
            }
            let mut headers = vec![("Expect", "100-continue")];
            headers.extend(good.map(|header| match header {
                (known, _) if known == name => (name, value),
                ("Content-Length", _) if chunked => ("Transfer-Encoding", "chunked"),
                other => other,
            }));
            let mut http = Http::connect(relay.address());
            http.send(&head(method, "/v1/metrics", &headers));
            let answer = http.answer();
            assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
            assert_eq!(answer.header("connection"), Some("close"));
            assert!(answer.status_code() > 0);
            http.finish();
            assert_eq!(http.rest(), b"");
        }
    }
}

/// Scenario: a good head that asks; a bad one without a body on a connection that is used again.
/// Guarantees: 100, and 200 once the body is there; a refusal without a body ends no connection.
#[test]
fn who_asks_well_is_told_to_go_on() {
    let relay = Relay::start();
    let mut watcher = Watcher::connect(relay.address());
    let mut http = Http::connect(relay.address());
    let expect = ("Expect", "100-continue");
    http.send(&head("GET", "/v1/metrics", &[expect]));
    assert_eq!(http.answer().status, 405);
    let body = gauge("m", 1);
    let headers = [("Content-Type", PROTOBUF), expect];
    let whole = request("POST", "/v1/metrics", &headers, &body);
    let (head, body) = whole.split_at(whole.len() - body.len());
    http.send(head);
    assert_eq!(http.answer_head().status, 100);
    http.send(body);
    assert_eq!(http.answer().status, 200);
    assert_eq!(watcher.frame(), gauge_json("m", 1));
}
