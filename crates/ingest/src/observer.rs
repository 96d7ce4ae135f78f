//! What the receiver tells about itself. It knows no exporter: `server` counts.

use std::net::IpAddr;
use std::time::Duration;

use otlp_codec::Signal;

use crate::error::Reason;
use crate::request_id::RequestId;

/// How a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

impl Transport {
    /// Both, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::Http, Self::Grpc];

    /// A label: `http` or `grpc`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// An export that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// As [`Export::items`](crate::Export::items).
    pub items: usize,
    /// How long its protobuf form is.
    pub bytes: usize,
    /// How long it took since its request began, as [`ExportSink`](crate::ExportSink) says: to
    /// read and inflate the body, to check it, and to hand it over.
    pub took: Duration,
}

/// A request that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// That of [`IngestError::reason`](crate::IngestError::reason).
    pub reason: Reason,
    /// Who has sent it, if that is known.
    pub peer: Option<IpAddr>,
    /// What its answer has in [`X_REQUEST_ID`](crate::X_REQUEST_ID).
    pub id: RequestId,
}

/// Watches the receiver. Each request on a signal's path ends in exactly one call of
/// [`accepted`](Self::accepted) or [`refused`](Self::refused). Methods are called on the thread
/// that serves connections and must not block.
pub trait Observer: Send + Sync {
    /// An export was accepted and given to the sink.
    fn accepted(&self, signal: Signal, transport: Transport, accepted: Accepted) {
        let _ = (signal, transport, accepted);
    }

    /// Of an export that was accepted, so many `items` were not (OTLP spec, "Partial Success").
    /// Comes beside [`accepted`](Self::accepted), which counts the others.
    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        let _ = (signal, transport, items);
    }

    /// A request was refused, or its client went away before an answer.
    fn refused(&self, signal: Signal, transport: Transport, refusal: Refusal) {
        let _ = (signal, transport, refusal);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
