//! Links that are slow, and peers that vanish.

use std::thread;

use super::{counts, export, wait_until, with_grpc};
use crate::support::{
    Grpc, Http, PROTOBUF, Proxy, Relay, Scrape, Watcher, bulky, gauge, gauge_json, head, name_of,
    post, prefixed, shake,
};

/// Bytes a second of a bad link.
const SLOW: u32 = 1000;

/// Scenario: one subscriber is behind a link of 1 kB/s, one is not; 100 exports of 50 KiB come,
/// one when the other subscriber has the last; then the link becomes fast.
/// Guarantees: every export is accepted, and the other has every frame, while the first has nearly
/// nothing; what that one lost is told in a gap: with the frames that came it is all of them.
#[test]
fn a_slow_link_is_told_what_it_lost() {
    const EXPORTS: u64 = 100;
    // A link of this speed takes longer for what it has than pings are waited for.
    let relay = Relay::with(&["--ping-interval", "1h", "--max-lag", "1MiB"]);
    let proxy = Proxy::before(relay.address());
    let mut slow = Watcher::connect_to(proxy.address, "/ws/metrics?envelope=true");
    assert_eq!(slow.frame()["type"], "hello");
    proxy.slow_down(SLOW);
    let mut reader = Watcher::connect(relay.address());
    let mut sender = Http::connect(relay.address());
    for number in 0..EXPORTS {
        let name = number.to_string();
        export(&mut sender, &bulky(&name, 50));
        assert_eq!(name_of(&reader.frame()), name);
    }

    proxy.open();
    let (mut frames, mut lost, mut last) = (0, 0, 0);
    while last < EXPORTS {
        let frame = slow.frame();
        let number = |name: &str| frame[name].as_str().unwrap().parse::<u64>().unwrap();
        match frame["type"].as_str() {
            Some("gap") => {
                assert_eq!(number("afterSeq"), last);
                lost += number("dropped");
            }
            _ => {
                frames += 1;
                assert_eq!(number("seq"), frames + lost, "what is not here was told");
                last = number("seq");
            }
        }
    }
    assert_eq!(frames + lost, EXPORTS);
    assert!(lost > EXPORTS / 2, "{lost}");
    assert_eq!(counts(relay)["dropped"], lost);
}

/// Scenario: the same link, with a ping every second.
/// Guarantees: the subscriber behind it can't answer in time and loses its place, which another
/// gets; who reads beside it stays.
#[test]
fn a_link_that_is_too_slow_for_pings_is_given_up() {
    let relay = Relay::with(&["--ping-interval", "1s", "--max-sessions", "2"]);
    let address = relay.address();
    let proxy = Proxy::before(address);
    let _slow = Watcher::connect(proxy.address);
    let mut reader = Watcher::connect(address);
    proxy.slow_down(SLOW);
    for number in 0..10 {
        let name = number.to_string();
        post(address, &bulky(&name, 50));
        assert_eq!(
            name_of(&serde_json::from_str(&reader.text()).unwrap()),
            name
        );
    }
    let reader = thread::spawn(move || {
        let frame = reader.frame();
        (reader, frame)
    });
    wait_until("its place is free", || shake(address, &[]) == 101);
    post(address, &gauge("marker", 1));
    assert_eq!(reader.join().unwrap().1, gauge_json("marker", 1));
    let closed = counts(relay)["closed_by_reason"].to_string();
    assert!(closed.contains("no_pong"), "{closed}");
}

/// Scenario: a subscriber, a sender of HTTP in the middle of a body, one of gRPC in the middle of
/// a message, and an idle connection of each, whose network goes away without a word.
/// Guarantees: each has its time, and then the relay gives back what they held: the subscriber
/// by its pings, senders by their stall, idle ones by keepalive, each counted for that; who is
/// still there notices nothing.
#[test]
fn half_open_connections_end() {
    let waits = [
        "--ping-interval",
        "1s",
        "--stall-timeout",
        "2s",
        "--idle-timeout",
        "2s",
        "--grpc-keepalive-interval",
        "1s",
        "--grpc-keepalive-timeout",
        "1s",
    ];
    let relay = with_grpc(&waits);
    let (http, grpc) = (relay.address(), relay.grpc_address());
    let (near, far) = (Proxy::before(http), Proxy::before(grpc));
    let _watcher = Watcher::connect(near.address);
    let mut idle = Http::connect(near.address);
    export(&mut idle, &gauge("m", 1));
    let mut upload = Http::connect(near.address);
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Content-Length", "1000"),
        ("Expect", "100-continue"),
    ];
    upload.send(&head("POST", "/v1/metrics", &headers));
    assert_eq!(upload.answer_head().status, 100);
    let idle_grpc = Grpc::connect(far.address);
    idle_grpc.export(gauge("m", 2)).unwrap();
    let calling = Grpc::connect(far.address);
    let _call = calling.begin(prefixed(1000, b"half")[..7].to_vec());
    assert!(relay.connections() == 5);
    near.cut();
    far.cut();

    let mut bystander = Watcher::connect(http);
    let stays = thread::spawn(move || {
        let frame = bystander.frame();
        (bystander, frame)
    });
    wait_until("only the bystander is left", || relay.connections() == 1);
    post(http, &gauge("marker", 1));
    assert_eq!(stays.join().unwrap().1, gauge_json("marker", 1));
    let scrape = Scrape::of_relay(http);
    for (wait, ended) in [("stall", 1), ("idle", 1), ("keepalive", 2)] {
        let label = format!("wait=\"{wait}\"");
        let counted = scrape.of("connections_timed_out_total", &label);
        assert_eq!(counted, ended, "{wait}");
    }
    let counts = counts(relay);
    assert!(
        counts["closed_by_reason"].to_string().contains("no_pong"),
        "{counts}"
    );
    assert_eq!(counts["timed_out_connections"], 3, "{counts}");
}
