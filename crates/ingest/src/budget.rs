//! What all requests in flight may hold together: so many requests, and so many bytes.
//!
//! What doesn't fit is refused at once, to come again later, instead of waiting with memory in
//! its hands; what would not even fit alone is refused for good. Decoding is what they share too,
//! and there they wait ([`crate::decoders`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::body::{BodyError, Form};
use crate::decoders::Decoders;
use crate::sink::Refused;

/// Seconds after which a request that was refused may come again: requests in flight take less.
const RETRY_AFTER: u32 = 1;

/// A budget of requests and bytes, and the places for decoding. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: Pool,
    bytes: Pool,
    decoders: Decoders,
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
    /// A budget of so many requests at a time, and so many bytes in all of them, of which as many
    /// are decoded at a time as this machine has cores.
    #[must_use]
    pub fn new(requests: usize, bytes: usize) -> Self {
        Self(Arc::new(Shared {
            requests: Pool::new(requests),
            bytes: Pool::new(bytes),
            decoders: Decoders::for_this_machine(),
        }))
    }

    /// Where long bodies are decoded.
    #[must_use]
    pub fn decoders(&self) -> &Decoders {
        &self.0.decoders
    }

    /// Lets a request in.
    ///
    /// # Errors
    ///
    /// [`Refused::too_many_requests`] if there are as many as may be.
    pub fn admit(&self) -> Result<Permit, Refused> {
        match self.0.requests.take(1) {
            true => Ok(Permit {
                budget: self.clone(),
                bytes: 0,
            }),
            false => Err(Refused::too_many_requests(RETRY_AFTER)),
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
    /// [`BodyError::Overloaded`] if all requests together would hold too many;
    /// [`BodyError::TooLarge`] if this one alone would, which is so whenever it comes again.
    pub fn take(&mut self, bytes: usize) -> Result<(), BodyError> {
        if bytes > self.left() {
            let limit = self.budget.0.bytes.limit;
            let form = Form::Held;
            return Err(BodyError::TooLarge { limit, form });
        }
        if !self.budget.0.bytes.take(bytes) {
            let refused = Refused::too_many_bytes(RETRY_AFTER);
            return Err(BodyError::Overloaded(refused));
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back what was taken beyond so many bytes.
    pub(crate) fn keep(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.budget.0.bytes.give_back(surplus);
        self.bytes -= surplus;
    }

    /// How many more bytes this request could take if it were alone.
    pub(crate) fn left(&self) -> usize {
        self.budget.0.bytes.limit - self.bytes
    }

    /// Where long bodies are decoded.
    pub(crate) fn decoders(&self) -> Decoders {
        self.budget.decoders().clone()
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
    /// Guarantees: exactly the limit passes; what is dropped is free again, all of it; who would
    /// not fit alone either is not told to come again.
    #[test]
    fn limits_are_exact() {
        let budget = Budget::new(2, 100);
        let mut first = budget.admit().unwrap();
        let mut second = budget.admit().unwrap();
        assert_eq!(budget.admit().unwrap_err(), Refused::too_many_requests(1));
        first.take(60).unwrap();
        second.take(40).unwrap();
        let overloaded = BodyError::Overloaded(Refused::too_many_bytes(1));
        assert_eq!(second.take(1).unwrap_err(), overloaded);
        assert_eq!(second.take(60).unwrap_err(), overloaded);
        let too_large = BodyError::TooLarge {
            limit: 100,
            form: Form::Held,
        };
        assert_eq!(second.take(61).unwrap_err(), too_large);
        assert_eq!(second.take(usize::MAX).unwrap_err(), too_large);
        assert_eq!((budget.requests(), budget.bytes()), (2, 100));
        drop(first);
        assert_eq!((budget.requests(), budget.bytes()), (1, 40));
        second.take(60).unwrap();
        second.keep(70);
        second.keep(80);
        assert_eq!(budget.bytes(), 70);
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
