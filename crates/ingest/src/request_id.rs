//! The name of one refused request, by which its answer and its line in the log find each other.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderValue;
use tonic::metadata::AsciiMetadataValue;

/// The header, and over gRPC the metadata, that an answer has it in.
pub const X_REQUEST_ID: &str = "x-request-id";

/// The name of one refused request: 16 hexadecimal digits, which no other request of this process
/// has, and that of another process hardly ever. Ids that clients send are not taken: they would
/// come to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new one. Only refusals need one, so nothing else pays for it.
    #[must_use]
    pub fn next() -> Self {
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(KEYS.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// As the value of a header.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        // Digits are always a value.
        HeaderValue::from_str(&self.to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    /// As metadata of gRPC.
    pub(crate) fn metadata(self) -> AsciiMetadataValue {
        let value = AsciiMetadataValue::try_from(self.to_string());
        value.unwrap_or(AsciiMetadataValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Scenario: a thousand ids.
    /// Guarantees: 16 digits each, and none twice; the header and the metadata say the same.
    #[test]
    fn ids_are_told_apart() {
        let ids: HashSet<_> = (0..1000).map(|_| RequestId::next()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let text = id.to_string();
            assert_eq!(text.len(), 16);
            assert_eq!(id.header(), text.as_str());
            assert_eq!(id.metadata(), text.as_str());
        }
    }
}
