//! The place of one publication in the log of one view.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::deflate;
use crate::frame;
use crate::held::Held;
use crate::observer::Loss;
use crate::publication::Publication;

/// What a slot came to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Frames, ready to write.
    Frames(Frames),
    /// Nothing of the export belongs to the view: nothing is sent, and nothing is lost.
    Nothing,
    /// It could not be rendered, or not within the limits: a loss for each session.
    Lost(Loss),
}

/// The frames of one export in one view, at least one: complete, header and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frames {
    list: Box<[Bytes]>,
    bytes: usize,
    /// Whether some of the export was too big.
    pub(crate) incomplete: bool,
    /// Whether they will be there compressed, too.
    promised: bool,
    /// Each of them compressed, or as it is where that is no gain.
    compressed: OnceLock<Box<[Bytes]>>,
}

impl Frames {
    pub(crate) fn new(list: Vec<Bytes>, incomplete: bool) -> Self {
        Self {
            bytes: list.iter().map(Bytes::len).sum(),
            list: list.into(),
            incomplete,
            promised: false,
            compressed: OnceLock::new(),
        }
    }

    /// How long they are together, in bytes, with their headers; not compressed.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn list(&self) -> &[Bytes] {
        &self.list
    }

    /// The frames for who takes compressed ones, if they are wanted so; `None` while they are
    /// being made. Where nobody wanted them in time, they are as they are.
    pub(crate) fn list_for(&self, compressed: bool) -> Option<&[Bytes]> {
        match compressed && self.promised {
            true => self.compressed.get().map(|list| &**list),
            false => Some(&self.list),
        }
    }

    /// Says that [`compress`](Self::compress) will be called.
    pub(crate) fn promise(&mut self) {
        self.promised = true;
    }

    pub(crate) fn is_promised(&self) -> bool {
        self.promised
    }

    /// Compresses them into buffers that `held` counts. Returns how long the compressed ones are
    /// together.
    pub(crate) fn compress(&self, held: &Arc<Held>) -> usize {
        let compress =
            |plain: &Bytes| deflate::compress(plain, held).unwrap_or_else(|| plain.clone());
        let list: Box<[Bytes]> = self.list.iter().map(compress).collect();
        let bytes = list.iter().map(Bytes::len).sum();
        let _ = self.compressed.set(list);
        bytes
    }

    /// Leaves them as they are.
    pub(crate) fn leave_plain(&self) {
        let _ = self.compressed.set(self.list.clone());
    }

    /// How many bytes they hold, in both forms.
    fn weight(&self) -> usize {
        let compressed = self.compressed.get().into_iter().flatten();
        let own = compressed.filter(|frame| frame::is_compressed(frame));
        self.bytes + own.map(Bytes::len).sum::<usize>()
    }
}

/// A publication in a view's log: the export until it is being rendered, its frames after.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The number of the publication.
    pub(crate) seq: u64,
    /// When the request began that brought it; of a replayed one, nobody asks.
    pub(crate) began: Option<Instant>,
    publication: Mutex<Option<Arc<Publication>>>,
    outcome: OnceLock<Outcome>,
}

impl Slot {
    /// A slot to be rendered.
    pub(crate) fn new(publication: Arc<Publication>) -> Self {
        Self {
            seq: publication.seq,
            began: Some(publication.began),
            publication: Mutex::new(Some(publication)),
            outcome: OnceLock::new(),
        }
    }

    /// A slot to be rendered for those who come late.
    pub(crate) fn replayed(publication: Arc<Publication>) -> Self {
        Self {
            began: None,
            ..Self::new(publication)
        }
    }

    /// What is to be rendered. It is given once; `None` after that, and after [`abandon`].
    ///
    /// [`abandon`]: Self::abandon
    pub(crate) fn start(&self) -> Option<Arc<Publication>> {
        self.publication.lock().take()
    }

    /// Nobody wants it any more: frees the export of a rendering that has not begun.
    pub(crate) fn abandon(&self) {
        drop(self.start());
    }

    /// Whether its rendering has neither begun nor been abandoned.
    pub(crate) fn is_waiting(&self) -> bool {
        self.publication.lock().is_some()
    }

    /// Fills the slot; the first filling counts.
    pub(crate) fn fill(&self, outcome: Outcome) {
        let _ = self.outcome.set(outcome);
    }

    /// Whether a session may have to wait for it: it is not filled, or still being compressed.
    pub(crate) fn is_pending(&self) -> bool {
        match self.outcome() {
            None => true,
            Some(Outcome::Frames(frames)) => frames.list_for(true).is_none(),
            Some(Outcome::Nothing | Outcome::Lost(_)) => false,
        }
    }

    /// What it holds, once it is filled.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// How many bytes its frames hold.
    pub(crate) fn weight(&self) -> usize {
        match self.outcome() {
            Some(Outcome::Frames(frames)) => frames.weight(),
            Some(Outcome::Nothing | Outcome::Lost(_)) | None => 0,
        }
    }
}
