//! The clock of a session: when to ping, and when to give a client up.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::FanoutConfig;

/// What a shorter interval between pings is taken for: a session must come to rest.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// The pings of one session.
#[derive(Debug)]
pub(super) struct Clock {
    /// When the next ping is due; once the session closes, when it has to be over.
    next: Instant,
    /// Since when nothing was heard after a ping.
    unanswered: Option<Instant>,
    pings: u64,
    /// The ping whose round trip is measured, by its number.
    timed: Option<Timed>,
}

#[derive(Debug)]
struct Timed {
    ping: u64,
    /// When the socket took it.
    sent: Option<Instant>,
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
            next: after(now, config.ping_interval.max(SHORTEST_INTERVAL)),
            unanswered: None,
            pings: 0,
            timed: None,
        }
    }

    /// Something came from the client: a pong, or any other byte.
    pub(super) fn heard(&mut self) {
        self.unanswered = None;
    }

    /// Something that is no ping went out: until there was silence again, none is needed.
    pub(super) fn spoke(&mut self, now: Instant, config: &FanoutConfig) {
        self.next = after(now, config.ping_interval.max(SHORTEST_INTERVAL));
    }

    /// Whether a ping was made whose sending is to be [told](Self::sent).
    pub(super) fn times_a_ping(&self) -> bool {
        self.timed
            .as_ref()
            .is_some_and(|timed| timed.sent.is_none())
    }

    /// The socket took the newest ping.
    pub(super) fn sent(&mut self, now: Instant) {
        if let Some(timed) = &mut self.timed {
            timed.sent.get_or_insert(now);
        }
    }

    /// A pong came: how long its ping's round trip took, if that is the one that is measured. A
    /// client may pass over a ping and answer a later one (RFC 6455 section 5.5.3), or say
    /// anything unasked.
    pub(super) fn answered(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let ping = u64::from_be_bytes(payload.try_into().ok()?);
        let timed = self.timed.as_ref()?;
        let sent = timed.sent?;
        let right = ping == timed.ping;
        if (timed.ping..=self.pings).contains(&ping) {
            self.timed = None;
        }
        right.then(|| now.saturating_duration_since(sent))
    }

    /// The client reads, but what it reads is still in front of the ping: it has the whole
    /// timeout again.
    pub(super) fn postpone(&mut self, now: Instant) {
        if self.unanswered.is_some() {
            self.unanswered = Some(now);
        }
    }

    /// The session closes, and is over at that time at the latest: there are no pings any more.
    pub(super) fn end_by(&mut self, end: Instant) {
        self.next = end;
    }

    /// When it is over at the latest, once it closes.
    pub(super) fn end(&self) -> Instant {
        self.next
    }

    /// What the time has come for. Of pings that were missed, only one is made up for.
    pub(super) fn tick(&mut self, now: Instant, config: &FanoutConfig) -> Tick {
        if self
            .unanswered
            .is_some_and(|since| after(since, config.pong_timeout) <= now)
        {
            return Tick::Dead;
        }
        if now < self.next {
            return Tick::Nothing;
        }
        self.next = after(now, config.ping_interval.max(SHORTEST_INTERVAL));
        self.unanswered.get_or_insert(now);
        self.pings += 1;
        // One that is still unsent is replaced by this one.
        if self.timed.as_ref().is_none_or(|timed| timed.sent.is_none()) {
            self.timed = Some(Timed {
                ping: self.pings,
                sent: None,
            });
        }
        Tick::Ping(self.pings)
    }

    /// When [`tick`](Self::tick) will have something.
    pub(super) fn deadline(&self, config: &FanoutConfig) -> Instant {
        self.unanswered.map_or(self.next, |since| {
            self.next.min(after(since, config.pong_timeout))
        })
    }
}

/// `wait` after `from`, or some decades if the sum is past the end of time.
pub(crate) fn after(from: Instant, wait: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    from.checked_add(wait.min(DECADES)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A clock that ticks every second, and the moment that it was made.
    fn clock() -> (Clock, FanoutConfig, Instant) {
        let config = FanoutConfig {
            ping_interval: SECOND,
            pong_timeout: 100 * SECOND,
            ..FanoutConfig::default()
        };
        let now = Instant::now();
        (Clock::new(now, &config), config, now)
    }

    /// Scenario: pings that are answered at once, late, twice, by a later pong, and not at all;
    /// pongs that nobody asked for.
    /// Guarantees: each round trip is told once, from when the socket took the ping; pongs that
    /// match none are worth nothing.
    #[test]
    fn round_trips_are_those_of_their_pings() {
        let (mut clock, config, begin) = clock();
        let at = |tenths: u32| begin + tenths * SECOND / 10;
        let pong = |number: u64| number.to_be_bytes();
        assert_eq!(clock.answered(&pong(0), at(0)), None);
        assert_eq!(clock.tick(at(10), &config), Tick::Ping(1));
        assert_eq!(clock.answered(&pong(1), at(11)), None, "it was not sent");
        clock.sent(at(12));
        clock.sent(at(13));
        for stray in [&b""[..], b"hello", &pong(0), &pong(2), &pong(u64::MAX)] {
            assert_eq!(clock.answered(stray, at(14)), None);
        }
        assert_eq!(clock.answered(&pong(1), at(15)), Some(3 * SECOND / 10));
        assert_eq!(clock.answered(&pong(1), at(16)), None);

        assert_eq!(clock.tick(at(20), &config), Tick::Ping(2));
        assert_eq!(
            clock.tick(at(30), &config),
            Tick::Ping(3),
            "in the place of 2"
        );
        clock.sent(at(30));
        assert_eq!(clock.tick(at(40), &config), Tick::Ping(4));
        assert!(!clock.times_a_ping());
        assert_eq!(clock.answered(&pong(3), at(45)), Some(15 * SECOND / 10));

        assert_eq!(clock.tick(at(50), &config), Tick::Ping(5));
        clock.sent(at(50));
        assert_eq!(clock.tick(at(60), &config), Tick::Ping(6));
        assert_eq!(clock.answered(&pong(6), at(61)), None, "5 was passed over");
        assert_eq!(clock.tick(at(70), &config), Tick::Ping(7));
        assert!(clock.times_a_ping());
    }
}
