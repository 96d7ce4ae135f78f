//! Clients that do not read, or read slowly.

use std::time::Duration;

use fanout::{CloseReason, FanoutConfig};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{client, frame, hub, next_text, number, piped, publish, text};

/// Scenario: one client stops reading, another does not; 200 exports of 10 KB, a log of 100 KB;
/// then the first reads again.
/// Guarantees: the log keeps its limit; the reader gets all; the stalled one gets the frames
/// that were under way, loses the oldest, gets the newest, in order, and what it got and what
/// was counted as dropped add up.
#[tokio::test]
async fn a_stalled_client_loses_its_oldest_and_nobody_else_notices() {
    const EXPORTS: u64 = 200;
    const LAG: usize = 100_000;
    let (hub, recorder) = hub(FanoutConfig {
        lag_bytes: LAG,
        gather_bytes: 25_000,
        ..FanoutConfig::default()
    });
    let (stalled, _) = piped(&hub, 100);
    let (io, _) = piped(&hub, 100_000);
    let mut reader = client(io).await;
    for i in 0..EXPORTS {
        publish(&hub, [i], 10_000);
        assert_eq!(number(&next_text(&mut reader).await), i);
        let now = hub.snapshot();
        assert!(now.log_bytes <= LAG, "{now:?}");
    }
    assert_eq!(recorder.counts().renderings, EXPORTS as usize);

    let mut stalled = client(stalled).await;
    let mut got = Vec::new();
    while got.last() != Some(&(EXPORTS - 1)) {
        got.push(number(&next_text(&mut stalled).await));
    }
    assert!(got.is_sorted_by(|a, b| a < b));
    assert!(
        got.len() < 20,
        "at most what was under way and the log: {got:?}"
    );
    assert_eq!(got[0], 0);
    assert_eq!(recorder.counts().dropped, EXPORTS - got.len() as u64);
    assert_eq!(hub.snapshot().log_bytes, 0);
}

/// Scenario: a client never reads again, exports flow, the clock runs.
/// Guarantees: it is given up after the ping interval, the pong timeout and the close timeout,
/// and what the log held for it is freed.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_closed() {
    let config = FanoutConfig::default();
    let most = config.ping_interval + config.pong_timeout + config.close_timeout;
    let (hub, recorder) = hub(config);
    let began = Instant::now();
    let (stalled, session) = piped(&hub, 100);
    publish(&hub, 0..10, 10_000);
    recorder.until(|counts| counts.renderings == 10).await;
    assert!(hub.snapshot().log_bytes > 0);
    assert_eq!(session.await.unwrap(), CloseReason::NoPong);
    let took = began.elapsed();
    assert!(
        took >= most && took < most + Duration::from_secs(1),
        "{took:?}"
    );
    assert_eq!((hub.snapshot().sessions, hub.snapshot().log_bytes), (0, 0));
    drop(stalled);
}

/// Scenario: a client takes one message in two seconds, for twelve minutes, always behind.
/// Guarantees: it stays, because it answers pings; it loses frames, and they are counted.
#[tokio::test(start_paused = true)]
async fn a_slow_client_that_answers_stays() {
    let (hub, recorder) = hub(FanoutConfig {
        lag_frames: 4,
        ..FanoutConfig::default()
    });
    let (io, session) = piped(&hub, 2000);
    let mut slow = client(io).await;
    let mut last = None;
    for round in 0..360 {
        publish(&hub, round * 3..round * 3 + 3, 1000);
        if let Some(Ok(Message::Text(json))) = slow.next().await {
            let now = Some(number(&json));
            assert!(now > last);
            last = now;
        }
        sleep(Duration::from_secs(2)).await;
    }
    assert!(!session.is_finished());
    let counts = recorder.counts();
    assert!(counts.dropped > 0 && counts.closed.is_empty());
}

/// Scenario: a client reads one frame for two hundred seconds, a little at a time, and then
/// answers the ping that waited behind it.
/// Guarantees: it stays, although no ping reached it for so long.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_long_frame_slowly_stays() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (mut io, session) = piped(&hub, 1000);
    publish(&hub, [1], 200_000);
    recorder.until(|counts| counts.renderings == 1).await;
    let mut left = text(1, 200_000).len() + 10;
    while left > 0 {
        let mut piece = vec![0; left.min(1000)];
        left -= io.read_exact(&mut piece).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    let mut ping = [0; 10];
    io.read_exact(&mut ping).await.unwrap();
    assert_eq!(ping[..2], [0x89, 8]);
    io.write_all(&frame(0x8a, &ping[2..])).await.unwrap();
    assert!(!session.is_finished());
}

/// Scenario: a session is stalled in the middle of a frame; the client sends three pings and
/// then more bytes than the pipe holds.
/// Guarantees: the session reads while it cannot write, and answers the newest ping alone,
/// between two frames.
#[tokio::test]
async fn a_stalled_session_reads_and_answers_the_newest_ping() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (mut io, _) = piped(&hub, 64);
    publish(&hub, [1, 2], 1000);
    recorder.until(|counts| counts.renderings == 2).await;
    let mut first = [0; 64];
    io.read_exact(&mut first).await.unwrap();
    for payload in ["a", "b", "c"] {
        io.write_all(&frame(0x89, payload.as_bytes()))
            .await
            .unwrap();
    }
    // Written whole only once the session has read what came before.
    io.write_all(&frame(0x82, &[0; 100])).await.unwrap();
    io.write_all(&frame(0x82, &[0; 100])).await.unwrap();

    let expected = |n| text(n, 1000).len() + 4;
    let mut rest = vec![0; expected(1) - 64];
    io.read_exact(&mut rest).await.unwrap();
    let mut pong = [0; 3];
    io.read_exact(&mut pong).await.unwrap();
    assert_eq!(pong, [0x8a, 1, b'c']);
    let mut second = vec![0; expected(2)];
    io.read_exact(&mut second).await.unwrap();
    assert_eq!(second[0], 0x81);
}
