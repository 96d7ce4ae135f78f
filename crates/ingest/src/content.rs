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
        let mut headers = headers.into_iter();
        let first = headers.next()?;
        if headers.next().is_some() {
            return None;
        }
        Self::parse(first)
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// `gzip` (RFC 1952), of any number of members.
    Gzip,
}

impl ContentEncoding {
    /// The codings that are understood, as a value for `Accept-Encoding`.
    pub const ACCEPTED: &'static str = "gzip";

    /// Reads a `Content-Encoding` value: `gzip`, `x-gzip` and `identity` in any case (RFC 9110,
    /// 8.4.1); an empty one is `identity`. `None` for every other coding and for lists.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let coding = trim(value);
        if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
            Some(Self::Identity)
        } else if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") {
            Some(Self::Gzip)
        } else {
            None
        }
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
