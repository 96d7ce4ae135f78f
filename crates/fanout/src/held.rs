//! How many bytes of frames there are, wherever they are held: in logs, among the replayed, and
//! in the hands of sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// The sum of all buffers that are held.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicUsize);

impl Held {
    /// A buffer that counts until the last of its clones and slices is dropped.
    pub(crate) fn hold(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        self.0.fetch_add(bytes.capacity(), Ordering::Relaxed);
        let held = Arc::clone(self);
        Bytes::from_owner(Buffer { bytes, held })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct Buffer {
    bytes: Vec<u8>,
    held: Arc<Held>,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.held
            .0
            .fetch_sub(self.bytes.capacity(), Ordering::Relaxed);
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
}
