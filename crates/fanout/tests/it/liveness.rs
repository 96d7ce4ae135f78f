//! Pings of both sides.

use std::time::Duration;

use fanout::{CloseReason, FanoutConfig};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{client, frame, hub, piped};

/// Scenario: a client pings.
/// Guarantees: it gets a pong with the same payload.
#[tokio::test]
async fn a_ping_is_answered() {
    let (hub, _) = hub(FanoutConfig::default());
    let mut client = client(piped(&hub, 1000).0).await;
    for payload in ["", "hello"] {
        client.send(Message::Ping(payload.into())).await.unwrap();
        assert_eq!(
            client.next().await.unwrap().unwrap(),
            Message::Pong(payload.into())
        );
    }
}

/// Scenario: an idle client that answers pings, for an hour.
/// Guarantees: it stays; pings come every interval and carry consecutive numbers; the time of
/// each round trip is told.
#[tokio::test(start_paused = true)]
async fn an_idle_client_that_answers_stays() {
    let config = FanoutConfig::default();
    let interval = config.ping_interval;
    let (hub, recorder) = hub(config);
    let (io, session) = piped(&hub, 1000);
    let mut client = client(io).await;
    let began = Instant::now();
    for number in 1..=180_u64 {
        let ping = client.next().await.unwrap().unwrap();
        assert_eq!(ping, Message::Ping(number.to_be_bytes().to_vec().into()));
        let expected = interval * number as u32;
        assert!(began.elapsed() - expected < Duration::from_secs(1));
    }
    // The last answer may be under way.
    let told = recorder
        .until(|counts| counts.round_trips.len() >= 179)
        .await;
    assert!(
        told.round_trips
            .iter()
            .all(|time| *time < Duration::from_secs(1))
    );
    assert!(!session.is_finished());
}

/// Scenario: a client that reads, but never answers; and one that says other things instead.
/// Guarantees: the first gets a Close with 3012 after the pong timeout; the second stays, for
/// any byte is a sign of life.
#[tokio::test(start_paused = true)]
async fn silence_after_a_ping_closes_with_3012() {
    let config = FanoutConfig::default();
    let (wait, interval) = (
        config.ping_interval + config.pong_timeout,
        config.ping_interval,
    );
    let (hub, recorder) = hub(config);
    let (mut silent, session) = piped(&hub, 1000);
    let began = Instant::now();
    let mut all = Vec::new();
    silent.read_to_end(&mut all).await.unwrap();
    assert!(began.elapsed() >= wait);
    assert_eq!(session.await.unwrap(), CloseReason::NoPong);
    let close = [&[0x88, 9][..], &3012_u16.to_be_bytes(), b"no pong"].concat();
    assert!(
        all.starts_with(&[0x89, 8]) && all.ends_with(&close),
        "{all:x?}"
    );

    let (mut talker, session) = piped(&hub, 1000);
    for _ in 0..20 {
        talker.write_all(&frame(0x81, b"still here")).await.unwrap();
        let mut ping = [0; 10];
        talker.read_exact(&mut ping).await.unwrap();
        assert_eq!(ping[..2], [0x89, 8]);
    }
    assert!(!session.is_finished());
    assert!(began.elapsed() > wait + interval * 19);
    assert_eq!(recorder.counts().closed, [CloseReason::NoPong]);
}
