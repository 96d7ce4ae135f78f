//! Where the relay listens, what it runs on, and its log.

use std::net::SocketAddr;

use super::super::kind::kinds::{SWITCH, TIME, TIME_OR_ZERO};
use super::super::kind::{Form, Kind, Written, display, maybe, one};
use super::super::values::{self, Fault};
use super::{Group, setting};
use crate::base_path::BasePath;
use crate::logging::{self, LogFormat};

const ADDRESSES: Kind<Vec<SocketAddr>> = Kind {
    form: Form {
        name: "ADDR:PORT",
        written: Written::Text(".:[0-9]+$"),
        many: true,
        expected: "an address and a port, like 127.0.0.1:4444, [::1]:4444 or 0.0.0.0:0",
        example: "127.0.0.1:4317",
    },
    read: addresses,
    write: |addresses| display(addresses),
};

/// The addresses of all elements: a name may have several.
fn addresses(texts: &[String]) -> Result<Vec<SocketAddr>, Fault> {
    let mut all = Vec::new();
    for text in texts {
        let some = values::addresses(text).map_err(|why| Fault::new(text, why))?;
        all.extend(some);
    }
    Ok(all)
}

const BASE_PATH: Kind<Option<BasePath>> = Kind {
    form: Form {
        name: "PATH",
        written: Written::Text("^(/[A-Za-z0-9._~-]+)+/?$"),
        many: false,
        expected: "a path, like /otel",
        example: "/otel",
    },
    read: |texts| {
        one(texts, |text| {
            let path = text.parse::<BasePath>();
            path.map(Some).map_err(|error| error.to_string())
        })
    },
    write: maybe,
};

/// actix-server takes no more.
const MAX_WORKERS: u64 = 512;

const WORKERS: Kind<usize> = Kind {
    form: Form {
        name: "N",
        written: Written::Number(1, MAX_WORKERS),
        many: false,
        expected: "a whole number from 1 to 512",
        example: "4",
    },
    read: |texts| {
        one(texts, |text| {
            let count = values::count_within(text, 1, MAX_WORKERS)?;
            usize::try_from(count).map_err(|error| error.to_string())
        })
    },
    write: |workers| vec![workers.to_string()],
};

const LOG_FORMAT: Kind<LogFormat> = Kind {
    form: Form {
        name: "FORMAT",
        written: Written::Word(&LogFormat::WORDS),
        many: false,
        expected: "text or json",
        example: "json",
    },
    read: |texts| one(texts, |text| text.parse().map_err(str::to_owned)),
    write: |format| vec![format.as_str().to_owned()],
};

const LOG_FILTER: Kind<String> = Kind {
    form: Form {
        name: "FILTER",
        written: Written::Text("."),
        many: false,
        expected: "directives of a filter, like info,fanout=debug",
        example: "info,fanout=debug",
    },
    read: |texts| one(texts, logging::checked),
    write: |filter| vec![filter.clone()],
};

pub(super) fn listening() -> Group {
    Group {
        title: "Where to listen",
        settings: vec![
            setting(
                "listen",
                ADDRESSES,
                |draft| &mut draft.relay.listen,
                "Addresses for HTTP and WebSocket",
            )
            .more("; port 0 lets the system choose, a name is looked up once")
            .common(),
            setting(
                "grpc-listen",
                ADDRESSES,
                |draft| &mut draft.relay.grpc.listen,
                "Addresses for OTLP/gRPC",
            )
            .more(", by convention on port 4317")
            .common(),
            setting(
                "metrics-listen",
                ADDRESSES,
                |draft| &mut draft.relay.metrics.listen,
                "Addresses for /metrics, /healthz and /readyz alone",
            )
            .more(", without a token; /metrics is nowhere else then"),
            setting(
                "base-path",
                BASE_PATH,
                |draft| &mut draft.relay.base_path,
                "What a reverse proxy puts before all paths, like /otel",
            )
            .more("; paths without it are served too"),
            setting(
                "demo",
                SWITCH,
                |draft| &mut draft.relay.demo,
                "Show something at once",
            )
            .more(
                ": the relay is sent what this machine does, and the traces, logs and metrics of a \
                 small shop that is made up",
            )
            .common(),
        ],
    }
}

pub(super) fn process() -> Group {
    Group {
        title: "Process",
        settings: vec![
            setting(
                "workers",
                WORKERS,
                |draft| &mut draft.relay.workers,
                "Threads that serve connections",
            )
            .default_words("one for each core"),
            setting(
                "metrics",
                SWITCH,
                |draft| &mut draft.relay.metrics.enabled,
                "Whether /metrics is there, for Prometheus",
            )
            .more("; who may watch may read it"),
            setting(
                "drain-delay",
                TIME_OR_ZERO,
                |draft| &mut draft.relay.drain_delay,
                "How long a shutdown waits while /readyz is 503",
            )
            .more("; everything is served as before, for load balancers to notice"),
            setting(
                "shutdown-grace",
                TIME,
                |draft| &mut draft.relay.shutdown_grace,
                "How long a shutdown may take",
            )
            .more(", behind that delay; then what is left is cut off"),
        ],
    }
}

pub(super) fn log() -> Group {
    Group {
        title: "Log",
        settings: vec![
            setting(
                "log-format",
                LOG_FORMAT,
                |draft| &mut draft.log.format,
                "The form of log lines: text or json",
            )
            .common(),
            setting(
                "log-filter",
                LOG_FILTER,
                |draft| &mut draft.log.filter,
                "What is logged, like debug or info,fanout=debug",
            )
            .more(
                "; its directives are those of tracing-subscriber's EnvFilter. RUST_LOG says the \
                 same where OTLP_RELAY_LOG_FILTER is not set; what actix-http says of requests \
                 that can't be parsed is left out unless `actix_http` is named",
            )
            .common()
            .reloads(),
        ],
    }
}
