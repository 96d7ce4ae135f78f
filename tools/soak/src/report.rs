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

/// The growth of something that was measured at those times, over the time from the first to the
/// last, by the line that fits best (least squares).
#[must_use]
pub fn growth(samples: &[(Duration, u64)]) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return 0.0;
    };
    let points = samples
        .iter()
        .map(|(at, value)| (at.as_secs_f64(), *value as f64));
    let count = samples.len() as f64;
    let sum = points
        .clone()
        .fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
    let mean = (sum.0 / count, sum.1 / count);
    let (mut both, mut square) = (0.0, 0.0);
    for (x, y) in points {
        both += (x - mean.0) * (y - mean.1);
        square += (x - mean.0) * (x - mean.0);
    }
    match square > 0.0 {
        true => both / square * (last.0 - first.0).as_secs_f64(),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(value: impl Fn(u64) -> u64) -> Vec<(Duration, u64)> {
        let at = |second| (Duration::from_secs(second), value(second));
        (100..=200).map(at).collect()
    }

    /// Scenario: what stays, what grows by 3 a second, and what goes up and down.
    /// Guarantees: the growth from the first to the last: none, 300, and nearly none.
    #[test]
    fn growth_is_that_of_the_line_that_fits_best() {
        assert_eq!(growth(&[]), 0.0);
        assert_eq!(growth(&samples(|_| 7)[..1]), 0.0);
        assert_eq!(growth(&samples(|_| 7)), 0.0);
        assert!((growth(&samples(|second| 50 + 3 * second)) - 300.0).abs() < 1e-6);
        assert!(growth(&samples(|second| 1000 * (second % 2))).abs() < 50.0);
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
