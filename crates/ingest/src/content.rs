//! Media types and content codings, parsed once into types.

/// An encoding of OTLP messages (OTLP spec, "Binary Protobuf Encoding", "JSON Protobuf
/// Encoding").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

impl ContentType {
    /// The bare media type, as responses carry it: some clients compare it as a string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// Reads a `Content-Type` value: any case, parameters allowed and ignored (RFC 9110, 8.3.1).
    /// `None` for every other media type.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let end = value.iter().position(|&byte| byte == b';');
        let media_type = trim(&value[..end.unwrap_or(value.len())]);
        [Self::Protobuf, Self::Json]
            .into_iter()
            .find(|known| media_type.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }

    /// The type that a request's `Content-Type` headers name: exactly one header with a type
    /// that is known here, else `None`.
    pub fn of<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        only(headers).and_then(Self::parse)
    }
}

/// The value of a header that is there exactly once. Which of several counts, others on the way
/// may have seen differently.
pub(crate) fn only<T>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values = values.into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// How a body is compressed: the codings that the Collector sends, but for lz4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// `gzip` (RFC 1952), of any number of members.
    Gzip,
    /// `deflate`: zlib (RFC 1950), as RFC 9110, 8.4.1.2 has it, and not bare deflate. `zlib` is
    /// another name that the Collector has for it.
    Deflate,
    /// `zstd` (RFC 8878), of any number of frames, with windows of at most 8 MiB (RFC 9659).
    Zstd,
    /// `snappy`: one block, or frames, which begin with an identifier: Collectors have sent
    /// either under this name.
    Snappy,
    /// `x-snappy-framed`: frames alone.
    SnappyFramed,
}

impl ContentEncoding {
    /// The codings that are understood, as a value for `Accept-Encoding`.
    pub const ACCEPTED: &'static str = "gzip, deflate, zstd, snappy, x-snappy-framed";

    /// The name, without aliases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::SnappyFramed => "x-snappy-framed",
        }
    }

    /// Reads a `Content-Encoding` value: a coding in any case (RFC 9110, 8.4.1), `x-gzip` and
    /// `zlib` too; an empty one is `identity`. `None` for every other coding and for lists.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        const NAMES: [(&str, ContentEncoding); 9] = [
            ("", ContentEncoding::Identity),
            ("identity", ContentEncoding::Identity),
            ("gzip", ContentEncoding::Gzip),
            ("x-gzip", ContentEncoding::Gzip),
            ("deflate", ContentEncoding::Deflate),
            ("zlib", ContentEncoding::Deflate),
            ("zstd", ContentEncoding::Zstd),
            ("snappy", ContentEncoding::Snappy),
            ("x-snappy-framed", ContentEncoding::SnappyFramed),
        ];
        let coding = trim(value);
        NAMES
            .into_iter()
            .find(|(name, _)| coding.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, known)| known)
    }

    /// The coding that a request's `Content-Encoding` headers name. No header is
    /// [`Identity`](Self::Identity); several are a list, and `None`.
    pub fn of<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut headers = headers.into_iter();
        let Some(first) = headers.next() else {
            return Some(Self::Identity);
        };
        if headers.next().is_some() {
            return None;
        }
        Self::parse(first)
    }
}

/// Strips optional whitespace (RFC 9110, 5.6.3).
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests;
