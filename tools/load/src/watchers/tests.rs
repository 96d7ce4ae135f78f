//! Watchers before a server that writes what it is told.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::door::read_head;
use super::*;

/// A server that reads one head and answers with `answer`, and the socket of its client.
async fn answering(answer: &'static str) -> (SocketAddr, JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.unwrap();
        read_head(&mut io).await.unwrap();
        io.write_all(answer.as_bytes()).await.unwrap();
        io
    });
    (address, serving)
}

/// A crowd before a server that upgrades whoever comes, and the socket of the first.
async fn upgraded(crowd: Crowd) -> (Watchers, TcpStream) {
    let (address, serving) = answering(UPGRADED).await;
    let end_to_end = Some(Arc::new(EndToEnd::new().unwrap()));
    let door = Door::at(address, "/ws/metrics");
    let watchers = Watchers::connect(&door, crowd, end_to_end).await;
    (watchers.unwrap(), serving.await.unwrap())
}

const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

/// Scenario: a text message, a ping and half of another message; then the rest; then a close.
/// Guarantees: messages are counted at their end, the ping is answered with its payload, and a
/// client that was closed is told, and waited for no longer.
#[tokio::test]
async fn a_reader_counts_and_answers_pings() {
    let one = Crowd {
        reading: 1,
        ..Crowd::default()
    };
    let (watchers, mut io) = upgraded(one).await;
    io.write_all(b"\x81\x02{}\x89\x01x\x81\x04[1")
        .await
        .unwrap();
    let mut answer = [0; 7];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\x8a\x81\0\0\0\0x");
    watchers.all_have(1).await;
    assert_eq!((watchers.read().messages, watchers.read().bytes), (1, 2));
    io.write_all(b",2").await.unwrap();
    watchers.all_have(2).await;
    assert_eq!((watchers.read().messages, watchers.read().bytes), (2, 6));
    assert_eq!(watchers.closed(), 0);
    io.write_all(b"\x88\x00").await.unwrap();
    watchers.all_have(3).await;
    assert_eq!(watchers.closed(), 1);
}

/// Scenario: a slow client and a message that is longer than its share.
/// Guarantees: it takes the message in several turns and counts it apart from the fast ones.
#[tokio::test]
async fn a_slow_reader_takes_its_share() {
    let one = Crowd {
        slow: 1,
        slow_bytes_per_second: 1000,
        ..Crowd::default()
    };
    let (watchers, mut io) = upgraded(one).await;
    let mut message = b"\x81\x7e\x00\x80".to_vec();
    message.resize(4 + 128, b'x');
    let start = Instant::now();
    io.write_all(&message).await.unwrap();
    while watchers.read_slowly().messages < 1 {
        sleep(Duration::from_millis(5)).await;
    }
    // 50 bytes in each turn: two waits before the third.
    assert!(start.elapsed() >= 2 * SLOW_TURN);
    assert_eq!(watchers.read(), Tally::default());
    assert_eq!(watchers.read_slowly().bytes, 128);
}

/// Scenario: a server that answers an upgrade with 403, and one that upgrades without the
/// compression that was asked for.
/// Guarantees: connecting fails, with what the server said.
#[tokio::test]
async fn a_refused_upgrade_is_told() {
    let one = Crowd {
        reading: 1,
        ..Crowd::default()
    };
    for (answer, deflate, told) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", false, "403"),
        (UPGRADED, true, "no compression"),
    ] {
        let (address, _serving) = answering(answer).await;
        let door = Door {
            deflate,
            ..Door::at(address, "/")
        };
        let error = Watchers::connect(&door, one, None).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
