//! Clients that keep the relay waiting, over plain connections and over TLS.

use std::io::{Read, Write};

use crate::support::{Authority, Folder, Http, PROTOBUF, Relay, TlsStream, head, tls_flags};

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
/// Guarantees: each connection is ended when its wait is over, and the first two are counted.
#[test]
fn nobody_waits_for_ever() {
    let relay = Relay::with(&WAITS);
    let connect = || Http::connect(relay.address());
    wait_for_the_end([connect(), connect(), connect()]);
    assert_eq!(timed_out(relay), 2);
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
    assert_eq!(timed_out(relay), 2);
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

/// How many connections the relay has ended because their clients took too long.
fn timed_out(mut relay: Relay) -> u64 {
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success());
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    last["timed_out_connections"].as_u64().unwrap()
}
