//! What the receiver may spend on a request, and how strict it is.

use std::time::Duration;

use otlp_codec::Limits;

use crate::budget::Budget;

/// The settings of the receiver. `server` fills them in; nothing here reads the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestConfig {
    /// The longest request body, in bytes. It holds three times: for what is read from the
    /// network, for what that inflates to, and for the protobuf form of a JSON body. Exactly
    /// this many pass; more is a 413. Default: 64 MiB (OTLP spec 1.11.0, "OTLP/HTTP Request").
    pub max_body_bytes: usize,
    /// How many requests may be in flight at a time, from the head to the answer; one more is
    /// refused with 503 and `Retry-After`, before its body is read. Default: 1024.
    pub max_requests: usize,
    /// How many bytes all requests in flight may hold together: bodies as they grow, inflated, and
    /// the protobuf form of JSON, which counts as much as its text. What doesn't fit is refused
    /// with 503 and `Retry-After`; what would not fit alone either, with 413, which is what less
    /// than twice [`max_body_bytes`](Self::max_body_bytes) does to long bodies. Default: 256 MiB.
    pub max_requests_bytes: usize,
    /// How long a body may take, all in all; then the answer is 408. Default: 2 min.
    pub body_timeout: Duration,
    /// Whether a missing or unknown media type counts as `application/x-protobuf` instead of
    /// being a 415. It never does for a request with an `Origin` header: a web page can send a
    /// body without a type to any address, and no browser asks beforehand. Default: `false`.
    pub lenient_content_type: bool,
    /// Whether profiles are received, at `/v1development/profiles`: in development upstream, they
    /// change from one release of OTLP to the next. Default: `false`.
    pub profiles: bool,
    /// Limits of the decoder. `input_bytes` applies on top of
    /// [`max_body_bytes`](Self::max_body_bytes): the smaller one counts.
    pub codec: Limits,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            max_requests: 1024,
            max_requests_bytes: 256 << 20,
            body_timeout: Duration::from_secs(120),
            lenient_content_type: false,
            profiles: false,
            codec: Limits::default(),
        }
    }
}

impl IngestConfig {
    /// The budget of all requests.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::new(self.max_requests, self.max_requests_bytes)
    }

    /// The limits for decoding one body: those of the codec, none wider than the body may be.
    #[must_use]
    pub fn decode_limits(&self) -> Limits {
        Limits {
            input_bytes: self.codec.input_bytes.min(self.max_body_bytes),
            output_bytes: self.codec.output_bytes.min(self.max_body_bytes),
            ..self.codec
        }
    }
}
