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

/// Scenario: a client never reads, exports of 200 KiB come until the kernel takes no more for it.
/// Guarantees: the kernel holds less than 192 KiB, which with what the session holds is less than
/// 256 KiB. Without a limit it would be 4 MiB.
#[cfg(target_os = "linux")]
#[test]
fn the_kernel_holds_little_for_a_client_that_never_reads() {
    const MOST: usize = 192 << 10;
    let relay = Relay::with(&["--ping-interval", "1h"]);
    let address = relay.address();
    let _stalled = RawWatcher::connect(address);
    let mut reader = Watcher::connect(address);
    let mut unread = 0;
    for number in 0..40 {
        let name = number.to_string();
        post(address, &bulky(&name, 200));
        assert_eq!(name_of(&reader.frame()), name);
        unread = unread.max(unread_bytes(address.port()));
        assert!(unread < MOST, "{unread}");
    }
    assert!(
        unread >= 64 << 10,
        "the kernel took all that it may: {unread}"
    );
}

/// The most bytes that a connection to a local port has been given and its client has not
/// acknowledged, by the kernel's table of connections (proc_net_tcp(5)).
#[cfg(target_os = "linux")]
fn unread_bytes(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next()?.split_once(':')?.1;
        let queued = columns.nth(2)?.split_once(':')?.0;
        (u16::from_str_radix(local, 16) == Ok(port))
            .then(|| usize::from_str_radix(queued, 16).unwrap())
    });
    lines.max().unwrap()
}
