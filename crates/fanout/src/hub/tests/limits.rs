//! What a hub does at its limits: of sessions, of views, and of all logs together.

use super::*;

/// Scenario: two views of metrics and one of logs; a long export of metrics whose rendering has not
/// begun, a short one behind it that is there, and then a log, for which all logs together are too
/// long.
/// Guarantees: the long one is shed, and sessions are told, also those that take compressed
/// frames: they read on behind it at once.
#[test]
fn who_waits_for_what_is_shed_is_told() {
    let hub = hub(FanoutConfig {
        lag_total_bytes: 2000,
        ..FanoutConfig::default()
    });
    let mut sessions = [0, 1].map(|_| hub.subscribe(metrics()).unwrap());
    sessions[1].accept_compressed();
    let _logs = hub.subscribe(ViewKey::of(Signal::Logs)).unwrap();
    let enter = |signal, number, len| {
        let export = export(ECHO, number, len);
        let (_, jobs) = hub.enter(signal, export, time::Instant::now()).unwrap();
        jobs.into_iter().map(|(job, _)| job)
    };
    let waiting: Vec<_> = enter(Signal::Metrics, 1, 1500).collect();
    enter(Signal::Metrics, 2, 0).for_each(Job::run);
    let changes = sessions.each_ref().map(Subscription::changes);
    for session in &mut sessions {
        assert_eq!(read_all(session), (vec![], 0, 0));
    }
    enter(Signal::Logs, 3, 1000).for_each(Job::run);
    for (session, changes) in sessions.iter_mut().zip(changes) {
        assert!(changes.has_changed().unwrap());
        assert_eq!(read_all(session), (vec![2], 1, 0));
    }
    waiting.into_iter().for_each(Job::run);
}

/// Scenario: one session more than there may be; then one leaves.
/// Guarantees: it is refused, then let in. A session that only stopped watching still counts.
#[test]
fn sessions_are_limited() {
    let hub = hub(FanoutConfig {
        max_sessions: 2,
        ..FanoutConfig::default()
    });
    let mut first = hub.subscribe(metrics()).unwrap();
    let second = hub.subscribe(metrics()).unwrap();
    first.release();
    let refused = hub.subscribe(metrics()).err();
    assert_eq!(refused, Some(SubscribeError::TooMany { limit: 2 }));
    drop(second);
    assert_eq!((hub.snapshot().sessions, hub.snapshot().views), (1, 0));
    assert!(hub.subscribe(metrics()).is_ok());
}

/// Scenario: one view more than may be watched; then one of them is left.
/// Guarantees: a view that is watched can be watched by more, another is refused, then let in.
#[test]
fn views_are_limited() {
    let hub = hub(FanoutConfig {
        max_views: 1,
        ..FanoutConfig::default()
    });
    let first = hub.subscribe(metrics()).unwrap();
    let second = hub.subscribe(metrics()).unwrap();
    let points = ViewKey {
        format: Format::Points,
        ..metrics()
    };
    let refused = hub.subscribe(points.clone()).err();
    assert_eq!(refused, Some(SubscribeError::TooManyViews { limit: 1 }));
    assert_eq!((hub.snapshot().sessions, hub.snapshot().views), (2, 1));
    drop((first, second));
    assert!(hub.subscribe(points).is_ok());
}
