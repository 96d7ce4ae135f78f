//! Clients that stop reading.

use serde_json::Value;

use crate::support::{RawWatcher, Relay, Watcher, bulky, gauge, gauge_json, name_of, post};

const EXPORTS: usize = 200;

/// Scenario: one client stops reading, five more never begin to, one reads; 200 exports of
/// 200 KiB; then the first reads again.
/// Guarantees: every export is answered 200 at once, the reader gets every frame in order, memory
/// is bounded. The first client lost its oldest frames and gets the newest, whole and in order,
/// and then what is live.
#[test]
fn a_client_that_does_not_read_loses_its_oldest_frames_alone() {
    // So that no ping comes between in a slow test.
    let relay = Relay::with(&["--ping-interval", "1h"]);
    let address = relay.address();
    let mut stalled = RawWatcher::connect(address);
    let _never_read: Vec<RawWatcher> = (0..5).map(|_| RawWatcher::connect(address)).collect();
    let mut reader = Watcher::connect(address);
    for number in 0..EXPORTS {
        let name = number.to_string();
        post(address, &bulky(&name, 200));
        // One after the other: a reader that a busy machine holds up would lose frames too.
        assert_eq!(name_of(&reader.frame()), name);
    }
    #[cfg(target_os = "linux")]
    {
        let peak = relay.peak_memory();
        assert!(peak < 200 << 20, "{peak}");
    }

    let mut got: Vec<usize> = Vec::new();
    while got.last() != Some(&(EXPORTS - 1)) {
        let frame: Value = serde_json::from_slice(&stalled.text()).unwrap();
        got.push(name_of(&frame).parse().unwrap());
    }
    assert!(got.is_sorted_by(|a, b| a < b), "{got:?}");
    assert_eq!(got[0], 0, "what was under way came first");
    // 16 MiB of the log, and what sockets and the write under way held.
    assert!((60..150).contains(&got.len()), "{got:?}");
    let newest = &got[got.len() - 60..];
    assert!(newest.iter().copied().eq(EXPORTS - 60..EXPORTS), "{got:?}");

    post(address, &gauge("live", 1));
    let frame: Value = serde_json::from_slice(&stalled.text()).unwrap();
    assert_eq!(frame, gauge_json("live", 1));
    assert_eq!(reader.frame(), gauge_json("live", 1));
}
