//! Every way in which a request can fail, and what it means on either transport.

mod reason;

use actix_web::http::StatusCode;
use otlp_codec::DecodeError;
use thiserror::Error;

use crate::authorize::AuthError;
use crate::body::BodyError;
use crate::sink::Refused;

pub use self::reason::Reason;

/// A code of `google.rpc.Code`, as gRPC and `google.rpc.Status` carry it; those that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Code {
    /// The request is bad and stays bad.
    InvalidArgument = 3,
    /// There is no such path.
    NotFound = 5,
    /// The sender is known and not allowed.
    PermissionDenied = 7,
    /// Over a limit of size or time. Not retried by OTLP clients, as long as no `RetryInfo` goes with it.
    ResourceExhausted = 8,
    /// This is not offered here.
    Unimplemented = 12,
    /// The fault is ours.
    Internal = 13,
    /// Not now; the same request may succeed later.
    Unavailable = 14,
    /// The sender is unknown.
    Unauthenticated = 16,
}

impl Code {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// A request that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IngestError {
    /// The method is not POST.
    #[error("only POST is served here")]
    Method,
    /// The request asks for another protocol.
    #[error("this path does not upgrade to another protocol, or not with a body")]
    Upgrade,
    /// The sender may not send.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The media type is missing, unknown, or not one.
    #[error("the Content-Type must be application/x-protobuf or application/json")]
    ContentType,
    /// The content coding is unknown, or there are several.
    #[error(
        "the compression must be one of gzip, deflate, zstd, snappy, x-snappy-framed and identity, and only one"
    )]
    ContentEncoding,
    /// The body is not one gRPC message (gRPC over HTTP/2, "Length-Prefixed-Message").
    #[error("the body is not one gRPC message: {0}")]
    Framing(&'static str),
    /// The body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is not an acceptable message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The sink did not take the export.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A fault of the receiver itself; no request should be able to cause it.
    #[error("internal error")]
    Internal,
}

impl IngestError {
    /// The status over HTTP (OTLP spec, "Failures"; RFC 9110, 15.5). Clients retry 503 alone of
    /// these and drop the data on every other.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        self.row().0
    }

    /// The code over gRPC, and in the `google.rpc.Status` of an HTTP answer.
    #[must_use]
    pub fn grpc_code(&self) -> Code {
        self.row().1
    }

    /// The label for counters and logs.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.row().2
    }

    /// When the client may come again, in seconds; `None` for what will never succeed.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Refused(refused) | Self::Body(BodyError::Overloaded(refused)) => {
                Some(refused.retry_after())
            }
            Self::Method
            | Self::Upgrade
            | Self::Auth(_)
            | Self::ContentType
            | Self::ContentEncoding
            | Self::Framing(_)
            | Self::Body(_)
            | Self::Decode(_)
            | Self::Internal => None,
        }
    }

    /// The table. Every case is named: a new one does not compile until it has a row.
    fn row(&self) -> (StatusCode, Code, Reason) {
        use StatusCode as Http;
        match self {
            Self::Method => (
                Http::METHOD_NOT_ALLOWED,
                Code::Unimplemented,
                Reason::Method,
            ),
            Self::Upgrade => (Http::BAD_REQUEST, Code::InvalidArgument, Reason::Upgrade),
            Self::Auth(AuthError::Unauthenticated) => (
                Http::UNAUTHORIZED,
                Code::Unauthenticated,
                Reason::Unauthenticated,
            ),
            Self::Auth(AuthError::Forbidden) => {
                (Http::FORBIDDEN, Code::PermissionDenied, Reason::Forbidden)
            }
            Self::ContentType => (
                Http::UNSUPPORTED_MEDIA_TYPE,
                Code::InvalidArgument,
                Reason::ContentType,
            ),
            Self::ContentEncoding => (
                Http::UNSUPPORTED_MEDIA_TYPE,
                Code::Unimplemented,
                Reason::ContentEncoding,
            ),
            // gRPC's own code for it (gRPC, "Compression"); clients drop the data.
            Self::Framing(_) => (Http::BAD_REQUEST, Code::Internal, Reason::Framing),
            Self::Body(BodyError::TooLarge { .. }) => (
                Http::PAYLOAD_TOO_LARGE,
                Code::ResourceExhausted,
                Reason::BodyTooLarge,
            ),
            Self::Body(BodyError::Compression { .. }) => (
                Http::BAD_REQUEST,
                Code::InvalidArgument,
                Reason::BadCompression,
            ),
            Self::Body(BodyError::Overloaded(refused)) => (
                Http::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                refused.reason(),
            ),
            Self::Body(BodyError::TooSlow) => (
                Http::REQUEST_TIMEOUT,
                Code::ResourceExhausted,
                Reason::SlowBody,
            ),
            Self::Body(BodyError::Incomplete) => (
                Http::BAD_REQUEST,
                Code::InvalidArgument,
                Reason::IncompleteBody,
            ),
            Self::Decode(DecodeError::TooLong { .. }) => (
                Http::PAYLOAD_TOO_LARGE,
                Code::ResourceExhausted,
                Reason::MessageTooLong,
            ),
            Self::Decode(DecodeError::TooManyElements { .. }) => (
                Http::PAYLOAD_TOO_LARGE,
                Code::ResourceExhausted,
                Reason::TooManyElements,
            ),
            Self::Decode(DecodeError::TooManyItems { .. }) => (
                Http::PAYLOAD_TOO_LARGE,
                Code::ResourceExhausted,
                Reason::TooManyItems,
            ),
            Self::Decode(DecodeError::TooDeep { .. }) => {
                (Http::BAD_REQUEST, Code::InvalidArgument, Reason::TooDeep)
            }
            Self::Decode(DecodeError::Protobuf(_)) => (
                Http::BAD_REQUEST,
                Code::InvalidArgument,
                Reason::BadProtobuf,
            ),
            Self::Decode(DecodeError::Json(_)) => {
                (Http::BAD_REQUEST, Code::InvalidArgument, Reason::BadJson)
            }
            Self::Decode(DecodeError::IdLength { .. }) => {
                (Http::BAD_REQUEST, Code::InvalidArgument, Reason::BadId)
            }
            Self::Refused(refused) => (
                Http::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                refused.reason(),
            ),
            Self::Internal => (
                Http::INTERNAL_SERVER_ERROR,
                Code::Internal,
                Reason::Internal,
            ),
        }
    }
}

#[cfg(test)]
mod tests;
