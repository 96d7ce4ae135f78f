//! A place in a view: what a session reads from.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::{Shared, View};
use crate::frame::{self, MAX_HEADER, Opcode};
use crate::log::{Cursor, Read};
use crate::observer::Loss;
use crate::view::ViewKey;

/// A cursor in the log of a view. As long as it lives it counts as a session, and the view
/// renders what is published; dropping it ends both.
pub struct Subscription {
    shared: Arc<Shared>,
    view: Arc<View>,
    cursor: Cursor,
    watching: bool,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, view: Arc<View>, cursor: Cursor) -> Self {
        Self {
            shared,
            view,
            cursor,
            watching: true,
        }
    }

    /// The view that is watched.
    #[must_use]
    pub fn key(&self) -> &ViewKey {
        &self.view.key
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Told of every change of the log after this call.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.view.changes.subscribe()
    }

    /// Reads on, as [`Log::read`](crate::log::Log::read) does; in an envelope, notices of what
    /// was lost come first. Nothing after [`release`](Self::release).
    pub(crate) fn read(&mut self, out: &mut VecDeque<Bytes>) -> Read {
        if !self.watching {
            return Read::default();
        }
        let max_bytes = self.shared.config.gather_bytes;
        let (begin, after) = (out.len(), self.cursor.seq);
        let read = self.view.log.lock().read(&mut self.cursor, max_bytes, out);
        if self.view.key.envelope {
            for (at, (loss, dropped)) in read.lost.iter().enumerate() {
                out.insert(begin + at, gap(after, loss, dropped));
            }
        }
        read
    }

    /// Watches no longer, but still counts as a session. Returns how many publications it had
    /// yet to take.
    pub(crate) fn release(&mut self) -> u64 {
        match std::mem::take(&mut self.watching) {
            true => self.shared.leave(&self.view, &self.cursor),
            false => 0,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.release();
        self.shared.one_session_less();
    }
}

/// The notice of a loss after the publication of a number.
fn gap(after: u64, loss: Loss, dropped: u64) -> Bytes {
    let reason = loss.as_str();
    let notice = format!(
        r#"{{"type":"gap","dropped":"{dropped}","afterSeq":"{after}","reason":"{reason}"}}"#
    );
    let mut buffer = vec![0; MAX_HEADER];
    buffer.extend_from_slice(notice.as_bytes());
    frame::data(Opcode::Text, buffer)
}
