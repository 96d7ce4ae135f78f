//! Who comes late or comes back: what a hub promises them.

use super::*;
use crate::history::ENTRY_BYTES;
use crate::query::Start;

/// Everything that the history holds, of metrics.
fn replay() -> Query {
    Query {
        view: metrics(),
        start: Start::Newest(usize::MAX),
        slow: None,
    }
}

/// Scenario: 40 exports, then 100 sessions ask for all of them on a runtime of four workers, in
/// whose renderer they meet; then 10 more are published.
/// Guarantees: each export is rendered once for all of them, at most as many at a time as there
/// are cores; each session gets all, once and in order, with those that come later; what was kept
/// for the others is free at the end.
#[test]
fn a_replay_is_rendered_once_for_all() {
    const SESSIONS: usize = 100;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (at_work, rendered) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&rendered);
    let counting: Writer = Arc::new(move |_, _, wire, _, out| {
        assert!(at_work.fetch_add(1, Ordering::SeqCst) < cores);
        counted.fetch_add(1, Ordering::SeqCst);
        out.extend_from_slice(wire);
        at_work.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    });
    let hub = Hub::with_writer(FanoutConfig::default(), Arc::new(NoObserver), counting);
    for number in 0..40 {
        hub.publish(Signal::Metrics, export(ECHO, number, 1000), 1);
    }
    assert_eq!(rendered.load(Ordering::SeqCst), 0, "nobody watched");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    runtime.block_on(async {
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|_| hub.subscribe(replay()).unwrap())
            .collect();
        assert_eq!(hub.snapshot().replaying, SESSIONS);
        let tasks: Vec<_> = sessions
            .into_iter()
            .map(|mut session| {
                tokio::spawn(async move {
                    let first = settled(&mut session, 40).await;
                    (first, session)
                })
            })
            .collect();
        let mut sessions = Vec::new();
        for task in tasks {
            let (first, session) = task.await.unwrap();
            assert_eq!(first, ((0..40).collect(), 0));
            sessions.push(session);
        }
        assert_eq!(rendered.load(Ordering::SeqCst), 40);
        let now = hub.snapshot();
        assert_eq!((now.replaying, now.replay_cache_bytes), (0, 0));
        for number in 40..50 {
            hub.publish(Signal::Metrics, export(ECHO, number, 1000), 1);
        }
        for session in &mut sessions {
            assert_eq!(settled(session, 10).await, ((40..50).collect(), 0));
        }
        assert_eq!(rendered.load(Ordering::SeqCst), 50);
    });
}

/// Scenario: a session reads in the history while exports are published that push out what it
/// has not read; another leaves in the middle; the cache holds next to nothing.
/// Guarantees: what it lost is counted, the rest comes in order; who leaves is told how much it
/// had yet to take.
#[test]
fn what_leaves_the_history_is_lost_to_its_readers() {
    let hub = hub(FanoutConfig {
        history_bytes: 10 * (ENTRY_BYTES + 1000),
        replay_cache_bytes: 1,
        gather_bytes: 1,
        ..FanoutConfig::default()
    });
    for number in 0..10 {
        hub.publish(Signal::Metrics, export(ECHO, number, 1000), 1);
    }
    assert_eq!(hub.snapshot().history_len, 10);
    let mut session = hub.subscribe(replay()).unwrap();
    let mut leaver = hub.subscribe(replay()).unwrap();
    let mut out = VecDeque::new();
    assert!(session.read(&mut out).more);
    assert_eq!(out.iter().map(number).collect::<Vec<_>>(), [0]);
    for number in 10..15 {
        hub.publish(Signal::Metrics, export(ECHO, number, 1000), 1);
    }
    let (numbers, dropped, _) = read_all(&mut session);
    // One is in its hands already.
    assert_eq!(
        (numbers, dropped),
        ([1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].into(), 3)
    );
    assert!(session.has_moved() && !session.has_moved());
    assert_eq!(leaver.release(), 15);
    assert_eq!((hub.snapshot().replaying, hub.snapshot().sessions), (0, 2));
}

/// Scenario: `since` with this hub's name and another's, with numbers that the history holds, has
/// lost, and has never had.
/// Guarantees: the first frame says rightly whether everything comes that came after; nothing
/// comes that the client has.
#[test]
fn hello_says_what_is_recovered() {
    let hub = hub(FanoutConfig {
        history_bytes: 3 * (ENTRY_BYTES + 100),
        ..FanoutConfig::default()
    });
    for number in 1..=5 {
        hub.publish(Signal::Metrics, export(ECHO, number, 100), 1);
        hub.publish(Signal::Logs, export(ECHO, number, 100), 1);
    }
    // Of metrics, 5, 7 and 9 are held.
    let frames = |epoch: &str, seq| {
        let query = Query {
            view: ViewKey {
                envelope: true,
                ..metrics()
            },
            start: Start::Since {
                epoch: epoch.to_owned(),
                seq,
            },
            slow: None,
        };
        let mut session = hub.subscribe(query).unwrap();
        let mut out = VecDeque::new();
        while session.read(&mut out).more {}
        let hello = out.pop_front().unwrap();
        let hello: serde_json::Value = serde_json::from_slice(&hello[2..]).unwrap();
        assert_eq!(
            (&hello["type"], &hello["epoch"]),
            (&"hello".into(), &hub.epoch().into())
        );
        let recovered = hello["recovered"].as_bool().unwrap();
        (
            recovered,
            hello["seq"].as_str().unwrap().to_owned(),
            out.len(),
        )
    };
    let epoch = hub.epoch();
    assert_eq!(frames(epoch, 10), (true, "10".to_owned(), 0));
    assert_eq!(frames(epoch, 9), (true, "9".to_owned(), 0));
    assert_eq!(frames(epoch, 8), (true, "8".to_owned(), 1));
    assert_eq!(frames(epoch, 3), (true, "3".to_owned(), 3));
    assert_eq!(frames(epoch, 2), (false, "2".to_owned(), 3));
    assert_eq!(frames(epoch, 0), (false, "0".to_owned(), 3));
    assert_eq!(frames(epoch, 11), (false, "10".to_owned(), 0));
    assert_eq!(frames("other", 8), (false, "10".to_owned(), 0));
    assert_ne!(epoch, super::hub(FanoutConfig::default()).epoch());
}

/// Scenario: exports, and time.
/// Guarantees: the history keeps its age without anybody publishing.
#[tokio::test(start_paused = true)]
async fn the_history_forgets() {
    let hub = hub(FanoutConfig::default());
    hub.publish(Signal::Metrics, export(ECHO, 1, 0), 1);
    assert_eq!(hub.snapshot().history_len, 1);
    tokio::time::advance(hub.config().history_age).await;
    assert_eq!(
        (hub.snapshot().history_len, hub.snapshot().history_bytes),
        (0, 0)
    );
    let mut session = hub.subscribe(replay()).unwrap();
    assert_eq!(read_all(&mut session), (vec![], 0, 0));
}

/// Scenario: no history, or one that holds nothing that a session asks for; it is published to
/// before the session reads.
/// Guarantees: what comes after the subscription is not lost, though no history holds it.
#[test]
fn who_has_nothing_to_replay_needs_no_history() {
    for (history_bytes, published) in [(0, 2), (1 << 20, 0)] {
        let hub = hub(FanoutConfig {
            history_bytes,
            ..FanoutConfig::default()
        });
        for number in 0..published {
            hub.publish(Signal::Metrics, export(ECHO, number, 0), 1);
        }
        let mut session = hub.subscribe(replay()).unwrap();
        assert_eq!(hub.snapshot().replaying, 0);
        let long = export(ECHO, 7, (1 << 20) + 1);
        hub.publish(Signal::Metrics, long, 1);
        assert_eq!(read_all(&mut session), (vec![7], 0, 0));
    }
}

/// Scenario: all who render are busy; one client after the other asks for the newest export in a
/// view of its own, and goes; then those who render are free again, and two sessions ask in one
/// view, of whom one goes.
/// Guarantees: what nobody waits for any more is not rendered and does not pile up; who stays
/// gets it.
#[tokio::test]
async fn who_has_gone_is_not_rendered_for() {
    const GUESTS: usize = 500;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let rendered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rendered);
    let slow: Writer = Arc::new(move |_, _, wire, _, out| {
        counted.fetch_add(1, Ordering::Relaxed);
        // Until the other end is dropped.
        let _ = gate.lock().unwrap().recv();
        out.extend_from_slice(wire);
        Ok(())
    });
    let hub = Hub::with_writer(FanoutConfig::default(), Arc::new(NoObserver), slow);
    hub.publish(Signal::Metrics, export(ECHO, 1, 0), 1);
    let ask = |max_frame: usize| {
        let mut query = replay();
        query.view.max_frame = Some(max_frame);
        let mut session = hub.subscribe(query).unwrap();
        assert_eq!(read_all(&mut session), (vec![], 0, 0));
        session
    };
    let busy: Vec<_> = (0..cores).map(|at| ask(2000 + at)).collect();
    for guest in 0..GUESTS {
        drop(ask(3000 + guest));
        let waiting = hub.shared.replays.waiting();
        assert!(waiting <= 32, "{waiting}");
    }
    let (mut stays, goes) = (ask(1500), ask(1500));
    drop(goes);
    drop(go);
    assert_eq!(settled(&mut stays, 1).await, (vec![1], 0));
    for mut session in busy {
        assert_eq!(settled(&mut session, 1).await, (vec![1], 0));
    }
    assert_eq!(rendered.load(Ordering::Relaxed), cores + 1);
}
