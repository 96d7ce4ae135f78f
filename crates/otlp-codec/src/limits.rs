//! What a decoder or encoder may spend on one message.

/// Bounds of one call of the codec. Reaching one is a typed error, never a truncated result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest input, in bytes. OTLP recommends 64 MiB (spec 1.11.0, "OTLP/HTTP Request"),
    /// which is the default.
    pub input_bytes: usize,
    /// The longest output, in bytes. Default: 1 GiB.
    pub output_bytes: usize,
    /// How many messages may lie inside the outermost one, one in another. Default and most:
    /// 100, protobuf's own limit, in both encodings alike. It leaves room for 48 nested
    /// `arrayValue` or 32 nested `kvlistValue` in the body of a log record.
    pub depth: u32,
    /// How many sub-messages, and elements of repeated strings, one message may hold. An
    /// element that is two or three bytes long becomes a struct of up to 264 bytes, so this
    /// bounds the memory of a decoded tree; numbers in lists, of which one byte may become 8, are
    /// bounded by [`Limits::input_bytes`]. Default: 1,000,000.
    pub elements: usize,
    /// How many items one request may hold: data points, spans, log records or profiles. Each is
    /// an element too, so that a limit below [`Limits::elements`] alone has an effect, and costs
    /// a [check](crate::check) of its own. Default: 1,000,000.
    pub items: usize,
}

impl Limits {
    /// The most that [`Limits::depth`] can be: prost refuses more.
    pub const MAX_DEPTH: u32 = 100;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 64 << 20,
            output_bytes: 1 << 30,
            depth: Self::MAX_DEPTH,
            elements: 1_000_000,
            items: 1_000_000,
        }
    }
}
