//! Counts what happens. Totals since the start, for the log and for whoever exports them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanout::frame::CloseCode;
use fanout::{CloseReason, Format, Loss, Rendering};
use ingest::Transport;
use otlp_codec::Signal;

/// Totals since the start of the relay.
#[derive(Debug, Default)]
pub struct Counters {
    received: [[Received; TRANSPORTS.len()]; Signal::ALL.len()],
    renderings: AtomicU64,
    failed_renderings: AtomicU64,
    sessions: AtomicU64,
    frames: AtomicU64,
    frame_bytes: AtomicU64,
    deflate_in_bytes: AtomicU64,
    deflate_out_bytes: AtomicU64,
    dropped: AtomicU64,
    refused_connections: AtomicU64,
    failed_handshakes: AtomicU64,
    refused_addresses: AtomicU64,
    refused_hosts: AtomicU64,
    refused_origins: AtomicU64,
    refused_watchers: AtomicU64,
    timed_out_connections: AtomicU64,
    failed_reloads: AtomicU64,
    refused: ByLabel<Refusals>,
    dropped_by_reason: ByLabel<&'static str>,
    closed_by_reason: ByLabel<&'static str>,
}

/// The ways in.
const TRANSPORTS: [Transport; 2] = [Transport::Http, Transport::Grpc];

/// What was received of one signal over one transport.
#[derive(Debug, Default)]
struct Received {
    exports: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    rejected: AtomicU64,
}

impl Received {
    fn load(&self) -> ReceivedTotals {
        ReceivedTotals {
            exports: self.exports.load(Relaxed),
            items: self.items.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
        }
    }
}

/// What was received of one signal over one transport, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceivedTotals {
    /// Exports accepted.
    pub exports: u64,
    /// Items in them.
    pub items: u64,
    /// Bytes of their protobuf form.
    pub bytes: u64,
    /// Items that were taken out of accepted exports, for an id of a wrong length say.
    pub rejected: u64,
}

/// The labels of requests that were refused for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusals {
    /// The name of the signal; `none` where the path names none.
    pub signal: &'static str,
    /// `http` or `grpc`.
    pub transport: &'static str,
    /// One of the labels of `ingest`'s `IngestError::reason`.
    pub reason: &'static str,
}

/// Counts by label, of which there is a fixed set.
#[derive(Debug)]
struct ByLabel<L>(Mutex<BTreeMap<L, u64>>);

impl<L> Default for ByLabel<L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<L: Copy + Ord> ByLabel<L> {
    fn add(&self, label: L) {
        self.add_all(label, 1);
    }

    fn add_all(&self, label: L, count: u64) {
        *self.lock().entry(label).or_default() += count;
    }

    fn all(&self) -> BTreeMap<L, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<L, u64>> {
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
    /// Bytes of those frames, as they were sent.
    pub frame_bytes: u64,
    /// Bytes of frames that were compressed, once for all sessions that take them so.
    pub deflate_in_bytes: u64,
    /// Bytes that these frames had then; those that didn't get shorter stay as they are.
    pub deflate_out_bytes: u64,
    /// Publications that sessions lost.
    pub dropped: u64,
    /// Connections refused because of their number.
    pub refused_connections: u64,
    /// Connections closed because TLS could not begin.
    pub failed_handshakes: u64,
    /// Connections, and requests that came through a trusted proxy, refused because of the number
    /// that their address has.
    pub refused_addresses: u64,
    /// Requests refused because of their Host.
    pub refused_hosts: u64,
    /// Requests refused because of their Origin.
    pub refused_origins: u64,
    /// Requests to watch refused for want of a token that is on file.
    pub refused_watchers: u64,
    /// Connections closed because a head, a body or the reading of an answer took too long.
    pub timed_out_connections: u64,
    /// Files of tokens or of TLS that changed to what can't be used.
    pub failed_reloads: u64,
}

impl Counters {
    /// The totals now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut all = ReceivedTotals::default();
        for received in self.received.iter().flatten().map(Received::load) {
            all.exports += received.exports;
            all.items += received.items;
            all.bytes += received.bytes;
            all.rejected += received.rejected;
        }
        Totals {
            exports: all.exports,
            items: all.items,
            bytes: all.bytes,
            rejected: all.rejected,
            refused: self.refused.all().values().sum(),
            renderings: self.renderings.load(Relaxed),
            failed_renderings: self.failed_renderings.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
            frames: self.frames.load(Relaxed),
            frame_bytes: self.frame_bytes.load(Relaxed),
            deflate_in_bytes: self.deflate_in_bytes.load(Relaxed),
            deflate_out_bytes: self.deflate_out_bytes.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            refused_connections: self.refused_connections.load(Relaxed),
            failed_handshakes: self.failed_handshakes.load(Relaxed),
            refused_addresses: self.refused_addresses.load(Relaxed),
            refused_hosts: self.refused_hosts.load(Relaxed),
            refused_origins: self.refused_origins.load(Relaxed),
            refused_watchers: self.refused_watchers.load(Relaxed),
            timed_out_connections: self.timed_out_connections.load(Relaxed),
            failed_reloads: self.failed_reloads.load(Relaxed),
        }
    }

    /// What was received of `signal` over `transport`.
    #[must_use]
    pub fn received(&self, signal: Signal, transport: Transport) -> ReceivedTotals {
        self.of(signal, transport).load()
    }

    /// Requests refused on a signal's path, by signal, transport and the reason that `ingest`
    /// gives.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<Refusals, u64> {
        self.refused.all()
    }

    /// Requests refused on a signal's path, by the reason alone.
    #[must_use]
    pub fn refused_by_reason(&self) -> BTreeMap<&'static str, u64> {
        let mut by_reason = BTreeMap::new();
        for (labels, count) in self.refused.all() {
            *by_reason.entry(labels.reason).or_default() += count;
        }
        by_reason
    }

    fn of(&self, signal: Signal, transport: Transport) -> &Received {
        &self.received[signal as usize][transport as usize]
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

    /// The configuration or a file was read again and can't be used.
    pub(crate) fn reload_failed(&self) {
        self.failed_reloads.fetch_add(1, Relaxed);
    }

    /// A connection was refused because there are too many.
    pub(crate) fn connection_refused(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
    }

    /// TLS could not begin on a connection.
    pub(crate) fn handshake_failed(&self) {
        self.failed_handshakes.fetch_add(1, Relaxed);
    }

    /// A connection or a request was refused because its address has too many.
    pub(crate) fn address_refused(&self) {
        self.refused_addresses.fetch_add(1, Relaxed);
    }

    /// A request was refused because of its Host.
    pub(crate) fn host_refused(&self) {
        self.refused_hosts.fetch_add(1, Relaxed);
    }

    /// A request was refused because of its Origin.
    pub(crate) fn origin_refused(&self) {
        self.refused_origins.fetch_add(1, Relaxed);
    }

    /// A request to watch was refused for want of a token.
    pub(crate) fn watcher_refused(&self) {
        self.refused_watchers.fetch_add(1, Relaxed);
    }
}

impl ingest::Observer for Counters {
    fn accepted(&self, signal: Signal, transport: Transport, items: usize, bytes: usize) {
        let received = self.of(signal, transport);
        received.exports.fetch_add(1, Relaxed);
        received.items.fetch_add(items as u64, Relaxed);
        received.bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        let received = self.of(signal, transport);
        received.rejected.fetch_add(items as u64, Relaxed);
    }

    fn refused(&self, signal: Option<Signal>, transport: Transport, reason: &'static str) {
        self.refused.add(Refusals {
            signal: signal.map_or("none", Signal::as_str),
            transport: transport.as_str(),
            reason,
        });
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

    fn compressed(&self, _: Format, plain: usize, compressed: usize) {
        self.deflate_in_bytes.fetch_add(plain as u64, Relaxed);
        self.deflate_out_bytes.fetch_add(compressed as u64, Relaxed);
    }

    fn round_trip(&self, _: Format, time: Duration) {
        tracing::trace!("a ping was answered after {time:?}");
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

    fn closed(&self, format: Format, reason: CloseReason, lost: u64) {
        tracing::debug!(%format, lost, "a session ended: {reason:?}");
        self.closed_by_reason.add(match reason {
            CloseReason::Client => "client",
            CloseReason::Disconnected => "disconnected",
            CloseReason::NoPong => "no_pong",
            CloseReason::Slow => "slow",
            CloseReason::Protocol(CloseCode::TOO_BIG) => "message_too_big",
            CloseReason::Protocol(_) => "protocol",
            CloseReason::Revoked => "revoked",
            CloseReason::Shutdown => "shutdown",
            CloseReason::Cancelled => "cut_off",
        });
    }
}

#[cfg(test)]
mod tests {
    use ingest::Observer;

    use super::*;

    /// Scenario: each signal over each transport, another number of times each, and a refusal on
    /// no signal's path.
    /// Guarantees: each pair has a place of its own; the totals are their sums.
    #[test]
    fn signals_and_transports_are_told_apart() {
        let counters = Counters::default();
        let pairs = || {
            let signals = Signal::ALL.into_iter();
            signals.flat_map(|signal| TRANSPORTS.map(|transport| (signal, transport)))
        };
        for (times, (signal, transport)) in (1..).zip(pairs()) {
            for _ in 0..times {
                counters.accepted(signal, transport, 2, 3);
                counters.rejected(signal, transport, 4);
                Observer::refused(&counters, Some(signal), transport, "method");
            }
        }
        Observer::refused(&counters, None, Transport::Http, "not_found");
        let refused = counters.refused();
        for (times, (signal, transport)) in (1..).zip(pairs()) {
            let received = counters.received(signal, transport);
            assert_eq!((received.exports, received.items), (times, 2 * times));
            assert_eq!((received.bytes, received.rejected), (3 * times, 4 * times));
            let labels = Refusals {
                signal: signal.as_str(),
                transport: transport.as_str(),
                reason: "method",
            };
            assert_eq!(refused[&labels], times);
        }
        let totals = counters.totals();
        let all = (1..=pairs().count() as u64).sum::<u64>();
        assert_eq!((totals.exports, totals.rejected), (all, 4 * all));
        assert_eq!(totals.refused, all + 1);
        let by_reason = [("method", all), ("not_found", 1)];
        assert_eq!(counters.refused_by_reason(), BTreeMap::from(by_reason));
    }
}
