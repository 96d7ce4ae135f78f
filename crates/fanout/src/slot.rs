//! The place of one publication in the log of one view.

use std::sync::OnceLock;

use bytes::Bytes;
use otlp_codec::Signal;
use parking_lot::Mutex;

/// What a slot came to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A complete frame, header and all, ready to write.
    Frame(Bytes),
    /// Nothing of the export belongs to the view: nothing is sent, and nothing is lost.
    Nothing,
    /// The frame would be over the limit, or could not be rendered: a loss for each session.
    Lost,
}

/// A publication in a view's log: its protobuf until it is being rendered, its frame after.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The number of the publication.
    pub(crate) seq: u64,
    /// Its signal.
    pub(crate) signal: Signal,
    wire: Mutex<Option<Bytes>>,
    outcome: OnceLock<Outcome>,
}

impl Slot {
    /// A slot to be rendered.
    pub(crate) fn new(seq: u64, signal: Signal, wire: Bytes) -> Self {
        Self {
            seq,
            signal,
            wire: Mutex::new(Some(wire)),
            outcome: OnceLock::new(),
        }
    }

    /// The protobuf to render. It is given once; `None` after that, and after [`abandon`].
    ///
    /// [`abandon`]: Self::abandon
    pub(crate) fn start(&self) -> Option<Bytes> {
        self.wire.lock().take()
    }

    /// Nobody wants it any more: frees the protobuf of a rendering that has not begun.
    pub(crate) fn abandon(&self) {
        drop(self.start());
    }

    /// Whether its rendering has neither begun nor been abandoned.
    pub(crate) fn is_waiting(&self) -> bool {
        self.wire.lock().is_some()
    }

    /// Fills the slot; the first filling counts.
    pub(crate) fn fill(&self, outcome: Outcome) {
        let _ = self.outcome.set(outcome);
    }

    /// What it holds, once it is filled.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }
}
