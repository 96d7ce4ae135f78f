//! What the relay tells Prometheus (text format 0.0.4).
//!
//! Everything that happens is counted in [`Counters`], whoever asks for it; what there is now is
//! looked up when somebody asks. The names and labels are in `docs/metrics.md`, and a test holds
//! that page to them. No label has a value that a client chooses.

mod connecting;
mod families;
mod process;
mod receiving;
#[cfg(test)]
mod tests;
mod watching;

use std::sync::Arc;

use fanout::{FanoutConfig, Hub, Snapshot};
use ingest::Budget;
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use self::families::Families;
use self::process::Process;
use crate::conn::Connections;
use crate::counters::Counters;
use crate::counters::labels::Listener;
use crate::logging::Writer;
use crate::shutdown::Draining;
use crate::tls::Tls;

/// Where metrics come from.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) counters: Arc<Counters>,
    pub(crate) hub: Hub,
    pub(crate) budget: Budget,
    /// In the order of [`Listener::ALL`].
    pub(crate) connections: [Connections; Listener::ALL.len()],
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) log: Writer,
    pub(crate) draining: Draining,
}

/// What there is at one moment.
struct State {
    hub: Snapshot,
    fanout: FanoutConfig,
    requests: Use,
    request_bytes: Use,
    decoders: Use,
    decoder_waits: u64,
    connections: [Use; Listener::ALL.len()],
    /// In seconds since 1970.
    certificate_expires: Option<i64>,
    log_lines_lost: u64,
    ready: bool,
    process: Option<Process>,
}

/// How much of something is in use, and how much may be.
struct Use {
    now: f64,
    limit: f64,
}

impl Use {
    fn new(now: usize, limit: usize) -> Self {
        Self {
            now: now as f64,
            limit: limit as f64,
        }
    }
}

impl Metrics {
    /// All metrics as text.
    ///
    /// # Errors
    ///
    /// If the library finds fault with a family, which a test rules out.
    pub(crate) fn text(&self) -> prometheus::Result<String> {
        let families = families(&self.counters, &self.state());
        TextEncoder::new().encode_to_string(&families)
    }

    fn state(&self) -> State {
        let (budget, decoders) = (&self.budget, self.budget.decoders());
        State {
            hub: self.hub.snapshot(),
            fanout: self.hub.config().clone(),
            requests: Use::new(budget.requests(), budget.max_requests()),
            request_bytes: Use::new(budget.bytes(), budget.max_bytes()),
            decoders: Use::new(decoders.busy(), decoders.limit()),
            decoder_waits: decoders.waited(),
            connections: self
                .connections
                .each_ref()
                .map(|connections| Use::new(connections.open(), connections.limit())),
            certificate_expires: self.tls.as_ref().and_then(|tls| tls.expires()),
            log_lines_lost: self.log.lost(),
            ready: self.draining.is_ready(),
            process: Process::now(),
        }
    }
}

fn families(counters: &Counters, state: &State) -> Vec<MetricFamily> {
    let mut to = Families::default();
    to.info(
        "build_info",
        "The version of the relay.",
        "version",
        env!("CARGO_PKG_VERSION"),
    );
    to.gauge(
        "ready",
        "1, or 0 once the shutdown has begun, as /readyz says.",
        f64::from(u8::from(state.ready)),
    );
    to.count(
        "log_lines_lost_total",
        "Lines of the log that could not be written, or found no room to wait for it.",
        state.log_lines_lost,
    );
    receiving::tell(&counters.receiving, state, &mut to);
    watching::tell(&counters.watching, &state.hub, &state.fanout, &mut to);
    connecting::tell(&counters.connecting, state, &mut to);
    if let Some(process) = &state.process {
        process.tell(&mut to);
    }
    to.sorted()
}
