//! The command line and the environment.

use std::net::TcpListener;

use crate::support::{Relay, Watcher, exchange, gauge, gauge_json, head, post, run_to_end};

const LISTEN: &str = "OTLP_RELAY_LISTEN";

/// Scenario: `otlp-relay` and `otlp-relay serve`, the address from the environment; a flag that
/// says otherwise.
/// Guarantees: each listens where it was told; the flag wins; the log names the address in both
/// of its forms.
#[test]
fn the_environment_says_where_to_listen() {
    for args in [&[][..], &["serve"]] {
        let relay = Relay::run(args, &[(LISTEN, "127.0.0.1:0")], 1);
        assert!(relay.address().ip().is_loopback());
        let answer = exchange(relay.address(), &head("GET", "/readyz", &[]));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, b"ready\n");
    }
    let args = ["serve", "--listen", "127.0.0.1:0", "--log-format", "text"];
    let relay = Relay::run(&args, &[(LISTEN, "192.0.2.1:1")], 1);
    assert!(relay.address().ip().is_loopback());
}

/// Scenario: two addresses, as two flags and as one variable.
/// Guarantees: what is sent to one is seen by watchers of both.
#[test]
fn several_addresses_are_one_relay() {
    let flags = ["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    let variable = [(LISTEN, "127.0.0.1:0,127.0.0.1:0")];
    for relay in [Relay::run(&flags, &[], 2), Relay::run(&[], &variable, 2)] {
        let addresses = &relay.addresses;
        assert_ne!(addresses[0], addresses[1]);
        let mut watchers: Vec<Watcher> = addresses
            .iter()
            .map(|&address| Watcher::connect(address))
            .collect();
        for (number, &address) in addresses.iter().enumerate() {
            let number = number as i64;
            post(address, &gauge("m", number));
            for watcher in &mut watchers {
                assert_eq!(watcher.frame(), gauge_json("m", number));
            }
        }
    }
}

/// Scenario: an address that another program listens on; the second of two such.
/// Guarantees: exit code 1, and a message that names the address and says what to do.
#[test]
fn a_port_in_use_is_explained() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for args in [
        &["--listen", &address][..],
        &["--listen", "127.0.0.1:0", "--listen", &address],
    ] {
        let (status, log) = run_to_end(args);
        assert_eq!(status.code(), Some(1), "{log}");
        for part in [
            address.as_str(),
            "another program listens there",
            "--listen",
        ] {
            assert!(log.contains(part), "{log}");
        }
    }
}

/// Scenario: flags that can't be read.
/// Guarantees: exit code 2, and a message that names the flag.
#[test]
fn a_bad_flag_is_explained() {
    for flag in [
        "--listen",
        "--max-body",
        "--ping-interval",
        "--no-such-flag",
    ] {
        let (status, log) = run_to_end(&[flag, "nonsense"]);
        assert_eq!(status.code(), Some(2), "{log}");
        assert!(log.contains(flag), "{log}");
    }
}
