//! The history against a list of everything.

use std::time::SystemTime;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const BYTES: usize = 10 * (ENTRY_BYTES + 100);
const AGE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
enum Step {
    Publish(Signal, usize),
    Wait(Duration),
    Start(Signals, prop::sample::Index),
    Newest(Signals, usize),
    Read(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let signals = prop::sample::select(vec![
        Signals::ALL,
        Signal::Metrics.into(),
        Signal::Logs.into(),
    ]);
    let signal = prop::sample::select(vec![Signal::Metrics, Signal::Traces, Signal::Logs]);
    prop_oneof![
        8 => (signal, 0..400_usize).prop_map(|(signal, len)| Step::Publish(signal, len)),
        1 => (0..40_u64).prop_map(|seconds| Step::Wait(Duration::from_secs(seconds))),
        1 => (signals.clone(), any::<prop::sample::Index>())
            .prop_map(|(signals, at)| Step::Start(signals, at)),
        1 => (signals, 0..30_usize).prop_map(|(signals, count)| Step::Newest(signals, count)),
        6 => any::<prop::sample::Index>().prop_map(Step::Read),
    ]
}

/// A reader, and what it should see.
struct Reader {
    replay: Replay,
    signals: Signals,
    /// What it asked for and has not come to.
    left: u64,
    last: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Scenario: exports of three signals and many lengths, time that passes, readers that start
    /// anywhere and read rarely.
    /// Guarantees: the limits of bytes and age hold; `after` says rightly whether all is here, and
    /// `newest` begins where it should; what a reader gets comes in order, and with what it lost it
    /// is exactly what came since its start.
    #[test]
    fn what_is_not_read_is_lost_and_counted(steps in prop::collection::vec(step(), 1..150)) {
        let mut history = History::new(BYTES, AGE);
        let mut now = Instant::now();
        let mut all: Vec<(Arc<Publication>, Instant)> = Vec::new();
        let mut readers: Vec<Reader> = Vec::new();
        let of = |all: &[(Arc<Publication>, Instant)], signals: Signals, seq| {
            let all = all.iter();
            all.filter(|(one, _)| signals.contains(one.signal) && one.seq > seq).count() as u64
        };
        for step in steps {
            drop(history.expire(now));
            let last = all.len() as u64;
            match step {
                Step::Publish(signal, len) => {
                    let publication = Arc::new(Publication {
                        seq: last + 1,
                        signal,
                        wire: Bytes::from(vec![0; len]),
                        received: SystemTime::UNIX_EPOCH,
                        began: std::time::Instant::now(),
                    });
                    drop(history.push(&publication, now));
                    all.push((publication, now));
                    for reader in &mut readers {
                        reader.left += u64::from(reader.signals.contains(signal));
                    }
                }
                Step::Wait(time) => now += time,
                Step::Start(signals, at) => {
                    let seq = at.index(all.len() + 1) as u64;
                    let (replay, complete) = history.after(signals, seq);
                    let left = history.unread(&replay);
                    let expected = of(&all, signals, seq);
                    prop_assert_eq!(complete, left == expected);
                    prop_assert!(left <= expected);
                    readers.push(Reader { replay, signals, left, last: seq });
                }
                Step::Newest(signals, count) => {
                    let held = history.unread(&history.after(signals, 0).0);
                    let seq = history.newest(signals, count, last);
                    let (replay, _) = history.after(signals, seq);
                    let left = history.unread(&replay);
                    prop_assert_eq!(left, held.min(count as u64));
                    readers.push(Reader { replay, signals, left, last: seq });
                }
                Step::Read(at) if !readers.is_empty() => {
                    let at = at.index(readers.len());
                    let reader = &mut readers[at];
                    match history.next(&mut reader.replay) {
                        Next::Lost(count) => reader.left -= count,
                        Next::Publication(one) => {
                            prop_assert!(one.seq > reader.last && reader.signals.contains(one.signal));
                            reader.last = one.seq;
                            reader.left -= 1;
                        }
                        Next::End => prop_assert_eq!(reader.left, 0),
                    }
                    prop_assert_eq!(history.unread(&reader.replay), reader.left);
                }
                Step::Read(_) => {}
            }
            prop_assert!(history.rings.iter().all(|ring| ring.bytes <= BYTES));
            let weights = history.rings.iter().flat_map(|ring| &ring.entries);
            let weights = weights.map(|entry| weight(&entry.publication)).sum::<usize>();
            prop_assert_eq!(history.bytes(), weights);
        }
        drop(history.expire(now));
        let young = all.iter().filter(|(_, at)| *at + AGE > now).count();
        prop_assert!(history.len() <= young);
        drop(history.expire(now + AGE));
        prop_assert_eq!((history.len(), history.bytes()), (0, 0));
    }
}

/// Scenario: an export that is longer than the history may be, after others.
/// Guarantees: it empties the history, for what is there has to be all after some number; the
/// next is there.
#[test]
fn what_is_too_long_leaves_nothing() {
    let mut history = History::new(1000, AGE);
    let mut push = |seq, len| {
        let publication = Arc::new(Publication {
            seq,
            signal: Signal::Logs,
            wire: Bytes::from(vec![0; len]),
            received: SystemTime::UNIX_EPOCH,
            began: std::time::Instant::now(),
        });
        drop(history.push(&publication, Instant::now()));
        history.len()
    };
    assert_eq!([push(1, 10), push(2, 1000), push(3, 10)], [1, 0, 1]);
    let (mut replay, complete) = history.after(Signals::ALL, 1);
    assert!(!complete && history.after(Signals::ALL, 2).1);
    assert!(matches!(history.next(&mut replay), Next::Publication(one) if one.seq == 3));
}
