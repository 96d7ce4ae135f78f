//! Where accepted telemetry goes: the one thing that the receiver needs from the outside.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use otlp_codec::Signal;
use thiserror::Error;

use crate::error::Reason;

/// One accepted request, checked: `wire` decodes within the limits that were in force, and its
/// identifiers have lengths that OTLP knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// What kind of telemetry this is.
    pub signal: Signal,
    /// The `Export…ServiceRequest` as protobuf: the very bytes of a protobuf request, inflated,
    /// unknown fields included; a JSON request written as protobuf. If items were taken out, the
    /// rest of it, and of an unusual order then in the usual one.
    pub wire: Bytes,
    /// How many items it holds: data points, spans, log records or profiles. Zero is valid
    /// (OTLP spec, "Full Success").
    pub items: usize,
}

/// Takes exports.
pub trait ExportSink: Send + Sync {
    /// Takes `export` over, which came with a request that `began` then: its head was there, and
    /// nothing of its body was read. The client is told of success once this returns `Ok`.
    ///
    /// Must not block: it is called on the thread that serves connections.
    ///
    /// # Errors
    ///
    /// [`Refused`] when the export can't be taken now. The client is told to come again.
    fn accept(&self, export: Export, began: Instant) -> Result<(), Refused>;
}

/// An export was not taken, but may be later: HTTP 503 with `Retry-After`, gRPC `UNAVAILABLE`
/// (OTLP spec, "OTLP/HTTP Throttling").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{why}; retry after {retry_after} s")]
pub struct Refused {
    why: Why,
    retry_after: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Draining,
    Requests,
    Bytes,
    Client,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draining => "the receiver is shutting down",
            Self::Requests => "too many requests are in flight",
            Self::Bytes => "the requests in flight hold too much",
            Self::Client => "this client has too many requests in flight",
        })
    }
}

impl Refused {
    /// The receiver is shutting down. `retry_after` is in seconds; 0 counts as 1, since clients
    /// read 0 as "no throttling".
    #[must_use]
    pub fn draining(retry_after: u32) -> Self {
        Self::new(Why::Draining, retry_after)
    }

    /// As many requests are in flight as may be. `retry_after` as above.
    #[must_use]
    pub fn too_many_requests(retry_after: u32) -> Self {
        Self::new(Why::Requests, retry_after)
    }

    /// The requests in flight hold as many bytes as they may. `retry_after` as above.
    #[must_use]
    pub fn too_many_bytes(retry_after: u32) -> Self {
        Self::new(Why::Bytes, retry_after)
    }

    /// This client has as many requests in flight as one may. `retry_after` as above.
    #[must_use]
    pub fn crowded(retry_after: u32) -> Self {
        Self::new(Why::Client, retry_after)
    }

    /// When to come again, in seconds, at least 1.
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        self.retry_after
    }

    /// The label for an [`Observer`](crate::Observer), which tells the limits apart that can be
    /// reached.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.why {
            Why::Draining => Reason::Draining,
            Why::Requests => Reason::TooManyRequests,
            Why::Bytes => Reason::TooManyBytes,
            Why::Client => Reason::TooManyOfClient,
        }
    }

    fn new(why: Why, retry_after: u32) -> Self {
        Self {
            why,
            retry_after: retry_after.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a sink refuses with a delay of 0 s.
    /// Guarantees: the client is told 1 s, since 0 means "no throttling" to clients.
    #[test]
    fn a_delay_is_at_least_a_second() {
        assert_eq!(Refused::draining(0).retry_after(), 1);
        assert_eq!(Refused::too_many_bytes(7).retry_after(), 7);
    }
}
