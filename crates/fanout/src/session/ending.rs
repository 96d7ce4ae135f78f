//! How a session ends: what it says, and what its client has missed by then.

use bytes::Bytes;
use tokio::time::Instant;

use super::{Session, after};
use crate::frame::{self, CloseCode};
use crate::observer::{CloseReason, Loss};

/// How far the session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Live.
    Open,
    /// Our Close frame is on its way or out; the client's is awaited.
    Closing,
    /// The client has closed, or broke the protocol, or has no way to answer: write our Close
    /// frame and shut down, then swallow its bytes until it ends (RFC 6455 section 7.1.1). Closing
    /// at once would reset the connection under our last frame, by a pong on its way say.
    Ending {
        /// Our side is shut down.
        shut: bool,
    },
}

impl<Io> Session<Io> {
    /// Says goodbye, unless that is done.
    pub(super) fn start_close(&mut self, code: CloseCode, text: &str, reason: CloseReason) {
        if self.phase == Phase::Open {
            self.stop_watching(reason, frame::close(Some(code), text));
            self.phase = match self.wire.is_one_way() {
                true => Phase::Ending { shut: false },
                false => Phase::Closing,
            };
        }
    }

    /// Takes no more frames, drops those not begun, and says goodbye.
    pub(super) fn stop_watching(&mut self, reason: CloseReason, goodbye: Bytes) {
        self.reason = Some(reason);
        let (now, config) = (Instant::now(), self.config());
        let close_timeout = config.close_timeout;
        // Of a shutdown nobody may take more than a share.
        let longest = match reason {
            CloseReason::Shutdown => close_timeout,
            _ => config.pong_timeout.max(close_timeout),
        };
        self.deadline = Some(after(now, close_timeout));
        self.clock.end_by(after(now, longest));
        self.began = None;
        let unsent = self.output.close(goodbye) + self.subscription.release();
        self.count_unsent(reason, unsent);
    }

    /// The client has taken some of what is in front of our Close frame, or of that: it has the
    /// whole timeout again, within limits.
    pub(super) fn put_off(&mut self, now: Instant) {
        if self.phase != Phase::Open {
            let deadline = after(now, self.config().close_timeout);
            self.deadline = Some(deadline.min(self.clock.end()));
        }
    }

    /// The client has not done its part of the closing handshake in time.
    pub(super) fn give_up(&self) {
        let format = self.subscription.key().format;
        self.subscription.shared().observer.given_up(format);
    }

    /// Says goodbye if the client may watch no longer.
    pub(super) fn look_at_pass(&mut self) {
        if self.subscription.is_revoked() {
            let text = "the token was revoked";
            self.start_close(CloseCode::REVOKED, text, CloseReason::Revoked);
        }
    }

    pub(super) fn shut_down(&mut self) {
        self.start_close(CloseCode::AWAY, "shutting down", CloseReason::Shutdown);
    }

    /// What a client doesn't get because the relay ends, or because it was too slow, is lost to
    /// it, and counted. A client that has left loses nothing.
    pub(super) fn count_unsent(&mut self, reason: CloseReason, unsent: u64) {
        let loss = match reason {
            CloseReason::Shutdown | CloseReason::Cancelled => Loss::Closing,
            CloseReason::Slow => Loss::Slow,
            CloseReason::Client
            | CloseReason::Disconnected
            | CloseReason::NoPong
            | CloseReason::Revoked
            | CloseReason::Protocol(_) => return,
        };
        if unsent > 0 {
            self.count_lost(loss, unsent);
        }
    }
}
