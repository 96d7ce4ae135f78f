//! SIGTERM and Ctrl-C.

use std::io::ErrorKind;
use std::net::TcpStream;

use crate::support::{
    Grpc, Http, PROTOBUF, RawWatcher, Relay, Scrape, Watcher, bulky, exchange, gauge, gauge_json,
    head, post,
};

/// Sends a request's head and half of its body, and waits until the relay reads it. What is left
/// of the body.
fn begin_upload(http: &mut Http) -> Vec<u8> {
    let body = gauge("in flight", 1);
    let length = body.len().to_string();
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Content-Length", length.as_str()),
        ("Expect", "100-continue"),
    ];
    http.send(&head("POST", "/v1/metrics", &headers));
    assert_eq!(http.answer_head().status, 100);
    let (sent, left) = body.split_at(body.len() / 2);
    http.send(sent);
    left.to_vec()
}

/// Scenario: SIGTERM, then Ctrl-C, while half of a body has been sent and others watch or idle.
/// Guarantees: idle connections end at once and new ones are refused; the request is answered
/// 200; its frame reaches the watchers, then Close 1001; the exit code is 0, long before the end of
/// the grace.
#[test]
fn requests_in_flight_are_finished_first() {
    for signal in ["TERM", "INT"] {
        let mut relay = Relay::with(&["--shutdown-grace", "1h"]);
        let address = relay.address();
        let mut watchers: Vec<Watcher> = (0..3).map(|_| Watcher::connect(address)).collect();
        let mut idle = Http::connect(address);
        idle.send(&head("GET", "/readyz", &[]));
        assert_eq!(idle.answer().status, 200);
        let mut upload = Http::connect(address);
        let left = begin_upload(&mut upload);

        relay.signal(signal);
        relay.wait_for_log("shutting down");
        assert_eq!(idle.rest(), b"", "idle connections end first");
        let late = TcpStream::connect(address).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::ConnectionRefused);

        upload.send(&left);
        let answer = upload.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        for watcher in &mut watchers {
            assert_eq!(watcher.frame(), gauge_json("in flight", 1));
            assert_eq!(watcher.close_code(), 1001);
        }
        assert_eq!(upload.rest(), b"");
        assert_eq!(relay.wait_for_exit().code(), Some(0));
    }
}

/// Scenario: SIGTERM while one client never answers the Close frame, one has long stopped
/// reading, one sends half a body for ever, and one half a head.
/// Guarantees: none of them holds it longer than the grace; the exit code is 0, and whoever
/// behaves gets 1001.
#[test]
fn nobody_holds_it_longer_than_the_grace() {
    let mut relay = Relay::with(&["--shutdown-grace", "2s", "--ping-interval", "1h"]);
    let address = relay.address();
    let mut deaf = RawWatcher::connect(address);
    let mut polite = Watcher::connect(address);
    for number in 0..20_i64 {
        post(address, &bulky("m", 400));
        polite.frame();
        assert_eq!(deaf.text().first(), Some(&b'{'), "{number}");
    }
    // From here on this one does not read.
    let _stalled = RawWatcher::connect(address);
    for _ in 0..20 {
        post(address, &bulky("m", 400));
        polite.frame();
        deaf.text();
    }
    let mut upload = Http::connect(address);
    begin_upload(&mut upload);
    let mut half = Http::connect(address);
    half.send(b"GET /readyz HTTP/1.1\r\n");

    relay.signal("TERM");
    assert_eq!(polite.close_code(), 1001);
    relay.wait_for_log("and are cut off");
    assert_eq!(relay.wait_for_exit().code(), Some(0));
    let close = deaf.frame().expect("a Close frame");
    assert_eq!(
        (close.opcode, &close.payload[..2]),
        (8, &1001_u16.to_be_bytes()[..])
    );
    assert!(deaf.frame().is_none());
}

/// Scenario: SIGTERM to a relay that waits before it ends connections; then probes, an export over
/// HTTP and over gRPC, and a subscriber, all on new connections.
/// Guarantees: `/readyz` is 503 and `/metrics` says so too, everything else is served as before;
/// then it ends by itself, and the subscriber has all that was accepted.
#[test]
fn it_serves_on_while_it_is_not_ready() {
    let args = ["--grpc-listen", "127.0.0.1:0", "--drain-delay", "8s"];
    let mut relay = Relay::with(&args);
    let (address, grpc) = (relay.address(), relay.grpc_address());
    let status = |path| exchange(address, &head("GET", path, &[])).status;
    assert_eq!(
        (status("/readyz"), Scrape::of_relay(address).sum("ready")),
        (200, 1)
    );
    relay.signal("TERM");
    relay.wait_for_log("/readyz is 503");
    assert_eq!((status("/readyz"), status("/healthz")), (503, 200));
    assert_eq!(Scrape::of_relay(address).sum("ready"), 0);
    let mut watcher = Watcher::connect(address);
    post(address, &gauge("late", 1));
    Grpc::connect(grpc).export(gauge("late", 2)).unwrap();
    assert_eq!(watcher.frame(), gauge_json("late", 1));
    assert_eq!(watcher.frame(), gauge_json("late", 2));
    assert_eq!(watcher.close_code(), 1001);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: SIGTERM while nobody is there; and `/readyz` before.
/// Guarantees: ready, then exit code 0, long before the end of the grace.
#[test]
fn an_idle_relay_stops_at_once() {
    let mut relay = Relay::with(&["--shutdown-grace", "1h"]);
    let answer = exchange(relay.address(), &head("GET", "/readyz", &[]));
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &b"ready\n"[..])
    );
    relay.signal("TERM");
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}
