//! The hub: numbers exports and gives each a place in the log of every view that is watched.

mod job;
mod offload;
mod replays;
mod shared;
mod snapshot;
mod subscription;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{self, Duration, SystemTime};

use bytes::Bytes;
use otlp_codec::Signal;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::FanoutConfig;
use crate::gate::Pass;
use crate::history::{History, Replay};
use crate::log::Freed;
use crate::notice;
use crate::observer::{Observer, TurnedAway};
use crate::publication::Publication;
use crate::query::{Query, Start};
use crate::render::{self, Writer};
use crate::session::after;
use crate::slot::Slot;

use self::job::Job;
use self::offload::Offload;
use self::replays::Replays;
use self::shared::{Shared, State, Watched};
use self::subscription::{Place, Replaying};

pub use self::snapshot::{FormatSnapshot, HistorySnapshot, Snapshot};
pub use self::subscription::Subscription;

/// The meeting point of publishers and sessions. A clone is the same hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

/// Why there is no subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubscribeError {
    /// [`FanoutConfig::max_sessions`] are live.
    #[error("there are {limit} sessions, the limit")]
    TooMany {
        /// The limit that was reached.
        limit: usize,
    },
    /// [`FanoutConfig::max_views`] others are watched.
    #[error("{limit} different views are watched, the limit; one of those can be watched")]
    TooManyViews {
        /// The limit that was reached.
        limit: usize,
    },
    /// [`Hub::close`] was called.
    #[error("the relay is shutting down")]
    Closed,
}

impl From<SubscribeError> for TurnedAway {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::TooMany { .. } => Self::Sessions,
            SubscribeError::TooManyViews { .. } => Self::Views,
            SubscribeError::Closed => Self::Closing,
        }
    }
}

impl Hub {
    /// A hub that has seen nothing yet: the first export gets the number 1.
    #[must_use]
    pub fn new(config: FanoutConfig, observer: Arc<dyn Observer>) -> Self {
        let writer = render::codec(&config);
        Self::with_writer(config, observer, writer)
    }

    pub(crate) fn with_writer(
        config: FanoutConfig,
        observer: Arc<dyn Observer>,
        writer: Writer,
    ) -> Self {
        let state = State {
            next_seq: 1,
            next_view: 0,
            history: History::new(config.history_bytes, config.history_age),
            views: HashMap::new(),
        };
        Self {
            shared: Arc::new(Shared {
                config,
                observer,
                writer,
                held: Arc::default(),
                logs_bytes: Arc::default(),
                epoch: new_epoch(),
                offload: Offload::for_this_machine(),
                replays: Replays::new(),
                state: Mutex::new(state),
                told_of_pressure: Mutex::new(None),
                closed: AtomicBool::new(false),
                drain_until: OnceLock::new(),
                live: watch::Sender::new(0),
            }),
        }
    }

    /// The name of this hub's life, in which numbers of publications mean something: 16
    /// hexadecimal digits that no other hub has.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.shared.epoch
    }

    /// The limits and waits that hold here.
    #[must_use]
    pub fn config(&self) -> &FanoutConfig {
        &self.shared.config
    }

    /// Numbers an export of `items` items, whose protobuf is `wire`, and gives it a place in
    /// the history and in the log of every view that sees `signal`. Returns its number; numbers
    /// are consecutive, over all signals. `wire` should be a buffer of its own without spare
    /// capacity: it is held for as long as the history lasts, which counts its length.
    ///
    /// Once this has returned, the export holds its place: each session that was subscribed
    /// before the call gets it as a frame, in the order of numbers, or counts it as dropped
    /// (see [`Observer::dropped`]). Nothing is rendered when nobody watches. After
    /// [`close`](Self::close) there is no number and no place: `None`.
    ///
    /// Never blocks beyond a short lock and never waits for a client or a rendering: that
    /// happens in a task of the current tokio runtime, or on a thread for blocking work from
    /// [`FanoutConfig::offload_bytes`] on, and sooner for a view that takes longer. Outside a runtime it is done before this returns.
    pub fn publish(&self, signal: Signal, wire: Bytes, items: usize) -> Option<u64> {
        self.publish_of(signal, wire, items, time::Instant::now())
    }

    /// As [`publish`](Self::publish), an export of a request that began then: what is
    /// [rendered](Observer::rendered) and [delivered](Observer::delivered) of it is timed from
    /// there.
    pub fn publish_of(
        &self,
        signal: Signal,
        wire: Bytes,
        items: usize,
        began: time::Instant,
    ) -> Option<u64> {
        let length = wire.len();
        let (seq, jobs) = self.enter(signal, wire, began)?;
        let observer = &self.shared.observer;
        observer.published(signal, items, jobs.len());
        let runtime = Handle::try_current().ok();
        for (job, freed) in jobs {
            observer.queued(job.view().key.format, job.readers());
            if freed.has_unfilled() {
                job.view().tell();
            }
            match &runtime {
                None => job.run(),
                Some(runtime) if job.view().effort(length) < self.shared.config.offload_bytes => {
                    drop(runtime.spawn(async move { job.run() }));
                }
                Some(runtime) => self.shared.offload.add(runtime, job),
            }
        }
        Some(seq)
    }

    /// The part of publishing that is under the lock; `None` if the hub is closed.
    fn enter(
        &self,
        signal: Signal,
        wire: Bytes,
        began: time::Instant,
    ) -> Option<(u64, Vec<(Job, Freed)>)> {
        let (received, now) = (SystemTime::now(), Instant::now());
        // Dropped after the lock, whatever happens: a job that is not done takes it.
        let mut jobs = Vec::new();
        let mut state = self.shared.state.lock();
        if self.shared.closed.load(Ordering::Relaxed) {
            return None;
        }
        let seq = state.next_seq;
        state.next_seq += 1;
        let publication = Arc::new(Publication {
            seq,
            signal,
            wire,
            received,
            began,
        });
        let expired = state.history.push(&publication, now);
        for Watched { view, .. } in state.views.values() {
            if !view.key.signals.contains(signal) {
                continue;
            }
            let mut log = view.log.lock();
            if log.is_read() {
                let slot = Arc::new(Slot::new(Arc::clone(&publication)));
                let (position, freed) = log.push(Arc::clone(&slot), publication.wire.len());
                let job = Job::live(&self.shared, view, slot, position, log.readers());
                jobs.push((job, freed));
            }
        }
        let shed = state.shed(&self.shared.logs_bytes, self.shared.config.lag_total_bytes);
        if self.shared.is_pressed() {
            state.wake_all();
        }
        drop(state);
        drop(expired);
        for (view, freed) in shed {
            drop(freed);
            // Who waited for what was shed reads on behind it; who is behind may have to go.
            view.tell();
        }
        Some((seq, jobs))
    }

    /// Begins to watch: every export published after this returns is for the subscription, and
    /// so is what the history holds of what the query asks for.
    ///
    /// # Errors
    /// When the limit of sessions or of views is reached, and after [`close`](Self::close).
    pub fn subscribe(&self, query: impl Into<Query>) -> Result<Subscription, SubscribeError> {
        let (shared, query) = (&self.shared, query.into());
        let mut state = shared.state.lock();
        if shared.closed.load(Ordering::Relaxed) {
            return Err(SubscribeError::Closed);
        }
        let limit = shared.config.max_sessions;
        if *shared.live.borrow() >= limit {
            return Err(SubscribeError::TooMany { limit });
        }
        let expired = state.history.expire(Instant::now());
        let (replay, recovered) = shared.beginning(&state, &query);
        let resumes = matches!(query.start, Start::Since { .. });
        let last = state.next_seq - 1;
        let begin = replay.as_ref().map_or(last, |replay| replay.seq);
        // Who has nothing to read in the history begins in the log.
        let unread = |replay: &Replay| state.history.unread(replay) > 0;
        let replay = replay.filter(unread);
        let hello = query.view.envelope;
        let hello = hello.then(|| notice::hello(&shared.epoch, begin, recovered));
        let watched = shared.watched(&mut state, query.view)?;
        watched.sessions += 1;
        let view = Arc::clone(&watched.view);
        let place = match replay {
            None => Place::Log(view.log.lock().join(last)),
            Some(replay) => {
                watched.replaying += 1;
                Place::History(Box::new(Replaying::new(replay)))
            }
        };
        shared.live.send_modify(|live| *live += 1);
        drop(state);
        drop(expired);
        if resumes {
            shared.observer.resumed(recovered);
        }
        let slow = query.slow.unwrap_or(shared.config.slow);
        Ok(Subscription::new(
            Arc::clone(shared),
            view,
            place,
            slow,
            hello,
        ))
    }

    /// Tells of a request that came to nothing.
    pub(crate) fn turned_away(&self, why: TurnedAway) {
        self.shared.observer.turned_away(why);
    }

    /// Ends every session: each writes what its log holds at this moment, for as long as
    /// `within`, then sends a Close frame with 1001; what it could not write is counted as
    /// dropped. Nothing can be published after this, and nobody can subscribe. Needs a tokio
    /// runtime for its clock.
    pub fn close(&self, within: Duration) {
        let state = self.shared.state.lock();
        let _ = self.shared.drain_until.set(after(Instant::now(), within));
        self.shared.closed.store(true, Ordering::Release);
        for Watched { view, .. } in state.views.values() {
            view.log.lock().close();
        }
        state.wake_all();
    }

    /// Takes passes back: the sessions that have one close with 3500, and write nothing of what
    /// they have not begun.
    pub fn revoke(&self, passes: impl IntoIterator<Item = Pass>) {
        passes.into_iter().for_each(|pass| pass.revoke());
        // Every session looks at its pass when it is woken.
        self.shared.state.lock().wake_all();
    }

    /// Waits until there is a moment without any session.
    pub async fn drained(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self
            .shared
            .live
            .subscribe()
            .wait_for(|&live| live == 0)
            .await;
    }
}

/// 64 random bits as text: every `RandomState` has keys of its own.
fn new_epoch() -> String {
    let random = RandomState::new().hash_one(SystemTime::now());
    format!("{random:016x}")
}

#[cfg(test)]
mod tests;
