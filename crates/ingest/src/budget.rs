//! What all requests in flight may hold together: so many requests, and so many bytes.
//!
//! What doesn't fit is refused at once, to come again later, instead of waiting with memory in
//! its hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sink::Refused;

/// Seconds after which a request that was refused may come again: requests in flight take less.
const RETRY_AFTER: u32 = 1;

/// A budget of requests and bytes. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: Pool,
    bytes: Pool,
}

/// So many of something, some of them taken.
#[derive(Debug)]
struct Pool {
    limit: usize,
    taken: AtomicUsize,
}

impl Pool {
    fn new(limit: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self { limit, taken }
    }

    fn take(&self, count: usize) -> bool {
        let more = |taken: usize| taken.checked_add(count).filter(|sum| *sum <= self.limit);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn give_back(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Budget {
    /// A budget of so many requests at a time, and so many bytes in all of them.
    #[must_use]
    pub fn new(requests: usize, bytes: usize) -> Self {
        Self(Arc::new(Shared {
            requests: Pool::new(requests),
            bytes: Pool::new(bytes),
        }))
    }

    /// Lets a request in.
    ///
    /// # Errors
    ///
    /// [`Refused::overloaded`] if there are as many as may be.
    pub fn admit(&self) -> Result<Permit, Refused> {
        match self.0.requests.take(1) {
            true => Ok(Permit {
                budget: self.clone(),
                bytes: 0,
            }),
            false => Err(Refused::overloaded(RETRY_AFTER)),
        }
    }

    /// How many requests are in flight now.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.0.requests.taken()
    }

    /// How many may be in flight.
    #[must_use]
    pub fn max_requests(&self) -> usize {
        self.0.requests.limit
    }

    /// How many bytes they may hold.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.0.bytes.limit
    }

    /// How many bytes they hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes.taken()
    }
}

/// The share of one request. Given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Budget,
    bytes: usize,
}

impl Permit {
    /// Takes so many more bytes.
    ///
    /// # Errors
    ///
    /// [`Refused::overloaded`] if all requests together would hold too many.
    pub fn take(&mut self, bytes: usize) -> Result<(), Refused> {
        match self.budget.0.bytes.take(bytes) {
            true => {
                self.bytes += bytes;
                Ok(())
            }
            false => Err(Refused::overloaded(RETRY_AFTER)),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.0.bytes.give_back(self.bytes);
        self.budget.0.requests.give_back(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: requests and bytes up to the limit, one more, and again after some were dropped.
    /// Guarantees: exactly the limit passes; what is dropped is free again, all of it.
    #[test]
    fn limits_are_exact() {
        let budget = Budget::new(2, 100);
        let mut first = budget.admit().unwrap();
        let mut second = budget.admit().unwrap();
        assert_eq!(budget.admit().unwrap_err(), Refused::overloaded(1));
        first.take(60).unwrap();
        second.take(40).unwrap();
        assert!(second.take(1).is_err() && second.take(usize::MAX).is_err());
        assert_eq!((budget.requests(), budget.bytes()), (2, 100));
        drop(first);
        assert_eq!((budget.requests(), budget.bytes()), (1, 40));
        second.take(60).unwrap();
        drop((second, budget.admit().unwrap()));
        assert_eq!((budget.requests(), budget.bytes()), (0, 0));
    }

    /// Scenario: many threads take and give back at the same time.
    /// Guarantees: never more than the limit is out, and in the end all is back.
    #[test]
    fn threads_share_it() {
        let budget = Budget::new(4, 4);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(mut permit) = budget.admit() {
                            let _ = permit.take(1);
                            assert!(budget.requests() <= 4 && budget.bytes() <= 4);
                        }
                    }
                });
            }
        });
        assert_eq!((budget.requests(), budget.bytes()), (0, 0));
    }
}
