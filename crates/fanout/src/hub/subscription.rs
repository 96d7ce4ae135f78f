//! A place in a view: what a session reads from, whatever it writes to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::watch;

use super::replays::Replays;
use super::shared::{Shared, Step, View};
use crate::config::Slow;
use crate::gate::Pass;
use crate::history::Replay;
use crate::log::{Cursor, Read, Reading};
use crate::notice;
use crate::slot::Slot;
use crate::view::ViewKey;

/// A reader of a view: of the history first, if that was asked for, then of its log. As long as
/// it lives it counts as a session, and the view renders what is published; dropping it ends both.
pub struct Subscription {
    shared: Arc<Shared>,
    view: Arc<View>,
    place: Place,
    slow: Slow,
    /// A notice that comes before everything. Boxed, for sessions are many and this is short-lived.
    hello: Option<Box<Bytes>>,
    /// Whether it has come from the history to the log since it was asked last.
    moved: bool,
    /// Whether it takes compressed frames where there are any.
    compressed: bool,
    pass: Pass,
}

/// Where the reader is.
pub(super) enum Place {
    History(Box<Replaying>),
    Log(Cursor),
    /// It watches no longer.
    Gone,
}

/// A reader in the history.
pub(super) struct Replaying {
    pub(super) replay: Replay,
    /// What it waits for or is in the middle of.
    slot: Option<Arc<Slot>>,
    /// How many frames of that it has taken already.
    part: usize,
    /// How many publications it lost and has not told.
    lost: u64,
}

impl Replaying {
    pub(super) fn new(replay: Replay) -> Self {
        Self {
            replay,
            slot: None,
            part: 0,
            lost: 0,
        }
    }

    /// How many publications are half read, or lost and not told.
    pub(super) fn pending(&self) -> u64 {
        self.lost + u64::from(self.slot.is_some())
    }
}

impl Subscription {
    pub(super) fn new(
        shared: Arc<Shared>,
        view: Arc<View>,
        place: Place,
        slow: Slow,
        hello: Option<Bytes>,
    ) -> Self {
        Self {
            shared,
            view,
            place,
            slow,
            hello: hello.map(Box::new),
            moved: false,
            compressed: false,
            pass: Pass::lasting(),
        }
    }

    /// The same subscription, as long as `pass` is good: a session that is served from it closes
    /// with 3500 once that is taken back.
    #[must_use]
    pub fn under(mut self, pass: Pass) -> Self {
        self.pass = pass;
        self
    }

    /// Whether the leave to watch was taken back.
    pub(crate) fn is_revoked(&self) -> bool {
        self.pass.is_revoked()
    }

    /// The view that is watched.
    #[must_use]
    pub fn key(&self) -> &ViewKey {
        &self.view.key
    }

    /// Takes compressed frames from now on, where there are any, and lets the client compress
    /// what it sends: for a client that has agreed on permessage-deflate without context takeover
    /// (RFC 7692). Called before [`serve`](crate::serve), once.
    pub fn accept_compressed(&mut self) {
        if !std::mem::replace(&mut self.compressed, true) {
            self.view
                .compressed_sessions
                .fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether messages may be compressed.
    pub(crate) fn accepts_compressed(&self) -> bool {
        self.compressed
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What becomes of it when it falls behind.
    #[must_use]
    pub fn slow(&self) -> Slow {
        self.slow
    }

    /// Whether it has fallen behind already, and will be told so when it reads on in the log.
    pub(crate) fn is_behind(&self) -> bool {
        match &self.place {
            Place::Log(cursor) => self.view.log.lock().has_lost(cursor),
            Place::History(_) | Place::Gone => false,
        }
    }

    /// Told of every change after this call that may let it read on. Another one counts once it
    /// [has moved](Self::has_moved).
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        match self.place {
            Place::History(_) => self.view.replayed.subscribe(),
            Place::Log(_) | Place::Gone if self.compressed => {
                self.view.compressed_changes.subscribe()
            }
            Place::Log(_) | Place::Gone => self.view.changes.subscribe(),
        }
    }

    /// Whether it has come from the history to the log since it was asked last.
    pub(crate) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Reads on, as [`Log::read`](crate::log::Log::read) does, in the history too; in an
    /// envelope, notices of what was lost come first. Nothing after [`release`](Self::release).
    pub(crate) fn read(&mut self, out: &mut VecDeque<Bytes>) -> Read {
        out.extend(self.hello.take().map(|hello| *hello));
        let begin = out.len();
        let max_bytes = self.shared.config.gather_bytes;
        let reading = Reading::new(max_bytes, self.compressed, out);
        let (after, read) = match &mut self.place {
            Place::Gone => return Read::default(),
            Place::Log(cursor) => {
                let after = cursor.seq;
                (after, self.view.log.lock().read(cursor, reading))
            }
            Place::History(replaying) => {
                let after = replaying.done();
                (after, self.replay(reading))
            }
        };
        let goes_on = self.slow == Slow::DropOldest || read.lost.slow == 0;
        if self.view.key.envelope && goes_on {
            for (at, (loss, dropped)) in read.lost.iter().enumerate() {
                out.insert(begin + at, notice::gap(after, loss, dropped));
            }
        }
        read
    }

    /// Reads on in the history; at its end it goes over to the log.
    fn replay(&mut self, mut reading: Reading<'_>) -> Read {
        while let Place::History(replaying) = &mut self.place {
            if replaying.lost > 0 {
                if !reading.lose(replaying.lost) {
                    break;
                }
                replaying.lost = 0;
            }
            if let Some(slot) = &replaying.slot {
                if !reading.take(slot, &mut replaying.part) {
                    break;
                }
                replaying.slot = None;
            }
            match self.shared.step(&self.view, &mut replaying.replay) {
                Step::Lost(count) => replaying.lost = count,
                Step::Publication(publication) => {
                    let slot = Replays::slot(&self.shared, &self.view, publication);
                    replaying.slot = Some(slot);
                }
                Step::Joined(cursor) => {
                    self.place = Place::Log(cursor);
                    self.moved = true;
                    reading.read.more = true;
                }
            }
        }
        reading.read
    }

    /// Watches no longer, but still counts as a session. Returns how many publications it had
    /// yet to take.
    pub(crate) fn release(&mut self) -> u64 {
        let place = std::mem::replace(&mut self.place, Place::Gone);
        if matches!(place, Place::Gone) {
            return 0;
        }
        if self.compressed {
            self.view
                .compressed_sessions
                .fetch_sub(1, Ordering::Relaxed);
        }
        self.shared.leave(&self.view, &place)
    }
}

impl Replaying {
    /// The number of the last publication that it is done with; of one that it is in the middle
    /// of, one less.
    fn done(&self) -> u64 {
        self.replay.seq - u64::from(self.slot.is_some())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.release();
        self.shared.one_session_less();
    }
}
