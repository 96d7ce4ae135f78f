//! What the receiver and the fan-out tell, counted.

use std::time::Duration;

use fanout::{CloseReason, Format, Loss, Rendering, TurnedAway};
use ingest::{Accepted, Reason, Refusal, Transport};
use otlp_codec::Signal;

use super::Counters;
use super::labels::Rendered;

impl ingest::Observer for Counters {
    fn accepted(&self, signal: Signal, transport: Transport, accepted: Accepted) {
        let (labels, receiving) = ((signal, transport), &self.receiving);
        receiving.exports.add_one(labels);
        receiving.items.add(labels, accepted.items as u64);
        receiving.bytes.add(labels, accepted.bytes as u64);
        receiving.seconds.observe(transport, accepted.took);
    }

    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        let labels = (signal, transport);
        self.receiving.rejected.add(labels, items as u64);
    }

    fn refused(&self, signal: Signal, transport: Transport, refusal: Refusal) {
        let labels = ((signal, transport), refusal.reason);
        self.receiving.refused.add_one(labels);
        let Refusal { reason, peer, id } = refusal;
        let peer = peer.map(tracing::field::display);
        let (signal, transport) = (signal.as_str(), transport.as_str());
        // Of these two, who ends is the cause.
        let expected = matches!(reason, Reason::Draining | Reason::IncompleteBody);
        match self.refusals.pass_unless(expected) {
            Some(more) => tracing::warn!(
                request = %id, signal, transport, %reason, peer, not_said_before = more,
                "refused to take an export"
            ),
            None => tracing::debug!(
                request = %id, signal, transport, %reason, peer, "refused to take an export"
            ),
        }
    }
}

impl fanout::Observer for Counters {
    fn published(&self, signal: Signal, _: usize, _: usize) {
        self.watching.publications.add_one(signal);
    }

    fn queued(&self, format: Format, sessions: usize) {
        let (watching, sessions) = (&self.watching, sessions as u64);
        watching.deliveries.add(format, sessions);
        let saved = sessions.saturating_sub(1);
        watching.renderings_saved.add(format, saved);
    }

    fn rendered(&self, format: Format, rendering: Rendering, after: Option<Duration>) {
        let outcome = match rendering {
            Rendering::Frames { incomplete, .. } if incomplete => Rendered::Incomplete,
            Rendering::Frames { .. } => Rendered::Frames,
            Rendering::Nothing => Rendered::Nothing,
            Rendering::Lost(_) => Rendered::Failed,
        };
        self.watching.renderings.add_one((format, outcome));
        if let Some(after) = after {
            self.watching.rendered_seconds.observe(format, after);
        }
        if matches!(outcome, Rendered::Incomplete | Rendered::Failed)
            && let Some(more) = self.warnings.pass()
        {
            tracing::warn!(
                not_said_before = more,
                "an export was not rendered, or not whole: {rendering:?}"
            );
        }
    }

    fn compressed(&self, format: Format, plain: usize, compressed: usize, sessions: usize) {
        let watching = &self.watching;
        watching.compressions.add_one(format);
        let saved = (sessions as u64).saturating_sub(1);
        watching.compressions_saved.add(format, saved);
        watching.deflate_in_bytes.add(format, plain as u64);
        watching.deflate_out_bytes.add(format, compressed as u64);
    }

    fn resumed(&self, recovered: bool) {
        self.watching.resumed.add_one(recovered.into());
    }

    fn turned_away(&self, why: TurnedAway) {
        self.watching.turned_away.add_one(why);
    }

    fn opened(&self, format: Format) {
        self.watching.opened.add_one(format);
    }

    fn round_trip(&self, _: Format, time: Duration) {
        self.watching.round_trip_seconds.observe((), time);
    }

    fn wrote(&self, format: Format, frames: u64, bytes: u64) {
        self.watching.frames.add(format, frames);
        self.watching.frame_bytes.add(format, bytes);
    }

    fn delivered(&self, format: Format, after: Duration) {
        self.watching.delivered_seconds.observe(format, after);
    }

    fn passed(&self, format: Format, publications: u64) {
        self.watching.passed.add(format, publications);
    }

    fn dropped(&self, format: Format, loss: Loss, publications: u64) {
        self.watching.dropped.add((format, loss), publications);
    }

    fn given_up(&self, format: Format) {
        self.watching.given_up.add_one(format);
    }

    fn closed(&self, format: Format, reason: CloseReason, lost: u64) {
        tracing::debug!(%format, lost, "a session ended: {reason:?}");
        self.watching.closed.add_one((format, reason.into()));
    }
}
