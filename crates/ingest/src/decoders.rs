//! Long bodies are decoded off the threads that serve connections, as many at a time as there are
//! cores.
//!
//! More at a time would not be faster, and each holds memory that is in no budget until it is done.
//! One more waits for its turn. That takes no time of its own account: what waits is a request in
//! flight, whose bytes the [budget](crate::budget) bounds, so no turn is further away than it
//! takes to decode those.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Places for decoding. A clone is the same ones.
#[derive(Clone, Debug)]
pub struct Decoders(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    places: Arc<Semaphore>,
    waited: AtomicU64,
}

/// The work was not done: it panicked, which no input may cause, or the runtime is gone.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Lost(String);

impl Decoders {
    /// So many at a time, at least one.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            limit,
            places: Arc::new(Semaphore::new(limit)),
            waited: AtomicU64::new(0),
        }))
    }

    /// As many as this machine has cores.
    #[must_use]
    pub fn for_this_machine() -> Self {
        Self::new(available_parallelism().map_or(1, NonZero::get))
    }

    /// Does `work` on a thread for blocking work, when it is its turn. Who gives up waiting gives
    /// up the turn; work that has begun keeps its place to its end.
    ///
    /// # Errors
    ///
    /// [`Lost`] if there is no result.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let places = &self.0.places;
        let place = match Arc::clone(places).try_acquire_owned() {
            Ok(place) => Ok(place),
            Err(_) => {
                self.0.waited.fetch_add(1, Ordering::Relaxed);
                Arc::clone(places).acquire_owned().await
            }
        };
        let place = place.map_err(lost)?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(lost)
    }

    /// How many may decode at a time.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// How many do now.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.0.limit - self.0.places.available_permits()
    }

    /// How often one had to wait for its turn, since the start.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.0.waited.load(Ordering::Relaxed)
    }
}

fn lost(why: impl ToString) -> Lost {
    Lost(why.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;
    use tokio::task::yield_now;

    use super::*;

    /// Scenario: more work than places, one of which never gets its turn before it is given up;
    /// work whose caller has gone; work that panics.
    /// Guarantees: never more at a time than there are places; who waits is counted; a place is
    /// free again when the work is done, and not before.
    #[actix_web::test]
    async fn places_are_exact() {
        let decoders = Decoders::new(2);
        let (end, ending) = mpsc::channel::<()>();
        let mut first = Box::pin(decoders.run(move || ending.recv()));
        assert!((&mut first).now_or_never().is_none());
        let (other_end, ending) = mpsc::channel::<()>();
        let mut second = Box::pin(decoders.run(move || ending.recv()));
        assert!((&mut second).now_or_never().is_none());
        assert_eq!((decoders.busy(), decoders.waited()), (2, 0));
        let mut third = Box::pin(decoders.run(|| 3));
        let mut fourth = Box::pin(decoders.run(|| 4));
        assert!((&mut third).now_or_never().is_none() && (&mut fourth).now_or_never().is_none());
        assert_eq!((decoders.busy(), decoders.waited()), (2, 2));
        drop(fourth);
        // Nobody waits for it any more, but it still runs.
        drop(second);
        yield_now().await;
        assert!((&mut third).now_or_never().is_none());
        assert_eq!(decoders.busy(), 2);
        other_end.send(()).unwrap();
        assert_eq!(third.await.unwrap(), 3);
        end.send(()).unwrap();
        first.await.unwrap().unwrap();
        let panicked = decoders.run(|| panic!("on purpose")).await;
        assert!(panicked.is_err());
        assert_eq!(decoders.run(|| 5).await.unwrap(), 5);
        assert_eq!((decoders.busy(), decoders.waited()), (0, 2));
    }
}
