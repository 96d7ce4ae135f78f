//! What a conversion did, and who watches it.

use otlp_codec::Signal;

use crate::RecordError;

/// What has been done so far, or in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that were read, those that were skipped included.
    pub records: u64,
    /// Records that were left out, with [`crate::OnError::Skip`].
    pub skipped: u64,
    /// Records that were converted but held nothing at all: `{}`, a length of 0.
    pub empty: u64,
    /// Items that were converted, in the order of [`Signal::ALL`].
    pub items: [u64; Signal::ALL.len()],
    /// Bytes that were read, as they came.
    pub bytes_in: u64,
    /// Bytes that were read, inflated.
    pub bytes_inflated: u64,
    /// Bytes that were written, as they went.
    pub bytes_out: u64,
    /// The longest buffer that was held, in bytes. There is a handful of buffers, and none is
    /// longer; compressors and decompressors have more of their own, of fixed sizes.
    pub largest_buffer: usize,
}

impl Summary {
    /// Items of all signals.
    #[must_use]
    pub fn total_items(&self) -> u64 {
        self.items.iter().sum()
    }

    /// Whether there were records, and none of them held anything: that may well be no OTLP, but
    /// zeros, each four of which are a length.
    #[must_use]
    pub fn is_all_empty(&self) -> bool {
        self.records > 0 && self.records == self.empty
    }

    /// Items, and what OTLP calls them if they are of one signal.
    #[must_use]
    pub fn items_in_words(&self) -> (u64, &'static str) {
        let mut of_one = Signal::ALL
            .iter()
            .zip(self.items)
            .filter(|(_, items)| *items > 0);
        match (of_one.next(), of_one.next()) {
            (Some((signal, items)), None) => (items, signal.items()),
            _ => (self.total_items(), "items"),
        }
    }

    pub(crate) fn count(&mut self, signal: Signal, items: usize) {
        let slots = Signal::ALL.iter().zip(&mut self.items);
        for (_, slot) in slots.filter(|(one, _)| **one == signal) {
            *slot += items as u64;
        }
    }
}

/// Is told what happens, on the thread that converts.
pub trait Observer {
    /// Some input was read: at most a few MiB since the last call, or one record.
    fn progress(&mut self, so_far: &Summary) {
        let _ = so_far;
    }

    /// A record was left out.
    fn skipped(&mut self, error: &RecordError) {
        let _ = error;
    }
}

/// Wants to know nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

#[cfg(test)]
mod tests {
    use super::Summary;
    use otlp_codec::Signal;

    /// Scenario: items of no signal, of one, and of two.
    /// Guarantees: one signal's are called by OTLP's word.
    #[test]
    fn items_have_names() {
        let mut summary = Summary::default();
        assert_eq!(summary.items_in_words(), (0, "items"));
        summary.count(Signal::Traces, 3);
        assert_eq!(summary.items_in_words(), (3, "spans"));
        summary.count(Signal::Logs, 4);
        assert_eq!(summary.items_in_words(), (7, "items"));
    }
}
