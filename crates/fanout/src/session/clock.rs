//! The clock of a session: when to ping, and when to give a client up.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::FanoutConfig;

/// What a shorter interval between pings is taken for: a session must come to rest.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// The pings of one session.
#[derive(Debug)]
pub(super) struct Clock {
    next_ping: Instant,
    /// Since when nothing was heard after a ping.
    unanswered: Option<Instant>,
    pings: u64,
}

/// What the time has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// Nothing.
    Nothing,
    /// The ping of this number, from 1.
    Ping(u64),
    /// Giving up.
    Dead,
}

impl Clock {
    pub(super) fn new(now: Instant, config: &FanoutConfig) -> Self {
        Self {
            next_ping: after(now, config.ping_interval.max(SHORTEST_INTERVAL)),
            unanswered: None,
            pings: 0,
        }
    }

    /// Something came from the client: a pong, or any other byte.
    pub(super) fn heard(&mut self) {
        self.unanswered = None;
    }

    /// Something that is no ping went out: until there was silence again, none is needed.
    pub(super) fn spoke(&mut self, now: Instant, config: &FanoutConfig) {
        self.next_ping = after(now, config.ping_interval.max(SHORTEST_INTERVAL));
    }

    /// The client reads, but what it reads is still in front of the ping: it has the whole
    /// timeout again.
    pub(super) fn postpone(&mut self, now: Instant) {
        if self.unanswered.is_some() {
            self.unanswered = Some(now);
        }
    }

    /// What the time has come for. Of pings that were missed, only one is made up for.
    pub(super) fn tick(&mut self, now: Instant, config: &FanoutConfig) -> Tick {
        if self
            .unanswered
            .is_some_and(|since| after(since, config.pong_timeout) <= now)
        {
            return Tick::Dead;
        }
        if now < self.next_ping {
            return Tick::Nothing;
        }
        self.next_ping = after(now, config.ping_interval.max(SHORTEST_INTERVAL));
        self.unanswered.get_or_insert(now);
        self.pings += 1;
        Tick::Ping(self.pings)
    }

    /// When [`tick`](Self::tick) will have something.
    pub(super) fn deadline(&self, config: &FanoutConfig) -> Instant {
        self.unanswered.map_or(self.next_ping, |since| {
            self.next_ping.min(after(since, config.pong_timeout))
        })
    }
}

/// `wait` after `from`, or some decades if the sum is past the end of time.
pub(crate) fn after(from: Instant, wait: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    from.checked_add(wait.min(DECADES)).unwrap_or(from)
}
