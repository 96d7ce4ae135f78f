//! What the receiver tells about itself. It knows no exporter: `server` counts.

use otlp_codec::Signal;

/// How a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

impl Transport {
    /// A label: `http` or `grpc`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// Watches the receiver. Each request on a signal's path ends in exactly one call of
/// [`accepted`](Self::accepted) or [`refused`](Self::refused). Methods are called on the thread that serves connections and must not block.
pub trait Observer: Send + Sync {
    /// An export was accepted and given to the sink. `items` is as in
    /// [`Export::items`](crate::Export::items); `bytes` is the length of its protobuf form.
    fn accepted(&self, signal: Signal, transport: Transport, items: usize, bytes: usize) {
        let _ = (signal, transport, items, bytes);
    }

    /// Of an export that was accepted, so many `items` were not (OTLP spec, "Partial Success").
    /// Comes beside [`accepted`](Self::accepted), which counts the others.
    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        let _ = (signal, transport, items);
    }

    /// A request was refused, or its client went away before an answer. `signal` is `None` when
    /// the path names none. `reason` is one of the labels of
    /// [`IngestError::reason`](crate::IngestError::reason).
    fn refused(&self, signal: Option<Signal>, transport: Transport, reason: &'static str) {
        let _ = (signal, transport, reason);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
