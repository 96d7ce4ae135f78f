//! Warnings that others can cause, at most so often.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long after a warning the next one of its kind is held back.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets one event pass in a while, and counts those that it holds back.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// Whether an event may pass now; if so, how many were held back since the last.
    pub(crate) fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    /// The same, for an event that never passes under a condition, and is not held back then.
    pub(crate) fn pass_unless(&self, condition: bool) -> Option<u64> {
        if condition { None } else { self.pass() }
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        // Nothing panics under this lock; were it so, a warning more does no harm.
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if state
            .last
            .is_some_and(|last| now.duration_since(last) < PAUSE)
        {
            state.held_back += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a burst of events, and one after the pause.
    /// Guarantees: the first passes, the last passes and knows how many did not.
    #[test]
    fn bursts_are_held_back_and_counted() {
        let throttle = Throttle::default();
        let begin = Instant::now();
        assert_eq!(throttle.pass_at(begin), Some(0));
        for _ in 0..5 {
            assert_eq!(throttle.pass_at(begin + PAUSE / 2), None);
        }
        assert_eq!(throttle.pass_at(begin + PAUSE), Some(5));
        assert_eq!(throttle.pass_at(begin + PAUSE * 2), Some(0));
    }
}
