//! What the fan-out tells whoever counts.

use std::time::Duration;

use otlp_codec::Signal;

use crate::frame::CloseCode;
use crate::view::Format;

/// What became of one rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// So many frames of so many bytes together, headers included.
    Frames {
        /// More than one where a client's own limit parts exports.
        frames: usize,
        /// With their headers.
        bytes: usize,
        /// Whether an item of the export was too big for a frame of its own.
        incomplete: bool,
    },
    /// Nothing of the export belongs to the view.
    Nothing,
    /// There is no frame, because of this.
    Lost(Loss),
}

/// Why a session lost a publication of its view, in whole or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The session was too slow: pushed out before it had taken it.
    Slow,
    /// Longer than [`FanoutConfig::frame_bytes`](crate::FanoutConfig::frame_bytes) or the
    /// session's own limit, or an item of it is.
    TooBig,
    /// The codec refused the export, panicked, or was cancelled.
    Failed,
    /// The relay ended before it was written.
    Closing,
}

impl Loss {
    /// Every cause, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Slow, Self::TooBig, Self::Failed, Self::Closing];

    /// One word, for notices and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::TooBig => "too_big",
            Self::Failed => "failed",
            Self::Closing => "closing",
        }
    }
}

/// Why a session ended: the first cause, whatever came of the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client sent a Close frame.
    Client,
    /// The connection ended or failed without one.
    Disconnected,
    /// No sign of life after a ping (3012); of a client that is sent lines, nothing taken.
    NoPong,
    /// It fell behind and asked to be closed for that (3008), or it held what there was no room
    /// for and was cut off.
    Slow,
    /// The client broke the protocol, and was told so with this code.
    Protocol(CloseCode),
    /// [`Hub::revoke`](crate::Hub::revoke) (3500).
    Revoked,
    /// [`Hub::close`](crate::Hub::close) (1001).
    Shutdown,
    /// The task was dropped before the session had ended.
    Cancelled,
}

/// Why a request to watch that the gate let in came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TurnedAway {
    /// The query can't be read, or asks for what there is not.
    Query,
    /// [`FanoutConfig::max_sessions`](crate::FanoutConfig::max_sessions) are live.
    Sessions,
    /// [`FanoutConfig::max_views`](crate::FanoutConfig::max_views) others are watched.
    Views,
    /// [`Hub::close`](crate::Hub::close) was called.
    Closing,
    /// The handshake is wrong, or there is none.
    Handshake,
}

impl TurnedAway {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Query,
        Self::Sessions,
        Self::Views,
        Self::Closing,
        Self::Handshake,
    ];

    /// One word, for labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Sessions => "sessions",
            Self::Views => "views",
            Self::Closing => "closing",
            Self::Handshake => "handshake",
        }
    }
}

/// Told of every event that is worth counting. Calls come from hot paths and from under no
/// lock; an implementation must neither block nor panic. Every method does nothing by default.
pub trait Observer: Send + Sync {
    /// An export of `items` items got its number, and a place in the logs of `views` views.
    fn published(&self, signal: Signal, items: usize, views: usize) {
        let _ = (signal, items, views);
    }

    /// A view of this format has a place for an export, which so many sessions will come to: it
    /// is rendered once for all of them.
    fn queued(&self, format: Format, sessions: usize) {
        let _ = (format, sessions);
    }

    /// A view rendered an export, so long `after` the request began that brought it; for one that
    /// is replayed, that is nothing to know.
    fn rendered(&self, format: Format, rendering: Rendering, after: Option<Duration>) {
        let _ = (format, rendering, after);
    }

    /// The frames of an export were compressed for a view, from `plain` bytes to `compressed`,
    /// with their headers; once for all of the `sessions` that take them so.
    fn compressed(&self, format: Format, plain: usize, compressed: usize, sessions: usize) {
        let _ = (format, plain, compressed, sessions);
    }

    /// A client came back with the number that it had come to; whether everything is here that it
    /// missed.
    fn resumed(&self, recovered: bool) {
        let _ = recovered;
    }

    /// A request to watch was refused, behind the gate.
    fn turned_away(&self, why: TurnedAway) {
        let _ = why;
    }

    /// A session began.
    fn opened(&self, format: Format) {
        let _ = format;
    }

    /// A client answered a ping, so long after the socket took it. What waited in front of the
    /// ping in the buffers of sockets is part of that.
    fn round_trip(&self, format: Format, time: Duration) {
        let _ = (format, time);
    }

    /// A session handed `frames` whole data frames, `bytes` with their headers, to its socket:
    /// as they are sent, so compressed ones count compressed.
    fn wrote(&self, format: Format, frames: u64, bytes: u64) {
        let _ = (format, frames, bytes);
    }

    /// The socket of a session has taken all that the session had, mostly one frame, so long
    /// `after` the request began that brought the oldest of it. Replayed frames don't count.
    fn delivered(&self, format: Format, after: Duration) {
        let _ = (format, after);
    }

    /// A session passed so many `publications` that hold nothing for its view.
    fn passed(&self, format: Format, publications: u64) {
        let _ = (format, publications);
    }

    /// A session lost `publications` of its view. Of one that comes in parts, parts that are not
    /// written when the session ends count each.
    fn dropped(&self, format: Format, loss: Loss, publications: u64) {
        let _ = (format, loss, publications);
    }

    /// A client was cut off because it did not do its part of the closing handshake in time: the
    /// Close that is due, or the end of its stream.
    fn given_up(&self, format: Format) {
        let _ = format;
    }

    /// A session ended, which lost `lost` publications in all.
    fn closed(&self, format: Format, reason: CloseReason, lost: u64) {
        let _ = (format, reason, lost);
    }
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
