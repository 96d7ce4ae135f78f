//! Relays that are stopped under load, and started again.

mod clients;
mod follower;
mod views;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use self::clients::{Sender, Transport};
use self::follower::Follower;
use self::views::VIEWS;
use crate::support::{PATIENCE, Relay};

/// Clients that send, of each transport.
const SENDERS: usize = 4;

/// What tells exports apart: the name of who sent it, and the how manyeth it is.
type Mark = (String, i64);

/// A relay that takes both transports, at these addresses.
fn start(http: SocketAddr, grpc: SocketAddr) -> Relay {
    let [http, grpc] = [http, grpc].map(|address| address.to_string());
    Relay::run(&["--listen", &http, "--grpc-listen", &grpc], &[], 1)
}

/// Any address of this machine.
fn any() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Starts all clients that send; `send` is what each does, under a name of its own.
fn senders<T: Send + 'static>(
    http: SocketAddr,
    grpc: SocketAddr,
    send: impl Fn(Sender, &str) -> T + Clone + Send + 'static,
) -> BTreeMap<String, JoinHandle<T>> {
    let mut senders = BTreeMap::new();
    for number in 0..SENDERS {
        for (name, transport, address) in [
            ("http", Transport::Http, http),
            ("grpc", Transport::Grpc, grpc),
        ] {
            let name = format!("{name}-{number}");
            let (send, own) = (send.clone(), name.clone());
            let sender = Sender::new(transport, address);
            senders.insert(name, thread::spawn(move || send(sender, &own)));
        }
    }
    senders
}

/// What each sender has come to.
fn join<T>(senders: BTreeMap<String, JoinHandle<T>>) -> BTreeMap<String, T> {
    let join = |(name, sender): (_, JoinHandle<T>)| (name, sender.join().unwrap());
    senders.into_iter().map(join).collect()
}

/// Waits for something that other threads count.
fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what}");
        thread::park_timeout(clients::BACKOFF);
    }
}

/// Scenario: SIGTERM while four connections of HTTP and four of gRPC send one export after
/// another, and a session reads in each of seven views, one of them as lines over HTTP.
/// Guarantees: every export that was answered 200, or OK, came to each session that shows it
/// before its end, once and in order; sessions end with 1001, and the exit code is 0.
#[test]
fn what_was_answered_came_to_everybody() {
    let mut relay = start(any(), any());
    let (http, grpc) = (relay.address(), relay.grpc_address());
    let sessions = VIEWS.map(|view| {
        let session = view.connect(http);
        (view, thread::spawn(move || view.read(session)))
    });
    let answers = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answers);
    let senders = senders(http, grpc, move |mut sender, name| {
        let mut sent = 0;
        while sender.try_send(name, sent).is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
            sent += 1;
        }
        sent
    });
    wait_until("400 answers", || answers.load(Ordering::Relaxed) >= 400);
    relay.signal("TERM");

    let answered = join(senders);
    for (view, session) in sessions {
        let mut got = BTreeMap::<String, i64>::new();
        for (name, number) in session.join().unwrap() {
            let next = got.entry(name).or_default();
            assert_eq!(number, *next, "{}: once, in order", view.path);
            *next += 1;
        }
        for (name, &answered) in answered.iter().filter(|(name, _)| view.shows(name)) {
            // One more may have been taken whose answer did not come.
            let (seen, expected) = (
                got.remove(name).unwrap_or_default(),
                answered..=answered + 1,
            );
            assert!(
                expected.contains(&seen),
                "{} {name}: {seen} {expected:?}",
                view.path
            );
        }
        assert_eq!(got, BTreeMap::new(), "{}: nothing else", view.path);
    }
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: a relay ends and another begins on the same addresses, twice, while four clients of
/// each transport send and try again as OTLP demands, and three watch and come again: with
/// `since`, and with `replay=all` where `hello` names another epoch.
/// Guarantees: every export is accepted in the end, and each watcher gets all of them; no frame
/// comes twice, and an export only where a try had no answer.
#[test]
fn a_restart_loses_nothing() {
    const LIVES: usize = 3;
    let mut relay = start(any(), any());
    let (http, grpc) = (relay.address(), relay.grpc_address());
    let watchers: Vec<_> = (0..3).map(|_| Follower::start(http)).collect();
    let accepted = Arc::new(AtomicU64::new(0));
    let enough = Arc::new(AtomicBool::new(false));
    let (counted, done) = (Arc::clone(&accepted), Arc::clone(&enough));
    let senders = senders(http, grpc, move |mut sender, name| {
        let (mut sent, mut failed) = (0, 0);
        while !done.load(Ordering::Relaxed) {
            failed += sender.send(name, sent);
            counted.fetch_add(1, Ordering::Relaxed);
            sent += 1;
        }
        (sent, failed)
    });
    for life in 1..=LIVES {
        let before = accepted.load(Ordering::Relaxed);
        wait_until("200 more, and all watchers are there", || {
            accepted.load(Ordering::Relaxed) >= before + 200
                && watchers.iter().all(|watcher| watcher.lives() == life)
        });
        if life < LIVES {
            relay.signal("TERM");
            assert_eq!(relay.wait_for_exit().code(), Some(0));
            relay = start(http, grpc);
        }
    }
    enough.store(true, Ordering::Relaxed);

    let ended = join(senders);
    let failed = ended.values().map(|(_, failed)| failed).sum();
    let sent = ended
        .into_iter()
        .map(|(name, (sent, _))| (name, sent))
        .collect();
    for watcher in watchers {
        let twice = watcher.until_all(&sent);
        assert!(twice <= failed, "{twice} {failed}");
    }
}
