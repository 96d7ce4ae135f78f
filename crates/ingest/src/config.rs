//! What the receiver may spend on a request, and how strict it is.

use otlp_codec::Limits;

/// The settings of the receiver. `server` fills them in; nothing here reads the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestConfig {
    /// The longest request body, in bytes. It holds three times: for what is read from the
    /// network, for what that inflates to, and for the protobuf form of a JSON body. Exactly
    /// this many pass; more is a 413. Default: 64 MiB (OTLP spec 1.11.0, "OTLP/HTTP Request").
    pub max_body_bytes: usize,
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
            lenient_content_type: false,
            profiles: false,
            codec: Limits::default(),
        }
    }
}

impl IngestConfig {
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
