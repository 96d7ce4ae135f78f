//! What the services of the shop count, as metrics of every kind but summaries.

use std::collections::BTreeMap;

use fastrand::Rng;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::common::v1::KeyValue;
use otlp_codec::proto::metrics::v1::exponential_histogram_data_point::Buckets;
use otlp_codec::proto::metrics::v1::metric::Data;
use otlp_codec::proto::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Histogram,
    HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, Sum,
};

use super::service::Service;
use super::visit::Visit;
use crate::messages::{Moment, Span, gauge, integer, metric, resource, scope, sum, text};

/// The bounds that the semantic conventions advise for durations of requests, in seconds.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Buckets of exponential histograms double every eight.
const SCALE: i32 = 3;

/// Method, route and status of requests.
type Route = (&'static str, &'static str, i64);

/// What was counted.
pub(super) struct Counts {
    start: Moment,
    last: Moment,
    /// Since the start.
    requests: BTreeMap<Route, Requests>,
    carts: f64,
    queued: f64,
    /// Since the last time, by whether they succeeded.
    orders: [u64; 2],
    payments: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct Requests {
    buckets: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

impl Counts {
    pub(super) fn new(start: Moment) -> Self {
        Self {
            start,
            last: start,
            requests: BTreeMap::new(),
            carts: 20.0,
            queued: 0.0,
            orders: [0; 2],
            payments: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, visit: &Visit) {
        let route = (visit.method, visit.route, visit.status);
        let requests = self.requests.entry(route).or_default();
        let bucket = BOUNDS.iter().position(|bound| visit.duration <= *bound);
        requests.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
        requests.seconds += visit.duration;
        if let Some((seconds, paid)) = visit.payment {
            self.orders[usize::from(paid)] += 1;
            self.payments.push(seconds);
        }
    }

    /// Moves what has no reason of its own: carts come and go, and mails wait while the bank does.
    pub(super) fn turn(&mut self, rng: &mut Rng, crowd: f64, trouble: bool) {
        self.carts += (crowd * 6.0 - self.carts) * 0.1 + (rng.f64() - 0.5) * 3.0;
        self.carts = self.carts.max(0.0);
        let wanted = if trouble { 80.0 } else { 6.0 };
        self.queued += (wanted - self.queued) * 0.12 + (rng.f64() - 0.5) * 2.0;
        self.queued = self.queued.max(0.0);
    }

    pub(super) fn measure(&mut self, now: Moment) -> ExportMetricsServiceRequest {
        let since_start = Span {
            start: self.start,
            now,
        };
        let since_last = Span {
            start: self.last,
            now,
        };
        self.last = now;
        let orders = std::mem::take(&mut self.orders);
        let payments = std::mem::take(&mut self.payments);
        ExportMetricsServiceRequest {
            resource_metrics: vec![
                of(
                    Service::Frontend,
                    vec![
                        self.durations(since_start),
                        orders_metric(since_last, orders),
                    ],
                ),
                of(Service::Cart, vec![self.carts_metric(since_start)]),
                of(
                    Service::Payment,
                    vec![
                        payments_metric(since_last, &payments),
                        self.queue_metric(since_start),
                    ],
                ),
            ],
        }
    }

    fn durations(&self, span: Span) -> Metric {
        let points = self
            .requests
            .iter()
            .map(|(route, requests)| HistogramDataPoint {
                attributes: attributes(*route),
                start_time_unix_nano: span.start.0,
                time_unix_nano: span.now.0,
                count: requests.buckets.iter().sum(),
                sum: Some(requests.seconds),
                bucket_counts: requests.buckets.to_vec(),
                explicit_bounds: BOUNDS.to_vec(),
                ..HistogramDataPoint::default()
            });
        metric(
            "http.server.request.duration",
            "s",
            "How long requests took",
            Data::Histogram(Histogram {
                data_points: points.collect(),
                aggregation_temporality: AggregationTemporality::Cumulative as i32,
            }),
        )
    }

    fn carts_metric(&self, span: Span) -> Metric {
        let points = vec![span.integer(self.carts as u64, Vec::new())];
        let text = "Carts with something in them";
        metric("shop.carts.open", "{cart}", text, sum(points, false))
    }

    fn queue_metric(&self, span: Span) -> Metric {
        let queue = vec![text("messaging.destination.name", "receipts")];
        let points = vec![span.double(self.queued.round(), queue)];
        let text = "Receipts that wait to be sent";
        metric("shop.receipts.queued", "{message}", text, gauge(points))
    }
}

/// Orders since the last time, as a delta.
fn orders_metric(span: Span, [failed, paid]: [u64; 2]) -> Metric {
    let outcome = |name| vec![text("shop.order.outcome", name)];
    metric(
        "shop.orders",
        "{order}",
        "Orders, by what became of them",
        Data::Sum(Sum {
            data_points: vec![
                span.integer(paid, outcome("paid")),
                span.integer(failed, outcome("declined")),
            ],
            aggregation_temporality: AggregationTemporality::Delta as i32,
            is_monotonic: true,
        }),
    )
}

fn payments_metric(span: Span, payments: &[f64]) -> Metric {
    let point = ExponentialHistogramDataPoint {
        attributes: vec![text("payment.provider", "bank.example")],
        start_time_unix_nano: span.start.0,
        time_unix_nano: span.now.0,
        count: payments.len() as u64,
        sum: Some(payments.iter().sum()),
        scale: SCALE,
        positive: Some(buckets(payments)),
        min: payments.iter().copied().reduce(f64::min),
        max: payments.iter().copied().reduce(f64::max),
        ..ExponentialHistogramDataPoint::default()
    };
    metric(
        "shop.payment.duration",
        "s",
        "How long the bank took",
        Data::ExponentialHistogram(ExponentialHistogram {
            data_points: vec![point],
            aggregation_temporality: AggregationTemporality::Delta as i32,
        }),
    )
}

/// The buckets of some positive values (OTLP data model, "Exponential Buckets").
fn buckets(values: &[f64]) -> Buckets {
    let index = |value: &f64| (value.log2() * f64::from(1 << SCALE)).ceil() as i32 - 1;
    let indices: Vec<i32> = values.iter().map(index).collect();
    let (Some(first), Some(last)) = (indices.iter().min(), indices.iter().max()) else {
        return Buckets::default();
    };
    let mut bucket_counts = vec![0; usize::try_from(last - first).unwrap_or_default() + 1];
    for index in &indices {
        bucket_counts[usize::try_from(index - first).unwrap_or_default()] += 1;
    }
    Buckets {
        offset: *first,
        bucket_counts,
    }
}

fn attributes((method, route, status): Route) -> Vec<KeyValue> {
    vec![
        text("http.request.method", method),
        text("http.route", route),
        integer("http.response.status_code", status),
    ]
}

fn of(service: Service, metrics: Vec<Metric>) -> ResourceMetrics {
    ResourceMetrics {
        resource: resource(service.name(), Vec::new()),
        scope_metrics: vec![ScopeMetrics {
            scope: scope("otlp-relay/demo/shop"),
            metrics,
            ..ScopeMetrics::default()
        }],
        ..ResourceMetrics::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: values at and beside powers of two.
    /// Guarantees: a bucket holds what is greater than its lower bound, up to its upper one.
    #[test]
    fn buckets_are_those_of_the_data_model() {
        let found = buckets(&[1.0, 1.0001, 2.0]);
        assert_eq!(found.offset, -1);
        assert_eq!(found.bucket_counts, [1, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(buckets(&[]), Buckets::default());
    }
}
