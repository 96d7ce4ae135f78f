//! When the next export is sent: as soon as there is somebody to send it, or on a schedule.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::sync::Semaphore;

/// How long after the last export was due an open loop goes on before what is left is given up.
const OVERRUN: Duration = Duration::from_secs(30);

/// The rates that an open loop may have, in exports a second.
pub const RATES: RangeInclusive<f64> = 0.001..=1_000_000.0;

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many exports.
    Requests(u64),
    /// What can be sent in this time, or what is due in it.
    Time(Duration),
}

/// Instants at equal distances.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    start: Instant,
    per_second: f64,
}

impl Schedule {
    fn due(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.per_second)
    }

    /// How many are due within a time.
    fn within(&self, time: Duration) -> u64 {
        (time.as_secs_f64() * self.per_second).ceil() as u64
    }
}

/// Turns to send, which all connections take from.
#[derive(Debug)]
pub struct Turns {
    taken: AtomicU64,
    most: u64,
    end: Option<Instant>,
    /// Turns that are due and not taken, in an open loop.
    open: Option<(Schedule, Semaphore)>,
}

impl Turns {
    /// A closed loop: each connection sends as soon as it has its answer.
    #[must_use]
    pub fn closed(amount: Amount) -> Arc<Self> {
        let (most, end) = match amount {
            Amount::Requests(requests) => (requests, None),
            Amount::Time(time) => (u64::MAX, Some(Instant::now() + time)),
        };
        Arc::new(Self {
            taken: AtomicU64::new(0),
            most,
            end,
            open: None,
        })
    }

    /// An open loop: so many a second, whether the server keeps up or not. A turn that no
    /// connection was free for is taken late, and counts from when it was due: a server that
    /// stands still for a second shows in all the exports of that second.
    ///
    /// # Errors
    ///
    /// If the rate is not one of [`RATES`].
    pub fn open(per_second: f64, amount: Amount) -> Result<Arc<Self>> {
        ensure!(RATES.contains(&per_second), "no rate is {per_second}");
        let schedule = Schedule {
            start: Instant::now(),
            per_second,
        };
        let most = match amount {
            Amount::Requests(requests) => requests,
            Amount::Time(time) => schedule.within(time),
        };
        let turns = Arc::new(Self {
            taken: AtomicU64::new(0),
            most,
            end: Some(schedule.due(most) + OVERRUN),
            open: Some((schedule, Semaphore::new(0))),
        });
        let weak = Arc::downgrade(&turns);
        // tokio's timer has milliseconds; a thread that is parked wakes within a tenth of one.
        std::thread::spawn(move || keep_time(&weak));
        Ok(turns)
    }

    /// Waits for the next turn: when its export should be sent. None if there are no more.
    pub async fn next(&self) -> Option<Instant> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        if number >= self.most {
            return None;
        }
        let intended = match &self.open {
            None => Instant::now(),
            Some((schedule, due)) => {
                due.acquire().await.ok()?.forget();
                schedule.due(number)
            }
        };
        let in_time = self.end.is_none_or(|end| Instant::now() < end);
        in_time.then_some(intended)
    }

    /// How many exports there should have been, in an open loop.
    #[must_use]
    pub fn planned(&self) -> Option<u64> {
        self.open.as_ref().map(|_| self.most)
    }
}

/// Says of each turn that it is due, until nobody takes any.
fn keep_time(turns: &Weak<Turns>) {
    let mut number = 0;
    loop {
        let now = Instant::now();
        let wait = {
            let Some(turns) = turns.upgrade() else { return };
            let Some((schedule, semaphore)) = &turns.open else {
                return;
            };
            while number < turns.most && schedule.due(number) <= now {
                semaphore.add_permits(1);
                number += 1;
            }
            if number >= turns.most {
                return;
            }
            schedule.due(number) - now
        };
        std::thread::park_timeout(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a schedule of 400 a second.
    /// Guarantees: each turn is due at its multiple of 2.5 ms, without errors that add up; a
    /// second and a half has 600.
    #[test]
    fn turns_are_due_at_equal_distances() {
        let start = Instant::now();
        let schedule = Schedule {
            start,
            per_second: 400.0,
        };
        assert_eq!(schedule.due(0), start);
        assert_eq!(schedule.due(1), start + Duration::from_micros(2500));
        assert_eq!(schedule.due(400_000), start + Duration::from_secs(1000));
        assert_eq!(schedule.within(Duration::from_millis(1500)), 600);
    }

    /// Scenario: an open loop of 20 turns, taken by one connection that is stuck for 15 ms with
    /// the first.
    /// Guarantees: all are handed out, each at the instant it was due and never before it,
    /// however late it is taken.
    #[tokio::test]
    async fn late_turns_keep_the_time_they_were_due() {
        let turns = Turns::open(1000.0, Amount::Requests(20)).unwrap();
        let start = turns.next().await.unwrap();
        while start.elapsed() < Duration::from_millis(15) {
            tokio::task::yield_now().await;
        }
        for number in 1..20 {
            let intended = turns.next().await.unwrap();
            assert_eq!(intended - start, Duration::from_millis(number));
            assert!(intended <= Instant::now());
        }
        assert_eq!(turns.next().await, None);
        assert_eq!(turns.planned(), Some(20));
    }

    /// Scenario: closed loops of three exports and of no time at all.
    /// Guarantees: three turns, and none.
    #[tokio::test]
    async fn closed_loops_end() {
        let turns = Turns::closed(Amount::Requests(3));
        for _ in 0..3 {
            assert!(turns.next().await.is_some());
        }
        assert_eq!(turns.next().await, None);
        let turns = Turns::closed(Amount::Time(Duration::ZERO));
        assert_eq!(turns.next().await, None);
        assert_eq!(turns.planned(), None);
    }

    /// Scenario: numbers that are no rates.
    /// Guarantees: an error each.
    #[test]
    fn a_rate_is_a_positive_number() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Turns::open(rate, Amount::Requests(1)).is_err(), "{rate}");
        }
    }
}
