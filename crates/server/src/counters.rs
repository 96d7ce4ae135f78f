//! Counts what happens. Totals since the start, for the log and for whoever exports them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use fanout::{CloseReason, Format, Rendering};
use ingest::Transport;
use otlp_codec::Signal;

/// Totals since the start of the relay.
#[derive(Debug, Default)]
pub struct Counters {
    exports: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicU64,
    renderings: AtomicU64,
    failed_renderings: AtomicU64,
    sessions: AtomicU64,
    frames: AtomicU64,
    frame_bytes: AtomicU64,
    dropped: AtomicU64,
    refused_connections: AtomicU64,
    refused_hosts: AtomicU64,
    refused_origins: AtomicU64,
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
    /// Requests refused on a signal's path.
    pub refused: u64,
    /// Renderings, one for each export and view.
    pub renderings: u64,
    /// Renderings that came to nothing: too big for a frame, or failed.
    pub failed_renderings: u64,
    /// WebSocket sessions opened.
    pub sessions: u64,
    /// Frames handed to sockets.
    pub frames: u64,
    /// Bytes of those frames.
    pub frame_bytes: u64,
    /// Frames that sessions lost.
    pub dropped: u64,
    /// Connections refused because of their number.
    pub refused_connections: u64,
    /// Requests refused because of their Host.
    pub refused_hosts: u64,
    /// Requests refused because of their Origin.
    pub refused_origins: u64,
}

impl Counters {
    /// The totals now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            exports: self.exports.load(Relaxed),
            items: self.items.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            refused: self.refused.load(Relaxed),
            renderings: self.renderings.load(Relaxed),
            failed_renderings: self.failed_renderings.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
            frames: self.frames.load(Relaxed),
            frame_bytes: self.frame_bytes.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            refused_connections: self.refused_connections.load(Relaxed),
            refused_hosts: self.refused_hosts.load(Relaxed),
            refused_origins: self.refused_origins.load(Relaxed),
        }
    }

    /// A connection was refused because there are too many.
    pub(crate) fn connection_refused(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
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

    fn refused(&self, _: Option<Signal>, _: Transport, _: &'static str) {
        self.refused.fetch_add(1, Relaxed);
    }
}

impl fanout::Observer for Counters {
    fn rendered(&self, _: Format, rendering: Rendering) {
        self.renderings.fetch_add(1, Relaxed);
        match rendering {
            Rendering::Frame(_) | Rendering::Nothing => {}
            Rendering::TooBig | Rendering::Failed => {
                self.failed_renderings.fetch_add(1, Relaxed);
                tracing::warn!("an export was not rendered: {rendering:?}");
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

    fn dropped(&self, _: Format, frames: u64) {
        self.dropped.fetch_add(frames, Relaxed);
    }

    fn closed(&self, _: Format, reason: CloseReason) {
        tracing::debug!("a session ended: {reason:?}");
    }
}
