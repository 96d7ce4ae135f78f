//! The log of a view: what its sessions have yet to take, within limits.
//!
//! Publications of the view stand at consecutive positions. A cursor is the position that a
//! session takes next; the log knows how many cursors stand where, and so frees what all have
//! passed. Sessions count what they miss as a difference of positions, so the count is exact.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::session::GATHER_FRAMES;
use crate::slot::{Outcome, Slot};

/// The bounded log of one view.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    /// The position of the first entry, or of the next one to come.
    covers_from: u64,
    /// The sum of the weights.
    bytes: usize,
    /// How many cursors stand at a position.
    cursors: BTreeMap<u64, usize>,
    closed: bool,
    max_bytes: usize,
    max_frames: usize,
}

#[derive(Debug)]
struct Entry {
    slot: Arc<Slot>,
    /// Bytes: of protobuf until the slot is settled, of the frame after.
    weight: usize,
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
    pub(crate) dropped: u64,
    /// Publications passed that hold nothing for the view.
    pub(crate) empty: u64,
    /// There is more to read at once.
    pub(crate) more: bool,
    /// The log is closed and read to its end.
    pub(crate) ended: bool,
    /// What all sessions have passed with this reading.
    pub(crate) freed: Freed,
}

impl Freed {
    /// Whether one of them was not filled, so that a session may be waiting for it.
    pub(crate) fn has_unfilled(&self) -> bool {
        self.0.iter().any(|slot| slot.outcome().is_none())
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.iter().for_each(|slot| slot.abandon());
    }
}

impl Log {
    /// An empty log that holds at most `max_bytes` and `max_frames`, and always the newest.
    pub(crate) fn new(max_bytes: usize, max_frames: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            covers_from: 0,
            bytes: 0,
            cursors: BTreeMap::new(),
            closed: false,
            max_bytes,
            max_frames,
        }
    }

    /// Appends a slot of `weight` bytes. Returns its position, and what had to go for it.
    pub(crate) fn push(&mut self, slot: Arc<Slot>, weight: usize) -> (u64, Freed) {
        let position = self.end();
        self.bytes += weight;
        self.entries.push_back(Entry { slot, weight });
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
        self.bytes = self.bytes - entry.weight + weight;
        entry.weight = weight;
        self.enforce()
    }

    /// A new cursor behind the newest entry.
    pub(crate) fn join(&mut self) -> u64 {
        let cursor = self.end();
        *self.cursors.entry(cursor).or_default() += 1;
        cursor
    }

    /// How many publications a session with this cursor has yet to take, or has lost.
    pub(crate) fn unread(&self, cursor: u64) -> u64 {
        self.end() - cursor
    }

    /// Takes a cursor away. Returns whether it was the last one, and what is free with it.
    pub(crate) fn leave(&mut self, cursor: u64) -> (bool, Freed) {
        self.lift(cursor);
        let freed = self.free_passed();
        (self.cursors.is_empty(), freed)
    }

    /// Reads on from `cursor` and moves it: appends at most `max_bytes` and [`GATHER_FRAMES`]
    /// of consecutive frames to `out`, but one frame whatever its length. Stops before a slot
    /// that is not filled, and before a loss once frames were read.
    pub(crate) fn read(
        &mut self,
        cursor: &mut u64,
        max_bytes: usize,
        out: &mut VecDeque<Bytes>,
    ) -> Read {
        let mut read = Read::default();
        let mut next = (*cursor).max(self.covers_from);
        read.dropped = next - *cursor;
        let (mut frames, mut bytes) = (0, 0);
        for entry in self.entries.iter().skip(index(next - self.covers_from)) {
            match entry.slot.outcome() {
                None => break,
                Some(Outcome::Nothing) => read.empty += 1,
                Some(Outcome::Lost) if frames > 0 => {
                    read.more = true;
                    break;
                }
                Some(Outcome::Lost) => read.dropped += 1,
                Some(Outcome::Frame(frame)) => {
                    let fits = bytes + frame.len() <= max_bytes && frames < GATHER_FRAMES;
                    if frames > 0 && !fits {
                        read.more = true;
                        break;
                    }
                    frames += 1;
                    bytes += frame.len();
                    out.push_back(frame.clone());
                }
            }
            next += 1;
        }
        if next != *cursor {
            self.lift(*cursor);
            *self.cursors.entry(next).or_default() += 1;
            *cursor = next;
            read.freed = self.free_passed();
        }
        read.ended = self.closed && next == self.end();
        read
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

    fn end(&self) -> u64 {
        self.covers_from + self.entries.len() as u64
    }

    fn lift(&mut self, cursor: u64) {
        if let Some(count) = self.cursors.get_mut(&cursor) {
            *count -= 1;
            if *count == 0 {
                self.cursors.remove(&cursor);
            }
        }
    }

    /// Drops what all cursors have passed: everything, if there are none.
    fn free_passed(&mut self) -> Freed {
        let mut freed = Freed::default();
        let wanted = self.cursors.keys().next().copied().unwrap_or(u64::MAX);
        while self.covers_from < wanted
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
        self.bytes -= entry.weight;
        Some(entry.slot)
    }
}

/// How many entries an empty log keeps room for.
const SPARE_ENTRIES: usize = 16;

fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
