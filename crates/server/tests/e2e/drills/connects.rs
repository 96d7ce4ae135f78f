//! A thousand clients at once.

use std::net::SocketAddr;

use futures_util::StreamExt;
use futures_util::future::join_all;
use load::process::raise_descriptors;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::connect_async;

use super::{counts, wait_until};
use crate::support::{PROTOBUF, Relay, Watcher, gauge, gauge_json, handshake, post, request, wait};

/// Half of the clients.
const HALF: usize = 500;

/// So that a slow machine doesn't end what is only late.
const PATIENT: [&str; 4] = ["--head-timeout", "60s", "--ping-interval", "1h"];

/// Sends a request over a connection of its own: the status, or none if that ended first; and the
/// connection.
async fn ask(address: SocketAddr, request: &[u8]) -> (Option<u16>, Option<TcpStream>) {
    let asking = async {
        let mut io = TcpStream::connect(address).await?;
        io.write_all(request).await?;
        let mut answer = [0; 12];
        io.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>((answer, io))
    };
    match asking.await {
        Ok((answer, io)) => {
            let status = std::str::from_utf8(&answer[9..]).unwrap();
            (Some(status.parse().unwrap()), Some(io))
        }
        Err(_) => (None, None),
    }
}

/// Scenario: 500 clients that watch and 500 that send connect in the same moment.
/// Guarantees: each is served, and each watcher gets what is exported then.
#[test]
fn a_thousand_are_served() {
    raise_descriptors().unwrap();
    let relay = Relay::with(&PATIENT);
    let address = relay.address();
    let runtime = Runtime::new().unwrap();
    let body = request(
        "POST",
        "/v1/metrics",
        &[("Content-Type", PROTOBUF)],
        &gauge("m", 0),
    );
    let url = format!("ws://{address}/ws/logs");
    let watching = join_all((0..HALF).map(|_| connect_async(url.as_str())));
    let sending = join_all((0..HALF).map(|_| ask(address, &body)));
    let (watchers, sent) = wait(&runtime, async { tokio::join!(watching, sending) });
    assert_eq!(
        sent.iter()
            .filter(|(status, _)| *status == Some(200))
            .count(),
        HALF
    );
    let log =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
    let log = request(
        "POST",
        "/v1/logs",
        &[("Content-Type", "application/json")],
        log,
    );
    assert_eq!(wait(&runtime, ask(address, &log)).0, Some(200));
    let frames = watchers.into_iter().map(|watcher| async {
        let (mut socket, _) = watcher.unwrap();
        socket.next().await.unwrap().unwrap().into_text().unwrap()
    });
    for frame in wait(&runtime, join_all(frames)) {
        assert!(frame.starts_with(r#"{"resourceLogs""#), "{frame}");
    }
    let counts = counts(relay);
    assert_eq!(counts["exports"], HALF + 1);
    assert_eq!(counts["refused_connections"], 0);
}

/// Scenario: a thousand clients connect at once where there is room for a hundred.
/// Guarantees: a hundred are let in; all others are told 503, or closed, and counted; when the
/// hundred have gone there is room, and nothing else has suffered.
#[test]
fn where_there_is_room_for_a_hundred() {
    raise_descriptors().unwrap();
    let relay = Relay::with(&[&PATIENT[..], &["--max-connections", "100"]].concat());
    let address = relay.address();
    let runtime = Runtime::new().unwrap();
    let handshake = handshake("/ws/metrics", &[]);
    let asked = wait(
        &runtime,
        join_all((0..2 * HALF).map(|_| ask(address, &handshake))),
    );
    let with = |wanted| asked.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!(with(Some(101)), 100);
    assert_eq!(with(Some(503)) + with(None), 900);
    assert!(with(Some(503)) > 0);
    drop(asked);
    // Others of them may still be about to be refused.
    wait_until("there is room", || {
        wait(&runtime, ask(address, &handshake)).0 == Some(101)
    });
    let mut watcher = Watcher::connect(address);
    post(address, &gauge("m", 1));
    assert_eq!(watcher.frame(), gauge_json("m", 1));
    drop(watcher);
    assert!(counts(relay)["refused_connections"].as_u64().unwrap() >= 900);
}
