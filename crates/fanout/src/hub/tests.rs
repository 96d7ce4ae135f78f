//! The promises of the hub, with a writer of the test's own in the codec's place.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use otlp_codec::{DecodeError, EncodeError};
use proptest::prelude::*;

use super::*;
use crate::log::Losses;
use crate::observer::{NoObserver, Rendering};
use crate::view::{Format, ViewKey};

mod history;
mod limits;

/// What the first byte of an export tells the test's writer to do.
const ECHO: u8 = b'e';
const EMPTY: u8 = b'n';
const TOO_BIG: u8 = b'b';
const BROKEN: u8 = b'x';
const PANIC: u8 = b'p';

fn writer() -> Writer {
    Arc::new(|_, _, wire, _, out| match wire.first() {
        Some(&EMPTY) => Ok(()),
        Some(&TOO_BIG) => Err(EncodeError::TooLong { limit: 1 }),
        Some(&BROKEN) => Err(DecodeError::TooDeep { limit: 0 }.into()),
        Some(&PANIC) => panic!("as asked"),
        _ => {
            out.extend_from_slice(wire);
            Ok(())
        }
    })
}

fn hub(config: FanoutConfig) -> Hub {
    Hub::with_writer(config, Arc::new(NoObserver), writer())
}

fn metrics() -> ViewKey {
    ViewKey::of(Signal::Metrics)
}

/// An export that carries its own number.
fn export(kind: u8, number: u64, len: usize) -> Bytes {
    let mut wire = vec![kind];
    wire.extend(number.to_be_bytes());
    wire.resize(wire.len().max(len), 0);
    Bytes::from(wire)
}

/// The number in a frame of such an export.
fn number(frame: &Bytes) -> u64 {
    let header = match frame[1] {
        0..=125 => 2,
        126 => 4,
        _ => 10,
    };
    u64::from_be_bytes(frame[header + 1..header + 9].try_into().unwrap())
}

/// Reads all there is: the numbers, and how many were lost and empty.
fn read_all(subscription: &mut Subscription) -> (Vec<u64>, u64, u64) {
    let (mut numbers, mut dropped, mut empty) = (Vec::new(), 0, 0);
    loop {
        let mut out = VecDeque::new();
        let read = subscription.read(&mut out);
        numbers.extend(out.iter().map(number));
        dropped += read.lost.iter().map(|(_, count)| count).sum::<u64>();
        empty += read.empty;
        if !read.more {
            return (numbers, dropped, empty);
        }
    }
}

/// Waits until `count` publications are read or known to be lost.
async fn settled(subscription: &mut Subscription, count: usize) -> (Vec<u64>, u64) {
    let mut changes = subscription.changes();
    let (mut numbers, mut dropped) = (Vec::new(), 0);
    loop {
        let (more, lost, _) = read_all(subscription);
        numbers.extend(more);
        dropped += lost;
        if numbers.len() as u64 + dropped >= count as u64 {
            return (numbers, dropped);
        }
        if subscription.has_moved() {
            changes = subscription.changes();
            continue;
        }
        changes.changed().await.unwrap();
    }
}

/// Counts renderings.
#[derive(Default)]
struct Count(AtomicUsize);

impl Observer for Count {
    fn rendered(&self, _: Format, _: Rendering, _: Option<Duration>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish { kind: u8, len: usize, metrics: bool },
    Render(prop::sample::Index),
    Cancel(prop::sample::Index),
    Read(prop::sample::Index),
    Join,
    Leave(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        8 => Just(ECHO),
        1 => prop::sample::select(vec![EMPTY, TOO_BIG, BROKEN]),
    ];
    prop_oneof![
        8 => (kind, 0_usize..300, prop::bool::weighted(0.9))
            .prop_map(|(kind, len, metrics)| Step::Publish { kind, len, metrics }),
        6 => any::<prop::sample::Index>().prop_map(Step::Render),
        1 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        4 => any::<prop::sample::Index>().prop_map(Step::Read),
        1 => Just(Step::Join),
        1 => any::<prop::sample::Index>().prop_map(Step::Leave),
    ]
}

/// A session with what it should have seen by now.
struct Watcher {
    subscription: Subscription,
    published: Vec<u64>,
    got: Vec<u64>,
    missed: u64,
}

impl Watcher {
    fn read(&mut self) {
        let (numbers, dropped, empty) = read_all(&mut self.subscription);
        self.got.extend(numbers);
        self.missed += dropped + empty;
    }
}

proptest! {
    /// Scenario: random exports of two signals, renderings that end in any order or are
    /// cancelled, sessions that come, go, and read rarely, and a log of 1000 bytes or 6 frames.
    /// Guarantees: for each session, what it got, what held nothing for it and what it counted
    /// as dropped add up to what was published since it came; it got it in order and once; the
    /// log keeps its limits; what everybody has passed is freed.
    #[test]
    fn every_publication_is_delivered_or_counted(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let hub = hub(FanoutConfig {
            lag_bytes: 1000,
            lag_frames: 6,
            gather_bytes: 400,
            ..FanoutConfig::default()
        });
        let mut jobs: Vec<Job> = Vec::new();
        let mut watchers: Vec<Watcher> = Vec::new();
        for step in steps {
            match step {
                Step::Publish { kind, len, metrics } => {
                    let next = hub.snapshot().next_seq;
                    let signal = if metrics { Signal::Metrics } else { Signal::Logs };
                    let (seq, new) = hub.enter(signal, export(kind, next, len), time::Instant::now()).unwrap();
                    prop_assert_eq!(seq, next);
                    prop_assert_eq!(new.len(), usize::from(metrics && !watchers.is_empty()));
                    jobs.extend(new.into_iter().map(|(job, _)| job));
                    if metrics {
                        watchers.iter_mut().for_each(|watcher| watcher.published.push(seq));
                    }
                }
                Step::Render(at) if !jobs.is_empty() => jobs.remove(at.index(jobs.len())).run(),
                Step::Cancel(at) if !jobs.is_empty() => drop(jobs.remove(at.index(jobs.len()))),
                Step::Read(at) if !watchers.is_empty() => {
                    let at = at.index(watchers.len());
                    watchers[at].read();
                }
                Step::Join => watchers.push(Watcher {
                    subscription: hub.subscribe(metrics()).unwrap(),
                    published: Vec::new(),
                    got: Vec::new(),
                    missed: 0,
                }),
                Step::Leave(at) if !watchers.is_empty() => {
                    drop(watchers.remove(at.index(watchers.len())));
                }
                _ => {}
            }
            let now = hub.snapshot();
            prop_assert!(now.log_frames <= 6);
            prop_assert!(now.log_bytes <= 1000 || now.log_frames == 1);
            prop_assert_eq!(now.sessions, watchers.len());
            prop_assert_eq!(now.views, usize::from(!watchers.is_empty()));
        }
        jobs.into_iter().for_each(Job::run);
        for watcher in &mut watchers {
            watcher.read();
            prop_assert!(watcher.got.is_sorted_by(|a, b| a < b));
            prop_assert!(watcher.got.iter().all(|seq| watcher.published.contains(seq)));
            prop_assert_eq!(watcher.got.len() as u64 + watcher.missed,
                watcher.published.len() as u64);
        }
        prop_assert_eq!((hub.snapshot().log_frames, hub.snapshot().log_bytes), (0, 0));
    }
}

/// Scenario: exports with no session, with one of another signal, and with a hundred.
/// Guarantees: nothing is rendered or kept when nobody watches, and one rendering serves all.
#[test]
fn one_rendering_serves_every_session() {
    let count = Arc::new(Count::default());
    let hub = Hub::with_writer(FanoutConfig::default(), count.clone(), writer());
    assert_eq!(hub.publish(Signal::Metrics, export(ECHO, 1, 0), 1), Some(1));
    let mut sessions: Vec<_> = (0..100)
        .map(|_| hub.subscribe(metrics()).unwrap())
        .collect();
    assert_eq!(hub.publish(Signal::Logs, export(ECHO, 2, 0), 1), Some(2));
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    assert_eq!(hub.publish(Signal::Metrics, export(ECHO, 3, 0), 1), Some(3));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let mut frames = Vec::new();
    for session in &mut sessions {
        let mut out = VecDeque::new();
        assert_eq!(session.read(&mut out).lost, Losses::default());
        frames.extend(out);
    }
    assert_eq!(frames.len(), 100);
    assert!(
        frames
            .iter()
            .all(|frame| frame.as_ptr() == frames[0].as_ptr()),
        "shared, not copied"
    );
    assert_eq!(hub.snapshot().log_bytes, 0);
}

/// Scenario: renderings that fail, are too big and panic, among good ones, on a runtime.
/// Guarantees: the good ones arrive in order, the others are counted, nothing else happens.
#[tokio::test]
async fn a_rendering_that_fails_harms_nothing_else() {
    let hub = hub(FanoutConfig {
        offload_bytes: 200,
        ..FanoutConfig::default()
    });
    let mut session = hub.subscribe(metrics()).unwrap();
    for (i, kind) in [ECHO, PANIC, BROKEN, ECHO, TOO_BIG, PANIC, ECHO]
        .into_iter()
        .enumerate()
    {
        hub.publish(
            Signal::Metrics,
            export(kind, i as u64, 100 + i % 2 * 200),
            1,
        );
    }
    let (numbers, dropped) = settled(&mut session, 7).await;
    assert_eq!((numbers, dropped), (vec![0, 3, 6], 4));
}

/// Scenario: long exports come faster than they are rendered, and the log is short.
/// Guarantees: no more renderings at a time than there are workers; what left the log before
/// its turn is never rendered, and is counted.
#[tokio::test]
async fn what_left_the_log_is_not_rendered() {
    const EXPORTS: usize = 50;
    const KEPT: usize = 3;
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let slow: Writer = Arc::new(move |_, _, wire, _, out| {
        counted.fetch_add(1, Ordering::Relaxed);
        // Until the other end is dropped.
        let _ = gate.lock().unwrap().recv();
        out.extend_from_slice(wire);
        Ok(())
    });
    let config = FanoutConfig {
        offload_bytes: 0,
        lag_frames: KEPT,
        ..FanoutConfig::default()
    };
    let hub = Hub::with_writer(config, Arc::new(NoObserver), slow);
    let mut session = hub.subscribe(metrics()).unwrap();
    for i in 0..EXPORTS {
        hub.publish(Signal::Metrics, export(ECHO, i as u64, 0), 1);
    }
    drop(go);
    let (numbers, dropped) = settled(&mut session, EXPORTS).await;
    assert_eq!(
        numbers,
        ((EXPORTS - KEPT) as u64..EXPORTS as u64).collect::<Vec<_>>()
    );
    assert_eq!(dropped, (EXPORTS - KEPT) as u64);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!(count.load(Ordering::Relaxed) <= KEPT + workers);
}

/// Scenario: the runtime that was to render is shut down, short and long exports; then a
/// publisher with a live one.
/// Guarantees: the slots count as lost, no session waits for them, and the next is rendered.
#[test]
fn a_cancelled_rendering_is_a_loss() {
    for offload_bytes in [0, 1 << 20] {
        let hub = hub(FanoutConfig {
            offload_bytes,
            ..FanoutConfig::default()
        });
        let mut session = hub.subscribe(metrics()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        {
            let _inside = handle.enter();
            hub.publish(Signal::Metrics, export(ECHO, 0, 0), 1);
        }
        assert_eq!(read_all(&mut session), (vec![], 1, 0));
        let other = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        other.block_on(async {
            hub.publish(Signal::Metrics, export(ECHO, 1, 0), 1);
            assert_eq!(settled(&mut session, 1).await, (vec![1], 0));
        });
    }
}

/// Scenario: the hub is closed while a session has frames to read.
/// Guarantees: it reads up to that moment and is told the end; later exports get neither number
/// nor place; nobody comes in; `drained` waits for the last session.
#[tokio::test]
async fn closing_is_a_line_in_the_log() {
    let hub = hub(FanoutConfig::default());
    let mut session = hub.subscribe(metrics()).unwrap();
    hub.publish(Signal::Metrics, export(ECHO, 1, 0), 1);
    hub.close(std::time::Duration::from_secs(5));
    assert_eq!(hub.publish(Signal::Metrics, export(ECHO, 2, 0), 1), None);
    assert_eq!(hub.subscribe(metrics()).err(), Some(SubscribeError::Closed));
    assert_eq!(settled(&mut session, 1).await, (vec![1], 0));
    assert!(session.read(&mut VecDeque::new()).ended);
    let mut drained = std::pin::pin!(hub.drained());
    assert!(futures_util::future::FutureExt::now_or_never(drained.as_mut()).is_none());
    drop(session);
    drained.await;
}
