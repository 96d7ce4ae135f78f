//! What watching clients get.

use fanout::{CloseReason, FanoutConfig};
use futures_util::future::join_all;
use otlp_codec::Signal;

use crate::support::{client, hub, next_text, number, piped, publish, text, wired};

/// Scenario: ten clients on sockets and ten on pipes, thirty exports of several sizes, one of
/// them long enough to be rendered on another thread.
/// Guarantees: every client gets the same text for each, canonical OTLP JSON, in order; each
/// export is rendered once; what was written is counted to the byte.
#[tokio::test]
async fn every_client_gets_the_same_frames_and_each_is_rendered_once() {
    let (hub, recorder) = hub(FanoutConfig {
        offload_bytes: 60_000,
        ..FanoutConfig::default()
    });
    let mut tcp = Vec::new();
    let mut pipes = Vec::new();
    for _ in 0..10 {
        tcp.push(client(wired(&hub).await.0).await);
        pipes.push(client(piped(&hub, 1000).0).await);
    }
    let lens: Vec<usize> = (0..30).map(|i| [0, 100, 1000, 70_000][i % 4]).collect();
    for (i, &len) in lens.iter().enumerate() {
        publish(&hub, [i as u64], len);
    }
    let expected: Vec<String> = lens
        .iter()
        .enumerate()
        .map(|(i, &len)| text(i as u64, len))
        .collect();
    let over_tcp = join_all(tcp.iter_mut().map(async |client| {
        for expected in &expected {
            assert_eq!(&next_text(client).await, expected);
        }
    }));
    let over_pipes = join_all(pipes.iter_mut().map(async |client| {
        for expected in &expected {
            assert_eq!(&next_text(client).await, expected);
        }
    }));
    tokio::join!(over_tcp, over_pipes);
    let counts = recorder
        .until(|counts| counts.frames == 20 * 30 && counts.renderings >= 30)
        .await;
    assert_eq!((counts.renderings, counts.dropped), (30, 0));
    let header = |len: usize| {
        if len < 126 {
            2
        } else if len < 65_536 {
            4
        } else {
            10
        }
    };
    let bytes: usize = expected
        .iter()
        .map(|text| text.len() + header(text.len()))
        .sum();
    assert_eq!(counts.bytes, 20 * bytes as u64);
    assert_eq!(hub.snapshot().log_bytes, 0);
}

/// Scenario: exports before anybody watches, then a client, then an export of another signal.
/// Guarantees: a client gets what was published after it came, and only its signal; what
/// nobody watches is not rendered.
#[tokio::test]
async fn a_client_gets_its_signal_from_when_it_came() {
    let (hub, recorder) = hub(FanoutConfig::default());
    publish(&hub, [1, 2], 0);
    let (io, _) = piped(&hub, 1000);
    let mut client = client(io).await;
    hub.publish(Signal::Traces, bytes::Bytes::new(), 0);
    publish(&hub, [3], 0);
    assert_eq!(number(&next_text(&mut client).await), 3);
    assert_eq!(recorder.counts().renderings, 1);
    assert_eq!(hub.snapshot().next_seq, 5);
}

/// Scenario: an export over the frame limit and one that is not protobuf, between good ones.
/// Guarantees: both are counted as lost to the session, and the others arrive.
#[tokio::test]
async fn what_cannot_be_rendered_is_counted() {
    let (hub, recorder) = hub(FanoutConfig {
        frame_bytes: 2000,
        ..FanoutConfig::default()
    });
    let (io, _) = piped(&hub, 10_000);
    let mut client = client(io).await;
    publish(&hub, [1], 100);
    publish(&hub, [2], 2000);
    hub.publish(Signal::Metrics, bytes::Bytes::from_static(b"\x07"), 0);
    publish(&hub, [4], 100);
    assert_eq!(number(&next_text(&mut client).await), 1);
    assert_eq!(number(&next_text(&mut client).await), 4);
    assert_eq!(recorder.until(|counts| counts.frames == 2).await.dropped, 2);
}

/// Scenario: one of two clients resets its connection while frames flow.
/// Guarantees: its session ends at once, and the other client gets everything.
#[tokio::test]
async fn a_reset_ends_one_session_quietly() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (gone, session) = wired(&hub).await;
    let mut stays = client(wired(&hub).await.0).await;
    publish(&hub, [1], 100_000);
    recorder.until(|counts| counts.renderings == 1).await;
    gone.set_zero_linger().unwrap();
    drop(gone);
    assert_eq!(session.await.unwrap(), CloseReason::Disconnected);
    publish(&hub, [2], 100_000);
    for expected in 1..=2 {
        assert_eq!(number(&next_text(&mut stays).await), expected);
    }
    assert_eq!(hub.snapshot().sessions, 1);
    assert_eq!(recorder.counts().closed, [CloseReason::Disconnected]);
}

/// Scenario: four publishers on several threads, eight clients, exports long and short.
/// Guarantees: every client gets every export, all of them in one and the same order, in which
/// each publisher's own order is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_publishers_give_one_order() {
    const PUBLISHERS: u64 = 4;
    const EACH: u64 = 100;
    let (hub, recorder) = hub(FanoutConfig {
        offload_bytes: 5000,
        ..FanoutConfig::default()
    });
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = client(wired(&hub).await.0).await;
        clients.push(tokio::spawn(async move {
            let mut got = Vec::new();
            while got.len() < (PUBLISHERS * EACH) as usize {
                got.push(number(&next_text(&mut client).await));
            }
            got
        }));
    }
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let hub = hub.clone();
        tokio::spawn(async move {
            for i in 0..EACH {
                publish(&hub, [publisher * EACH + i], [10, 10_000][i as usize % 2]);
                tokio::task::yield_now().await;
            }
        })
    });
    join_all(publishers).await;
    let got: Vec<Vec<u64>> = join_all(clients)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(got.iter().all(|order| order == &got[0]));
    for publisher in 0..PUBLISHERS {
        let own = got[0]
            .iter()
            .copied()
            .filter(|number| number / EACH == publisher);
        assert!(own.eq(publisher * EACH..(publisher + 1) * EACH));
    }
    let counts = recorder.until(|counts| counts.renderings == 400).await;
    assert_eq!(counts.dropped, 0);
}
