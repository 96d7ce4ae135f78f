//! What broke the script that the relay replaces, and worse.

use std::thread;

use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Http, JSON, RawWatcher, Relay, Watcher, exchange, gauge, gauge_json, handshake, lets_in, post,
    request,
};

/// Scenario: a client sends text, garbage text, binary frames and pings, then exports flow.
/// Guarantees: messages are ignored, pings are answered with their payload, and the client gets
/// every frame.
#[test]
fn messages_of_clients_are_ignored_and_pings_answered() {
    let relay = Relay::start();
    let mut watcher = Watcher::connect(relay.address());
    for (number, message) in [
        Message::text("hello"),
        Message::text("\0{]garbage"),
        Message::binary(vec![0, 159, 146, 150]),
        Message::binary(vec![7; 500_000]),
        Message::text(""),
    ]
    .into_iter()
    .enumerate()
    {
        let payload = format!("ping {number}").into_bytes();
        watcher.send(message);
        watcher.send(Message::Ping(payload.clone().into()));
        assert_eq!(watcher.message(), Message::Pong(payload.into()));
        let number = number as i64;
        post(relay.address(), &gauge("after", number));
        assert_eq!(watcher.frame(), gauge_json("after", number));
    }
}

/// Scenario: bytes that are no HTTP at all; half a head, half a body, a subscription and then a
/// reset.
/// Guarantees: the garbage is answered 400 or just dropped, and the relay serves on.
#[test]
fn garbage_and_resets_harm_nobody() {
    let relay = Relay::start();
    let mut bystander = Watcher::connect(relay.address());
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0xff; 10_000],
        b"hello\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
    ] {
        let mut http = Http::connect(relay.address());
        http.send_in_background([garbage]);
        let rest = http.rest();
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&rest)
        );
    }
    let whole = request("POST", "/v1/metrics", &[("Content-Type", JSON)], b"{}");
    for bytes in [
        b"".as_slice(),
        b"POST /v1/me",
        &whole[..whole.len() - 1],
        &handshake("/ws/metrics", &[]),
    ] {
        let mut http = Http::connect(relay.address());
        http.send(bytes);
        http.reset();
    }
    RawWatcher::connect(relay.address()).reset();
    let answer = exchange(relay.address(), &request("GET", "/readyz", &[], b""));
    assert_eq!(answer.status, 200);
    post(relay.address(), &gauge("marker", 1));
    assert_eq!(bystander.frame(), gauge_json("marker", 1));
}

/// Scenario: pings every two seconds; one client answers them, another reads but never answers.
/// Guarantees: the silent one is closed with 3012 and its connection ends; the other stays and
/// gets what comes afterwards.
#[test]
fn who_never_answers_pings_is_removed() {
    let relay = Relay::with(&["--ping-interval", "2s", "--max-sessions", "2"]);
    let address = relay.address();
    let mut alive = Watcher::connect(address);
    let mut silent = RawWatcher::connect(address);
    let alive = thread::spawn(move || {
        let frame = alive.frame();
        (alive, frame)
    });
    assert_eq!(silent.frame().unwrap().opcode, 9);
    let close = silent.frame().unwrap();
    assert_eq!(close.opcode, 8);
    assert_eq!(close.payload[..2], 3012_u16.to_be_bytes());
    assert!(silent.frame().is_none(), "the connection ends");

    assert!(lets_in(address), "its place is free again");
    post(address, &gauge("marker", 1));
    let (_alive, frame) = alive.join().unwrap();
    assert_eq!(frame, gauge_json("marker", 1));
}
