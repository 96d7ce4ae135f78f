//! Clients that keep the relay waiting, over plain connections and over TLS.

use std::io::{Read, Write};
use std::iter::repeat;

use crate::support::{
    Authority, Folder, Http, PROTOBUF, Relay, Scrape, TlsStream, head, tls_flags,
};

/// Short waits, so that each is over soon.
const WAITS: [&str; 6] = [
    "--head-timeout",
    "1s",
    "--stall-timeout",
    "1s",
    "--idle-timeout",
    "1s",
];

/// Scenario: clients that stop in the middle of a head, in the middle of a body, and after an
/// answer.
/// Guarantees: each connection is ended when its wait is over, and counted for that; to be idle is
/// no fault.
#[test]
fn nobody_waits_for_ever() {
    let relay = Relay::with(&WAITS);
    let connect = || Http::connect(relay.address());
    wait_for_the_end([connect(), connect(), connect()]);
    let scrape = Scrape::of_relay(relay.address());
    for wait in ["head", "stall", "idle"] {
        assert_eq!(timed_out(&scrape, wait), 1, "{wait}");
    }
    assert_eq!(faults(relay), 2);
}

/// Scenario: the same over TLS, and a client whose handshake doesn't come.
/// Guarantees: the same; the handshake has the wait of a head.
#[test]
fn nor_behind_tls() {
    let (folder, authority) = (Folder::new("waits"), Authority::new());
    let tls = tls_flags(&folder, &authority.issue());
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    let relay = Relay::with(&[&WAITS[..], &tls].concat());
    let mut silent = Http::connect(relay.address());
    let client = authority.client(&[&rustls::version::TLS13], None);
    let connect = || Http::<TlsStream>::tls(relay.address(), &client).unwrap();
    wait_for_the_end([connect(), connect(), connect()]);
    assert!(silent.ends());
    assert_eq!(faults(relay), 2);
}

/// Scenario: half a head comes in one piece with the request before it, and then nothing; idle
/// connections have all the time that they want.
/// Guarantees: the request is answered, and the head has its time all the same.
#[test]
fn a_head_that_comes_early_has_its_time() {
    let relay = Relay::with(&["--head-timeout", "1s", "--idle-timeout", "1h"]);
    let mut http = Http::connect(relay.address());
    let mut request = head("GET", "/healthz", &[]);
    request.extend(b"GET /x");
    http.send(&request);
    assert_eq!(http.answer().status, 200);
    assert!(http.ends());
    assert_eq!(timed_out(&Scrape::of_relay(relay.address()), "head"), 1);
}

/// Scenario: first an idle connection, whose time is shorter than the default of a head; then half
/// of a first head and of a second one, whose time is shorter still.
/// Guarantees: the heads end first, so they have the time that was set.
#[test]
fn heads_have_the_time_that_was_set() {
    loop {
        let relay = Relay::with(&["--head-timeout", "1s", "--idle-timeout", "5s"]);
        let [mut idle, mut first, mut second] = [(); 3].map(|()| Http::connect(relay.address()));
        for http in [&mut idle, &mut second] {
            http.send(&head("GET", "/healthz", &[]));
            assert_eq!(http.answer().status, 200);
        }
        for http in [&mut first, &mut second] {
            http.send(b"GET /x");
        }
        let scrape = Scrape::until(relay.address(), |now| {
            timed_out(now, "head") == 2 || timed_out(now, "idle") > 0
        });
        match (timed_out(&scrape, "head"), timed_out(&scrape, "idle")) {
            (2, 0) => return,
            // The machine has slept through both.
            (2, 1) => {}
            ended => panic!("{ended:?}"),
        }
    }
}

/// Scenario: a client that is refused for its head, and goes on sending its body.
/// Guarantees: it is answered, and its connection ends, which is counted.
#[test]
fn who_goes_on_sending_is_cut_off() {
    let relay = Relay::start();
    let mut http = Http::connect(relay.address());
    let headers = [
        ("Content-Type", "text/plain"),
        ("Content-Length", "1000000"),
    ];
    http.send(&head("POST", "/v1/metrics", &headers));
    http.send_in_background(repeat(vec![b'x'; 1000]));
    assert_eq!(http.answer().status, 415);
    assert!(http.ends());
    assert_eq!(timed_out(&Scrape::of_relay(relay.address()), "linger"), 1);
}

/// Leaves the relay waiting on each connection in another way, and waits for them to end.
fn wait_for_the_end<S: Read + Write>([mut in_head, mut in_body, mut idle]: [Http<S>; 3]) {
    let headers = [("Content-Type", PROTOBUF), ("Content-Length", "10")];
    let upload = head("POST", "/v1/metrics", &headers);
    in_head.send(&upload[..upload.len() - 1]);
    in_body.send(&upload);
    idle.send(&head("GET", "/healthz", &[]));
    assert_eq!(idle.answer().status, 200);
    for http in [&mut in_head, &mut in_body, &mut idle] {
        // It may have been told why.
        http.rest();
    }
}

/// How many connections the relay has ended for this.
fn timed_out(scrape: &Scrape, wait: &str) -> u64 {
    let label = format!("listener=\"http\",wait=\"{wait}\"");
    scrape.of("connections_timed_out_total", &label)
}

/// How many connections the relay has ended because their clients took too long.
fn faults(mut relay: Relay) -> u64 {
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success());
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    last["timed_out_connections"].as_u64().unwrap()
}
