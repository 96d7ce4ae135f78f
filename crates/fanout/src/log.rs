//! The log of a view: what its sessions have yet to take, within limits.
//!
//! Publications of the view stand at consecutive positions. A cursor is the position that a
//! session takes next; the log knows how many cursors stand where, and so frees what all have
//! passed. Sessions count what they miss as a difference of positions, so the count is exact.

mod losses;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;

use crate::observer::Loss;
use crate::session::GATHER_FRAMES;
use crate::slot::{Outcome, Slot};

pub(crate) use self::losses::Losses;

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
    /// How many cursors stand at a position.
    cursors: BTreeMap<u64, usize>,
    /// How many there are.
    readers: usize,
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
            cursors: BTreeMap::new(),
            readers: 0,
            closed: false,
            max_bytes,
            max_frames,
        }
    }

    /// Appends a slot of `weight` bytes. Returns its position, and what had to go for it.
    pub(crate) fn push(&mut self, slot: Arc<Slot>, weight: usize) -> (u64, Freed) {
        let position = self.end();
        self.reweigh(0, weight);
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
        let before = std::mem::replace(&mut entry.weight, weight);
        self.reweigh(before, weight);
        self.enforce()
    }

    /// A new cursor behind the newest entry, for a session that is done with everything up to
    /// `seq`.
    pub(crate) fn join(&mut self, seq: u64) -> Cursor {
        let position = self.end();
        *self.cursors.entry(position).or_default() += 1;
        self.readers += 1;
        Cursor {
            position,
            part: 0,
            seq,
        }
    }

    /// Whether there is a cursor.
    pub(crate) fn is_read(&self) -> bool {
        !self.cursors.is_empty()
    }

    /// How many publications a session with this cursor has yet to take, or has lost.
    pub(crate) fn unread(&self, cursor: &Cursor) -> u64 {
        self.end() - cursor.position
    }

    /// Takes a cursor away. Returns what is free with it.
    pub(crate) fn leave(&mut self, cursor: &Cursor) -> Freed {
        self.lift(cursor.position);
        self.readers -= 1;
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
            self.lift(begin);
            *self.cursors.entry(cursor.position).or_default() += 1;
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
        self.readers
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
        self.reweigh(entry.weight, 0);
        Some(entry.slot)
    }

    fn reweigh(&mut self, before: usize, now: usize) {
        self.bytes = self.bytes - before + now;
        self.total.fetch_add(now, Ordering::Relaxed);
        self.total.fetch_sub(before, Ordering::Relaxed);
    }
}

/// One reading: frames of one slot after the other, as long as they fit.
pub(crate) struct Reading<'o> {
    pub(crate) read: Read,
    out: &'o mut VecDeque<Bytes>,
    max_bytes: usize,
    compressed: bool,
    frames: usize,
    bytes: usize,
}

impl<'o> Reading<'o> {
    /// Appends at most `max_bytes` and [`GATHER_FRAMES`] of consecutive frames to `out`, but one
    /// frame whatever its length; compressed ones if they are wanted so and there are any.
    pub(crate) fn new(max_bytes: usize, compressed: bool, out: &'o mut VecDeque<Bytes>) -> Self {
        Self {
            read: Read::default(),
            out,
            max_bytes,
            compressed,
            frames: 0,
            bytes: 0,
        }
    }

    /// Takes note of publications that were pushed out, unless frames were read before.
    pub(crate) fn lose(&mut self, count: u64) -> bool {
        let first = self.frames == 0;
        match first {
            true => self.read.lost.slow += count,
            false => self.read.more = true,
        }
        first
    }

    /// Takes the frames of a slot, from the `part`th on. Whether it is done with the slot; if
    /// not, the slot is not filled, or there is more to read at once.
    pub(crate) fn take(&mut self, slot: &Slot, part: &mut usize) -> bool {
        let outcome = slot.outcome();
        let list = match outcome {
            Some(Outcome::Frames(frames)) => frames.list_for(self.compressed),
            _ => Some(&[][..]),
        };
        let Some(list) = list else {
            return false;
        };
        let loss = match outcome {
            None => return false,
            Some(Outcome::Nothing) => {
                self.read.empty += 1;
                return true;
            }
            Some(Outcome::Lost(loss)) => Some(*loss),
            Some(Outcome::Frames(frames)) => {
                (frames.incomplete && *part == 0).then_some(Loss::TooBig)
            }
        };
        if let Some(loss) = loss {
            if self.frames > 0 {
                self.read.more = true;
                return false;
            }
            self.read.lost.add(loss);
        }
        for frame in &list[*part..] {
            if !self.push(frame) {
                return false;
            }
            self.read.began = self.read.began.or(slot.began);
            *part += 1;
        }
        *part = 0;
        true
    }

    /// Takes a frame, if it fits.
    fn push(&mut self, frame: &Bytes) -> bool {
        let fits = self.bytes + frame.len() <= self.max_bytes && self.frames < GATHER_FRAMES;
        if self.frames > 0 && !fits {
            self.read.more = true;
            return false;
        }
        self.frames += 1;
        self.bytes += frame.len();
        self.out.push_back(frame.clone());
        true
    }
}

/// How many entries an empty log keeps room for.
const SPARE_ENTRIES: usize = 16;

fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
