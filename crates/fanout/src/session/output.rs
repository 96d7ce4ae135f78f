//! What a session has yet to write: shared frames, and control frames between them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::GATHER_FRAMES;
use super::wire::{Head, Wire};
use crate::frame;

/// The frames of the write under way. At most one ping, one pong and one Close frame wait
/// beside them; a newer one takes the place of an older.
#[derive(Debug)]
pub(super) struct Output {
    wire: Wire,
    queue: VecDeque<Bytes>,
    /// How much of the first is written.
    written: usize,
    pong: Option<Bytes>,
    ping: Option<Bytes>,
    close: Option<Bytes>,
    /// A Close frame was given: nothing may follow it (RFC 6455 section 5.5.1).
    closing: bool,
    unflushed: bool,
    tally: Tally,
}

/// What was written: whole data frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) frames: u64,
    /// With their headers.
    pub(super) bytes: u64,
    /// Whether the socket took anything, part of a frame too.
    pub(super) progress: bool,
}

/// How many queued frames an idle session keeps room for.
const SPARE_FRAMES: usize = 4;

/// How many frames one write takes at most where each goes out in three pieces.
const GATHER_LINES: usize = GATHER_FRAMES / 3;

impl Output {
    /// Nothing to write yet.
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            wire,
            queue: VecDeque::new(),
            written: 0,
            pong: None,
            ping: None,
            close: None,
            closing: false,
            unflushed: false,
            tally: Tally::default(),
        }
    }

    /// Answers a ping before the next frame.
    pub(super) fn pong(&mut self, pong: Bytes) {
        if !self.closing {
            self.pong = Some(pong);
        }
    }

    /// Pings before the next frame.
    pub(super) fn ping(&mut self, ping: Bytes) {
        if !self.closing {
            self.ping = Some(ping);
        }
    }

    /// How many bytes of frames it holds.
    pub(super) fn bytes(&self) -> usize {
        self.queue.iter().map(Bytes::len).sum()
    }

    /// How many data frames are not written, the one under way included.
    pub(super) fn unsent(&self) -> u64 {
        self.queue
            .iter()
            .filter(|frame| !frame::is_control(frame))
            .count() as u64
    }

    /// Closes after the frame under way; drops the others, and says how many data frames.
    pub(super) fn close(&mut self, close: Bytes) -> u64 {
        let before = self.unsent();
        self.queue.truncate(usize::from(self.written > 0));
        let dropped = before - self.unsent();
        (self.pong, self.ping) = (None, None);
        self.close = self.wire.has_goodbye().then_some(close);
        self.closing = true;
        dropped
    }

    /// Whether a ping still waits behind the frame under way.
    pub(super) fn ping_waits(&self) -> bool {
        self.ping.is_some()
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.has_control()
    }

    /// Lets `read` append frames.
    pub(super) fn refill<T>(&mut self, read: impl FnOnce(&mut VecDeque<Bytes>) -> T) -> T {
        read(&mut self.queue)
    }

    /// What was written since it was asked last.
    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Writes and flushes everything.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut io: Pin<&mut impl AsyncWrite>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.is_empty() {
                break;
            }
            let n = match self.only() {
                Some(rest) => ready!(io.as_mut().poll_write(cx, rest))?,
                None => ready!(self.poll_write_many(cx, io.as_mut()))?,
            };
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.tally.progress = true;
            self.advance(n);
        }
        if self.queue.capacity() > SPARE_FRAMES {
            self.queue = VecDeque::new();
        }
        if self.unflushed {
            ready!(io.as_mut().poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// What is left of the frame under way, or of the next, if there is no other and it goes out as
    /// it is.
    fn only(&self) -> Option<&[u8]> {
        let alone = self.queue.len() == 1 && !self.has_control() && !self.wire.is_one_way();
        let frame = self.queue.front().filter(|_| alone)?;
        frame.get(self.written..)
    }

    fn poll_write_many(
        &self,
        cx: &mut Context<'_>,
        io: Pin<&mut impl AsyncWrite>,
    ) -> Poll<io::Result<usize>> {
        let mut heads = [Head::default(); GATHER_LINES];
        let mut slices = [IoSlice::new(&[]); GATHER_FRAMES];
        let slices = self.gather(&mut heads, &mut slices);
        io.poll_write_vectored(cx, slices)
    }

    fn has_control(&self) -> bool {
        self.pong.is_some() || self.ping.is_some() || self.close.is_some()
    }

    /// The control frames that wait, in the order in which they go out.
    fn control(&mut self) -> [&mut Option<Bytes>; 3] {
        [&mut self.pong, &mut self.ping, &mut self.close]
    }

    /// What to write next: the frame under way, and nothing behind it while a control frame
    /// waits; else the control frames, which may still be replaced, and then the queue.
    fn gather<'a, 'b>(
        &'a self,
        heads: &'a mut [Head; GATHER_LINES],
        slices: &'b mut [IoSlice<'a>; GATHER_FRAMES],
    ) -> &'b [IoSlice<'a>] {
        let under_way = self.written > 0;
        let (control, frames) = match (under_way, self.has_control()) {
            (true, true) => (false, 1),
            (true, false) => (false, GATHER_FRAMES),
            (false, control) => (control, GATHER_FRAMES),
        };
        let control = [&self.pong, &self.ping, &self.close]
            .into_iter()
            .filter(|_| control);
        let queue = self.queue.iter().take(frames);
        let frames = control.flatten().chain(queue);
        let mut used = 0;
        let mut add = |piece: &'a [u8]| {
            slices[used] = IoSlice::new(piece);
            used += 1;
        };
        if self.wire.is_one_way() {
            for (frame, head) in frames.zip(heads) {
                self.wire.pieces(frame, head).into_iter().for_each(&mut add);
            }
        } else {
            frames.take(GATHER_FRAMES).for_each(|frame| add(frame));
        }
        let mut slices = &mut slices[..used];
        IoSlice::advance_slices(&mut slices, self.written);
        slices
    }

    /// Takes note that the first `n` bytes of what was gathered are written.
    fn advance(&mut self, mut n: usize) {
        let wire = self.wire;
        if self.written == 0 {
            let mut started = None;
            for control in self.control() {
                if n == 0 {
                    break;
                }
                let Some(frame) = control.take() else {
                    continue;
                };
                let length = wire.length(&frame);
                if n < length {
                    started = Some(frame);
                    break;
                }
                n -= length;
            }
            if let Some(frame) = started {
                // From now on it is the frame under way.
                self.queue.push_front(frame);
            }
        }
        self.written += n;
        while let Some(first) = self.queue.front()
            && let length = wire.length(first)
            && self.written >= length
        {
            self.written -= length;
            if !frame::is_control(first) {
                self.tally.frames += 1;
                self.tally.bytes += length as u64;
            }
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
