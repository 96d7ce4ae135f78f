//! Many subscribers at a time.

use std::net::SocketAddr;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

use crate::support::{
    RawWatcher, Relay, Watcher, bulky, gauge, gauge_json, name_of, post, value_of,
};

/// Scenario: 20 subscribers, exports small and large.
/// Guarantees: every one gets the same bytes for each export, in order.
#[test]
fn everybody_gets_the_same_bytes() {
    let relay = Relay::start();
    let mut watchers: Vec<Watcher> = (0..20).map(|_| Watcher::connect(relay.address())).collect();
    for (number, points) in [0, 1, 100, 2].into_iter().enumerate() {
        let name = format!("export {number}");
        let wire = if points == 0 {
            gauge(&name, 1)
        } else {
            bulky(&name, points)
        };
        post(relay.address(), &wire);
        let first = watchers[0].text();
        assert_eq!(name_of(&serde_json::from_str(&first).unwrap()), name);
        for watcher in &mut watchers[1..] {
            assert!(watcher.text() == first, "{number}");
        }
    }
}

/// Scenario: while 200 exports flow, others come and go, politely, with a reset, and in the
/// middle of the handshake.
/// Guarantees: a subscriber who stays gets all of them; one who comes sees only whole frames, in
/// order, from its 101 on.
#[test]
fn comings_and_goings_disturb_nobody() {
    const EXPORTS: i64 = 200;
    let relay = Relay::start();
    let address = relay.address();
    let mut resident = Watcher::connect(address);
    // Dropped at the end of the flow, whatever ends it.
    let (flowing, flow) = channel::<()>();
    thread::scope(|scope| {
        let guests = scope.spawn(move || {
            let mut visits = 0;
            while flow.try_recv() != Err(TryRecvError::Disconnected) {
                visit(address, visits);
                visits += 1;
            }
            visits
        });
        for number in 0..EXPORTS {
            post(address, &gauge("flow", number));
        }
        drop(flowing);
        let visits = guests.join().unwrap();
        assert!(visits > 0);
        let (mut flow, mut visit) = (0, 0);
        while flow < EXPORTS || visit < visits {
            let frame = resident.frame();
            if name_of(&frame) == "flow" {
                assert_eq!(frame, gauge_json("flow", flow));
                flow += 1;
            } else {
                assert_eq!(frame, gauge_json("visit", visit));
                visit += 1;
            }
        }
    });
}

/// Comes, watches until its own export is there, and goes.
fn visit(address: SocketAddr, number: i64) {
    let mut guest = Watcher::connect(address);
    let mut rude = RawWatcher::connect(address);
    if number % 2 == 0 {
        rude.reset();
    } else {
        // Half of a Close frame, and then the end.
        rude.send(&[0x88]);
    }
    post(address, &gauge("visit", number));
    let mut last = None;
    loop {
        let frame = guest.frame();
        if name_of(&frame) == "visit" {
            assert_eq!(frame, gauge_json("visit", number));
            return;
        }
        let next = last.map_or(frame.clone(), |last| gauge_json("flow", last + 1));
        assert_eq!(frame, next);
        last = Some(value_of(&frame));
    }
}
