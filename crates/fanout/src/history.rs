//! The history: the newest publications of each signal, for those who come late or come back.
//!
//! It holds exports as protobuf, which is a third of the size of JSON and good for every view. Of
//! each signal it holds everything after a certain number, so what a reader missed can be
//! counted: publications of a signal have ordinals without holes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use otlp_codec::Signal;
use tokio::time::Instant;

use crate::publication::Publication;
use crate::session::after;
use crate::view::Signals;

const SIGNALS: usize = Signal::ALL.len();

/// What an entry costs beside its protobuf, in bytes, rounded up: so that many short exports are
/// bounded too.
pub(crate) const ENTRY_BYTES: usize = 256;

/// The history of a hub.
#[derive(Debug)]
pub(crate) struct History {
    rings: [Ring; SIGNALS],
    max_bytes: usize,
    max_age: Duration,
}

/// The newest publications of one signal.
#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The number of the last publication that is not here any more.
    covers_from: u64,
    /// How many there ever were: the ordinal of the newest.
    published: u64,
}

#[derive(Debug)]
struct Entry {
    publication: Arc<Publication>,
    expires: Instant,
}

/// Publications that left the history. To be dropped when no lock is held: it may be their end.
pub(crate) type Expired = Vec<Arc<Publication>>;

/// A reader's place in the history.
#[derive(Debug)]
pub(crate) struct Replay {
    signals: Signals,
    /// The number of the last publication that it is done with.
    pub(crate) seq: u64,
    /// Of each signal, the ordinal of the last one that it is done with.
    done: [u64; SIGNALS],
}

/// What a reader gets next.
#[derive(Debug)]
pub(crate) enum Next {
    /// So many left the history before it came to them.
    Lost(u64),
    Publication(Arc<Publication>),
    /// There is no more.
    End,
}

impl History {
    /// A history that holds so many bytes of each signal at most, for so long.
    pub(crate) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self {
            rings: Default::default(),
            max_bytes,
            max_age,
        }
    }

    /// Takes a publication in, and what has to go for it out.
    pub(crate) fn push(&mut self, publication: &Arc<Publication>, now: Instant) -> Expired {
        let mut expired = self.expire(now);
        let ring = &mut self.rings[publication.signal as usize];
        ring.published += 1;
        ring.bytes += weight(publication);
        ring.entries.push_back(Entry {
            publication: Arc::clone(publication),
            expires: after(now, self.max_age),
        });
        while ring.bytes > self.max_bytes
            && let Some(oldest) = ring.pop()
        {
            expired.push(oldest);
        }
        expired
    }

    /// Takes out what is too old.
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        let mut expired = Vec::new();
        for ring in &mut self.rings {
            while ring
                .entries
                .front()
                .is_some_and(|entry| entry.expires <= now)
                && let Some(oldest) = ring.pop()
            {
                expired.push(oldest);
            }
        }
        expired
    }

    /// The place of a reader of `signals` who asks for what came after `seq`, and whether all of
    /// that is here.
    pub(crate) fn after(&self, signals: Signals, seq: u64) -> (Replay, bool) {
        let mut replay = Replay {
            signals,
            seq,
            done: [0; SIGNALS],
        };
        let mut all = true;
        for signal in signals.iter() {
            let ring = self.ring(signal);
            all &= ring.covers_from <= seq;
            replay.done[signal as usize] = ring.published - ring.count_after(seq) as u64;
        }
        (replay, all)
    }

    /// After which number the newest `count` publications of `signals` begin, of those that are
    /// here; `last` is the number of the last publication.
    pub(crate) fn newest(&self, signals: Signals, count: usize, last: u64) -> u64 {
        let after = |seq| -> usize {
            let rings = signals.iter().map(|signal| self.ring(signal));
            rings.map(|ring| ring.count_after(seq)).sum()
        };
        // The least number after which there are not too many.
        let (mut too_early, mut fine) = (None, last);
        while too_early.map_or(0, |seq: u64| seq + 1) < fine {
            let begin = too_early.map_or(0, |seq: u64| seq + 1);
            let middle = begin + (fine - begin) / 2;
            match after(middle) > count {
                true => too_early = Some(middle),
                false => fine = middle,
            }
        }
        fine
    }

    /// Reads on, and moves the reader.
    pub(crate) fn next(&self, replay: &mut Replay) -> Next {
        let mut lost = 0;
        let mut first: Option<&Arc<Publication>> = None;
        for signal in replay.signals.iter() {
            let ring = self.ring(signal);
            let done = &mut replay.done[signal as usize];
            let gone = ring.published - ring.entries.len() as u64;
            lost += gone.saturating_sub(*done);
            *done = gone.max(*done);
            let index = usize::try_from(*done - gone).ok();
            let entry = index.and_then(|index| ring.entries.get(index));
            if let Some(Entry { publication, .. }) = entry
                && first.is_none_or(|first| publication.seq < first.seq)
            {
                first = Some(publication);
            }
        }
        match (lost, first) {
            (0, None) => Next::End,
            (0, Some(publication)) => {
                replay.seq = publication.seq;
                replay.done[publication.signal as usize] += 1;
                Next::Publication(Arc::clone(publication))
            }
            (lost, _) => Next::Lost(lost),
        }
    }

    /// How many publications a reader has yet to take, or has lost.
    pub(crate) fn unread(&self, replay: &Replay) -> u64 {
        let signals = replay.signals.iter();
        let unread =
            signals.map(|signal| self.ring(signal).published - replay.done[signal as usize]);
        unread.sum()
    }

    /// How many publications it holds.
    pub(crate) fn len(&self) -> usize {
        self.rings.iter().map(|ring| ring.entries.len()).sum()
    }

    /// How many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.rings.iter().map(|ring| ring.bytes).sum()
    }

    /// What it holds of a signal: publications, and bytes.
    pub(crate) fn of(&self, signal: Signal) -> (usize, usize) {
        let ring = self.ring(signal);
        (ring.entries.len(), ring.bytes)
    }

    fn ring(&self, signal: Signal) -> &Ring {
        &self.rings[signal as usize]
    }
}

impl Ring {
    /// How many publications it holds after a number.
    fn count_after(&self, seq: u64) -> usize {
        let entries = &self.entries;
        entries.len() - entries.partition_point(|entry| entry.publication.seq <= seq)
    }

    fn pop(&mut self) -> Option<Arc<Publication>> {
        let Entry { publication, .. } = self.entries.pop_front()?;
        self.bytes -= weight(&publication);
        self.covers_from = publication.seq;
        Some(publication)
    }
}

fn weight(publication: &Publication) -> usize {
    publication.wire.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests;
