//! One rendering to be done: for a slot, outside every lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::shared::{Shared, View};
use crate::observer::{Loss, Rendering};
use crate::slot::{Outcome, Slot};

/// One rendering to be done. Dropped undone, by a runtime that shuts down say, it fills its
/// slot as lost, so that no session waits for it.
pub(crate) struct Job {
    shared: Arc<Shared>,
    view: Arc<View>,
    slot: Arc<Slot>,
    place: Place,
    /// How many sessions it is done for at once.
    readers: usize,
    settled: bool,
}

/// Where the slot is.
#[derive(Clone, Copy)]
enum Place {
    /// At a position of the view's log.
    Log(u64),
    /// Among the replayed.
    Replays,
}

impl Job {
    /// For a slot at a position of the view's log, which so many sessions read.
    pub(super) fn live(
        shared: &Arc<Shared>,
        view: &Arc<View>,
        slot: Arc<Slot>,
        position: u64,
        readers: usize,
    ) -> Self {
        Self::new(shared, view, slot, Place::Log(position), readers)
    }

    /// For a slot among the replayed.
    pub(super) fn replay(shared: &Arc<Shared>, view: &Arc<View>, slot: Arc<Slot>) -> Self {
        Self::new(shared, view, slot, Place::Replays, 1)
    }

    fn new(
        shared: &Arc<Shared>,
        view: &Arc<View>,
        slot: Arc<Slot>,
        place: Place,
        readers: usize,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            view: Arc::clone(view),
            slot,
            place,
            readers,
            settled: false,
        }
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// How many sessions it is done for at once.
    pub(super) fn readers(&self) -> usize {
        self.readers
    }

    /// Whether somebody still waits for it. A log abandons what it lets go of; a replayed one that
    /// has left the cache is held by those who wait for it, and nobody else can come to it.
    pub(super) fn is_wanted(&self) -> bool {
        let is_held = match self.place {
            Place::Log(_) => true,
            Place::Replays => Arc::strong_count(&self.slot) > 1,
        };
        is_held && self.slot.is_waiting()
    }

    /// Renders, unless nobody waits for it any more, and fills the slot. A panic of the renderer
    /// ends here.
    pub(crate) fn run(mut self) {
        let publication = self.is_wanted().then(|| self.slot.start());
        let Some(publication) = publication.flatten() else {
            self.settled = true;
            return;
        };
        let recipe = &self.view.recipe;
        let rendered = catch_unwind(AssertUnwindSafe(|| recipe.render(&publication)));
        let mut outcome = rendered.unwrap_or_else(|_| {
            let (seq, signal) = (publication.seq, publication.signal);
            tracing::error!(seq, %signal, "rendering panicked");
            Outcome::Lost(Loss::Failed)
        });
        drop(publication);
        if let Outcome::Frames(frames) = &mut outcome
            && self.view.wants_compressed()
        {
            frames.promise();
        }
        self.settle(outcome);
        self.compress();
    }

    fn settle(&mut self, outcome: Outcome) {
        self.settled = true;
        let rendering = rendering(&outcome);
        self.slot.fill(outcome);
        self.weigh();
        let after = self.slot.began.map(|began| began.elapsed());
        self.shared
            .observer
            .rendered(self.view.key.format, rendering, after);
    }

    /// Compresses what was promised, after it is there for all who take it as it is.
    fn compress(&self) {
        let Some(Outcome::Frames(frames)) = self.slot.outcome() else {
            return;
        };
        if !frames.is_promised() {
            return;
        }
        match catch_unwind(AssertUnwindSafe(|| frames.compress(&self.shared.held))) {
            Ok(bytes) => {
                let format = self.view.key.format;
                let sessions = self.view.compressed_sessions.load(Ordering::Relaxed);
                self.shared
                    .observer
                    .compressed(format, frames.bytes(), bytes, sessions);
            }
            Err(_) => {
                tracing::error!(seq = self.slot.seq, "compressing panicked");
                frames.leave_plain();
            }
        }
        self.weigh();
    }

    /// Lets the log know what the slot holds, and sessions that they can read it.
    fn weigh(&self) {
        let (weight, pending) = (self.slot.weight(), self.slot.is_pending());
        match self.place {
            Place::Log(position) => {
                let freed = self.view.log.lock().settle(position, weight);
                drop(freed);
                if pending {
                    self.view.changes.send_replace(());
                } else {
                    self.view.tell();
                }
            }
            Place::Replays => {
                if !pending {
                    let max_bytes = self.shared.config.replay_cache_bytes;
                    let replays = &self.shared.replays;
                    replays.settle(self.view.id, &self.slot, weight, max_bytes);
                }
                self.view.replayed.send_replace(());
            }
        }
        self.shared.relieve();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.settled {
            self.slot.abandon();
            self.settle(Outcome::Lost(Loss::Failed));
        }
    }
}

/// What an observer is told of an outcome.
fn rendering(outcome: &Outcome) -> Rendering {
    match outcome {
        Outcome::Frames(frames) => Rendering::Frames {
            frames: frames.list().len(),
            bytes: frames.bytes(),
            incomplete: frames.incomplete,
        },
        Outcome::Nothing => Rendering::Nothing,
        Outcome::Lost(loss) => Rendering::Lost(*loss),
    }
}
