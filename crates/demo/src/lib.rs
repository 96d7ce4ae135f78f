//! Telemetry for a first look: what this machine does, and a small shop that is made up.
//!
//! [`Demo::tick`] is called once a [`PERIOD`] and gives OTLP requests as protobuf. It sends nothing;
//! how they get to a relay is not known here. What it keeps and what it gives is bounded: the shop
//! has at most [`MAX_VISITS`] visits a tick, and a fixed set of series.

mod host;
mod messages;
mod shop;

use std::time::{Duration, SystemTime};

use otlp_codec::Signal;

use self::host::Host;
use self::messages::Moment;
use self::shop::Shop;

/// How often there is something new.
pub const PERIOD: Duration = Duration::from_secs(1);
/// The most visits to the shop in one tick; each is a trace of up to five spans.
pub const MAX_VISITS: usize = 20;

/// A request: a signal, and its protobuf.
#[derive(Debug)]
pub struct Export {
    /// Where it is to be sent.
    pub signal: Signal,
    /// An `Export…ServiceRequest`.
    pub body: Vec<u8>,
}

/// The machine and the shop.
pub struct Demo {
    host: Host,
    shop: Shop,
}

impl Demo {
    /// Begins to measure. The same seed gives the same shop.
    #[must_use]
    pub fn new(seed: u64, now: SystemTime) -> Self {
        let start = Moment::at(now);
        Self {
            host: Host::new(start),
            shop: Shop::new(seed, start),
        }
    }

    /// What has happened since the last call. Reads the state of the machine, which may take some
    /// milliseconds.
    pub fn tick(&mut self, now: SystemTime) -> Vec<Export> {
        let now = Moment::at(now);
        let (traces, logs) = self.shop.open(now);
        vec![
            export(Signal::Metrics, &self.host.measure(now)),
            export(Signal::Metrics, &self.shop.measure(now)),
            export(Signal::Traces, &traces),
            export(Signal::Logs, &logs),
        ]
    }
}

fn export(signal: Signal, request: &impl prost::Message) -> Export {
    Export {
        signal,
        body: request.encode_to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use otlp_codec::Limits;
    use otlp_codec::check::check;

    use super::*;

    /// Scenario: a minute of ticks.
    /// Guarantees: every request is one that a relay accepts whole, none is empty, and each is
    /// small.
    #[test]
    fn requests_are_accepted() {
        let begin = SystemTime::now();
        let mut demo = Demo::new(7, begin);
        for second in 1..=60 {
            for Export { signal, body } in demo.tick(begin + second * PERIOD) {
                let checked = check(signal, &body, &Limits::default()).unwrap();
                assert!(checked.refusal().is_none(), "{signal}");
                assert!(checked.items > 0, "{signal}");
                assert!(body.len() < 200_000, "{signal}: {} bytes", body.len());
            }
        }
    }

    /// Scenario: the same seed twice.
    /// Guarantees: the same shop, so that a picture of it can be made again.
    #[test]
    fn seeds_decide() {
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut shops = [1, 1, 2].map(|seed| Demo::new(seed, begin));
        let [one, same, other] = shops.each_mut().map(|demo| demo.tick(begin + PERIOD));
        assert_eq!(one[2].body, same[2].body);
        assert_eq!(one[3].body, same[3].body);
        assert_ne!(one[2].body, other[2].body);
    }
}
