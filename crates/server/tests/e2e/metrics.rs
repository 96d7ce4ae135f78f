//! `/metrics`: who may read it, and whether what it counts adds up.

use std::net::SocketAddr;

use tonic::Code;

use crate::support::{
    Grpc, Http, JSON, PROTOBUF, RawWatcher, Relay, Scrape, TokenFile, Watcher, bulky, exchange,
    gauge, head, post, prefixed, request, soon,
};

const TOKEN: &str = "the-watch-token-of-this-test";
const ALICE: &str = "192.0.2.1";

fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> u16 {
    exchange(address, &head("GET", path, headers)).status
}

/// Where the metrics of a relay are alone.
fn metrics_address(relay: &Relay) -> SocketAddr {
    let line = relay.wait_for_log("metrics are at http://");
    let rest = line.split_once("://").unwrap().1;
    rest[..rest.find('/').unwrap()].parse().unwrap()
}

/// Scenario: GET, HEAD and POST.
/// Guarantees: text as Prometheus reads it (Prometheus, "Exposition formats"), and 405.
#[test]
fn the_page_is_text() {
    let relay = Relay::start();
    let answer = exchange(relay.address(), &head("GET", "/metrics", &[]));
    assert_eq!(answer.status, 200);
    let content_type = answer.header("content-type");
    assert_eq!(content_type, Some("text/plain; version=0.0.4"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let text = String::from_utf8(answer.body).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("otlp_relay_build_info{{version=\"{version}\"}} 1\n");
    assert!(text.contains(&line), "{text}");
    let answer = exchange(relay.address(), &head("HEAD", "/metrics", &[]));
    assert_eq!(answer.status, 200);
    let post = request("POST", "/metrics", &[], b"");
    assert_eq!(exchange(relay.address(), &post).status, 405);
}

/// Scenario: a relay that asks watchers for a token; one with another address for metrics; one
/// without metrics; requests with a foreign Host and from a foreign page.
/// Guarantees: who may watch may read, and nobody else; where there is another address, it has
/// nothing but the pages, and `/metrics` is nowhere else.
#[test]
fn who_may_read() {
    let foreign = [("Host", "evil.example")];
    let page = [("Origin", "https://evil.example")];
    let file = TokenFile::new("metrics", TOKEN);
    let relay = Relay::with(&["--watch-token-file", file.path()]);
    let token = format!("Bearer {TOKEN}");
    let shown = [("Authorization", token.as_str())];
    assert_eq!(get(relay.address(), "/metrics", &[]), 401);
    assert_eq!(get(relay.address(), "/metrics", &shown), 200);
    assert_eq!(
        get(relay.address(), "/metrics", &[page, shown].concat()),
        403
    );
    assert_eq!(
        get(relay.address(), "/metrics", &[foreign, shown].concat()),
        403
    );

    let other = ["--metrics-listen", "127.0.0.1:0"];
    let args = [&other[..], &["--watch-token-file", file.path()]].concat();
    let relay = Relay::with(&args);
    let metrics = metrics_address(&relay);
    assert_eq!(get(relay.address(), "/metrics", &shown), 404);
    for (path, status) in [
        ("/metrics", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/", 404),
        ("/ws/metrics", 404),
        ("/v1/metrics", 404),
    ] {
        assert_eq!(get(metrics, path, &[]), status, "{path}");
        let is_probe = ["/healthz", "/readyz"].contains(&path);
        let status = if is_probe { 200 } else { 403 };
        assert_eq!(get(metrics, path, &foreign), status, "{path}");
    }
    // Where tokens close the other doors, this one has none.
    let both = ["--ingest-token-file", file.path()];
    let relay = Relay::with(&[&args[..], &both].concat());
    let metrics = metrics_address(&relay);
    assert_eq!(get(metrics, "/metrics", &[]), 200);
    assert_eq!(get(metrics, "/metrics", &foreign), 403);

    let relay = Relay::with(&["--metrics", "off"]);
    assert_eq!(get(relay.address(), "/metrics", &[]), 404);
    let relay = Relay::with(&[&other[..], &["--metrics", "off"]].concat());
    assert_eq!(get(relay.address(), "/metrics", &[]), 404);
}

/// Scenario: an address for metrics that others can reach, with metrics and without; one on
/// loopback.
/// Guarantees: the log says where what is, and warns where anybody may read metrics.
#[test]
fn the_log_says_who_may_read() {
    let log = |args: &[&str]| {
        let mut relay = Relay::with(args);
        relay.signal("TERM");
        relay.end().1
    };
    let (warning, wide) = ("may read the metrics", ["--metrics-listen", "0.0.0.0:0"]);
    let told = log(&wide);
    assert!(
        told.contains(warning) && told.contains("metrics are at"),
        "{told}"
    );
    let told = log(&["--metrics-listen", "127.0.0.1:0"]);
    assert!(
        !told.contains(warning) && told.contains("metrics are at"),
        "{told}"
    );
    let told = log(&[&wide[..], &["--metrics", "off"]].concat());
    assert!(
        !told.contains(warning) && !told.contains("metrics are at"),
        "{told}"
    );
    assert!(
        told.contains("/healthz and /readyz are at http://"),
        "{told}"
    );
}

/// Sends what is accepted and what is refused; how many of each.
fn send_all_kinds(relay: SocketAddr, grpc: &Grpc) -> (u64, u64) {
    let small = gauge("small", 1);
    let mut accepted = 0;
    for number in 0..20 {
        post(relay, &bulky("bulky", 200));
        post(relay, &gauge("small", number));
        grpc.export(small.clone()).unwrap();
        accepted += 3;
    }
    let expect = [("Content-Type", "text/plain"), ("Expect", "100-continue")];
    let foreign = [("Host", "evil.example")];
    let asks = [("Host", "evil.example"), ("Expect", "100-continue")];
    let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
    for (path, headers, body, status) in [
        ("/v1/metrics", &[("Content-Type", JSON)][..], &b"{"[..], 400),
        ("/v1/traces", &[("Content-Type", PROTOBUF)], b"\xff", 400),
        ("/v1/logs", &[("Content-Type", "text/plain")], b"", 415),
        ("/v1/logs", &expect, b"", 415),
        ("/v1/metrics", &foreign, b"", 403),
        ("/v1/metrics", &asks, b"body", 403),
        ("/v1/traces", &upgrade, b"", 400),
    ] {
        let answer = exchange(relay, &request("POST", path, headers, body));
        assert_eq!(answer.status, status);
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    }
    let status = grpc.export(b"\xff".to_vec()).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    // What is no path of the receiver's counts elsewhere.
    for headers in [&foreign[..], &asks] {
        let answer = exchange(relay, &request("POST", "/nowhere", headers, b""));
        assert_eq!(answer.status, 403);
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    }
    (accepted, 8)
}

/// Scenario: exports over HTTP and gRPC, some of them refused; clients that have lost most when
/// they begin to read, over small buffers and large ones, one that has other things to see, one
/// that leaves; requests to pages, to no page, and to watch what there is not.
/// Guarantees: every sum of the docs holds. What was sent was accepted or refused; each
/// publication, for each session, was written, passed or dropped; each rendering was for a view,
/// and those saved are the sessions beside; sessions and requests that began are there or have
/// ended; every histogram has counted as often as its event was.
#[test]
fn everything_adds_up() {
    let args = ["--grpc-listen", "127.0.0.1:0", "--max-lag", "256KiB"];
    let relay = Relay::with(&args);
    let grpc = Grpc::connect(relay.grpc_address());
    let address = relay.address();
    let mut reading = [(); 3].map(|()| Watcher::connect(address));
    let mut other = Watcher::connect_to(address, "/ws/metrics?metric=marker");
    let mut lagging = RawWatcher::connect(address);
    Watcher::connect_to(address, "/ws/logs?format=points");
    assert_eq!(get(address, "/ws/metrics?format=none", &[]), 400);
    assert_eq!(get(address, "/ws/metrics", &[]), 426);
    assert_eq!(get(address, "/nowhere", &[]), 404);

    let (accepted, refused) = send_all_kinds(address, &grpc);
    post(address, &gauge("marker", 1));
    for watcher in &mut reading {
        while !watcher.text().contains("marker") {}
    }
    other.frame();
    while !String::from_utf8(lagging.text())
        .unwrap()
        .contains("marker")
    {}

    let accepted = accepted + 1;
    let scrape = Scrape::until(address, |now| {
        let written = now.sum("frames_written_total") + now.sum("publications_passed_total");
        let done = written + now.sum("publications_dropped_total");
        // The one that left is seen to have gone.
        done == now.sum("deliveries_total") && now.sum("sessions") == 5
    });
    assert_eq!(scrape.sum("exports_total"), accepted);
    assert_eq!(scrape.sum("refused_requests_total"), refused);
    assert_eq!(scrape.sum("items_total"), 20 * (200 + 1 + 1) + 1);
    assert_eq!(scrape.sum("publications_total"), accepted);
    assert_eq!(scrape.of("exports_total", "transport=\"grpc\""), 20);
    assert_eq!(
        scrape.of("refused_requests_total", "reason=\"bad_json\""),
        1
    );
    for (reason, count) in [("forbidden", 2), ("upgrade", 1), ("content_type", 2)] {
        let label = format!("reason=\"{reason}\"");
        let refused = scrape.of("refused_requests_total", &label);
        assert_eq!(refused, count, "{reason}");
    }
    assert_eq!(scrape.sum("export_seconds_count"), accepted);

    // Two views of metrics, with four sessions and one.
    assert_eq!(scrape.sum("deliveries_total"), 5 * accepted);
    assert_eq!(scrape.sum("renderings_saved_total"), 3 * accepted);
    let rendered = scrape.of("renderings_total", "outcome=\"frames\"");
    let empty = scrape.of("renderings_total", "outcome=\"nothing\"");
    assert!(
        rendered <= accepted + 1 && empty < accepted,
        "{rendered} {empty}"
    );
    let passed = scrape.sum("publications_passed_total");
    assert!(0 < passed && passed <= empty, "{passed} {empty}");
    let timed = scrape.sum("render_seconds_count");
    assert_eq!(timed, scrape.sum("renderings_total"));
    assert!(scrape.of("publications_dropped_total", "cause=\"slow\"") > 0);
    let delivered = scrape.sum("delivery_seconds_count");
    assert!(delivered > 0 && delivered <= scrape.sum("frames_written_total"));

    let opened = scrape.sum("sessions_opened_total");
    assert_eq!(opened, 6);
    assert_eq!(opened - scrape.sum("sessions_closed_total"), 5);
    assert_eq!(scrape.of("sessions_refused_total", "reason=\"query\""), 1);
    assert_eq!(
        scrape.of("sessions_refused_total", "reason=\"handshake\""),
        1
    );
    // This request has no answer yet.
    assert_eq!(
        scrape.sum("http_requests_total"),
        scrape.sum("http_responses_total") + 1
    );
    assert_eq!(scrape.of("http_responses_total", "code=\"1xx\""), opened);
    let open = scrape.sum("connections");
    assert!(open >= 5 && open <= scrape.sum("connections_accepted_total"));
    for gauge in [
        "requests_in_flight",
        "requests_in_flight_bytes",
        "logs_bytes",
    ] {
        assert_eq!(scrape.sum(gauge), 0, "{gauge}");
    }
    for line in scrape.lines().filter(|line| line.contains("_limit")) {
        assert!(!line.ends_with(" 0"), "{line}");
    }
}

/// Scenario: a client of a proxy has an export in flight over HTTP and over gRPC, and may have one
/// of each; it sends more, which are refused: plainly, instead of `100 Continue`, and over gRPC.
/// Guarantees: exports that were accepted and refused are all that were sent; the answers have an
/// id, that to a question for the health of the relay too, which is counted nowhere.
#[test]
fn a_client_with_too_many_is_counted() {
    let relay = Relay::with(&[
        "--grpc-listen",
        "127.0.0.1:0",
        "--trusted-proxies",
        "127.0.0.0/8",
        "--max-connections-per-address",
        "1",
        "--grpc-max-connections-per-address",
        "1",
    ]);
    let (address, mut grpc) = (relay.address(), Grpc::connect(relay.grpc_address()));
    let protobuf = [("Content-Type", PROTOBUF), ("X-Forwarded-For", ALICE)];
    let asks = [&protobuf[..], &[("Expect", "100-continue")]].concat();
    let message = gauge("m", 1);
    let mut upload = Http::connect(address);
    let whole = request("POST", "/v1/metrics", &asks, &message);
    let (begin, rest) = whole.split_at(whole.len() - 1);
    upload.send(begin);
    // From here on it is in flight.
    assert_eq!(upload.answer_head().status, 100);
    for headers in [&protobuf[..], &asks] {
        let answer = exchange(address, &request("POST", "/v1/metrics", headers, &message));
        assert_eq!(answer.status, 503);
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    }
    upload.send(rest);
    assert_eq!(upload.answer().status, 200);

    grpc.forwarded_for = Some(ALICE);
    let call = grpc.start(prefixed(message.len(), &message[..1]));
    let (mut taken, mut refused) = (0, None);
    assert!(soon(|| {
        refused = grpc.export(message.clone()).err();
        taken += u64::from(refused.is_none());
        refused.is_some()
    }));
    for refused in [refused.unwrap(), grpc.health().unwrap_err()] {
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.metadata().contains_key("x-request-id"));
    }
    assert_eq!(grpc.finish(call, message[1..].to_vec()), Code::Ok);

    let scrape = Scrape::of_relay(address);
    assert_eq!(scrape.sum("exports_total"), 2 + taken);
    assert_eq!(scrape.sum("refused_requests_total"), 3);
    for (transport, count) in [("http", 2), ("grpc", 1)] {
        let label = format!("transport=\"{transport}\",reason=\"too_many_of_client\"");
        let refused = scrape.of("refused_requests_total", &label);
        assert_eq!(refused, count, "{transport}");
    }
    // The question for the health is here.
    assert_eq!(
        scrape.of("connections_refused_total", "limit=\"address\""),
        4
    );
}
