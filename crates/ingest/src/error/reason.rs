//! Why a request was refused, as a label.

use std::fmt;

/// Why a request was refused: a label for counters and logs, of which there is a fixed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The method is not POST.
    Method,
    /// It asks for another protocol.
    Upgrade,
    /// The sender is unknown.
    Unauthenticated,
    /// The sender is known and not allowed, or a rule of the application forbids the request.
    Forbidden,
    /// The media type is missing, or not one of OTLP.
    ContentType,
    /// The content coding is unknown, or there are several.
    ContentEncoding,
    /// The body is not one gRPC message.
    Framing,
    /// The body is longer than it may be, as sent or inflated.
    BodyTooLarge,
    /// The body can't be inflated.
    BadCompression,
    /// The body took too long.
    SlowBody,
    /// The client went away, or broke off.
    IncompleteBody,
    /// The protobuf form is longer than it may be.
    MessageTooLong,
    /// It has too many sub-messages and repeated strings.
    TooManyElements,
    /// It has too many items.
    TooManyItems,
    /// Messages are too deep in one another.
    TooDeep,
    /// The body is no protobuf of this request.
    BadProtobuf,
    /// The body is no JSON of this request.
    BadJson,
    /// An id has a wrong length.
    BadId,
    /// The relay shuts down.
    Draining,
    /// Too many requests are in flight.
    TooManyRequests,
    /// The bodies of the requests in flight take too much memory.
    TooManyBytes,
    /// One client of a proxy has too many requests in flight.
    TooManyOfClient,
    /// A fault of the receiver itself.
    Internal,
}

impl Reason {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 23] = [
        Self::Method,
        Self::Upgrade,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ContentType,
        Self::ContentEncoding,
        Self::Framing,
        Self::BodyTooLarge,
        Self::BadCompression,
        Self::SlowBody,
        Self::IncompleteBody,
        Self::MessageTooLong,
        Self::TooManyElements,
        Self::TooManyItems,
        Self::TooDeep,
        Self::BadProtobuf,
        Self::BadJson,
        Self::BadId,
        Self::Draining,
        Self::TooManyRequests,
        Self::TooManyBytes,
        Self::TooManyOfClient,
        Self::Internal,
    ];

    /// Whether the same request may succeed later: 503, and `UNAVAILABLE`.
    #[must_use]
    pub const fn may_succeed_later(self) -> bool {
        matches!(
            self,
            Self::Draining | Self::TooManyRequests | Self::TooManyBytes | Self::TooManyOfClient
        )
    }

    /// The label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Upgrade => "upgrade",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::ContentType => "content_type",
            Self::ContentEncoding => "content_encoding",
            Self::Framing => "framing",
            Self::BodyTooLarge => "body_too_large",
            Self::BadCompression => "bad_compression",
            Self::SlowBody => "slow_body",
            Self::IncompleteBody => "incomplete_body",
            Self::MessageTooLong => "message_too_long",
            Self::TooManyElements => "too_many_elements",
            Self::TooManyItems => "too_many_items",
            Self::TooDeep => "too_deep",
            Self::BadProtobuf => "bad_protobuf",
            Self::BadJson => "bad_json",
            Self::BadId => "bad_id",
            Self::Draining => "draining",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyBytes => "too_many_bytes",
            Self::TooManyOfClient => "too_many_of_client",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
