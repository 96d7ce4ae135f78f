//! How long things took, in a histogram that keeps three digits of every value.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::figures::Figures;

/// What is told apart, in nanoseconds: from a microsecond to an hour. What takes longer counts as
/// an hour.
const BOUNDS: (u64, u64) = (1_000, 3_600_000_000_000);
/// How many digits of a value are kept.
const DIGITS: u8 = 3;

/// Durations, of which only the histogram is kept.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    ///
    /// Never: the histogram takes these bounds and digits.
    pub fn new() -> Result<Self> {
        let (low, high) = BOUNDS;
        Ok(Self(Histogram::new_with_bounds(low, high, DIGITS)?))
    }

    /// Adds one.
    pub fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Adds those of another connection.
    ///
    /// # Errors
    ///
    /// Never: both have the same bounds.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.0.add(&other.0)?;
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Puts percentiles, in milliseconds, into `figures` under names that begin with `name`; none
    /// if there are no durations.
    pub fn tell(&self, name: &str, figures: &mut Figures) {
        if self.0.is_empty() {
            return;
        }
        let percentiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];
        for (percentile, quantile) in percentiles {
            let nanos = self.0.value_at_quantile(quantile);
            figures.set(format!("{name}_ms_{percentile}"), nanos as f64 / 1e6);
        }
        figures.set(format!("{name}_ms_max"), self.0.max() as f64 / 1e6);
    }
}

/// Matches what arrives at one subscriber with what was sent, in order: the first export with the
/// first frame, and so on.
///
/// That is exact for one connection. With several, exports that are under way together may be
/// taken for one another: the mean stays what it is, percentiles move a little. It is wrong as
/// soon as an export is refused or a frame lost, and so is not told then.
#[derive(Debug)]
pub struct EndToEnd(Mutex<Matching>);

#[derive(Debug)]
struct Matching {
    sent: VecDeque<Instant>,
    latencies: Latencies,
}

impl EndToEnd {
    /// Nothing sent, nothing arrived.
    ///
    /// # Errors
    ///
    /// Never, as [`Latencies::new`].
    pub fn new() -> Result<Self> {
        Ok(Self(Mutex::new(Matching {
            sent: VecDeque::new(),
            latencies: Latencies::new()?,
        })))
    }

    /// An export is sent, or should have been, at `intended`.
    pub fn sent(&self, intended: Instant) {
        self.0.lock().sent.push_back(intended);
    }

    /// A frame has arrived at `now`.
    pub fn arrived(&self, now: Instant) {
        let mut matching = self.0.lock();
        if let Some(sent) = matching.sent.pop_front() {
            matching.latencies.record(now.duration_since(sent));
        }
    }

    /// Forgets everything so far, and gives what was measured.
    ///
    /// # Errors
    ///
    /// Never, as [`Latencies::new`].
    pub fn take(&self) -> Result<Latencies> {
        let mut matching = self.0.lock();
        matching.sent.clear();
        Ok(std::mem::replace(
            &mut matching.latencies,
            Latencies::new()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a hundred durations of 1 to 100 ms, in two histograms.
    /// Guarantees: percentiles are within a thousandth of those that can be counted off.
    #[test]
    fn percentiles_are_those_of_all_durations() {
        let (mut low, mut high) = (Latencies::new().unwrap(), Latencies::new().unwrap());
        for ms in 1..=100 {
            let half = if ms % 2 == 0 { &mut low } else { &mut high };
            half.record(Duration::from_millis(ms));
        }
        low.add(&high).unwrap();
        assert_eq!(low.count(), 100);
        let mut figures = Figures::default();
        low.tell("post", &mut figures);
        for (name, ms) in [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("max", 100.0)] {
            let told = figures.get(&format!("post_ms_{name}")).unwrap();
            assert!((told / ms - 1.0).abs() < 0.002, "{name}: {told}");
        }
    }

    /// Scenario: three exports, two frames, a frame that nobody has sent.
    /// Guarantees: frames belong to exports in order; what is left over is forgotten.
    #[test]
    fn frames_belong_to_exports_in_order() {
        let end_to_end = EndToEnd::new().unwrap();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        end_to_end.sent(at(0));
        end_to_end.sent(at(10));
        end_to_end.arrived(at(12));
        end_to_end.arrived(at(13));
        end_to_end.arrived(at(14));
        end_to_end.sent(at(20));
        let measured = end_to_end.take().unwrap();
        let mut figures = Figures::default();
        measured.tell("frame", &mut figures);
        assert_eq!(measured.count(), 2);
        assert!((figures.get("frame_ms_max").unwrap() - 12.0).abs() < 0.1);
        end_to_end.arrived(at(99));
        assert_eq!(end_to_end.take().unwrap().count(), 0);
    }
}
