//! What becomes of a session whose client is too slow, and the count of what it loses.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use super::{Session, after};
use crate::config::Slow;
use crate::frame::CloseCode;
use crate::observer::{CloseReason, Loss};

/// How long a client may take nothing before its session may be cut off, when there are too many
/// frames in all; see [`frames_total_bytes`](crate::FanoutConfig::frames_total_bytes).
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How many bytes of frames a session may hold that is not cut off then: below that, what all of
/// them hold is bounded by their number.
pub const HELD_BYTES: usize = 64 << 10;

impl<Io> Session<Io> {
    pub(super) fn count_lost(&mut self, loss: Loss, publications: u64) {
        self.lost += publications;
        let format = self.subscription.key().format;
        let observer = &self.subscription.shared().observer;
        observer.dropped(format, loss, publications);
    }

    /// Closes a session that fell behind, if it is to be closed then. Breaks if it is to be cut
    /// off: it holds what there is no room for, and its client takes none of it.
    pub(super) fn keep_up(&mut self) -> ControlFlow<()> {
        if self.subscription.slow() == Slow::Disconnect && self.subscription.is_behind() {
            self.too_slow();
        }
        self.on_probation = false;
        if let Some(since) = self.stalled
            && self.holds_too_much()
        {
            let end = after(since, PATIENCE);
            if end <= Instant::now() {
                self.reason.get_or_insert(CloseReason::Slow);
                return ControlFlow::Break(());
            }
            // Nobody may come to tell it then.
            self.on_probation = true;
        }
        ControlFlow::Continue(())
    }

    /// Whether there are too many frames in all, and it holds more than its share.
    pub(super) fn holds_too_much(&self) -> bool {
        let share = self.config().gather_bytes.min(HELD_BYTES);
        self.subscription.shared().is_pressed() && self.output.bytes() >= share
    }

    /// When a client that takes nothing will have had its time.
    pub(super) fn probation_ends(&self) -> Option<Instant> {
        let stalled = self.stalled.filter(|_| self.on_probation);
        stalled.map(|since| after(since, PATIENCE))
    }

    pub(super) fn too_slow(&mut self) {
        self.start_close(CloseCode::SLOW, "too slow", CloseReason::Slow);
    }
}
