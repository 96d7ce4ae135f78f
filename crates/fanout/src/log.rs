//! The log of a view: what its sessions have yet to take, within limits.
//!
//! Publications of the view stand at consecutive positions. A cursor is the position that a
//! session takes next; the log knows how many cursors stand where, and so frees what all have
//! passed. Sessions count what they miss as a difference of positions, so the count is exact.

mod losses;
mod reading;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::slot::Slot;

pub(crate) use self::losses::Losses;
pub(crate) use self::reading::Reading;

/// The bounded log of one view.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    /// The position of the first entry, or of the next one to come.
    covers_from: u64,
    /// The sum of the weights.
    bytes: usize,
    /// The sum of those of all logs.
    total: Arc<AtomicUsize>,
    /// How many cursors there are.
    cursors: usize,
    /// How many of them stand before the first entry: they have lost some.
    behind: usize,
    /// How many stand behind the last entry, and wait for the next.
    waiting: usize,
    closed: bool,
    max_bytes: usize,
    max_frames: usize,
}

#[derive(Debug)]
struct Entry {
    slot: Arc<Slot>,
    /// Bytes: of protobuf until the slot is settled, of the frame after.
    weight: usize,
    /// How many cursors take it next.
    cursors: usize,
}

/// Slots that left a log. Dropping it frees what they hold, which may be long: drop it when
/// no lock is held.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Freed(Vec<Arc<Slot>>);

/// What one reading of the log gave.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Read {
    /// Publications lost to this session, all of them before the frames read.
    pub(crate) lost: Losses,
    /// Publications passed that hold nothing for the view.
    pub(crate) empty: u64,
    /// When the request began that brought the first of the frames; none for replayed ones.
    pub(crate) began: Option<Instant>,
    /// There is more to read at once.
    pub(crate) more: bool,
    /// The log is closed and read to its end.
    pub(crate) ended: bool,
    /// What all sessions have passed with this reading.
    pub(crate) freed: Freed,
}

/// Where a session stands in a log.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// The position that it takes next.
    position: u64,
    /// How many frames of that it has taken already.
    part: usize,
    /// The number of the last publication that it is done with.
    pub(crate) seq: u64,
}

impl Freed {
    /// Whether a session may be waiting for one of them.
    pub(crate) fn has_unfilled(&self) -> bool {
        self.0.iter().any(|slot| slot.is_pending())
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.iter().for_each(|slot| slot.abandon());
    }
}

impl Log {
    /// An empty log that holds at most `max_bytes` and `max_frames`, and always the newest. What
    /// it holds is part of `total`.
    pub(crate) fn new(max_bytes: usize, max_frames: usize, total: Arc<AtomicUsize>) -> Self {
        Self {
            entries: VecDeque::new(),
            covers_from: 0,
            bytes: 0,
            total,
            cursors: 0,
            behind: 0,
            waiting: 0,
            closed: false,
            max_bytes,
            max_frames,
        }
    }

    /// Appends a slot of `weight` bytes. Returns its position, and what had to go for it.
    pub(crate) fn push(&mut self, slot: Arc<Slot>, weight: usize) -> (u64, Freed) {
        let position = self.end();
        self.reweigh(0, weight);
        let cursors = std::mem::take(&mut self.waiting);
        self.entries.push_back(Entry {
            slot,
            weight,
            cursors,
        });
        (position, self.enforce())
    }

    /// Takes note that the slot at `position` is filled and weighs `weight` bytes from now on.
    /// Returns what had to go for it.
    pub(crate) fn settle(&mut self, position: u64, weight: usize) -> Freed {
        let Some(entry) = position
            .checked_sub(self.covers_from)
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| self.entries.get_mut(index))
        else {
            return Freed::default();
        };
        let before = std::mem::replace(&mut entry.weight, weight);
        self.reweigh(before, weight);
        self.enforce()
    }

    /// A new cursor behind the newest entry, for a session that is done with everything up to
    /// `seq`.
    pub(crate) fn join(&mut self, seq: u64) -> Cursor {
        let position = self.end();
        self.cursors += 1;
        self.waiting += 1;
        Cursor {
            position,
            part: 0,
            seq,
        }
    }

    /// Whether there is a cursor.
    pub(crate) fn is_read(&self) -> bool {
        self.cursors > 0
    }

    /// How many publications a session with this cursor has yet to take, or has lost.
    pub(crate) fn unread(&self, cursor: &Cursor) -> u64 {
        self.end() - cursor.position
    }

    /// Takes a cursor away. Returns what is free with it.
    pub(crate) fn leave(&mut self, cursor: &Cursor) -> Freed {
        self.cursors -= 1;
        *self.standing(cursor.position) -= 1;
        self.free_passed()
    }

    /// Reads on from `cursor` and moves it. Stops before a slot that is not filled, and before a
    /// loss once frames were read.
    pub(crate) fn read(&mut self, cursor: &mut Cursor, mut reading: Reading<'_>) -> Read {
        let begin = cursor.position;
        if begin < self.covers_from {
            reading.read.lost.slow = self.covers_from - begin;
            (cursor.position, cursor.part) = (self.covers_from, 0);
        }
        let entries = self.entries.iter();
        for entry in entries.skip(index(cursor.position - self.covers_from)) {
            if !reading.take(&entry.slot, &mut cursor.part) {
                break;
            }
            cursor.position += 1;
            cursor.seq = entry.slot.seq;
        }
        let mut read = reading.read;
        if cursor.position != begin {
            *self.standing(begin) -= 1;
            *self.standing(cursor.position) += 1;
            read.freed = self.free_passed();
        }
        read.ended = self.closed && cursor.position == self.end();
        read
    }

    /// Takes the oldest out, the newest excepted, until it holds `excess` bytes less.
    pub(crate) fn shed(&mut self, excess: usize) -> Freed {
        let mut freed = Freed::default();
        let enough = self.bytes.saturating_sub(excess);
        while self.entries.len() > 1
            && self.bytes > enough
            && let Some(slot) = self.pop()
        {
            freed.0.push(slot);
        }
        freed
    }

    /// How many bytes it can do without: all but those of its newest entry.
    pub(crate) fn spare(&self) -> usize {
        self.bytes - self.entries.back().map_or(0, |entry| entry.weight)
    }

    /// Whether the session of a cursor has lost what it has yet to take.
    pub(crate) fn has_lost(&self, cursor: &Cursor) -> bool {
        cursor.position < self.covers_from
    }

    /// Takes no more entries. What is pushed after this is the caller's fault.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// How many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many cursors there are.
    pub(crate) fn readers(&self) -> usize {
        self.cursors
    }

    fn end(&self) -> u64 {
        self.covers_from + self.entries.len() as u64
    }

    /// The count of the cursors that stand at a position.
    fn standing(&mut self, position: u64) -> &mut usize {
        let Some(distance) = position.checked_sub(self.covers_from) else {
            return &mut self.behind;
        };
        match self.entries.get_mut(index(distance)) {
            Some(entry) => &mut entry.cursors,
            None => &mut self.waiting,
        }
    }

    /// Drops what all cursors have passed: everything, if there are none.
    fn free_passed(&mut self) -> Freed {
        let mut freed = Freed::default();
        while self.behind == 0
            && self.entries.front().is_some_and(|entry| entry.cursors == 0)
            && let Some(slot) = self.pop()
        {
            freed.0.push(slot);
        }
        if self.entries.is_empty() {
            self.entries.shrink_to(SPARE_ENTRIES);
        }
        freed
    }

    /// Takes the oldest out until the limits hold, the newest excepted.
    fn enforce(&mut self) -> Freed {
        let mut freed = Freed::default();
        while self.entries.len() > 1
            && (self.bytes > self.max_bytes || self.entries.len() > self.max_frames)
            && let Some(slot) = self.pop()
        {
            freed.0.push(slot);
        }
        freed
    }

    fn pop(&mut self) -> Option<Arc<Slot>> {
        let entry = self.entries.pop_front()?;
        self.covers_from += 1;
        self.behind += entry.cursors;
        self.reweigh(entry.weight, 0);
        Some(entry.slot)
    }

    fn reweigh(&mut self, before: usize, now: usize) {
        self.bytes = self.bytes - before + now;
        self.total.fetch_add(now, Ordering::Relaxed);
        self.total.fetch_sub(before, Ordering::Relaxed);
    }
}

/// How many entries an empty log keeps room for.
const SPARE_ENTRIES: usize = 16;

fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
