//! Fault drills: what the relay does when something around it fails. `docs/operations.md` says it
//! in words.
#![cfg(target_os = "linux")]

mod clock;
mod connects;
mod descriptors;
mod full_disk;
mod links;
mod tokens;
mod unread_log;

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Http, PATIENCE, PROTOBUF, Relay, request};

/// How often something is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// A relay that listens for gRPC too.
fn with_grpc(args: &[&str]) -> Relay {
    Relay::with(&[&["--grpc-listen", "127.0.0.1:0"], args].concat())
}

/// Exports over a connection that is kept; it must be accepted.
fn export(http: &mut Http, wire: &[u8]) {
    let headers = [("Content-Type", PROTOBUF)];
    http.send(&request("POST", "/v1/metrics", &headers, wire));
    let answer = http.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Waits for something that happens in its time.
fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what}");
        thread::park_timeout(GLANCE);
    }
}

/// The last line of a relay's log, which has its counts, when it is asked to end.
fn counts(mut relay: Relay) -> serde_json::Value {
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success(), "{status}");
    serde_json::from_str(log.lines().last().unwrap()).unwrap()
}
