//! What a hub holds, for gauges.

use otlp_codec::Signal;
use tokio::time::Instant;

use super::Hub;
use crate::view::Format;

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
    /// Bytes of frames, wherever they are held: in logs, among the replayed, in the hands of
    /// sessions.
    pub frame_bytes: usize,
    /// Sessions that still read in the history.
    pub replaying: usize,
    /// Publications in the history.
    pub history_len: usize,
    /// Bytes in the history: protobuf, and what each publication costs beside.
    pub history_bytes: usize,
    /// The same by signal, in the order of [`Signal::ALL`].
    pub history: [HistorySnapshot; Signal::ALL.len()],
    /// By format, in the order of [`Format::ALL`].
    pub formats: [FormatSnapshot; Format::ALL.len()],
    /// Bytes of replayed frames that are held for others.
    pub replay_cache_bytes: usize,
    /// The number that the next export gets.
    pub next_seq: u64,
}

/// What is in the history of a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistorySnapshot {
    /// Publications.
    pub len: usize,
    /// Bytes, as in [`Snapshot::history_bytes`].
    pub bytes: usize,
}

/// What is watched in a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormatSnapshot {
    /// Sessions, those that still read in the history included.
    pub sessions: usize,
    /// How many publications the session lags behind that lags most: a log holds nothing that
    /// every session has taken.
    pub lag_frames: usize,
    /// How many bytes.
    pub lag_bytes: usize,
}

impl FormatSnapshot {
    fn add(&mut self, sessions: usize, lag_frames: usize, lag_bytes: usize) {
        self.sessions += sessions;
        self.lag_frames = self.lag_frames.max(lag_frames);
        self.lag_bytes = self.lag_bytes.max(lag_bytes);
    }
}

impl Hub {
    /// What the hub holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.shared.state.lock();
        let expired = state.history.expire(Instant::now());
        let history = Signal::ALL.map(|signal| {
            let (len, bytes) = state.history.of(signal);
            HistorySnapshot { len, bytes }
        });
        let mut snapshot = Snapshot {
            history,
            sessions: *self.shared.live.borrow(),
            views: state.views.len(),
            next_seq: state.next_seq,
            frame_bytes: self.shared.held.bytes(),
            history_len: state.history.len(),
            history_bytes: state.history.bytes(),
            replay_cache_bytes: self.shared.replays.bytes(),
            ..Snapshot::default()
        };
        for watched in state.views.values() {
            let format = watched.view.key.format as usize;
            let log = watched.view.log.lock();
            snapshot.formats[format].add(watched.sessions, log.len(), log.bytes());
            snapshot.replaying += watched.replaying;
            snapshot.log_frames += log.len();
            snapshot.log_bytes += log.bytes();
        }
        drop(state);
        drop(expired);
        snapshot
    }
}
