//! Counts what happens. Totals since the start, for the log and for `/metrics`.

pub(crate) mod labels;
mod observers;
pub(crate) mod tally;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use fanout::{Format, Loss, TurnedAway};
use ingest::{Reason, Transport};
use otlp_codec::Signal;

use self::labels::{
    End, Labels, Limit, Listener, Recovered, Reload, Reloadable, Rendered, Rule, StatusClass, Wait,
};
use self::tally::{Durations, Tally};
use crate::throttle::Throttle;

/// Totals since the start of the relay. Counting is an addition to an atomic, or a few.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) receiving: Receiving,
    pub(crate) watching: Watching,
    pub(crate) connecting: Connecting,
    refusals: Throttle,
    warnings: Throttle,
}

/// What is counted of exports.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    pub(crate) exports: Tally<(Signal, Transport)>,
    pub(crate) items: Tally<(Signal, Transport)>,
    pub(crate) bytes: Tally<(Signal, Transport)>,
    pub(crate) rejected: Tally<(Signal, Transport)>,
    pub(crate) refused: Tally<((Signal, Transport), Reason)>,
    pub(crate) seconds: Durations<Transport>,
}

/// What is counted of those who watch.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    pub(crate) publications: Tally<Signal>,
    /// Of each place in the log of a view, the sessions that come to it.
    pub(crate) deliveries: Tally<Format>,
    pub(crate) renderings: Tally<(Format, Rendered)>,
    pub(crate) renderings_saved: Tally<Format>,
    pub(crate) compressions: Tally<Format>,
    pub(crate) compressions_saved: Tally<Format>,
    pub(crate) deflate_in_bytes: Tally<Format>,
    pub(crate) deflate_out_bytes: Tally<Format>,
    pub(crate) opened: Tally<Format>,
    pub(crate) closed: Tally<(Format, End)>,
    pub(crate) given_up: Tally<Format>,
    pub(crate) turned_away: Tally<TurnedAway>,
    pub(crate) resumed: Tally<Recovered>,
    pub(crate) frames: Tally<Format>,
    pub(crate) frame_bytes: Tally<Format>,
    pub(crate) passed: Tally<Format>,
    pub(crate) dropped: Tally<(Format, Loss)>,
    pub(crate) rendered_seconds: Durations<Format>,
    pub(crate) delivered_seconds: Durations<Format>,
    pub(crate) round_trip_seconds: Durations<()>,
}

/// What is counted of connections and their requests.
#[derive(Debug, Default)]
pub(crate) struct Connecting {
    pub(crate) accepted: Tally<Listener>,
    pub(crate) refused: Tally<(Listener, Limit)>,
    pub(crate) timed_out: Tally<(Listener, Wait)>,
    pub(crate) failed_handshakes: Tally<Listener>,
    pub(crate) requests: Tally<()>,
    pub(crate) responses: Tally<StatusClass>,
    pub(crate) broken_rules: Tally<Rule>,
    pub(crate) reloads: Tally<(Reloadable, Reload)>,
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
    /// Sessions opened, over WebSocket and as streams of lines.
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
    /// Connections closed because the client kept the relay waiting, but for those that were idle.
    pub timed_out_connections: u64,
    /// Files of tokens or of TLS, and settings, that were read again and can't be used.
    pub failed_reloads: u64,
}

impl Counters {
    /// The totals now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let Self {
            receiving,
            watching,
            connecting,
            ..
        } = self;
        let of_limit = |limit| {
            let listeners = Listener::ALL.into_iter();
            listeners
                .map(|listener| connecting.refused.get((listener, limit)))
                .sum()
        };
        Totals {
            exports: receiving.exports.sum(),
            items: receiving.items.sum(),
            bytes: receiving.bytes.sum(),
            rejected: receiving.rejected.sum(),
            refused: receiving.refused.sum(),
            renderings: watching.renderings.sum(),
            failed_renderings: self.failed_renderings(),
            sessions: watching.opened.sum(),
            frames: watching.frames.sum(),
            frame_bytes: watching.frame_bytes.sum(),
            deflate_in_bytes: watching.deflate_in_bytes.sum(),
            deflate_out_bytes: watching.deflate_out_bytes.sum(),
            dropped: watching.dropped.sum(),
            refused_connections: of_limit(Limit::Total),
            failed_handshakes: connecting.failed_handshakes.sum(),
            refused_addresses: of_limit(Limit::Address),
            refused_hosts: connecting.broken_rules.get(Rule::Host),
            refused_origins: connecting.broken_rules.get(Rule::Origin),
            refused_watchers: connecting.broken_rules.get(Rule::Token),
            timed_out_connections: self.timed_out(),
            failed_reloads: self.failed_reloads(),
        }
    }

    /// To be idle is no fault.
    fn timed_out(&self) -> u64 {
        let counts = self.connecting.timed_out.iter();
        let faults = counts.filter(|((_, wait), _)| *wait != Wait::Idle);
        faults.map(|(_, count)| count).sum()
    }

    fn failed_reloads(&self) -> u64 {
        let kinds = Reloadable::ALL.into_iter();
        kinds
            .map(|what| self.connecting.reloads.get((what, Reload::Failure)))
            .sum()
    }

    fn failed_renderings(&self) -> u64 {
        let failed = [Rendered::Incomplete, Rendered::Failed];
        let labels = Format::ALL.map(|format| failed.map(|outcome| (format, outcome)));
        let labels = labels.into_iter().flatten();
        labels
            .map(|labels| self.watching.renderings.get(labels))
            .sum()
    }

    /// Requests refused on a signal's path, by the reason alone.
    #[must_use]
    pub fn refused_by_reason(&self) -> BTreeMap<&'static str, u64> {
        by_last_label(&self.receiving.refused)
    }

    /// Publications that sessions lost, by the reason that `fanout` gives.
    #[must_use]
    pub fn dropped_by_reason(&self) -> BTreeMap<&'static str, u64> {
        by_last_label(&self.watching.dropped)
    }

    /// Sessions that ended, by the reason.
    #[must_use]
    pub fn closed_by_reason(&self) -> BTreeMap<&'static str, u64> {
        by_last_label(&self.watching.closed)
    }

    /// A connection was accepted, whatever becomes of it.
    pub(crate) fn connection_accepted(&self, listener: Listener) {
        self.connecting.accepted.add_one(listener);
    }

    /// A connection was refused because there are too many, or one or a request because its
    /// address has.
    pub(crate) fn connection_refused(&self, listener: Listener, limit: Limit) {
        self.connecting.refused.add_one((listener, limit));
    }

    /// A connection was closed because the client took too long.
    pub(crate) fn connection_timed_out(&self, listener: Listener, wait: Wait) {
        self.connecting.timed_out.add_one((listener, wait));
    }

    /// TLS could not begin on a connection.
    pub(crate) fn handshake_failed(&self, listener: Listener) {
        self.connecting.failed_handshakes.add_one(listener);
    }

    /// A request was refused because of a rule.
    pub(crate) fn rule_broken(&self, rule: Rule) {
        self.connecting.broken_rules.add_one(rule);
    }

    /// The head of a request came over HTTP.
    pub(crate) fn request(&self) {
        self.connecting.requests.add_one(());
    }

    /// There is an answer to it.
    pub(crate) fn response(&self, status: StatusCode) {
        self.connecting.responses.add_one(status.into());
    }

    /// Something was read again.
    pub(crate) fn reloaded(&self, what: Reloadable, result: Reload) {
        self.connecting.reloads.add_one((what, result));
    }
}

/// Counts by their last label; those that are not zero.
fn by_last_label<L: Labels>(tally: &Tally<L>) -> BTreeMap<&'static str, u64> {
    let mut by_label = BTreeMap::new();
    for (labels, count) in tally.iter().filter(|(_, count)| *count > 0) {
        if let Some(label) = labels.values().pop() {
            *by_label.entry(label).or_default() += count;
        }
    }
    by_label
}

#[cfg(test)]
mod tests;
