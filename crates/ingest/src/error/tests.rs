//! The table of errors, as a whole and beside the README.

use otlp_codec::{JsonError, ProtobufError};

use super::*;
use crate::body::Form;

const README: &str = include_str!("../../README.md");

/// One of each row of the table.
fn all() -> Vec<IngestError> {
    let json = JsonError {
        path: ".".to_owned(),
        message: String::new(),
        line: 1,
        column: 1,
        offset: 0,
    };
    let id = DecodeError::IdLength {
        path: String::new(),
        len: 1,
        expected: 16,
    };
    vec![
        IngestError::Upgrade,
        IngestError::Body(BodyError::Incomplete),
        IngestError::Body(BodyError::TooSlow),
        IngestError::Body(BodyError::Overloaded(Refused::too_many_bytes(1))),
        IngestError::Body(BodyError::Compression {
            coding: "gzip",
            what: String::new(),
        }),
        IngestError::Decode(DecodeError::Protobuf(ProtobufError {
            path: String::new(),
            message: String::new(),
            offset: 0,
        })),
        IngestError::Decode(DecodeError::Json(json)),
        IngestError::Decode(id),
        IngestError::Decode(DecodeError::TooDeep { limit: 1 }),
        IngestError::Auth(AuthError::Unauthenticated),
        IngestError::Auth(AuthError::Forbidden),
        IngestError::Method,
        IngestError::Body(BodyError::TooLarge {
            limit: 1,
            form: Form::Sent,
        }),
        IngestError::Decode(DecodeError::TooLong { limit: 1 }),
        IngestError::Decode(DecodeError::TooManyElements { limit: 1 }),
        IngestError::Decode(DecodeError::TooManyItems { limit: 1 }),
        IngestError::ContentType,
        IngestError::ContentEncoding,
        IngestError::Framing(""),
        IngestError::Internal,
        IngestError::Refused(Refused::too_many_bytes(1)),
        IngestError::Refused(Refused::draining(1)),
        IngestError::Refused(Refused::too_many_requests(1)),
        IngestError::Body(BodyError::Overloaded(Refused::too_many_bytes(1))),
        IngestError::Refused(Refused::crowded(1)),
    ]
}

/// Scenario: every error, and every reason.
/// Guarantees: there is an error for each reason, so that what is said of every error below holds
/// for all; and reasons stand in their list as they are declared, which is what counts go by.
#[test]
fn every_reason_has_an_error() {
    for (place, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, place, "{reason}");
        assert!(
            all().iter().any(|error| error.reason() == reason),
            "{reason}"
        );
    }
    // A reason behind the last one would be in no list.
    assert!(
        all()
            .iter()
            .all(|error| Reason::ALL.contains(&error.reason()))
    );
}

/// Scenario: every error.
/// Guarantees: it is in the README with its status, its code and its label.
#[test]
fn the_readme_has_the_table() {
    for error in all() {
        let row = format!(
            "| {} | {:?} | `{}` |",
            error.http_status().as_u16(),
            error.grpc_code(),
            error.reason()
        );
        assert!(README.contains(&row), "missing: {row}");
    }
}

/// Scenario: every error.
/// Guarantees: over HTTP and over gRPC alike a client retries it exactly if it may succeed later
/// (OTLP spec, "Failures": 429, 502, 503, 504; RESOURCE_EXHAUSTED only with RetryInfo).
#[test]
fn retryable_is_what_may_succeed_later() {
    for error in all() {
        let later = matches!(
            error,
            IngestError::Refused(_) | IngestError::Body(BodyError::Overloaded(_))
        );
        let http = matches!(error.http_status().as_u16(), 429 | 502 | 503 | 504);
        let grpc = error.grpc_code() == Code::Unavailable;
        assert_eq!((http, grpc), (later, later), "{error}");
        assert_eq!(error.retry_after().is_some(), later, "{error}");
        assert_eq!(error.reason().may_succeed_later(), later, "{error}");
    }
}
