//! A small shop that is made up: visits with traces and logs, and what its services count.
//!
//! It has its ups and downs: the crowd comes in waves, and now and then the bank is slow and turns
//! cards away, for a while.

mod counts;
mod service;
mod visit;

use std::f64::consts::TAU;

use fastrand::Rng;
use otlp_codec::proto::collector::logs::v1::ExportLogsServiceRequest;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::collector::trace::v1::ExportTraceServiceRequest;

use self::counts::Counts;
use self::service::Service;
use self::visit::Visit;
use crate::MAX_VISITS;
use crate::messages::Moment;

/// How long a wave of visitors lasts, in seconds, and how many come on average in one.
const WAVE: f64 = 90.0;
const VISITORS: f64 = 5.0;
/// How often the bank has troubles, and for how long, in seconds.
const TROUBLE_EVERY: f64 = 120.0;
const TROUBLE_LASTS: f64 = 20.0;

/// The shop.
pub(crate) struct Shop {
    rng: Rng,
    start: Moment,
    last: Moment,
    counts: Counts,
}

impl Shop {
    pub(crate) fn new(seed: u64, start: Moment) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            start,
            last: start,
            counts: Counts::new(start),
        }
    }

    /// Lets visitors in: what their visits have left behind. They came since the last call.
    pub(crate) fn open(
        &mut self,
        now: Moment,
    ) -> (ExportTraceServiceRequest, ExportLogsServiceRequest) {
        let age = now.since(self.start);
        let crowd = VISITORS * (1.0 + 0.6 * (age / WAVE * TAU).sin());
        let visitors = 1 + (crowd * (0.7 + 0.6 * self.rng.f64())) as usize;
        let trouble = age % TROUBLE_EVERY > TROUBLE_EVERY - TROUBLE_LASTS;
        let since = now.since(self.last);
        let mut visits = Vec::new();
        for _ in 0..visitors.min(MAX_VISITS) {
            let begin = self.last.after(since * self.rng.f64());
            visits.push(Visit::make(&mut self.rng, begin, trouble));
        }
        self.last = now;
        for visit in &visits {
            self.counts.note(visit);
        }
        self.counts.turn(&mut self.rng, crowd, trouble);
        let spans = Service::ALL
            .into_iter()
            .filter_map(|service| service.spans(&visits));
        let records = Service::ALL
            .into_iter()
            .filter_map(|service| service.records(&visits));
        (
            ExportTraceServiceRequest {
                resource_spans: spans.collect(),
            },
            ExportLogsServiceRequest {
                resource_logs: records.collect(),
            },
        )
    }

    /// What the services have counted.
    pub(crate) fn measure(&mut self, now: Moment) -> ExportMetricsServiceRequest {
        self.counts.measure(now)
    }
}
