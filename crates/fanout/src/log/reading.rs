//! What a session takes out of slots in one go, within its limits.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Read;
use crate::observer::Loss;
use crate::session::GATHER_FRAMES;
use crate::slot::{Outcome, Slot};

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
