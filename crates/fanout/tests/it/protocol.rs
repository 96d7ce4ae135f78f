//! What clients may say, and what they may not.

use fanout::frame::CloseCode;
use fanout::{CloseReason, FanoutConfig};
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{client, frame, hub, next_text, number, piped, publish, wired};

/// Scenario: a client sends texts and binary messages, fragmented and whole.
/// Guarantees: they are ignored, and it gets its frames.
#[tokio::test]
async fn messages_of_clients_are_ignored() {
    let (hub, _) = hub(FanoutConfig::default());
    let mut client = client(wired(&hub).await.0).await;
    client.send(Message::text("subscribe me")).await.unwrap();
    client
        .send(Message::binary(vec![0xff; 100_000]))
        .await
        .unwrap();
    let fragments = [frame(0x01, b"\xc3"), frame(0x89, b""), frame(0x80, b"\xa9")].concat();
    client.get_mut().write_all(&fragments).await.unwrap();
    publish(&hub, [1], 0);
    assert_eq!(number(&next_text(&mut client).await), 1);
}

/// Scenario: clients that break the protocol, each in another way, and keep sending rubbish;
/// one other client watches.
/// Guarantees: each reads a Close with the code of RFC 6455 as the last thing, then the end of
/// the stream, and not a reset; the other client does not notice.
#[tokio::test]
async fn faults_are_answered_with_their_code() {
    let (hub, recorder) = hub(FanoutConfig {
        client_message_bytes: 1000,
        ..Default::default()
    });
    let mut bystander = client(wired(&hub).await.0).await;
    let garbage: Vec<u8> = (0..=255).rev().cycle().take(20_000).collect();
    let cases: [(&str, Vec<u8>, u16); 7] = [
        ("garbage", garbage.clone(), 1002),
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n".to_vec(), 1002),
        ("not masked", vec![0x81, 2, b'h', b'i'], 1002),
        ("reserved bit", frame(0xc1, b""), 1002),
        ("bad text", frame(0x81, b"\xff"), 1007),
        ("too long", vec![0x82, 0xfe, 0x03, 0xe9, 0, 0, 0, 0], 1009),
        ("bad close", frame(0x88, &[3]), 1002),
    ];
    for (i, (name, bytes, code)) in cases.into_iter().enumerate() {
        let (mut io, session) = wired(&hub).await;
        io.write_all(&bytes).await.unwrap();
        io.write_all(&garbage).await.unwrap();
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        assert_eq!(
            (answer[0], &answer[2..4]),
            (0x88, &code.to_be_bytes()[..]),
            "{name}"
        );
        assert_eq!(answer.len(), 2 + usize::from(answer[1]), "{name}");
        drop(io);
        assert_eq!(
            session.await.unwrap(),
            CloseReason::Protocol(CloseCode(code)),
            "{name}"
        );
        publish(&hub, [i as u64], 0);
        assert_eq!(number(&next_text(&mut bystander).await), i as u64);
    }
    assert_eq!(recorder.counts().closed.len(), 7);
    assert_eq!(hub.snapshot().sessions, 1);
}

/// Scenario: a client breaks the protocol and then neither reads nor ends.
/// Guarantees: the close timeout ends the session.
#[tokio::test(start_paused = true)]
async fn a_faulty_client_that_stays_is_dropped() {
    let (hub, _) = hub(FanoutConfig::default());
    let (mut io, session) = piped(&hub, 10);
    io.write_all(&frame(0xc1, b"")).await.unwrap();
    assert_eq!(
        session.await.unwrap(),
        CloseReason::Protocol(CloseCode::PROTOCOL)
    );
}
