//! A relay of a few lines, which loses what the test says.

use std::sync::Arc;

use futures_util::SinkExt;
use tokio::io::duplex;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::exports::Exports;
use crate::ledger::Ledger;
use crate::stop::Stopper;
use crate::tally::Tally;

/// What a client in the view of all metrics got of publications 11 to 14, of which 12 is a log:
/// the messages that come behind a hello with the number 10.
async fn faults(frames: Vec<String>) -> u64 {
    let nowhere = ([127, 0, 0, 1], 0).into();
    let (_stopper, no_exports) = Stopper::new();
    let world = World {
        door: Door {
            http: nowhere,
            grpc: nowhere,
            tls: None,
        },
        exports: Arc::new(Exports::new().unwrap()),
        tally: Arc::new(Tally::default()),
        ledger: Ledger::new(10),
        no_exports,
    };
    for seq in 11..=14 {
        let signal = match seq {
            12 => Signal::Logs,
            _ => Signal::Metrics,
        };
        let kinds = world.exports.kinds.shown(&[signal], None).unwrap();
        assert!(world.ledger.add(seq, kinds[0]));
    }
    let (near, far) = duplex(1 << 16);
    let count = frames.len();
    let relay = tokio::spawn(async move {
        let mut socket = accept_async(far).await.unwrap();
        let hello = r#"{"type":"hello","epoch":"e","seq":"10","recovered":false}"#;
        for text in [hello.to_owned()].into_iter().chain(frames) {
            socket.send(Message::Text(text.into())).await.unwrap();
        }
        socket
    });
    let view = whole("/ws/metrics?envelope=true", &[Signal::Metrics]);
    let mut watching = Watching::over(Box::new(near), view, "").await.unwrap();
    for _ in 0..count {
        if watching.next().await.is_err() {
            return 1;
        }
    }
    watching.check(&world).await;
    drop(relay.await.unwrap());
    world.tally.faults(Fault::Frames).count
}

fn data(seq: u64) -> String {
    format!(
        r#"{{"type":"data","epoch":"e","seq":"{seq}","signal":"metrics","receivedAt":"","data":{{}}}}"#
    )
}

/// Scenario: all metrics, one of them in two parts; then without one, with one twice, with a log
/// among them, and with one that a gap tells of.
/// Guarantees: only the first is without a fault.
#[tokio::test]
async fn what_is_missing_is_found() {
    let whole = vec![data(11), data(13), data(13), data(14)];
    assert_eq!(faults(whole).await, 0);
    let gap = r#"{"type":"gap","dropped":"1","afterSeq":"11","reason":"slow"}"#;
    for broken in [
        vec![data(11), data(14)],
        vec![data(11), data(13), data(11), data(14)],
        vec![data(11), data(12), data(13), data(14)],
    ] {
        assert_eq!(faults(broken.clone()).await, 1, "{broken:?}");
    }
    let told = vec![data(11), gap.to_owned(), data(14)];
    assert_eq!(faults(told).await, 2);
}
