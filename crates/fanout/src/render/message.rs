//! A message that is being written: over a page, which is a buffer that was something before.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use otlp_codec::Signal;

/// A message, and the page that it is written over.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// All of it is there; what is behind the message means nothing.
    page: Vec<u8>,
    len: usize,
}

impl Message {
    /// An empty message over a page, which may be empty too.
    pub(crate) fn over(page: Vec<u8>) -> Self {
        Self { page, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.page[..self.len]
    }

    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if self.page.len() < end {
            self.page.reserve_exact(end - self.page.len());
            self.page.resize(end, 0);
        }
        self.page[self.len..end].copy_from_slice(bytes);
        self.len = end;
    }

    pub(super) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    /// Lets `write` continue the message in the page, from where it ends; it gives the new end.
    pub(super) fn write_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.len = write(&mut self.page, self.len)?;
        Ok(())
    }

    /// How much longer its page is, in bytes.
    pub(super) fn spare(&self) -> usize {
        self.page.capacity() - self.len
    }

    /// The page, and where the message in it ends.
    pub(super) fn into_page(self) -> (Vec<u8>, usize) {
        (self.page, self.len)
    }
}

impl Write for Message {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long messages of a view become, from what the last ones came to. A guess that is too long
/// costs a copy, one that is too short a second walk, so it forgets long ones slowly.
#[derive(Debug)]
pub(super) struct Lengths([AtomicUsize; Signal::ALL.len()]);

impl Lengths {
    /// The unit of what is remembered: how long a message is beside its protobuf.
    const ONE: usize = 1024;
    /// What is assumed at first; JSON is rarely longer.
    const FIRST: usize = 4 * Self::ONE;
    /// Protobuf that is shorter, in bytes, says nothing of longer one: much of its message is
    /// what stands around. Nor does a copy of that matter.
    const SHORT: usize = 4 << 10;
    /// Which part is forgotten with each message.
    const FORGOTTEN: usize = 256;
    /// Which part is added to the guess, and how many bytes.
    const MORE: usize = 16;
    const SLACK: usize = 512;

    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicUsize::new(Self::FIRST)))
    }

    /// How long a page should be for a message of `wire` bytes of protobuf.
    pub(super) fn guess(&self, signal: Signal, wire: usize) -> usize {
        let times = match wire < Self::SHORT {
            true => Self::FIRST,
            false => self.0[signal as usize].load(Ordering::Relaxed),
        };
        let length = wire.saturating_mul(times) / Self::ONE;
        length + length / Self::MORE + Self::SLACK
    }

    /// Takes note of what came of it.
    pub(super) fn learn(&self, signal: Signal, wire: usize, message: usize) {
        if wire < Self::SHORT {
            return;
        }
        let times = message.saturating_mul(Self::ONE) / wire + 1;
        let known = &self.0[signal as usize];
        let before = known.load(Ordering::Relaxed);
        let kept = before - before / Self::FORGOTTEN;
        // Of two renderings at the same time one may be forgotten: it is a guess.
        known.store(times.max(kept), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a message that is written over a page with something in it, and beyond its end.
    /// Guarantees: nothing of the page shows.
    #[test]
    fn nothing_of_the_page_shows() {
        let mut message = Message::over(b"something else".to_vec());
        assert_eq!(message.as_mut_slice(), b"");
        message.extend_from_slice(b"[1,");
        message
            .write_with(|page, at| {
                page[at..at + 2].copy_from_slice(b"2,");
                Ok::<_, ()>(at + 2)
            })
            .unwrap();
        message.pop();
        assert_eq!(message.as_mut_slice(), b"[1,2");
        write!(message, ",{}]", "3".repeat(20)).unwrap();
        assert_eq!(message.as_mut_slice(), b"[1,2,33333333333333333333]");
        assert_eq!((message.len(), message.spare()), (26, 0));
    }

    /// Scenario: messages of two and a half times the protobuf, one of four times, again shorter
    /// ones; short ones between.
    /// Guarantees: the guess is enough for what came before, and not much more once it came often;
    /// signals have guesses of their own.
    #[test]
    fn guesses_are_learned() {
        const WIRE: usize = 10_000;
        let lengths = Lengths::new();
        let guess = || lengths.guess(Signal::Metrics, WIRE);
        assert!(guess() >= 4 * WIRE);
        for _ in 0..2 {
            for _ in 0..400 {
                lengths.learn(Signal::Metrics, WIRE, WIRE * 5 / 2);
                lengths.learn(Signal::Metrics, 10, 100 * WIRE);
                assert!(guess() >= WIRE * 5 / 2);
            }
            assert!(guess() < WIRE * 5 / 2 * 9 / 8, "{}", guess());
            lengths.learn(Signal::Metrics, WIRE, 4 * WIRE);
            assert!(guess() >= 4 * WIRE);
        }
        assert!(lengths.guess(Signal::Logs, WIRE) >= 4 * WIRE);
        assert!(lengths.guess(Signal::Metrics, usize::MAX) > usize::MAX / Lengths::ONE);
        assert!(lengths.guess(Signal::Metrics, 0) > 0);
    }
}
