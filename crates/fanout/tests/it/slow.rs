//! Clients that do not read, or read slowly.

use std::time::Duration;

use fanout::session::PATIENCE;
use fanout::{CloseReason, FanoutConfig, Slow};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    client, close_code, frame, hub, next_text, number, piped, piped_to, publish, text,
};

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
    // Less than there is to write.
    let config = FanoutConfig {
        gather_bytes: 25_000,
        ..FanoutConfig::default()
    };
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

/// Scenario: clients that stop reading and asked to be closed when they fall behind, one of them
/// by the relay's default, and one that asked to stay; a log of 5; then all read again.
/// Guarantees: the first two are closed with 3008, with a reason, behind the frame under way,
/// without waiting for a pong; what they didn't get is counted; the third goes on.
#[tokio::test]
async fn who_asked_for_it_is_closed_when_too_slow() {
    for (slow, queries) in [
        (Slow::DropOldest, ["slow=disconnect", ""]),
        (Slow::Disconnect, ["", "slow=drop-oldest"]),
    ] {
        let (hub, recorder) = hub(FanoutConfig {
            lag_frames: 5,
            gather_bytes: 1,
            // However slow the test is.
            close_timeout: Duration::from_secs(3600),
            slow,
            ..FanoutConfig::default()
        });
        let (closed, session) = piped_to(&hub, queries[0], 100);
        let (stays, _) = piped_to(&hub, queries[1], 100);
        let mut closed = client(closed).await;
        for seq in 1..=20 {
            publish(&hub, [seq], 1000);
            recorder
                .until(|counts| counts.renderings as u64 == seq)
                .await;
        }
        // Its first frame is under way, and whole; behind it there is the Close.
        assert_eq!(number(&next_text(&mut closed).await), 1);
        assert_eq!(close_code(&mut closed).await, Some(3008));
        drop(closed);
        assert_eq!(session.await.unwrap(), CloseReason::Slow);
        let counts = recorder.until(|counts| counts.closed.len() == 1).await;
        assert_eq!(
            (counts.closed, counts.lost),
            (vec![CloseReason::Slow], counts.dropped)
        );
        assert!(counts.lost > 0 && counts.lost <= 19, "{}", counts.lost);
        let mut stays = client(stays).await;
        let mut got = vec![number(&next_text(&mut stays).await)];
        while got.last() != Some(&20) {
            got.push(number(&next_text(&mut stays).await));
        }
        assert_eq!(got[0], 1);
    }
}

/// Scenario: clients of two views, one of long frames and one of short ones, stop reading; the
/// logs may hold less together than each alone.
/// Guarantees: together they keep the limit; the longest log gives way, the short one loses
/// nothing.
#[tokio::test]
async fn all_logs_together_are_bounded() {
    const TOTAL: usize = 100_000;
    let (hub, recorder) = hub(FanoutConfig {
        lag_total_bytes: TOTAL,
        gather_bytes: 1,
        ..FanoutConfig::default()
    });
    let (long, _) = piped_to(&hub, "", 100);
    // Points leave the description out.
    let (short, _) = piped_to(&hub, "format=points", 100);
    for seq in 1..=100 {
        publish(&hub, [seq], 10_000);
        recorder
            .until(|counts| counts.renderings as u64 == 2 * seq)
            .await;
        let now = hub.snapshot();
        // One more frame may have come since they were counted.
        assert!(now.log_bytes <= TOTAL + 11_000, "{now:?}");
    }
    let mut short = client(short).await;
    for seq in 1..=100 {
        let line: serde_json::Value = serde_json::from_str(&next_text(&mut short).await).unwrap();
        assert_eq!(line["value"], seq);
    }
    let mut long = client(long).await;
    assert_eq!(number(&next_text(&mut long).await), 1);
    assert!(number(&next_text(&mut long).await) > 80);
}

/// Scenario: clients that ask for the newest export of the history, of 100 KB, each in a view of its
/// own, and don't read; nothing is published meanwhile.
/// Guarantees: what they hold is bounded all the same: those who have taken nothing for a while
/// are cut off.
#[tokio::test(start_paused = true)]
async fn frames_of_the_history_are_bounded_where_nothing_is_published() {
    const TOTAL: usize = 1_000_000;
    const CLIENTS: usize = 40;
    let (hub, recorder) = hub(FanoutConfig {
        frames_total_bytes: TOTAL,
        ..FanoutConfig::default()
    });
    publish(&hub, [1], 100_000);
    let ask = |at: usize| piped_to(&hub, &format!("replay=1&max_frame={}", 200_000 + at), 100);
    let clients: Vec<_> = (0..CLIENTS).map(ask).collect();
    recorder.until(|counts| counts.renderings == CLIENTS).await;
    sleep(2 * PATIENCE).await;
    let held = hub.snapshot().frame_bytes;
    assert!(held <= TOTAL, "{held}");
    let counts = recorder.counts();
    assert!(counts.closed.len() < CLIENTS, "{counts:?}");
    assert!(
        counts
            .closed
            .iter()
            .all(|reason| *reason == CloseReason::Slow)
    );
    drop(clients);
}

/// Scenario: one client after the other comes and stops reading in the middle of a frame of its
/// own, of 100 KB; a client that reads beside them.
/// Guarantees: what all hold is bounded: those who have taken nothing for a while are cut off,
/// the oldest first; the reader gets everything.
#[tokio::test(start_paused = true)]
async fn frames_in_the_hands_of_all_clients_are_bounded() {
    const TOTAL: usize = 1_000_000;
    const FRAME: usize = 100_000;
    let (hub, recorder) = hub(FanoutConfig {
        frames_total_bytes: TOTAL,
        lag_frames: 1,
        ..FanoutConfig::default()
    });
    let (reader, _) = piped(&hub, 1000);
    let mut reader = client(reader).await;
    let mut stalled = Vec::new();
    let mut most = 0;
    for seq in 1..=60 {
        stalled.push(piped(&hub, 100));
        publish(&hub, [seq], FRAME);
        assert_eq!(number(&next_text(&mut reader).await), seq);
        sleep(Duration::from_millis(200)).await;
        most = most.max(hub.snapshot().frame_bytes);
    }
    // For a second nobody is cut off, and in that time five more come.
    assert!(most > TOTAL / 2 && most < TOTAL + 8 * FRAME, "{most}");
    let counts = recorder.counts();
    assert!(
        counts
            .closed
            .iter()
            .all(|reason| *reason == CloseReason::Slow)
    );
    assert!(counts.closed.len() > 30, "{}", counts.closed.len());
    assert!(stalled[0].1.is_finished());
}
