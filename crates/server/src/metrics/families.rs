//! Families of metrics, in the model that the library encodes.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use crate::counters::labels::Labels;
use crate::counters::tally::{BOUNDS, Durations, Observed, Tally};

/// What every name of ours begins with.
const PREFIX: &str = "otlp_relay_";

/// All families of one scrape, each with a sample at least.
#[derive(Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// In the order of their names.
    pub(super) fn sorted(mut self) -> Vec<MetricFamily> {
        self.0.sort_by(|a, b| a.name().cmp(b.name()));
        self.0
    }

    /// A counter.
    pub(super) fn counter<L: Labels>(&mut self, name: &str, help: &str, tally: &Tally<L>) {
        let samples = tally.iter();
        let samples = samples.map(|(labels, count)| counter(pairs(labels), count as f64));
        self.add(ours(name), help, MetricType::COUNTER, samples.collect());
    }

    /// A counter without labels that others keep.
    pub(super) fn count(&mut self, name: &str, help: &str, count: u64) {
        let samples = vec![counter(Vec::new(), count as f64)];
        self.add(ours(name), help, MetricType::COUNTER, samples);
    }

    /// A gauge.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let samples = vec![gauge(Vec::new(), value)];
        self.add(ours(name), help, MetricType::GAUGE, samples);
    }

    /// A gauge by labels.
    pub(super) fn gauges<L: Labels>(&mut self, name: &str, help: &str, value: impl Fn(L) -> f64) {
        let samples = L::all().map(|labels| gauge(pairs(labels), value(labels)));
        self.add(ours(name), help, MetricType::GAUGE, samples.collect());
    }

    /// A gauge that is always 1, for what its label says.
    pub(super) fn info(&mut self, name: &str, help: &str, label: &str, value: &str) {
        let samples = vec![gauge(vec![pair(label, value)], 1.0)];
        self.add(ours(name), help, MetricType::GAUGE, samples);
    }

    /// A histogram, in seconds.
    pub(super) fn histogram<L: Labels>(
        &mut self,
        name: &str,
        help: &str,
        durations: &Durations<L>,
    ) {
        let samples = durations.iter();
        let samples = samples.map(|(labels, observed)| histogram(pairs(labels), &observed));
        self.add(ours(name), help, MetricType::HISTOGRAM, samples.collect());
    }

    /// A counter with a name that every client library uses.
    pub(super) fn common_counter(&mut self, name: &str, help: &str, value: f64) {
        let samples = vec![counter(Vec::new(), value)];
        self.add(name.to_owned(), help, MetricType::COUNTER, samples);
    }

    /// A gauge with such a name.
    pub(super) fn common_gauge(&mut self, name: &str, help: &str, value: f64) {
        let samples = vec![gauge(Vec::new(), value)];
        self.add(name.to_owned(), help, MetricType::GAUGE, samples);
    }

    fn add(&mut self, name: String, help: &str, kind: MetricType, samples: Vec<Metric>) {
        let mut family = MetricFamily::default();
        family.set_name(name);
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(samples);
        self.0.push(family);
    }
}

fn ours(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn pairs<L: Labels>(labels: L) -> Vec<LabelPair> {
    let named = L::names().into_iter().zip(labels.values());
    named.map(|(name, value)| pair(name, value)).collect()
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

fn counter(labels: Vec<LabelPair>, value: f64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = Metric::from_label(labels);
    metric.set_counter(counter);
    metric
}

fn gauge(labels: Vec<LabelPair>, value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = Metric::from_label(labels);
    metric.set_gauge(gauge);
    metric
}

fn histogram(labels: Vec<LabelPair>, observed: &Observed) -> Metric {
    let buckets = BOUNDS.into_iter().zip(observed.cumulative);
    let buckets = buckets.map(|(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(observed.count);
    histogram.set_sample_sum(observed.sum);
    let mut metric = Metric::from_label(labels);
    metric.set_histogram(histogram);
    metric
}
