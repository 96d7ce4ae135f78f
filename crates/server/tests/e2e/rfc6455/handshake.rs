//! Section 4.2.1: what a handshake must look like, and what a wrong one is answered.

use crate::support::{Http, RawWatcher, Relay};

use super::Suite;

/// Lines of a good handshake; a case changes some.
const GOOD: [&str; 6] = [
    "GET /ws/metrics HTTP/1.1",
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

/// A head of these lines.
fn head(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

/// The good handshake with another line in the place of the one that begins like `line`.
fn with(line: &str, others: &[&str]) -> Vec<u8> {
    let lines = GOOD.iter().flat_map(|good| match good.starts_with(line) {
        true => others.to_vec(),
        false => vec![*good],
    });
    let lines: Vec<&str> = lines.collect();
    assert_ne!(lines, GOOD, "{line} is no line");
    head(&lines)
}

/// Scenario: handshakes that are right: other letter cases, other orders, lists, white space,
/// the absolute form of a target, extensions and subprotocols that nobody knows; each at once
/// and byte by byte.
/// Guarantees: 101 with the key's answer, without an extension or a subprotocol.
#[test]
fn right_ones_are_taken() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut reversed = GOOD;
    reversed[1..].reverse();
    let cases = [
        ("plain", with("GET", &["GET /ws/metrics? HTTP/1.1"])),
        (
            "absolute",
            with("GET", &["GET http://localhost/ws/metrics HTTP/1.1"]),
        ),
        (
            "letters of Upgrade",
            with("Upgrade", &["upgrade: WebSocket"]),
        ),
        (
            "letters of Connection",
            with("Connection", &["connection: UPGRADE"]),
        ),
        (
            "a list",
            with("Connection", &["Connection: keep-alive, Upgrade"]),
        ),
        (
            "a list, other order",
            with("Connection", &["Connection: Upgrade , keep-alive"]),
        ),
        (
            "two Connections",
            with(
                "Connection",
                &["Connection: keep-alive", "Connection: Upgrade"],
            ),
        ),
        (
            "white space",
            with(
                "Sec-WebSocket-Key",
                &[&(key.replace(": ", ":  \t") + " \t")],
            ),
        ),
        (
            "letters of names",
            with(
                "Sec-WebSocket-K",
                &[&key.replace("Sec-WebSocket", "sec-websocket")],
            ),
        ),
        ("order", head(&reversed)),
        (
            "an extension",
            with(
                "Host",
                &[
                    "Host: localhost",
                    "Sec-WebSocket-Extensions: x-webkit-foo; a=1",
                ],
            ),
        ),
        (
            "subprotocols",
            with(
                "Host",
                &["Host: localhost", "Sec-WebSocket-Protocol: chat, superchat"],
            ),
        ),
    ];
    let suite = Suite::start("right");
    for door in &suite.0 {
        for (name, bytes) in &cases {
            for piece in [bytes.len(), 1] {
                let mut http = door.connect();
                bytes.chunks(piece).for_each(|piece| http.send(piece));
                let answer = http.answer_head();
                assert_eq!(answer.status, 101, "{name}: {answer:?}");
                let accept = answer.header("sec-websocket-accept");
                assert_eq!(accept, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{name}");
                for header in ["sec-websocket-extensions", "sec-websocket-protocol"] {
                    assert_eq!(answer.header(header), None, "{name}");
                }
            }
        }
    }
}

/// Scenario: handshakes with one thing wrong.
/// Guarantees: a status of 4xx with a text; what is missing for an upgrade comes with 426 and its
/// headers (section 4.4), other faults with 400; the relay serves on.
#[test]
fn wrong_ones_are_told() {
    let key = "Sec-WebSocket-Key: ";
    let both = [
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let versions = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"];
    let cases = [
        ("HTTP/1.0", with("GET", &["GET /ws/metrics HTTP/1.0"]), 400),
        ("POST", with("GET", &["POST /ws/metrics HTTP/1.1"]), 405),
        ("no Host", with("Host", &[]), 400),
        ("no Upgrade", with("Upgrade", &[]), 426),
        ("another Upgrade", with("Upgrade", &["Upgrade: h2c"]), 426),
        ("no Connection", with("Connection", &[]), 400),
        (
            "another Connection",
            with("Connection", &["Connection: keep-alive"]),
            400,
        ),
        ("no key", with(key, &[]), 400),
        ("an empty key", with(key, &[key]), 400),
        (
            "a short key",
            with(key, &["Sec-WebSocket-Key: c2hvcnQ="]),
            400,
        ),
        (
            "a long key",
            with(
                key,
                &["Sec-WebSocket-Key: bW9yZSB0aGFuIHNpeHRlZW4gYnl0ZXM="],
            ),
            400,
        ),
        (
            "no base64",
            with(key, &["Sec-WebSocket-Key: d!hlIHNhbXBsZSBub25jZQ=="]),
            400,
        ),
        (
            "base64url",
            with(key, &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j_-=="]),
            400,
        ),
        ("two keys", with(key, &both), 400),
        ("no version", with("Sec-WebSocket-V", &[]), 426),
        (
            "version 8",
            with("Sec-WebSocket-V", &["Sec-WebSocket-Version: 8"]),
            426,
        ),
        (
            "version 013",
            with("Sec-WebSocket-V", &["Sec-WebSocket-Version: 013"]),
            426,
        ),
        (
            "versions in a list",
            with("Sec-WebSocket-V", &["Sec-WebSocket-Version: 13, 8"]),
            426,
        ),
        ("two versions", with("Sec-WebSocket-V", &versions), 426),
        (
            "a body",
            with("Host", &["Host: localhost", "Content-Length: 1"]),
            400,
        ),
    ];
    let suite = Suite::start("wrong");
    for door in &suite.0 {
        for (name, bytes, status) in &cases {
            let mut http = door.connect();
            http.send(bytes);
            let answer = http.answer();
            assert_eq!(answer.status, *status, "{name}: {answer:?}");
            // What is no HTTP is refused by actix, without a body.
            assert!(*name == "no Host" || answer.status_code() != 0, "{name}");
            if *status == 426 {
                assert_eq!(answer.header("upgrade"), Some("websocket"), "{name}");
                assert_eq!(answer.header("sec-websocket-version"), Some("13"), "{name}");
            }
        }
        RawWatcher::over(door.connect());
    }
}

/// Scenario: a client that sends half a handshake and then nothing, and one that sends nothing.
/// Guarantees: both are dropped, and counted.
#[test]
fn half_a_handshake_is_dropped() {
    let mut relay = Relay::start();
    let mut silent = Http::connect(relay.address());
    let mut half = Http::connect(relay.address());
    half.send(&with("Host", &["Host: localhost", "X: y"])[..100]);
    for http in [&mut half, &mut silent] {
        // It may be told why.
        http.rest();
    }
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success());
    assert!(log.contains("\"timed_out_connections\":2"), "{log}");
}
