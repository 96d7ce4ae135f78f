//! Too few descriptors.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use load::process::Usage;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{counts, export, with_grpc};
use crate::support::{
    Grpc, Http, PATIENCE, Relay, Watcher, gauge, gauge_json, handshake, head, lets_in,
};

/// A watcher that reads all the time, and so answers pings.
struct Awake(Receiver<Message>);

impl Awake {
    fn connect(address: SocketAddr) -> Self {
        let mut watcher = Watcher::connect(address);
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = watcher.try_message() {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self(messages)
    }

    /// The next frame.
    fn frame(&self) -> Value {
        loop {
            match self.0.recv_timeout(PATIENCE).unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the next ping.
    fn ping(&self) {
        let message = self.0.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }
}

/// Waits for three pings of a relay that sends one a second, and sees to it that it rests
/// meanwhile: it may not use half of a processor.
fn rests(relay: &Relay, watcher: &Awake) {
    // Those that have come already say nothing of what is to come.
    while watcher.0.try_recv().is_ok() {}
    let cpu = || Usage::of(relay.id()).unwrap().cpu;
    let (begin, used) = (Instant::now(), cpu());
    for _ in 0..3 {
        watcher.ping();
    }
    let (took, used) = (begin.elapsed(), cpu() - used);
    assert!(used < took / 2, "{used:?} in {took:?}");
}

/// Sends a handshake that may be answered later.
fn knock(address: SocketAddr) -> Http {
    let mut http = Http::connect(address);
    // Whoever is refused may have been closed already.
    drop(http.try_send(&handshake("/ws/metrics", &[])));
    http
}

/// Scenario: a relay that is started with 256 descriptors, and 400 clients who all want to watch
/// and stay.
/// Guarantees: it says how many fit; at least half of that are let in, and the rest are answered
/// 503, or closed: nobody waits. It rests meanwhile, takes exports of who is connected, and lets
/// others in when those have gone.
#[test]
fn two_hundred_and_fifty_six_are_shared_out() {
    let flags = ["--ping-interval", "1s", "--head-timeout", "60s"];
    let relay = Relay::limited(
        "ulimit -n 256",
        &[&["--listen", "127.0.0.1:0"], &flags[..]].concat(),
    );
    let address = relay.address();
    let watcher = Awake::connect(address);
    let mut sender = Http::connect(address);
    export(&mut sender, &gauge("m", 1));
    assert_eq!(watcher.frame(), gauge_json("m", 1));

    let mut crowd: Vec<_> = (0..400).map(|_| knock(address)).collect();
    let mut inside = Vec::new();
    for mut http in crowd.drain(..) {
        if http.ends() {
            continue;
        }
        match http.answer_head().status {
            101 => inside.push(http),
            status => assert_eq!(status, 503),
        }
    }
    assert!((96..=190).contains(&inside.len()), "{}", inside.len());
    rests(&relay, &watcher);
    export(&mut sender, &gauge("m", 2));
    assert_eq!(watcher.frame(), gauge_json("m", 2));

    drop(inside);
    assert!(lets_in(address), "there is room again");
    export(&mut sender, &gauge("m", 3));
    let counts = counts(relay);
    assert!(
        counts["refused_connections"].as_u64().unwrap() > 0,
        "{counts}"
    );
}

/// Scenario: the limit of a running relay is lowered below what it has open, and clients of HTTP
/// and gRPC come; then it is raised again.
/// Guarantees: who is connected notices nothing; the relay rests, says why nobody gets in, and
/// serves those who wait as soon as it can.
#[test]
fn none_left_is_waited_out() {
    let relay = with_grpc(&["--ping-interval", "1s", "--head-timeout", "60s"]);
    let (address, grpc) = (relay.address(), relay.grpc_address());
    let watcher = Awake::connect(address);
    let mut sender = Http::connect(address);
    export(&mut sender, &gauge("m", 1));
    assert_eq!(watcher.frame(), gauge_json("m", 1));

    limit(&relay, "8:");
    let mut waiting = Http::connect(address);
    waiting.send(&head("GET", "/readyz", &[]));
    relay.wait_for_log("Too many open files");
    let calling = thread::spawn(move || Grpc::connect(grpc).export(gauge("m", 3)));
    relay.wait_for_log("accepting a gRPC connection failed");
    rests(&relay, &watcher);
    export(&mut sender, &gauge("m", 2));
    assert_eq!(watcher.frame(), gauge_json("m", 2));

    limit(&relay, "256:");
    assert_eq!(waiting.answer().status, 200);
    calling.join().unwrap().unwrap();
    assert_eq!(watcher.frame(), gauge_json("m", 3));
    counts(relay);
}

/// Sets how many descriptors a relay may have.
fn limit(relay: &Relay, limit: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit
        .arg(format!("--pid={}", relay.id()))
        .arg(format!("--nofile={limit}"));
    assert!(prlimit.status().unwrap().success());
}
