//! Web pages that send: what a browser asks first, and what it lets a page read.

use crate::support::{
    Answer, Http, JSON, PROTOBUF, Relay, TokenFile, Watcher, exchange, gauge, gauge_json, head,
    request,
};

const PAGE: &str = "https://app.example";
const OTHER: &str = "https://evil.example";
const TOKEN: &str = "the-token-of-pages-in-tests";

/// What a browser asks before a page of `origin` sends JSON.
fn preflight(relay: &Relay, path: &str, origin: &str) -> Answer {
    let headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        (
            "Access-Control-Request-Headers",
            "authorization,content-type",
        ),
    ];
    let mut http = Http::connect(relay.address());
    http.send(&head("OPTIONS", path, &headers));
    // 204 has no length.
    http.answer_head()
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

/// Scenario: a relay that wants tokens and allows one origin; a page of it asks, sends with the
/// token, and without; then one of another origin.
/// Guarantees: the preflight needs no token; the page may read every answer, also when to come
/// again; the other page gets nothing that a browser takes for a yes.
#[test]
fn pages_of_a_listed_origin_may_send() {
    let file = TokenFile::new("cors", TOKEN);
    let relay = Relay::with(&[
        "--ingest-token-file",
        file.path(),
        "--cors-allowed-origins",
        PAGE,
        "--cors-allowed-headers",
        "authorization",
        "--cors-max-age",
        "1h",
    ]);
    for path in ["/v1/metrics", "/v1/traces", "/v1/logs"] {
        let answer = preflight(&relay, path, PAGE);
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(allowed_origin(&answer), Some(PAGE));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(answer.header("access-control-max-age"), Some("3600"));
        assert_eq!(answer.header("vary"), Some("origin"));
        let headers = answer.header("access-control-allow-headers").unwrap();
        for name in ["content-type", "content-encoding", "authorization"] {
            assert!(headers.contains(name), "{headers}");
        }
    }
    let refused = preflight(&relay, "/v1/metrics", OTHER);
    assert_eq!((refused.status, allowed_origin(&refused)), (403, None));

    let mut watcher = Watcher::connect(relay.address());
    let bearer = format!("Bearer {TOKEN}");
    let token = ("Authorization", bearer.as_str());
    for (origin, token, status) in [
        (PAGE, Some(token), 200),
        (PAGE, None, 401),
        (OTHER, None, 401),
    ] {
        let mut headers = vec![("Content-Type", PROTOBUF), ("Origin", origin)];
        headers.extend(token);
        let body = gauge("m", 1);
        let answer = exchange(
            relay.address(),
            &request("POST", "/v1/metrics", &headers, &body),
        );
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(allowed_origin(&answer), (origin == PAGE).then_some(PAGE));
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed, (origin == PAGE).then_some("retry-after"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    assert_eq!(watcher.frame(), gauge_json("m", 1));
}

/// Scenario: requests of a page that fail in every place that a request can fail in: its Host, an
/// upgrade, the path, the method, the type (also where unknown types are taken), the compression,
/// the length, the data, the budget.
/// Guarantees: the page may read each answer; what has no type of OTLP is refused in spite of
/// `--lenient-content-type`.
#[test]
fn pages_may_read_refusals() {
    let relay = Relay::with(&[
        "--cors-allowed-origins",
        "https://*.example",
        "--lenient-content-type",
        "--max-body",
        "1000B",
        "--max-requests-bytes",
        "900B",
    ]);
    let json = ("Content-Type", JSON);
    let ok = "/v1/metrics";
    let long = [b' '; 1001];
    for (method, path, header, body, status) in [
        ("POST", ok, ("Host", "evil.example"), &b"{}"[..], 403),
        ("POST", ok, ("Upgrade", "websocket"), b"", 400),
        ("POST", "/v1/nowhere", json, b"{}", 404),
        ("GET", ok, json, b"", 405),
        ("OPTIONS", ok, json, b"", 405),
        ("POST", ok, ("X-Untyped", "1"), b"", 415),
        ("POST", ok, ("Content-Type", "text/plain"), b"", 415),
        ("POST", ok, json, b"{", 400),
        ("POST", ok, json, &long, 413),
        ("POST", ok, json, &long[..950], 413),
    ] {
        let headers = [header, ("Origin", PAGE)];
        let answer = exchange(relay.address(), &request(method, path, &headers, body));
        assert_eq!(
            answer.status, status,
            "{method} {path} {header:?}: {answer:?}"
        );
        assert_eq!(allowed_origin(&answer), Some(PAGE), "{answer:?}");
        assert!(answer.status_code() > 0);
    }
    let relay = Relay::with(&[
        "--cors-allowed-origins",
        "https://*.example",
        "--max-requests",
        "1",
    ]);
    let mut busy = Http::connect(relay.address());
    let length = ("Content-Length", "2");
    busy.send(&head("POST", ok, &[json, length]));
    busy.send(b"{");
    // Until that one is in flight, there is room.
    let request = request("POST", ok, &[json, ("Origin", PAGE)], b"{}");
    let answer = (0..10_000)
        .map(|_| exchange(relay.address(), &request))
        .find(|answer| answer.status != 200)
        .unwrap();
    assert_eq!((answer.status, allowed_origin(&answer)), (503, Some(PAGE)));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

/// Scenario: no origins are named; a page asks, and sends as if it had been allowed.
/// Guarantees: the preflight is no success, and no answer lets a page read it.
#[test]
fn no_page_may_send_by_default() {
    let relay = Relay::start();
    for path in ["/v1/metrics", "/", "/ws/metrics"] {
        let answer = preflight(&relay, path, PAGE);
        assert_eq!(
            (answer.status, allowed_origin(&answer)),
            (405, None),
            "{path}"
        );
        assert_eq!(answer.header("vary"), None);
    }
    let headers = [("Content-Type", JSON), ("Origin", PAGE)];
    let answer = exchange(
        relay.address(),
        &request("POST", "/v1/metrics", &headers, b"{}"),
    );
    assert_eq!(allowed_origin(&answer), None);
}
