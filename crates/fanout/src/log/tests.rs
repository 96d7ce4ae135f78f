//! The limits of a log and the arithmetic of its cursors.

use otlp_codec::Signal;

use super::*;

fn slot(seq: u64) -> Arc<Slot> {
    Arc::new(Slot::new(seq, Signal::Metrics, Bytes::from(vec![0; 10])))
}

fn fill(log: &mut Log, position: u64, slot: &Slot, outcome: Outcome) {
    let weight = if let Outcome::Frame(frame) = &outcome {
        frame.len()
    } else {
        0
    };
    slot.start();
    slot.fill(outcome);
    drop(log.settle(position, weight));
}

fn frame(len: usize) -> Outcome {
    Outcome::Frame(Bytes::from(vec![1; len]))
}

/// Scenario: slots filled out of order, and one reader.
/// Guarantees: it reads in order, and nothing past a slot that is not filled.
#[test]
fn a_reader_waits_for_the_slot_in_front() {
    let mut log = Log::new(1000, 10);
    let mut cursor = log.join();
    let slots: Vec<_> = (0..3).map(slot).collect();
    for slot in &slots {
        drop(log.push(Arc::clone(slot), 10));
    }
    let mut out = VecDeque::new();
    fill(&mut log, 1, &slots[1], frame(2));
    fill(&mut log, 2, &slots[2], frame(3));
    let read = log.read(&mut cursor, 100, &mut out);
    assert_eq!((read.dropped, read.more, out.len()), (0, false, 0));
    assert_eq!(log.bytes(), 15);
    fill(&mut log, 0, &slots[0], frame(1));
    drop(log.read(&mut cursor, 100, &mut out));
    assert_eq!(out.iter().map(Bytes::len).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((cursor, log.len(), log.bytes()), (3, 0, 0));
}

/// Scenario: more than the limits allow, with a reader that does not read.
/// Guarantees: the oldest go, unrendered ones lose their protobuf, the newest stays even when
/// it is over the limit alone, and the reader's loss is exact.
#[test]
fn the_oldest_go_and_are_counted() {
    let mut log = Log::new(25, 10);
    let mut cursor = log.join();
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
    let read = log.read(&mut cursor, 1, &mut out);
    assert_eq!((read.dropped, out.len(), log.len()), (3, 1, 0));
}

/// Scenario: a fast and a slow reader, the slow one leaves.
/// Guarantees: a frame is freed when the last reader has passed it, at once.
#[test]
fn what_all_have_passed_is_freed() {
    let mut log = Log::new(1000, 10);
    let (mut fast, slow) = (log.join(), log.join());
    for seq in 0..3 {
        let slot = slot(seq);
        let (position, _) = log.push(Arc::clone(&slot), 10);
        fill(&mut log, position, &slot, frame(5));
    }
    let mut out = VecDeque::new();
    drop(log.read(&mut fast, 1000, &mut out));
    assert_eq!((out.len(), log.len(), log.bytes()), (3, 3, 15));
    assert!(!log.leave(slow).0);
    assert_eq!((log.len(), log.bytes()), (0, 0));
    assert!(log.leave(fast).0);
}

/// Scenario: frames, losses and empty slots in turn, read with a small gather limit.
/// Guarantees: one frame at least and no more than fit; losses come before frames, never
/// between; the end is told once the closed log is read.
#[test]
fn one_reading_is_bounded_and_ordered() {
    let mut log = Log::new(1000, 10);
    let mut cursor = log.join();
    let outcomes = [
        frame(8),
        frame(8),
        Outcome::Lost,
        frame(30),
        Outcome::Nothing,
        Outcome::Lost,
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
        let read = log.read(&mut cursor, 20, &mut out);
        reads.push((out.len(), read.dropped, read.empty));
        assert_eq!(read.more, !read.ended);
        if read.ended {
            break;
        }
    }
    assert_eq!(reads, [(2, 0, 0), (1, 1, 1), (1, 1, 0)]);
}
