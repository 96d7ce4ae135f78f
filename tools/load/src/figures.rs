//! Named numbers: what one run measured, medians of several, ratios of two.

use std::collections::BTreeMap;

use serde::Serialize;

/// Numbers by name. The unit is in the name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Sets a number, to six digits behind the point. One that is none is left out.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.0.insert(name.into(), (value * 1e6).round() / 1e6);
        }
    }

    /// A number.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The median of each number, over the runs that have it.
    #[must_use]
    pub fn medians(runs: &[Self]) -> Self {
        let mut values = BTreeMap::<_, Vec<f64>>::new();
        for (name, value) in runs.iter().flat_map(|run| &run.0) {
            values.entry(name).or_default().push(*value);
        }
        let mut medians = Self::default();
        for (name, mut values) in values {
            if let Some(median) = median(&mut values) {
                medians.set(name, median);
            }
        }
        medians
    }

    /// Each number divided by that of `other`, where both have it and it is not 0.
    #[must_use]
    pub fn ratios(&self, other: &Self) -> Self {
        let mut ratios = Self::default();
        for (name, value) in &self.0 {
            if let Some(divisor) = other.get(name) {
                ratios.set(name, value / divisor);
            }
        }
        ratios
    }
}

/// The value in the middle, or between the two in the middle. It sorts `values`.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(pairs: &[(&str, f64)]) -> Figures {
        let mut figures = Figures::default();
        for (name, value) in pairs {
            figures.set(*name, *value);
        }
        figures
    }

    /// Scenario: none, one, an odd and an even number of values.
    /// Guarantees: the median is the one in the middle, or half-way between two.
    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 5.0]), Some(4.5));
    }

    /// Scenario: three runs, one of which lacks a number.
    /// Guarantees: each median is over the runs that have it.
    #[test]
    fn medians_are_over_the_runs_that_have_the_number() {
        let runs = [
            figures(&[("cpu", 3.0), ("p50", 1.0)]),
            figures(&[("cpu", 1.0)]),
            figures(&[("cpu", 2.0), ("p50", 2.0)]),
        ];
        let medians = Figures::medians(&runs);
        assert_eq!(medians, figures(&[("cpu", 2.0), ("p50", 1.5)]));
    }

    /// Scenario: numbers that both have, one that is 0 in the second, one that it lacks.
    /// Guarantees: only the first has a ratio.
    #[test]
    fn ratios_are_of_what_both_have() {
        let first = figures(&[("cpu", 1.0), ("lost", 1.0), ("p50", 1.0)]);
        let second = figures(&[("cpu", 4.0), ("lost", 0.0)]);
        assert_eq!(first.ratios(&second), figures(&[("cpu", 0.25)]));
    }
}
