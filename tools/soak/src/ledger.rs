//! What was published, as one client has seen it that watches everything: what all others are held
//! to.

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::door::PATIENCE;
use crate::kinds::Kind;

/// The kind of every publication, in order.
pub(crate) struct Ledger {
    entries: Mutex<Vec<Kind>>,
    /// The number of the newest.
    head: watch::Sender<u64>,
    /// The number before the first entry.
    before: u64,
}

impl Ledger {
    /// One that begins behind the publication `before`.
    pub(crate) fn new(before: u64) -> Self {
        Self {
            entries: Mutex::default(),
            head: watch::Sender::new(before),
            before,
        }
    }

    /// Writes down the next publication. Whether that is its number.
    pub(crate) fn add(&self, seq: u64, kind: Kind) -> bool {
        let mut entries = self.entries.lock();
        entries.push(kind);
        let due = self.before + entries.len() as u64;
        self.head.send_replace(due);
        seq == due
    }

    /// The newest publication of those kinds.
    pub(crate) fn newest(&self, kinds: &[Kind]) -> Option<u64> {
        let at = self
            .entries
            .lock()
            .iter()
            .rposition(|kind| kinds.contains(kind))?;
        Some(self.before + 1 + at as u64)
    }

    /// The publications of those kinds after one number and up to another, once it knows of
    /// them; none if it does not within a minute.
    pub(crate) async fn between(&self, after: u64, upto: u64, kinds: &[Kind]) -> Option<Vec<u64>> {
        let mut head = self.head.subscribe();
        let known = head.wait_for(|head| *head >= upto);
        drop(timeout(PATIENCE, known).await.ok()?.ok()?);
        let entries = self.entries.lock();
        let at = |seq: u64| usize::try_from(seq.checked_sub(self.before)?).ok();
        let (first, last) = (at(after)?, at(upto)?);
        let seqs = entries.get(first..last)?.iter().zip(after + 1..);
        let shown = seqs.filter(|(kind, _)| kinds.contains(kind));
        Some(shown.map(|(_, seq)| seq).collect())
    }
}

#[cfg(test)]
mod tests {
    use otlp_codec::Signal;

    use super::*;
    use crate::exports::Exports;

    /// Scenario: publications of two kinds behind number 10, and one with a number too far.
    /// Guarantees: those of a kind are found between numbers; what is not next is told.
    #[tokio::test]
    async fn publications_are_found_by_kind() {
        let exports = Exports::new().unwrap();
        let of = |signal| exports.kinds.shown(&[signal], None).unwrap();
        let (logs, traces) = (of(Signal::Logs), of(Signal::Traces));
        let all = [&logs[..], &traces].concat();
        let ledger = Ledger::new(10);
        assert_eq!(ledger.newest(&all), None);
        for (seq, kinds) in [(11, &logs), (12, &traces), (13, &logs)] {
            assert!(ledger.add(seq, kinds[0]));
        }
        assert_eq!(ledger.between(10, 13, &logs).await, Some(vec![11, 13]));
        assert_eq!(ledger.between(11, 12, &logs).await, Some(vec![]));
        assert_eq!(ledger.between(11, 13, &all).await, Some(vec![12, 13]));
        assert_eq!(ledger.between(9, 13, &logs).await, None, "before its time");
        assert_eq!(ledger.newest(&traces), Some(12));
        assert!(!ledger.add(15, logs[0]));
    }
}
