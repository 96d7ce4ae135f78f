//! What the benchmarks convert: the requests of `benches/data`.

use std::io::Read;

use flate2::read::GzDecoder;
use otlp_codec::Signal;
use otlp_codec::select::{Filter, Subject};

/// A request, and what it is called.
pub(crate) struct Payload {
    /// One letter, as in `docs/performance.md`.
    pub(crate) name: &'static str,
    /// Its signal.
    pub(crate) signal: Signal,
    /// Protobuf.
    pub(crate) wire: Vec<u8>,
}

/// The filter of a view that keeps one metric of the 59 of M: 24 of its 1014 points.
pub(crate) fn one_in_fifty() -> Filter {
    let mut filter = Filter::new();
    filter
        .add(Subject::Metric, "system.cpu.freq*")
        .expect("a short glob");
    filter
}

/// S, M, H and L are metrics, T traces, G logs.
pub(crate) fn all() -> Vec<Payload> {
    let payloads: [(_, _, &[u8]); 6] = [
        ("S", Signal::Metrics, include_bytes!("../data/S.pb.gz")),
        ("M", Signal::Metrics, include_bytes!("../data/M.pb.gz")),
        ("H", Signal::Metrics, include_bytes!("../data/H.pb.gz")),
        ("L", Signal::Metrics, include_bytes!("../data/L.pb.gz")),
        ("T", Signal::Traces, include_bytes!("../data/T.pb.gz")),
        ("G", Signal::Logs, include_bytes!("../data/G.pb.gz")),
    ];
    payloads.map(inflated).into()
}

fn inflated((name, signal, gz): (&'static str, Signal, &[u8])) -> Payload {
    let mut wire = Vec::new();
    GzDecoder::new(gz)
        .read_to_end(&mut wire)
        .expect("a payload is gzip");
    Payload { name, signal, wire }
}
