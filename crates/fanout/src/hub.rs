//! The hub: numbers exports and gives each a place in the log of every view that is watched.

mod job;
mod offload;
mod subscription;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use otlp_codec::Signal;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::FanoutConfig;
use crate::log::{Cursor, Freed, Log};
use crate::observer::Observer;
use crate::publication::Publication;
use crate::render::{self, Recipe, Writer};
use crate::session::after;
use crate::slot::Slot;
use crate::view::ViewKey;

use self::job::Job;
use self::offload::Offload;

pub use self::subscription::Subscription;

/// The meeting point of publishers and sessions. A clone is the same hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

/// What a hub holds at one moment. The parts are read one after another, so they may be a few
/// publications apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Live subscriptions, including those whose session is about to begin or to end.
    pub sessions: usize,
    /// Views that are watched.
    pub views: usize,
    /// Publications in the logs of all views.
    pub log_frames: usize,
    /// Bytes in the logs of all views.
    pub log_bytes: usize,
    /// The number that the next export gets.
    pub next_seq: u64,
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

pub(crate) struct Shared {
    pub(crate) config: FanoutConfig,
    pub(crate) observer: Arc<dyn Observer>,
    writer: Writer,
    /// Names the life of this hub, in which numbers mean something.
    epoch: String,
    offload: Arc<Offload>,
    state: Mutex<State>,
    /// Set once, under the lock of the state; readable without it.
    closed: AtomicBool,
    /// Until when sessions may write what their logs hold. Set when the hub closes.
    drain_until: OnceLock<Instant>,
    /// How many subscriptions live.
    live: watch::Sender<usize>,
}

struct State {
    next_seq: u64,
    views: HashMap<ViewKey, Arc<View>>,
}

pub(crate) struct View {
    pub(crate) key: ViewKey,
    recipe: Recipe,
    pub(crate) log: Mutex<Log>,
    /// Told whenever a session might read on.
    pub(crate) changes: watch::Sender<()>,
}

impl Hub {
    /// A hub without history: the first export gets the number 1.
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
            views: HashMap::new(),
        };
        Self {
            shared: Arc::new(Shared {
                config,
                observer,
                writer,
                epoch: new_epoch(),
                offload: Offload::for_this_machine(),
                state: Mutex::new(state),
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
    /// the log of every view that sees `signal`. Returns its number; numbers are consecutive,
    /// over all signals.
    ///
    /// Once this has returned, the export holds its place: each session that was subscribed
    /// before the call gets it as a frame, in the order of numbers, or counts it as dropped
    /// (see [`Observer::dropped`]). Nothing is rendered when nobody watches. After
    /// [`close`](Self::close) there is no number and no place: `None`.
    ///
    /// Never blocks beyond a short lock and never waits for a client or a rendering: that
    /// happens in a task of the current tokio runtime, or on a thread for blocking work from
    /// [`FanoutConfig::offload_bytes`] on. Outside a runtime it is done before this returns.
    pub fn publish(&self, signal: Signal, wire: Bytes, items: usize) -> Option<u64> {
        let length = wire.len();
        let (seq, jobs) = self.enter(signal, wire)?;
        self.shared.observer.published(signal, items, jobs.len());
        let runtime = Handle::try_current().ok();
        for (job, freed) in jobs {
            if freed.has_unfilled() {
                job.view().changes.send_replace(());
            }
            match &runtime {
                None => job.run(),
                Some(runtime) if length < self.shared.config.offload_bytes => {
                    drop(runtime.spawn(async move { job.run() }));
                }
                Some(runtime) => self.shared.offload.add(runtime, job),
            }
        }
        Some(seq)
    }

    /// The part of publishing that is under the lock; `None` if the hub is closed.
    fn enter(&self, signal: Signal, wire: Bytes) -> Option<(u64, Vec<(Job, Freed)>)> {
        let received = SystemTime::now();
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
        });
        let mut jobs = Vec::new();
        for view in state.watched(signal) {
            let slot = Arc::new(Slot::new(Arc::clone(&publication)));
            let weight = publication.wire.len();
            let (position, freed) = view.log.lock().push(Arc::clone(&slot), weight);
            jobs.push((Job::new(&self.shared, view, slot, position), freed));
        }
        Some((seq, jobs))
    }

    /// Begins to watch: every export published after this returns is for the subscription.
    ///
    /// # Errors
    /// When the limit of sessions or of views is reached, and after [`close`](Self::close).
    pub fn subscribe(&self, key: ViewKey) -> Result<Subscription, SubscribeError> {
        let shared = &self.shared;
        let mut state = shared.state.lock();
        if shared.closed.load(Ordering::Relaxed) {
            return Err(SubscribeError::Closed);
        }
        let limit = shared.config.max_sessions;
        if *shared.live.borrow() >= limit {
            return Err(SubscribeError::TooMany { limit });
        }
        let last = state.next_seq - 1;
        let view = shared.view(&mut state, key)?;
        let cursor = view.log.lock().join(last);
        shared.live.send_modify(|live| *live += 1);
        Ok(Subscription::new(Arc::clone(shared), view, cursor))
    }

    /// What the hub holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.shared.state.lock();
        let mut snapshot = Snapshot {
            sessions: *self.shared.live.borrow(),
            views: state.views.len(),
            next_seq: state.next_seq,
            ..Snapshot::default()
        };
        for view in state.views.values() {
            let log = view.log.lock();
            snapshot.log_frames += log.len();
            snapshot.log_bytes += log.bytes();
        }
        snapshot
    }

    /// Ends every session: each writes what its log holds at this moment, for as long as
    /// `within`, then sends a Close frame with 1001; what it could not write is counted as
    /// dropped. Nothing can be published after this, and nobody can subscribe. Needs a tokio
    /// runtime for its clock.
    pub fn close(&self, within: Duration) {
        let state = self.shared.state.lock();
        let _ = self.shared.drain_until.set(after(Instant::now(), within));
        self.shared.closed.store(true, Ordering::Release);
        for view in state.views.values() {
            view.log.lock().close();
            view.changes.send_replace(());
        }
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

impl State {
    /// The views in which a publication of `signal` has a place.
    fn watched(&self, signal: Signal) -> impl Iterator<Item = &Arc<View>> {
        let views = self.views.values();
        views.filter(move |view| view.key.signals.contains(signal))
    }
}

impl Shared {
    /// The view of a key, which is made if nobody watches it yet.
    fn view(&self, state: &mut State, key: ViewKey) -> Result<Arc<View>, SubscribeError> {
        let limit = self.config.max_views;
        let full = state.views.len() >= limit;
        match state.views.entry(key) {
            Entry::Occupied(view) => Ok(Arc::clone(view.get())),
            Entry::Vacant(_) if full => Err(SubscribeError::TooManyViews { limit }),
            Entry::Vacant(place) => {
                let view = Arc::new(View::new(place.key(), self));
                Ok(Arc::clone(place.insert(view)))
            }
        }
    }

    /// Until when sessions may write what their logs hold, once the hub is closed.
    pub(crate) fn drain_until(&self) -> Option<Instant> {
        self.drain_until.get().copied()
    }

    /// Takes a cursor out of its view, and the view out of the hub with the last one. Returns
    /// how many publications lay before the cursor.
    fn leave(&self, view: &Arc<View>, cursor: &Cursor) -> u64 {
        let mut state = self.state.lock();
        let mut log = view.log.lock();
        let unread = log.unread(cursor);
        let freed = log.leave(cursor);
        let last = !log.is_read();
        drop(log);
        if last {
            state.views.remove(&view.key);
        }
        drop(state);
        drop(freed);
        unread
    }

    fn one_session_less(&self) {
        self.live.send_modify(|live| *live -= 1);
    }
}

impl View {
    fn new(key: &ViewKey, shared: &Shared) -> Self {
        let config = &shared.config;
        Self {
            key: key.clone(),
            recipe: Recipe::new(key, config, &shared.epoch, Arc::clone(&shared.writer)),
            log: Mutex::new(Log::new(config.lag_bytes, config.lag_frames)),
            changes: watch::Sender::new(()),
        }
    }
}

/// 64 random bits as text: every `RandomState` has keys of its own.
fn new_epoch() -> String {
    let random = RandomState::new().hash_one(SystemTime::now());
    format!("{random:016x}")
}

#[cfg(test)]
mod tests;
