//! The signals of OTLP.

use std::fmt;

/// A kind of telemetry with an `Export` request of its own (OTLP spec, "Protocol Details").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// `ExportMetricsServiceRequest`; its items are data points.
    Metrics,
    /// `ExportTraceServiceRequest`; its items are spans.
    Traces,
    /// `ExportLogsServiceRequest`; its items are log records.
    Logs,
    /// `ExportProfilesServiceRequest`; its items are profiles. In development upstream: its
    /// wire format changes between releases of the protocol.
    Profiles,
}

impl Signal {
    /// Every signal, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Metrics, Self::Traces, Self::Logs, Self::Profiles];

    /// The lower-case plural that paths use: `metrics`, `traces`, `logs`, `profiles`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Profiles => "profiles",
        }
    }

    /// What OTLP counts in this signal, as a plural for a human.
    #[must_use]
    pub const fn items(self) -> &'static str {
        match self {
            Self::Metrics => "data points",
            Self::Traces => "spans",
            Self::Logs => "log records",
            Self::Profiles => "profiles",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
