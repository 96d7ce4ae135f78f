//! The page over sockets: its files, below a path prefix too, and what `--demo` has to show. How it
//! looks and works is `cargo xtask e2e`'s.

use crate::support::{Http, PROTOBUF, Relay, Watcher, exchange, gauge, head, name_of, request};

/// Scenario: the page and every file that it names, then asked for again with their tags.
/// Guarantees: all are there, under a policy that allows the relay's own scripts alone; the second
/// time they are not sent.
#[test]
fn the_page_is_whole() {
    let relay = Relay::start();
    let get = |path: &str, headers: &[(&str, &str)]| {
        exchange(relay.address(), &head("GET", path, headers))
    };
    let page = get("/", &[]);
    let html = String::from_utf8(page.body.clone()).unwrap();
    let named = html.split("=\"viewer/").skip(1);
    let named: Vec<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.len() > 20, "{named:?}");
    for path in named.into_iter().chain(["worker.js", "about.json"]) {
        let path = format!("/viewer/{path}");
        let file = get(&path, &[]);
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let Some(tag) = file.header("etag") else {
            assert_eq!(path, "/viewer/about.json");
            continue;
        };
        let policy = file.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        // It has no body, and so no length (RFC 9110, section 15.4.5).
        let mut http = Http::connect(relay.address());
        http.send(&head("GET", &path, &[("If-None-Match", tag)]));
        assert_eq!(http.answer_head().status, 304, "{path}");
    }
    assert_eq!(get("/viewer/nothing.js", &[]).status, 404);
}

/// Scenario: a relay below `/tools/otel`, with and without the prefix: the page, an export, one that
/// asks before it sends its body, a watcher.
/// Guarantees: all of them are served both ways; the prefix alone is sent on to the page.
#[test]
fn everything_is_below_the_prefix() {
    let relay = Relay::with(&["--base-path", "/tools/otel"]);
    let address = relay.address();
    for prefix in ["/tools/otel", ""] {
        let page = exchange(address, &head("GET", &format!("{prefix}/"), &[]));
        assert_eq!(page.status, 200, "{prefix}");
        let mut watcher = Watcher::connect_to(address, &format!("{prefix}/ws/metrics"));
        let headers = [("Content-Type", PROTOBUF)];
        let path = format!("{prefix}/v1/metrics");
        let sent = exchange(address, &request("POST", &path, &headers, &gauge("m", 1)));
        assert_eq!(sent.status, 200, "{prefix}");
        assert_eq!(name_of(&watcher.frame()), "m");
        let asking = [
            ("Content-Type", "text/plain"),
            ("Expect", "100-continue"),
            ("Content-Length", "9"),
        ];
        let refused = exchange(address, &head("POST", &path, &asking));
        assert_eq!(refused.status, 415, "{prefix}");
    }
    // Whoever asks first has the prefix taken off no more often.
    let mut asking = Http::connect(address);
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Content-Length", "0"),
        ("Expect", "100-continue"),
    ];
    let twice = "/tools/otel/tools/otel/v1/metrics";
    asking.send(&head("POST", twice, &headers));
    assert_eq!(asking.answer_head().status, 100);
    assert_eq!(asking.answer().status, 404);
    let alone = exchange(address, &head("GET", "/tools/otel?a=b", &[]));
    assert_eq!(alone.status, 308);
    assert_eq!(alone.header("location"), Some("otel/?a=b"));
    assert_eq!(
        exchange(address, &head("GET", "/tools/other/", &[])).status,
        404
    );
}

/// Scenario: `--demo`, watched for every signal.
/// Guarantees: metrics, traces and logs come by themselves.
#[test]
fn the_demo_is_alive() {
    let relay = Relay::with(&["--demo"]);
    for (path, root) in [
        ("/ws/metrics", "resourceMetrics"),
        ("/ws/traces", "resourceSpans"),
        ("/ws/logs", "resourceLogs"),
    ] {
        let frame = Watcher::connect_to(relay.address(), path).frame();
        assert!(!frame[root].as_array().unwrap().is_empty(), "{path}");
    }
}
