//! SIGTERM and Ctrl-C.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Grpc, Http, PROTOBUF, RawWatcher, Relay, Scrape, Watcher, bulky, exchange, gauge, gauge_json,
    head, name_of, post, request, value_of,
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
/// 200; its frame reaches the watchers, then Close 1001; the exit code is 0, well within the
/// grace.
#[test]
fn requests_in_flight_are_finished_first() {
    for signal in ["TERM", "INT"] {
        let mut relay = Relay::with(&["--shutdown-grace", "15s"]);
        let address = relay.address();
        let mut watchers: Vec<Watcher> = (0..3).map(|_| Watcher::connect(address)).collect();
        let mut idle = Http::connect(address);
        idle.send(&head("GET", "/readyz", &[]));
        assert_eq!(idle.answer().status, 200);
        let mut upload = Http::connect(address);
        let left = begin_upload(&mut upload);

        let began = Instant::now();
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
        assert!(began.elapsed() < Duration::from_secs(8));
    }
}

/// Scenario: SIGTERM while four clients send one export after another, each over a connection of
/// its own, and one watches.
/// Guarantees: every export that was answered 200 comes before the Close frame, in order.
#[test]
fn nothing_that_was_answered_is_lost() {
    let mut relay = Relay::start();
    let address = relay.address();
    let mut watcher = Watcher::connect(address);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| thread::spawn(move || send_until_closed(address, sender)))
        .collect();
    let mut frames = [0; SENDERS];
    let close = loop {
        match watcher.message() {
            Message::Text(text) => {
                let frame = serde_json::from_str(&text).unwrap();
                let sender: usize = name_of(&frame).parse().unwrap();
                assert_eq!(value_of(&frame), frames[sender]);
                frames[sender] += 1;
                if frames.iter().sum::<i64>() == 100 {
                    relay.signal("TERM");
                }
            }
            Message::Close(close) => break close,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(close.unwrap().code), 1001);
    for (sender, seen) in senders.into_iter().zip(frames) {
        let answered = sender.join().unwrap();
        // One more may have been taken whose answer did not come.
        let expected = answered..=answered + 1;
        assert!(expected.contains(&seen), "{seen} {expected:?}");
    }
    drop(watcher);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

const SENDERS: usize = 4;

/// Sends numbered exports over one connection while it lasts; how many were answered.
fn send_until_closed(address: SocketAddr, sender: usize) -> i64 {
    let mut http = Http::connect(address);
    let mut answered = 0;
    loop {
        let body = gauge(&sender.to_string(), answered);
        let request = request("POST", "/v1/metrics", &[("Content-Type", PROTOBUF)], &body);
        if http.try_send(&request).is_err() || http.ends() {
            return answered;
        }
        assert_eq!(http.answer().status, 200);
        answered += 1;
    }
}

/// Scenario: SIGTERM while one client never answers the Close frame, one has long stopped
/// reading, one sends half a body for ever, and one half a head.
/// Guarantees: none of them holds it longer than the grace; the exit code is 0, and whoever
/// behaves gets 1001.
#[test]
fn nobody_holds_it_longer_than_the_grace() {
    let grace = Duration::from_secs(2);
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

    let began = Instant::now();
    relay.signal("TERM");
    assert_eq!(polite.close_code(), 1001);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
    let took = began.elapsed();
    assert!(took < grace + Duration::from_secs(3), "{took:?}");
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
/// Guarantees: ready, then exit code 0 at once.
#[test]
fn an_idle_relay_stops_at_once() {
    let mut relay = Relay::start();
    let answer = exchange(relay.address(), &head("GET", "/readyz", &[]));
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &b"ready\n"[..])
    );
    let began = Instant::now();
    relay.signal("TERM");
    assert_eq!(relay.wait_for_exit().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(3));
}
