//! What all clients of a run count together, and what went wrong.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;

/// How many faults of a kind are told in full; of the rest, only how many.
const TOLD: usize = 10;

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A good export was refused for good, or its connection broke.
    Sending,
    /// A client that behaves was not let in, or was sent away.
    Watching,
    /// A frame did not come, came twice, or came out of order, to a client that reads.
    Frames,
    /// A bad request had another answer than it deserves.
    Answers,
    /// A file could not be replaced, or the relay not be told.
    Reloading,
}

/// Faults of a kind.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub told: Vec<String>,
}

/// Counts, by name, and faults.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<BTreeMap<Fault, Faults>>,
}

impl Tally {
    /// One more.
    pub(crate) fn count(&self, what: impl Into<String>) {
        self.add(what, 1);
    }

    /// So many more.
    pub(crate) fn add(&self, what: impl Into<String>, more: u64) {
        *self.counts.lock().entry(what.into()).or_default() += more;
    }

    /// Something went wrong.
    pub(crate) fn fault(&self, kind: Fault, text: impl FnOnce() -> String) {
        let mut faults = self.faults.lock();
        let faults = faults.entry(kind).or_default();
        faults.count += 1;
        if faults.told.len() < TOLD {
            faults.told.push(text());
        }
    }

    /// All counts.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().clone()
    }

    /// Faults of a kind.
    #[must_use]
    pub fn faults(&self, kind: Fault) -> Faults {
        self.faults.lock().get(&kind).cloned().unwrap_or_default()
    }
}
