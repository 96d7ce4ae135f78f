//! What came of a run, line by line.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::tally::{Fault, Faults, Tally};

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How long the load lasted.
    pub minutes: f64,
    /// The relays, by their names.
    pub relays: BTreeMap<&'static str, Section>,
}

/// What came of one relay.
#[derive(Debug, Default, Serialize)]
pub struct Section {
    /// What must hold.
    pub lines: Vec<Line>,
    /// What clients counted.
    pub counts: BTreeMap<String, u64>,
    /// What went wrong, by kind.
    pub faults: BTreeMap<&'static str, Faults>,
    /// What the process held.
    pub process: BTreeMap<&'static str, f64>,
    /// What the relay itself counted.
    pub totals: Value,
}

/// Something that must hold.
#[derive(Debug, Serialize)]
pub struct Line {
    /// What.
    pub what: &'static str,
    /// Whether it does.
    pub holds: bool,
    /// Figures.
    pub seen: String,
}

impl Report {
    /// Whether every line holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        let mut lines = self.relays.values().flat_map(|section| &section.lines);
        lines.all(|line| line.holds)
    }

    /// A line of text for each line.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let mut summary = Vec::new();
        for (name, section) in &self.relays {
            for Line { what, holds, seen } in &section.lines {
                let holds = if *holds { "ok  " } else { "FAIL" };
                summary.push(format!("{holds} {name}: {what}: {seen}"));
            }
        }
        summary
    }
}

impl Section {
    /// Adds a line.
    pub(crate) fn line(&mut self, what: &'static str, holds: bool, seen: impl ToString) {
        let seen = seen.to_string();
        self.lines.push(Line { what, holds, seen });
    }

    /// Adds what clients have counted, and a line for each kind of fault.
    pub(crate) fn tell(&mut self, tally: &Tally) {
        self.counts = tally.counts();
        for (what, kind, name) in [
            ("good exports are accepted", Fault::Sending, "sending"),
            (
                "who behaves is let in and stays",
                Fault::Watching,
                "watching",
            ),
            (
                "who reads gets every frame, once, in order",
                Fault::Frames,
                "frames",
            ),
            (
                "bad requests get what they deserve",
                Fault::Answers,
                "answers",
            ),
            ("files are replaced", Fault::Reloading, "reloading"),
        ] {
            let faults = tally.faults(kind);
            self.line(what, faults.count == 0, format!("{} faults", faults.count));
            self.faults.insert(name, faults);
        }
    }
}

/// How many samples are taken as one: next to each other they tell nearly the same.
const BLOCK: usize = 30;

/// How much something grew.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growth {
    /// From the first sample to the last, by the line that fits best (least squares).
    pub by: f64,
    /// The standard error of that: how far chance may well be off. None if there are too few
    /// samples to tell.
    pub error: Option<f64>,
}

impl Growth {
    /// That of something which was measured at those times: of the means of every 30 samples, or
    /// of the samples if they are fewer than three times as many.
    #[must_use]
    pub fn of(samples: &[(Duration, u64)]) -> Self {
        let block = if samples.len() < 3 * BLOCK { 1 } else { BLOCK };
        let mean = |block: &[(Duration, u64)], of: fn(&(Duration, u64)) -> f64| {
            block.iter().map(of).sum::<f64>() / block.len() as f64
        };
        let blocks = samples.chunks(block).map(|block| {
            let time = mean(block, |(at, _)| at.as_secs_f64());
            (time, mean(block, |(_, value)| *value as f64))
        });
        let points: Vec<_> = blocks.collect();
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Self::default();
        };
        Self::along(&points, (last.0 - first.0).as_secs_f64())
    }

    /// Over `time`, along the line through points.
    fn along(points: &[(f64, f64)], time: f64) -> Self {
        let count = points.len() as f64;
        let sum = points
            .iter()
            .fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
        let mean = (sum.0 / count, sum.1 / count);
        let (mut both, mut square) = (0.0, 0.0);
        for (x, y) in points {
            both += (x - mean.0) * (y - mean.1);
            square += (x - mean.0) * (x - mean.0);
        }
        if square == 0.0 {
            return Self::default();
        }
        let slope = both / square;
        let off = |(x, y): &(f64, f64)| (y - mean.1 - slope * (x - mean.0)).powi(2);
        let scatter: f64 = points.iter().map(off).sum();
        Self {
            by: slope * time,
            error: (points.len() > 2).then(|| time * (scatter / (count - 2.0) / square).sqrt()),
        }
    }

    /// Whether it is more than `bound`, by more than chance explains: twice its standard error.
    #[must_use]
    pub fn exceeds(self, bound: f64) -> bool {
        self.by - 2.0 * self.error.unwrap_or_default() > bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(value: impl Fn(u64) -> u64) -> Vec<(Duration, u64)> {
        let at = |second| (Duration::from_secs(second), value(second));
        (100..=200).map(at).collect()
    }

    /// Scenario: what stays, what grows by 3 a second, that beside what goes up and down, and what
    /// only goes up and down.
    /// Guarantees: the growth from the first to the last: none, 300, about 300, and nearly none;
    /// what grows exceeds a bound below that, what goes up and down does not.
    #[test]
    fn growth_is_that_of_the_line_that_fits_best() {
        assert_eq!(Growth::of(&[]), Growth::default());
        assert_eq!(Growth::of(&samples(|_| 7)[..1]), Growth::default());
        let none = Growth::of(&samples(|_| 7));
        assert_eq!((none.by, none.error), (0.0, Some(0.0)));
        assert!(!none.exceeds(0.0));
        let grows = Growth::of(&samples(|second| 50 + 3 * second));
        assert!((grows.by - 300.0).abs() < 1e-6 && grows.exceeds(299.0));
        assert!(!grows.exceeds(301.0));
        let both = Growth::of(&samples(|second| 3 * second + 50 * (second % 2)));
        assert!((both.by - 300.0).abs() < 10.0 && both.exceeds(250.0));
        let swings = Growth::of(&samples(|second| 1000 * (second / 20 % 2)));
        assert!(
            swings.error.unwrap() > 100.0 && !swings.exceeds(50.0),
            "{swings:?}"
        );
        let few = Growth::of(&samples(|second| 3 * second)[..2]);
        assert_eq!((few.by, few.error), (3.0, None));
    }

    /// Scenario: a report of a line that holds, and of one more that doesn't.
    /// Guarantees: it holds if all do; the summary says which does not.
    #[test]
    fn one_line_is_enough_to_fail() {
        let mut section = Section::default();
        section.line("one", true, 1);
        let report = |section| Report {
            minutes: 1.0,
            relays: BTreeMap::from([("plain", section)]),
        };
        assert!(report(std::mem::take(&mut section)).holds());
        section.line("one", true, 1);
        section.line("two", false, 2);
        let report = report(section);
        assert!(!report.holds());
        assert_eq!(
            report.summary(),
            ["ok   plain: one: 1", "FAIL plain: two: 2"]
        );
    }
}
