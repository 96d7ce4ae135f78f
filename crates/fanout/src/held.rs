//! How many bytes of frames there are, wherever they are held: in logs, among the replayed, and
//! in the hands of sessions. And the pages of the last ones, for the next to be written over:
//! memory that was just in use is faster than fresh memory, and need not be cleared.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

/// How many pages are kept that nobody holds.
const SPARE_PAGES: usize = 8;

/// How long they are, in bytes: shorter ones are quickly made.
const SPARE_BYTES: RangeInclusive<usize> = (16 << 10)..=(1 << 20);

/// The sum of all buffers that are held, and pages that are not held any more.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: AtomicUsize,
    /// The newest last.
    spare: Mutex<VecDeque<Vec<u8>>>,
}

impl Held {
    /// A buffer that counts until the last of its clones and slices is dropped.
    pub(crate) fn hold(self: &Arc<Self>, page: Vec<u8>) -> Bytes {
        self.bytes.fetch_add(page.capacity(), Ordering::Relaxed);
        let held = Arc::clone(self);
        Bytes::from_owner(Buffer { page, held })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A page of `len` bytes or up to an eighth more. What it says means nothing.
    pub(crate) fn page(&self, len: usize) -> Vec<u8> {
        let fits = |page: &Vec<u8>| (len..=len + len / 8).contains(&page.len());
        let mut spare = self.spare.lock();
        let at = spare.iter().rposition(fits);
        let page = at.and_then(|at| spare.remove(at));
        drop(spare);
        page.unwrap_or_else(|| vec![0; len])
    }

    /// Takes a page back, in the place of the oldest if there are many.
    pub(crate) fn keep(&self, page: Vec<u8>) {
        if !SPARE_BYTES.contains(&page.capacity()) {
            return;
        }
        let mut spare = self.spare.lock();
        let oldest = (spare.len() >= SPARE_PAGES).then(|| spare.pop_front());
        spare.push_back(page);
        drop(spare);
        drop(oldest);
    }
}

struct Buffer {
    page: Vec<u8>,
    held: Arc<Held>,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.page
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let page = std::mem::take(&mut self.page);
        self.held
            .bytes
            .fetch_sub(page.capacity(), Ordering::Relaxed);
        self.held.keep(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a buffer, a slice of it, a clone of that.
    /// Guarantees: it counts once, with its spare capacity, until the last is gone.
    #[test]
    fn a_buffer_counts_until_nobody_holds_it() {
        let held = Arc::new(Held::default());
        let mut buffer = Vec::with_capacity(100);
        buffer.extend_from_slice(b"frame");
        let whole = held.hold(buffer);
        let part = whole.slice(1..);
        let other = part.clone();
        drop((whole, part));
        assert_eq!((&other[..], held.bytes()), (&b"rame"[..], 100));
        drop(other);
        assert_eq!(held.bytes(), 0);
    }

    /// Scenario: pages that are asked for, held, let go and asked for again; more of them than
    /// are kept, and one that is too long.
    /// Guarantees: a page has the length that was asked for or little more; the newest that fits
    /// comes again; the others are freed.
    #[test]
    fn pages_come_again() {
        const LEN: usize = 100_000;
        let held = Arc::new(Held::default());
        let page = |byte: u8, len: usize| vec![byte; len];
        assert!(held.page(LEN) == page(0, LEN));
        drop(held.hold(page(1, LEN)));
        drop(held.hold(page(2, LEN + 10)));
        assert!(held.page(LEN - 10) == page(2, LEN + 10));
        assert!(held.page(LEN + 1) == page(0, LEN + 1), "too short");
        assert!(held.page(LEN * 4 / 5) == page(0, LEN * 4 / 5), "too long");
        assert!(held.page(LEN) == page(1, LEN));
        assert!(held.page(LEN) == page(0, LEN), "none left");
        for byte in 0..=SPARE_PAGES {
            held.keep(page(byte as u8, LEN));
        }
        held.keep(page(0, SPARE_BYTES.start() - 1));
        held.keep(page(0, SPARE_BYTES.end() + 1));
        let spare = held.spare.lock();
        let bytes: Vec<_> = spare.iter().map(|page| page[0]).collect();
        assert_eq!(bytes, (1..=SPARE_PAGES as u8).collect::<Vec<_>>());
    }
}
