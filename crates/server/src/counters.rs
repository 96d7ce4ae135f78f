//! Counts what happens. Totals since the start, for the log and for whoever exports them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fanout::frame::CloseCode;
use fanout::{CloseReason, Format, Loss, Rendering};
use ingest::Transport;
use otlp_codec::Signal;

/// Totals since the start of the relay.
#[derive(Debug, Default)]
pub struct Counters {
    exports: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    rejected: AtomicU64,
    refused: AtomicU64,
    renderings: AtomicU64,
    failed_renderings: AtomicU64,
    sessions: AtomicU64,
    frames: AtomicU64,
    frame_bytes: AtomicU64,
    dropped: AtomicU64,
    refused_connections: AtomicU64,
    failed_handshakes: AtomicU64,
    refused_hosts: AtomicU64,
    refused_origins: AtomicU64,
    timed_out_connections: AtomicU64,
    refused_by_reason: ByLabel,
    dropped_by_reason: ByLabel,
    closed_by_reason: ByLabel,
}

/// Counts by label, of which there is a fixed set.
#[derive(Debug, Default)]
struct ByLabel(Mutex<BTreeMap<&'static str, u64>>);

impl ByLabel {
    fn add(&self, label: &'static str) {
        self.add_all(label, 1);
    }

    fn add_all(&self, label: &'static str, count: u64) {
        *self.lock().entry(label).or_default() += count;
    }

    fn all(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Exports accepted.
    pub exports: u64,
    /// Items in them.
    pub items: u64,
    /// Bytes of their protobuf form.
    pub bytes: u64,
    /// Items that were taken out of accepted exports, for an id of a wrong length say.
    pub rejected: u64,
    /// Requests refused on a signal's path.
    pub refused: u64,
    /// Renderings, one for each export and view.
    pub renderings: u64,
    /// Renderings that came to nothing, or not to all: too big for a frame, or failed.
    pub failed_renderings: u64,
    /// WebSocket sessions opened.
    pub sessions: u64,
    /// Frames handed to sockets.
    pub frames: u64,
    /// Bytes of those frames.
    pub frame_bytes: u64,
    /// Publications that sessions lost.
    pub dropped: u64,
    /// Connections refused because of their number.
    pub refused_connections: u64,
    /// Connections closed because TLS could not begin.
    pub failed_handshakes: u64,
    /// Requests refused because of their Host.
    pub refused_hosts: u64,
    /// Requests refused because of their Origin.
    pub refused_origins: u64,
    /// Connections closed because a head, a body or the reading of an answer took too long.
    pub timed_out_connections: u64,
}

impl Counters {
    /// The totals now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            exports: self.exports.load(Relaxed),
            items: self.items.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            refused: self.refused.load(Relaxed),
            renderings: self.renderings.load(Relaxed),
            failed_renderings: self.failed_renderings.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
            frames: self.frames.load(Relaxed),
            frame_bytes: self.frame_bytes.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            refused_connections: self.refused_connections.load(Relaxed),
            failed_handshakes: self.failed_handshakes.load(Relaxed),
            refused_hosts: self.refused_hosts.load(Relaxed),
            refused_origins: self.refused_origins.load(Relaxed),
            timed_out_connections: self.timed_out_connections.load(Relaxed),
        }
    }

    /// Requests refused on a signal's path, by the reason that `ingest` gives.
    #[must_use]
    pub fn refused_by_reason(&self) -> BTreeMap<&'static str, u64> {
        self.refused_by_reason.all()
    }

    /// Publications that sessions lost, by the reason that `fanout` gives.
    #[must_use]
    pub fn dropped_by_reason(&self) -> BTreeMap<&'static str, u64> {
        self.dropped_by_reason.all()
    }

    /// Sessions that ended, by the reason.
    #[must_use]
    pub fn closed_by_reason(&self) -> BTreeMap<&'static str, u64> {
        self.closed_by_reason.all()
    }

    /// A connection was closed because the client took too long.
    pub(crate) fn connection_timed_out(&self) {
        self.timed_out_connections.fetch_add(1, Relaxed);
    }

    /// A connection was refused because there are too many.
    pub(crate) fn connection_refused(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
    }

    /// TLS could not begin on a connection.
    pub(crate) fn handshake_failed(&self) {
        self.failed_handshakes.fetch_add(1, Relaxed);
    }

    /// A request was refused because of its Host.
    pub(crate) fn host_refused(&self) {
        self.refused_hosts.fetch_add(1, Relaxed);
    }

    /// A request was refused because of its Origin.
    pub(crate) fn origin_refused(&self) {
        self.refused_origins.fetch_add(1, Relaxed);
    }
}

impl ingest::Observer for Counters {
    fn accepted(&self, _: Signal, _: Transport, items: usize, bytes: usize) {
        self.exports.fetch_add(1, Relaxed);
        self.items.fetch_add(items as u64, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn rejected(&self, _: Signal, _: Transport, items: usize) {
        self.rejected.fetch_add(items as u64, Relaxed);
    }

    fn refused(&self, _: Option<Signal>, _: Transport, reason: &'static str) {
        self.refused.fetch_add(1, Relaxed);
        self.refused_by_reason.add(reason);
    }
}

impl fanout::Observer for Counters {
    fn rendered(&self, _: Format, rendering: Rendering) {
        self.renderings.fetch_add(1, Relaxed);
        match rendering {
            Rendering::Frames {
                incomplete: false, ..
            }
            | Rendering::Nothing => {}
            Rendering::Frames { .. } | Rendering::Lost(_) => {
                self.failed_renderings.fetch_add(1, Relaxed);
                tracing::warn!("an export was not rendered, or not whole: {rendering:?}");
            }
        }
    }

    fn opened(&self, _: Format) {
        self.sessions.fetch_add(1, Relaxed);
    }

    fn wrote(&self, _: Format, frames: u64, bytes: u64) {
        self.frames.fetch_add(frames, Relaxed);
        self.frame_bytes.fetch_add(bytes, Relaxed);
    }

    fn dropped(&self, _: Format, loss: Loss, publications: u64) {
        self.dropped.fetch_add(publications, Relaxed);
        self.dropped_by_reason.add_all(loss.as_str(), publications);
    }

    fn closed(&self, _: Format, reason: CloseReason) {
        tracing::debug!("a session ended: {reason:?}");
        self.closed_by_reason.add(match reason {
            CloseReason::Client => "client",
            CloseReason::Disconnected => "disconnected",
            CloseReason::NoPong => "no_pong",
            CloseReason::Protocol(CloseCode::TOO_BIG) => "message_too_big",
            CloseReason::Protocol(_) => "protocol",
            CloseReason::Shutdown => "shutdown",
            CloseReason::Cancelled => "cut_off",
        });
    }
}
