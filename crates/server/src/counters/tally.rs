//! Counters and histograms with labels: an array of atomics each, one for every combination of
//! labels. Counting takes no lock, looks nothing up and never fails.

use std::array;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::labels::Labels;

/// Counts by labels.
#[derive(Debug)]
pub(crate) struct Tally<L> {
    counts: Box<[AtomicU64]>,
    labels: PhantomData<fn(L)>,
}

impl<L: Labels> Default for Tally<L> {
    fn default() -> Self {
        Self {
            counts: (0..L::COUNT).map(|_| AtomicU64::new(0)).collect(),
            labels: PhantomData,
        }
    }
}

impl<L: Labels> Tally<L> {
    pub(crate) fn add(&self, labels: L, count: u64) {
        self.counts[labels.index()].fetch_add(count, Relaxed);
    }

    pub(crate) fn add_one(&self, labels: L) {
        self.add(labels, 1);
    }

    pub(crate) fn get(&self, labels: L) -> u64 {
        self.counts[labels.index()].load(Relaxed)
    }

    /// Over all labels.
    pub(crate) fn sum(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Each combination of labels and its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (L, u64)> {
        L::all().map(|labels| (labels, self.get(labels)))
    }
}

/// The upper bounds of the buckets of every histogram, in seconds: from what one small export
/// takes to the patience of a client.
pub(crate) const BOUNDS: [f64; 17] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Durations by labels.
#[derive(Debug)]
pub(crate) struct Durations<L> {
    histograms: Box<[Histogram]>,
    labels: PhantomData<fn(L)>,
}

impl<L: Labels> Default for Durations<L> {
    fn default() -> Self {
        Self {
            histograms: (0..L::COUNT).map(|_| Histogram::default()).collect(),
            labels: PhantomData,
        }
    }
}

impl<L: Labels> Durations<L> {
    pub(crate) fn observe(&self, labels: L, duration: Duration) {
        self.histograms[labels.index()].observe(duration);
    }

    /// Each combination of labels and what was observed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (L, Observed)> {
        L::all().map(|labels| (labels, self.histograms[labels.index()].observed()))
    }
}

/// How many durations fell between two bounds, and their sum.
#[derive(Debug)]
struct Histogram {
    /// One for each bound, and one for what is above the last.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// A histogram at one moment. Durations that are observed meanwhile may be in one part of it and
/// not in another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observed {
    /// How many durations were no longer than each of the [`BOUNDS`].
    pub(crate) cumulative: [u64; BOUNDS.len()],
    /// How many there were.
    pub(crate) count: u64,
    /// Their sum, in seconds.
    pub(crate) sum: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: array::from_fn(|_| AtomicU64::new(0)),
            nanoseconds: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    fn observed(&self) -> Observed {
        let mut count = 0;
        let mut so_far = |bucket: &AtomicU64| {
            count += bucket.load(Relaxed);
            count
        };
        let cumulative = array::from_fn(|bound| so_far(&self.buckets[bound]));
        so_far(&self.buckets[BOUNDS.len()]);
        let sum = Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64();
        Observed {
            cumulative,
            count,
            sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use fanout::{Format, Loss};

    use super::*;

    /// Scenario: each pair of labels, another number of times each.
    /// Guarantees: each has a place of its own; the sum is that of all.
    #[test]
    fn each_combination_has_a_place() {
        let tally = Tally::<(Format, Loss)>::default();
        for (times, labels) in (1..).zip(<(Format, Loss)>::all()) {
            tally.add(labels, times);
        }
        let counts: Vec<u64> = tally.iter().map(|(_, count)| count).collect();
        assert_eq!(counts, (1..=16).collect::<Vec<_>>());
        assert_eq!(tally.sum(), 16 * 17 / 2);
        assert_eq!(tally.get((Format::ProtoJson, Loss::Slow)), 5);
    }

    /// Scenario: durations on a bound, between two, below all and above all.
    /// Guarantees: a bound belongs to its bucket; what is above all is in the count alone.
    #[test]
    fn durations_fall_into_their_buckets() {
        let durations = Durations::<()>::default();
        for milliseconds in [0, 1, 3, 1000, 60_000] {
            durations.observe((), Duration::from_millis(milliseconds));
        }
        let (_, observed) = durations.iter().next().unwrap();
        let at = |bound: f64| {
            let index = BOUNDS.iter().position(|one| *one == bound).unwrap();
            observed.cumulative[index]
        };
        assert_eq!((at(0.000_05), at(0.000_5), at(0.001)), (1, 1, 2));
        assert_eq!((at(0.002_5), at(0.005), at(0.5), at(10.0)), (2, 3, 3, 4));
        assert_eq!((observed.count, observed.sum), (5, 61.004));
    }
}
