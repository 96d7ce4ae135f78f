//! Who may talk to the relay, and what it answers to what it doesn't serve.

use crate::support::{
    Answer, Http, JSON, PROTOBUF, Relay, Watcher, exchange, gauge, gauge_json, handshake, head,
    lets_in, request, shake,
};

/// Every route, and a path that is none.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/v1/metrics"),
    ("GET", "/ws/metrics"),
    ("GET", "/"),
    ("GET", "/healthz/"),
    ("POST", "/nowhere"),
    ("GET", "/ws/nowhere"),
];

/// A request to a host.
fn to_host(relay: &Relay, method: &str, path: &str, host: &str) -> Answer {
    let headers = [("Host", host), ("Content-Type", PROTOBUF)];
    let body = if method == "POST" {
        gauge("m", 1)
    } else {
        Vec::new()
    };
    exchange(relay.address(), &request(method, path, &headers, &body))
}

/// Scenario: on loopback, a page's own name that points to 127.0.0.1 (DNS rebinding), on every
/// route, as Host and in the target's absolute form; then every name of this machine.
/// Guarantees: 403 with a status in the encoding of the request; the machine's own names pass.
#[test]
fn other_hosts_are_refused_on_every_route() {
    let relay = Relay::start();
    for &(method, path) in ROUTES {
        for host in [
            "evil.example",
            "evil.example:4444",
            "localhost.evil.example",
        ] {
            let answer = to_host(&relay, method, path, host);
            assert_eq!(answer.status, 403, "{method} {path} {host}");
            assert_eq!(answer.header("content-type"), Some(PROTOBUF));
            assert_eq!(answer.status_code(), 7);
        }
    }
    for host in ["evil.example", "evil.example:80"] {
        assert_eq!(shake(relay.address(), &[("Host", host)]), 403, "{host}");
    }
    let target = head("GET", "http://evil.example/", &[]);
    assert_eq!(exchange(relay.address(), &target).status, 403);
    let malformed = to_host(&relay, "GET", "/healthz", "a b");
    assert_eq!(malformed.status, 400, "{malformed:?}");

    let own = relay.address().to_string();
    for host in [
        own.as_str(),
        "localhost",
        "LocalHost:1",
        "app.localhost",
        "127.0.0.1",
        "127.8.8.8:99",
        "[::1]",
        "[::1]:4444",
    ] {
        let answer = to_host(&relay, "POST", "/v1/metrics", host);
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
        assert_eq!(to_host(&relay, "GET", "/", host).status, 200, "{host}");
        assert_eq!(shake(relay.address(), &[("Host", host)]), 101, "{host}");
    }
}

/// Scenario: `--allowed-hosts` with two names.
/// Guarantees: they pass, whatever the port and case, besides those of the machine; no others.
#[test]
fn allowed_hosts_pass() {
    let relay = Relay::with(&["--allowed-hosts", "relay.example,other.example"]);
    for (host, status) in [
        ("relay.example", 200),
        ("RELAY.example:8080", 200),
        ("other.example", 200),
        ("localhost", 200),
        ("sub.relay.example", 403),
        ("evil.example", 403),
    ] {
        let answer = to_host(&relay, "POST", "/v1/metrics", host);
        assert_eq!(answer.status, status, "{host}");
    }
}

/// Scenario: probes by the address of a pod, with a name on `--allowed-hosts`.
/// Guarantees: they learn how the relay is, whatever they call it; nothing else is told.
#[test]
fn probes_call_it_what_they_like() {
    let relay = Relay::with(&["--allowed-hosts", "relay.example"]);
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/", 403),
        ("/metrics", 403),
    ] {
        let answer = to_host(&relay, "GET", path, "10.0.0.7:4444");
        assert_eq!(answer.status, status, "{path}");
    }
}

/// Scenario: pages of several origins open the WebSocket, by default and with
/// `--allowed-origins`.
/// Guarantees: 101 for none, the same host, and those that are listed; 403 for all others.
#[test]
fn other_origins_may_not_watch() {
    let plain = Relay::start();
    let list = "https://dash.example,https://*.pages.example";
    let listed = Relay::with(&["--allowed-origins", list]);
    for relay in [&plain, &listed] {
        let host = relay.address().to_string();
        let same = format!("http://{host}");
        assert_eq!(shake(relay.address(), &[]), 101);
        assert_eq!(
            shake(relay.address(), &[("Host", &host), ("Origin", &same)]),
            101
        );
        for origin in [
            "https://evil.example",
            "http://localhost:1",
            "null",
            "http://dash.example",
            "https://pages.example",
            "https://dash.example.evil.example",
        ] {
            let status = shake(relay.address(), &[("Host", &host), ("Origin", origin)]);
            assert_eq!(status, 403, "{origin}");
        }
    }
    for origin in ["https://dash.example", "https://a.pages.example"] {
        assert_eq!(
            shake(plain.address(), &[("Origin", origin)]),
            403,
            "{origin}"
        );
        assert_eq!(
            shake(listed.address(), &[("Origin", origin)]),
            101,
            "{origin}"
        );
    }
}

/// Scenario: a WebSocket handshake on paths that have none; one with bytes of the other protocol
/// right behind it.
/// Guarantees: 400 with a status, and the connection ends.
#[test]
fn handshakes_elsewhere_are_refused() {
    let relay = Relay::start();
    for path in ["/v1/metrics", "/", "/healthz", "/nowhere"] {
        let mut http = Http::connect(relay.address());
        http.send(&handshake(path, &[]));
        http.send(b"\x81\x80\0\0\0\0");
        let answer = http.answer();
        assert_eq!((answer.status, answer.status_code()), (400, 3), "{path}");
        http.rest();
    }
}

/// Scenario: on the WebSocket path: unknown and bad parameters, no upgrade, another version, no
/// key, two keys, HTTP/1.0.
/// Guarantees: a normal HTTP answer that says what is wrong, before the upgrade.
#[test]
fn bad_handshakes_get_an_http_answer() {
    let relay = Relay::start();
    for (query, status) in [
        ("?format=otlp", 101),
        ("?colour=red", 400),
        ("?format=xml", 400),
        ("?format=otlp&format=otlp", 101),
        ("?format=points&metric=a*&metric=b&attr.k=%C3%A9", 101),
        ("?format=otlp&format=points", 400),
        ("?since=0:1", 400),
        ("?%ff=%", 400),
    ] {
        let mut http = Http::connect(relay.address());
        http.send(&handshake(&format!("/ws/metrics{query}"), &[]));
        let answer = if status == 101 {
            http.answer_head()
        } else {
            let answer = http.answer();
            assert_eq!(answer.status_code(), 3);
            assert!(String::from_utf8_lossy(&answer.body).contains("format=otlp"));
            answer
        };
        assert_eq!(answer.status, status, "{query}");
    }
    let plain = exchange(relay.address(), &head("GET", "/ws/metrics", &[]));
    assert_eq!(plain.status, 426, "{plain:?}");
    assert_eq!(plain.header("upgrade"), Some("websocket"));
    let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")];
    let version = [
        ("Sec-WebSocket-Version", "12"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let old = head("GET", "/ws/metrics", &[upgrade, version].concat());
    let old = exchange(relay.address(), &old);
    assert_eq!(old.header("sec-websocket-version"), Some("13"), "{old:?}");
    let keyless = [upgrade.as_slice(), &[("Sec-WebSocket-Version", "13")]].concat();
    let keyless = exchange(relay.address(), &head("GET", "/ws/metrics", &keyless));
    assert_eq!(keyless.status, 400);
    let second = [("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")];
    assert_eq!(shake(relay.address(), &second), 400);
    let whole = String::from_utf8(handshake("/ws/metrics", &[])).unwrap();
    let older = whole.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let mut http = Http::connect(relay.address());
    http.send(older.as_bytes());
    assert!(http.rest().starts_with(b"HTTP/1.0 400 "));
}

/// Scenario: every route with methods that it doesn't have.
/// Guarantees: 405 with the Allow header that RFC 9110 asks for, and a status as the body.
#[test]
fn other_methods_are_told_what_is_allowed() {
    let relay = Relay::start();
    for (path, allow) in [
        ("/v1/metrics", "POST"),
        ("/ws/metrics", "GET"),
        ("/", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if allow.contains(method) {
                continue;
            }
            let answer = exchange(relay.address(), &request(method, path, &[], b""));
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
            assert_eq!(answer.status_code(), 12, "{method} {path}");
        }
    }
}

/// Scenario: paths that there are not, in both encodings and in none; HEAD on paths of all kinds.
/// Guarantees: 404 with a status in the encoding of the request; HEAD gets the head of the answer
/// to GET, and nothing behind it.
#[test]
fn what_is_not_served_is_a_404() {
    let relay = Relay::start();
    for path in [
        "/nowhere",
        "/v1/nowhere",
        "/v1/metrics/",
        "/ws/profiles",
        "/ws/nowhere",
    ] {
        for (sent, answered) in [(PROTOBUF, PROTOBUF), (JSON, JSON), ("text/html", JSON)] {
            let headers = [("Content-Type", sent)];
            for method in ["POST", "GET"] {
                let answer = exchange(relay.address(), &request(method, path, &headers, b""));
                assert_eq!(answer.header("content-type"), Some(answered), "{path}");
                assert_eq!((answer.status, answer.status_code()), (404, 5), "{path}");
            }
        }
    }
    for (path, status) in [
        ("/", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/nowhere", 404),
    ] {
        let get = exchange(relay.address(), &head("GET", path, &[]));
        let mut http = Http::connect(relay.address());
        http.send(&head("HEAD", path, &[("Connection", "close")]));
        let answer = http.answer_head();
        assert_eq!((answer.status, get.status), (status, status), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(answer.header(name), get.header(name), "{path}");
        }
        assert_eq!(http.rest(), b"", "{path}");
    }
}

/// Scenario: an upload without an end to paths that there aren't, to pages, to WebSocket paths,
/// asking for an upgrade too, and to a path that refuses it for its type.
/// Guarantees: the client has its answer while it sends, and the connection ends soon.
#[test]
fn uploads_without_end_are_cut_off() {
    let relay = Relay::start();
    let upgrade = ("Upgrade", "websocket");
    for (method, path, more, status) in [
        ("POST", "/nowhere", None, 404),
        ("POST", "/", None, 405),
        ("GET", "/healthz", None, 200),
        ("POST", "/v1/metrics", None, 415),
        ("POST", "/v1/spans", None, 404),
        ("POST", "/ws/nowhere", None, 404),
        ("POST", "/ws/metrics", None, 405),
        ("GET", "/ws/metrics", None, 426),
        ("GET", "/ws/metrics", Some(upgrade), 400),
        ("GET", "/ws/nowhere", Some(upgrade), 400),
    ] {
        let mut http = Http::connect(relay.address());
        let headers: Vec<_> = [("Transfer-Encoding", "chunked")]
            .into_iter()
            .chain(more)
            .collect();
        http.send(&head(method, path, &headers));
        let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
        http.send_in_background(std::iter::repeat(chunk));
        let answer = http.answer();
        assert_eq!(answer.status, status, "{path}");
        let connection = answer.header("connection").unwrap_or_default();
        assert!(connection.starts_with("close"), "{path}: {connection}");
        // It ends, though the body doesn't.
        http.rest();
    }
}

/// Scenario: upgrades to WebSocket among others, twice, with a version, and to something like it.
/// Guarantees: 426, since the HTTP layer upgrades for the plain word alone, and would go on
/// serving requests on what has become a WebSocket.
#[test]
fn only_plain_upgrades_are_taken() {
    let relay = Relay::start();
    for upgrade in [
        "h2c, websocket",
        "websocket/13",
        "xwebsocketx",
        "websocket, websocket",
    ] {
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", upgrade),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let answer = exchange(relay.address(), &head("GET", "/ws/metrics", &headers));
        assert_eq!(answer.status, 426, "{upgrade}: {answer:?}");
    }
}

/// Scenario: the path with a percent-encoded letter, which the router takes for the same.
/// Guarantees: the same answers: what is bad is refused, what is good is shown.
#[test]
fn an_encoded_path_is_the_same_path() {
    let relay = Relay::start();
    let mut watcher = Watcher::connect(relay.address());
    for (body, status) in [(b"\xff\xff".to_vec(), 400), (gauge("m", 1), 200)] {
        let headers = [("Content-Type", PROTOBUF)];
        let answer = exchange(
            relay.address(),
            &request("POST", "/v1/%6detrics", &headers, &body),
        );
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(watcher.frame(), gauge_json("m", 1));
}

/// Scenario: exports with a type that is unknown and with none, where `--lenient-content-type`
/// is on; the same from a web page.
/// Guarantees: taken as protobuf; refused with 415 if a page may be behind them.
#[test]
fn lenient_types_are_not_for_pages() {
    let relay = Relay::with(&["--lenient-content-type"]);
    for headers in [&[][..], &[("Content-Type", "text/plain")]] {
        let body = gauge("m", 1);
        let request = |headers: &[_]| request("POST", "/v1/metrics", headers, &body);
        assert_eq!(exchange(relay.address(), &request(headers)).status, 200);
        let page = [headers, &[("Origin", "http://localhost")]].concat();
        assert_eq!(exchange(relay.address(), &request(&page)).status, 415);
    }
}

/// Scenario: two subscribers where one is allowed; the first leaves.
/// Guarantees: the second is answered 503 with Retry-After and a status, as is the third; once
/// there is room, others are let in.
#[test]
fn one_session_too_many_is_told_so() {
    let relay = Relay::with(&["--max-sessions", "1"]);
    let mut first = Http::connect(relay.address());
    first.send(&handshake("/ws/metrics", &[]));
    assert_eq!(first.answer_head().status, 101);

    for _ in 0..2 {
        let mut other = Http::connect(relay.address());
        other.send(&handshake("/ws/metrics", &[]));
        let refused = other.answer();
        assert_eq!((refused.status, refused.status_code()), (503, 14));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("connection"), Some("close"));
    }
    first.finish();
    assert_eq!(first.rest(), b"");
    assert!(lets_in(relay.address()));
}
