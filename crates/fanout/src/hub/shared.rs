//! What hub, sessions and renderings share: the state under the hub's lock, and the views.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::SubscribeError;
use super::offload::Offload;
use super::replays::Replays;
use super::subscription::Place;
use crate::config::FanoutConfig;
use crate::held::Held;
use crate::history::{History, Next, Replay};
use crate::log::{Cursor, Freed, Log};
use crate::observer::Observer;
use crate::publication::Publication;
use crate::query::{Query, Start};
use crate::render::{Recipe, Writer};
use crate::session::after;
use crate::view::{Format, ViewKey};

/// After how long sessions are told again that there are too many frames.
const TOLD_ANEW: Duration = Duration::from_millis(100);

pub(crate) struct Shared {
    pub(crate) config: FanoutConfig,
    pub(crate) observer: Arc<dyn Observer>,
    pub(super) writer: Writer,
    /// Names the life of this hub, in which numbers mean something.
    pub(super) epoch: String,
    /// Counts the frames that there are.
    pub(super) held: Arc<Held>,
    /// The bytes in the logs of all views.
    pub(super) logs_bytes: Arc<AtomicUsize>,
    pub(super) offload: Arc<Offload>,
    pub(super) replays: Replays,
    pub(super) state: Mutex<State>,
    /// When sessions were last told that there are too many frames.
    pub(super) told_of_pressure: Mutex<Option<Instant>>,
    /// Set once, under the lock of the state; readable without it.
    pub(super) closed: AtomicBool,
    /// Until when sessions may write what their logs hold. Set when the hub closes.
    pub(super) drain_until: OnceLock<Instant>,
    /// How many subscriptions live.
    pub(super) live: watch::Sender<usize>,
}

pub(super) struct State {
    pub(super) next_seq: u64,
    pub(super) next_view: u64,
    pub(super) history: History,
    pub(super) views: HashMap<ViewKey, Watched>,
}

/// A view that is watched.
pub(super) struct Watched {
    pub(super) view: Arc<View>,
    pub(super) sessions: usize,
    /// How many of them still read in the history.
    pub(super) replaying: usize,
}

pub(crate) struct View {
    /// No other view has this number.
    pub(super) id: u64,
    pub(crate) key: ViewKey,
    pub(super) recipe: Recipe,
    pub(crate) log: Mutex<Log>,
    /// Told whenever a session might read on in the log.
    pub(crate) changes: watch::Sender<()>,
    /// The same for sessions that take compressed frames, which are there later.
    pub(crate) compressed_changes: watch::Sender<()>,
    /// Told whenever a session might read on in the history.
    pub(crate) replayed: watch::Sender<()>,
    /// How many sessions take compressed frames.
    pub(super) compressed_sessions: AtomicUsize,
    /// How many times longer an export may take here than in a view of all of it as OTLP JSON.
    effort: usize,
}

/// What a reader of the history gets next.
pub(super) enum Step {
    /// So many left the history before it came to them.
    Lost(u64),
    Publication(Arc<Publication>),
    /// There is no more: from here on it reads in the log.
    Joined(Cursor),
}

impl Shared {
    /// Where in the history a query begins, if there, and whether everything is here that it
    /// says its client has missed.
    pub(super) fn beginning(&self, state: &State, query: &Query) -> (Option<Replay>, bool) {
        let (signals, last) = (query.view.signals, state.next_seq - 1);
        match &query.start {
            Start::Live => (None, false),
            Start::Newest(count) => {
                let seq = state.history.newest(signals, *count, last);
                (Some(state.history.after(signals, seq).0), false)
            }
            // A number that is yet to come was not given here either.
            Start::Since { epoch, seq } if *epoch != self.epoch || *seq > last => (None, false),
            Start::Since { seq, .. } => {
                let (replay, all) = state.history.after(signals, *seq);
                (Some(replay), all)
            }
        }
    }

    /// The view of a key, which is made if nobody watches it yet.
    pub(super) fn watched<'s>(
        &self,
        state: &'s mut State,
        key: ViewKey,
    ) -> Result<&'s mut Watched, SubscribeError> {
        let limit = self.config.max_views;
        let full = state.views.len() >= limit;
        match state.views.entry(key) {
            Entry::Occupied(watched) => Ok(watched.into_mut()),
            Entry::Vacant(_) if full => Err(SubscribeError::TooManyViews { limit }),
            Entry::Vacant(place) => {
                state.next_view += 1;
                let view = View::new(state.next_view, place.key(), self);
                Ok(place.insert(Watched {
                    view: Arc::new(view),
                    sessions: 0,
                    replaying: 0,
                }))
            }
        }
    }

    /// Reads on in the history. At its end the reader goes over to the log, under the same lock
    /// under which exports are published.
    pub(super) fn step(&self, view: &View, replay: &mut Replay) -> Step {
        let mut state = self.state.lock();
        let expired = state.history.expire(Instant::now());
        let mut unused = false;
        let step = match state.history.next(replay) {
            Next::Lost(count) => Step::Lost(count),
            Next::Publication(publication) => Step::Publication(publication),
            Next::End => {
                let last = state.next_seq - 1;
                unused = state.left_history(view);
                Step::Joined(view.log.lock().join(last))
            }
        };
        drop(state);
        drop(expired);
        if unused {
            self.replays.forget(view.id);
        }
        step
    }

    /// Until when sessions may write what their logs hold, once the hub is closed.
    pub(crate) fn drain_until(&self) -> Option<Instant> {
        self.drain_until.get().copied()
    }

    /// Takes a session out of its view, and the view out of the hub with the last one. Returns
    /// how many publications it had yet to take.
    pub(super) fn leave(&self, view: &View, place: &Place) -> u64 {
        let mut state = self.state.lock();
        let mut unused = false;
        let (unread, freed) = match place {
            Place::Gone => return 0,
            Place::History(replaying) => {
                unused = state.left_history(view);
                let unread = state.history.unread(&replaying.replay) + replaying.pending();
                (unread, Freed::default())
            }
            Place::Log(cursor) => {
                let mut log = view.log.lock();
                (log.unread(cursor), log.leave(cursor))
            }
        };
        if let Some(watched) = state.views.get_mut(&view.key) {
            watched.sessions -= 1;
            if watched.sessions == 0 {
                state.views.remove(&view.key);
            }
        }
        drop(state);
        drop(freed);
        if unused {
            self.replays.forget(view.id);
        }
        unread
    }

    /// Whether there are more frames than there may be.
    pub(crate) fn is_pressed(&self) -> bool {
        self.held.bytes() > self.config.frames_total_bytes
    }

    /// Has sessions look after themselves if there are more frames than there may be, unless they
    /// were told just now: who stalls after that looks by itself.
    pub(super) fn relieve(&self) {
        if !self.is_pressed() {
            return;
        }
        let (now, mut told) = (Instant::now(), self.told_of_pressure.lock());
        if told.is_none_or(|told| after(told, TOLD_ANEW) <= now) {
            *told = Some(now);
            drop(told);
            self.state.lock().wake_all();
        }
    }

    pub(super) fn one_session_less(&self) {
        self.live.send_modify(|live| *live -= 1);
    }
}

impl State {
    /// Takes the oldest out of the longest logs until all of them hold `max_bytes` together, or
    /// nothing but their newest. What left them, with its view.
    pub(super) fn shed(&self, total: &AtomicUsize, max_bytes: usize) -> Vec<(Arc<View>, Freed)> {
        let mut shed = Vec::new();
        while let Some(excess) = total.load(Ordering::Relaxed).checked_sub(max_bytes)
            && excess > 0
        {
            let views = self.views.values().map(|watched| &watched.view);
            let long = views.map(|view| (view.log.lock().spare(), view));
            let Some((_, view)) = long
                .max_by_key(|(bytes, _)| *bytes)
                .filter(|(bytes, _)| *bytes > 0)
            else {
                break;
            };
            let freed = view.log.lock().shed(excess);
            shed.push((Arc::clone(view), freed));
        }
        shed
    }

    /// Tells all sessions to look after themselves.
    pub(super) fn wake_all(&self) {
        for Watched { view, .. } in self.views.values() {
            view.tell();
            view.replayed.send_replace(());
        }
    }

    /// A session of a view has left the history; whether it was the last one there.
    fn left_history(&mut self, view: &View) -> bool {
        self.views.get_mut(&view.key).is_some_and(|watched| {
            watched.replaying -= 1;
            watched.replaying == 0
        })
    }
}

impl View {
    fn new(id: u64, key: &ViewKey, shared: &Shared) -> Self {
        let config = &shared.config;
        Self {
            id,
            key: key.clone(),
            recipe: Recipe::new(
                key,
                config,
                &shared.epoch,
                Arc::clone(&shared.writer),
                Arc::clone(&shared.held),
            ),
            log: Mutex::new(Log::new(
                config.lag_bytes,
                config.lag_frames,
                Arc::clone(&shared.logs_bytes),
            )),
            changes: watch::Sender::new(()),
            compressed_changes: watch::Sender::new(()),
            replayed: watch::Sender::new(()),
            compressed_sessions: AtomicUsize::new(0),
            effort: 1 + key.filter.floating() + usize::from(key.format == Format::Points),
        }
    }

    /// How long an export of `length` bytes may take to render: as long as one of so many bytes in a
    /// view of all of it as OTLP JSON.
    pub(super) fn effort(&self, length: usize) -> usize {
        length.saturating_mul(self.effort)
    }

    /// Tells all sessions that they might read on in the log.
    pub(super) fn tell(&self) {
        self.changes.send_replace(());
        self.compressed_changes.send_replace(());
    }

    /// Whether frames should be compressed, too. A session that comes too late for an answer
    /// gets a frame as it is.
    pub(super) fn wants_compressed(&self) -> bool {
        self.compressed_sessions.load(Ordering::Relaxed) > 0
    }
}
