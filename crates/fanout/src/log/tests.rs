//! The limits of a log and the arithmetic of its cursors.

use std::time::SystemTime;

use bytes::Bytes;
use otlp_codec::Signal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::observer::Loss;
use crate::publication::Publication;
use crate::slot::{Frames, Outcome};

fn slot(seq: u64) -> Arc<Slot> {
    Arc::new(Slot::new(Arc::new(Publication {
        seq,
        signal: Signal::Metrics,
        wire: Bytes::from(vec![0; 10]),
        received: SystemTime::UNIX_EPOCH,
        began: std::time::Instant::now(),
    })))
}

fn fill(log: &mut Log, position: u64, slot: &Slot, outcome: Outcome) {
    slot.start();
    slot.fill(outcome);
    drop(log.settle(position, slot.weight()));
}

fn frames(lens: &[usize], incomplete: bool) -> Outcome {
    let list = lens.iter().map(|len| Bytes::from(vec![1; *len]));
    Outcome::Frames(Frames::new(list.collect(), incomplete))
}

fn frame(len: usize) -> Outcome {
    frames(&[len], false)
}

const LOST: Outcome = Outcome::Lost(Loss::TooBig);

/// Scenario: slots filled out of order, and one reader.
/// Guarantees: it reads in order, and nothing past a slot that is not filled.
#[test]
fn a_reader_waits_for_the_slot_in_front() {
    let mut log = Log::new(1000, 10, Arc::default());
    let mut cursor = log.join(0);
    let slots: Vec<_> = (0..3).map(slot).collect();
    for slot in &slots {
        drop(log.push(Arc::clone(slot), 10));
    }
    let mut out = VecDeque::new();
    fill(&mut log, 1, &slots[1], frame(2));
    fill(&mut log, 2, &slots[2], frame(3));
    let read = log.read(&mut cursor, Reading::new(100, false, &mut out));
    assert_eq!(
        (read.lost, read.more, out.len()),
        (Losses::default(), false, 0)
    );
    assert_eq!(log.bytes(), 15);
    fill(&mut log, 0, &slots[0], frame(1));
    drop(log.read(&mut cursor, Reading::new(100, false, &mut out)));
    assert_eq!(out.iter().map(Bytes::len).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((cursor.position, cursor.seq), (3, 2));
    assert_eq!((log.len(), log.bytes()), (0, 0));
}

/// Scenario: frames that are promised compressed, and not yet; readers that want them so and that
/// don't; a loss is told with them.
/// Guarantees: the first waits, and is told of the loss once; the second doesn't; each gets its
/// form, and the log weighs both.
#[test]
fn compressed_frames_are_waited_for() {
    let mut log = Log::new(100_000, 10, Arc::default());
    let (mut wants, mut plain) = (log.join(0), log.join(0));
    let slot = slot(1);
    drop(log.push(Arc::clone(&slot), 10));
    let mut message = vec![0; crate::frame::MAX_HEADER];
    message.resize(3000, b'x');
    let short = Bytes::from_static(b"\x81\x01x");
    let long = crate::frame::data(crate::frame::Opcode::Text, message);
    let mut frames = Frames::new(vec![short.clone(), long.clone()], true);
    frames.promise();
    fill(&mut log, 0, &slot, Outcome::Frames(frames));
    assert_eq!(log.bytes(), short.len() + long.len());

    let mut out = VecDeque::new();
    let waiting = log.read(&mut wants, Reading::new(10_000, true, &mut out));
    assert_eq!((waiting.lost, waiting.more), (Losses::default(), false));
    assert!(out.is_empty() && slot.is_pending());
    drop(log.read(&mut plain, Reading::new(10_000, false, &mut out)));
    assert!(out.drain(..).eq([short.clone(), long.clone()]));

    let Some(Outcome::Frames(frames)) = slot.outcome() else {
        panic!("{slot:?}");
    };
    let compressed = frames.compress(&Arc::default());
    drop(log.settle(0, slot.weight()));
    assert_eq!(log.bytes(), long.len() + compressed);
    let read = log.read(&mut wants, Reading::new(10_000, true, &mut out));
    assert_eq!(read.lost.too_big, 1);
    assert_eq!(out[0], short);
    assert_eq!(out[1].len(), compressed - short.len());
    assert!(crate::frame::is_compressed(&out[1]));
    assert_eq!(log.bytes(), 0);
}

/// Scenario: more than the limits allow, with a reader that does not read.
/// Guarantees: the oldest go, unrendered ones lose their protobuf, the newest stays even when
/// it is over the limit alone, and the reader's loss is exact.
#[test]
fn the_oldest_go_and_are_counted() {
    let mut log = Log::new(25, 10, Arc::default());
    let mut cursor = log.join(0);
    let slots: Vec<_> = (0..4).map(slot).collect();
    for (i, slot) in slots[..3].iter().enumerate() {
        let (position, freed) = log.push(Arc::clone(slot), 10);
        assert_eq!((position, freed.has_unfilled()), (i as u64, i == 2));
    }
    assert!(!slots[0].is_waiting() && slots[1].is_waiting());
    let (_, freed) = log.push(Arc::clone(&slots[3]), 1000);
    assert!(freed.has_unfilled());
    assert_eq!((log.len(), log.bytes()), (1, 1000));
    fill(&mut log, 0, &slots[0], frame(9));
    assert_eq!(log.bytes(), 1000, "a slot that is gone weighs nothing");
    fill(&mut log, 3, &slots[3], frame(40));
    let mut out = VecDeque::new();
    let read = log.read(&mut cursor, Reading::new(1, false, &mut out));
    assert_eq!((read.lost.slow, out.len(), log.len()), (3, 1, 0));
}

/// Scenario: a fast and a slow reader, the slow one leaves.
/// Guarantees: a frame is freed when the last reader has passed it, at once.
#[test]
fn what_all_have_passed_is_freed() {
    let mut log = Log::new(1000, 10, Arc::default());
    let (mut fast, slow) = (log.join(0), log.join(0));
    for seq in 0..3 {
        let slot = slot(seq);
        let (position, _) = log.push(Arc::clone(&slot), 10);
        fill(&mut log, position, &slot, frame(5));
    }
    let mut out = VecDeque::new();
    drop(log.read(&mut fast, Reading::new(1000, false, &mut out)));
    assert_eq!((out.len(), log.len(), log.bytes()), (3, 3, 15));
    drop(log.leave(&slow));
    assert!(log.is_read());
    assert_eq!((log.len(), log.bytes()), (0, 0));
    drop(log.leave(&fast));
    assert!(!log.is_read());
}

/// Scenario: frames, losses and empty slots in turn, read with a small gather limit.
/// Guarantees: one frame at least and no more than fit; losses come before frames, never
/// between; the end is told once the closed log is read.
#[test]
fn one_reading_is_bounded_and_ordered() {
    let mut log = Log::new(1000, 10, Arc::default());
    let mut cursor = log.join(0);
    let outcomes = [
        frame(8),
        frame(8),
        LOST,
        frame(30),
        Outcome::Nothing,
        LOST,
        frame(1),
    ];
    for (seq, outcome) in outcomes.into_iter().enumerate() {
        let slot = slot(seq as u64);
        let (position, _) = log.push(Arc::clone(&slot), 10);
        fill(&mut log, position, &slot, outcome);
    }
    log.close();
    let mut reads = Vec::new();
    loop {
        let mut out = VecDeque::new();
        let read = log.read(&mut cursor, Reading::new(20, false, &mut out));
        reads.push((out.len(), read.lost.too_big, read.empty));
        assert_eq!(read.more, !read.ended);
        if read.ended {
            break;
        }
    }
    assert_eq!(reads, [(2, 0, 0), (1, 1, 1), (1, 1, 0)]);
}

/// Scenario: publications of several frames, one of them not whole, read a little at a time; then
/// one that is pushed out when it is half read.
/// Guarantees: frames come in order and once; what is missing of a publication is told once,
/// before its frames; what was half read counts as lost.
#[test]
fn publications_of_several_frames_are_read_in_pieces() {
    let mut log = Log::new(1000, 3, Arc::default());
    let mut cursor = log.join(0);
    let outcomes = [
        frames(&[1, 2, 3], false),
        frames(&[4, 5], true),
        frames(&[6, 7], false),
    ];
    for (seq, outcome) in outcomes.into_iter().enumerate() {
        let slot = slot(seq as u64 + 1);
        let (position, _) = log.push(Arc::clone(&slot), 10);
        fill(&mut log, position, &slot, outcome);
    }
    let mut reads = Vec::new();
    let mut read = |log: &mut Log| {
        let mut out = VecDeque::new();
        let read = log.read(&mut cursor, Reading::new(3, false, &mut out));
        let lens: Vec<_> = out.iter().map(Bytes::len).collect();
        reads.push((lens, read.lost.slow, read.lost.too_big, cursor.seq));
    };
    for _ in 0..5 {
        read(&mut log);
    }
    for seq in 4..7 {
        let slot = slot(seq);
        let (position, _) = log.push(Arc::clone(&slot), 10);
        fill(&mut log, position, &slot, frame(seq as usize));
    }
    read(&mut log);
    assert_eq!(
        reads,
        [
            (vec![1, 2], 0, 0, 0),
            (vec![3], 0, 0, 1),
            (vec![4], 0, 1, 1),
            (vec![5], 0, 0, 2),
            (vec![6], 0, 0, 2),
            (vec![4], 1, 0, 4),
        ]
    );
}

/// The counts of a log are those of `cursors`, and it holds nothing that all have passed.
fn check_counts(log: &Log, cursors: &[Cursor]) {
    let at = |position: u64| {
        let there = cursors.iter().filter(|cursor| cursor.position == position);
        there.count()
    };
    let behind = cursors.iter().filter(|cursor| log.has_lost(cursor)).count();
    assert_eq!((log.cursors, log.behind), (cursors.len(), behind));
    for (position, entry) in (log.covers_from..).zip(&log.entries) {
        assert_eq!(entry.cursors, at(position), "at {position}");
    }
    assert_eq!(log.waiting, at(log.end()));
    let front = log.entries.front();
    assert!(behind > 0 || front.is_none_or(|entry| entry.cursors > 0));
}

proptest! {
    /// Scenario: readers that come, read a frame and go, in any order, while publications come to
    /// a log of three.
    /// Guarantees: each cursor is counted where it stands, those that have lost some too, and what
    /// all have passed is gone.
    #[test]
    fn cursors_are_counted_where_they_stand(steps in vec((0..4_u8, any::<Index>()), 0..60)) {
        let mut log = Log::new(1000, 3, Arc::default());
        let mut cursors: Vec<Cursor> = Vec::new();
        for (step, which) in steps {
            match step {
                0 => cursors.push(log.join(0)),
                // The hub pushes nothing where nobody reads.
                1 if log.is_read() => {
                    let slot = slot(0);
                    let (position, freed) = log.push(Arc::clone(&slot), 10);
                    drop(freed);
                    fill(&mut log, position, &slot, frame(1));
                }
                2 if !cursors.is_empty() => {
                    let mut out = VecDeque::new();
                    let cursor = &mut cursors[which.index(log.cursors)];
                    drop(log.read(cursor, Reading::new(1, false, &mut out)));
                }
                3 if !cursors.is_empty() => {
                    let cursor = cursors.swap_remove(which.index(log.cursors));
                    drop(log.leave(&cursor));
                }
                _ => {}
            }
            check_counts(&log, &cursors);
        }
        cursors.iter().for_each(|cursor| drop(log.leave(cursor)));
        prop_assert!(log.len() == 0 && !log.is_read());
    }
}
