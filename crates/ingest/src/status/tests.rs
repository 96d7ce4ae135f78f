//! Both encodings of a status, their details, and texts from hostile input.

use actix_web::http::header::HeaderMap;
use otlp_codec::{DecodeError, JsonError};
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::body::BodyError;
use crate::sink::Refused;

fn bad_json(path: &str, message: &str) -> IngestError {
    IngestError::Decode(DecodeError::Json(JsonError {
        path: path.to_owned(),
        message: message.to_owned(),
        line: 1,
        column: 7,
        offset: 0,
    }))
}

fn as_json(error: &IngestError) -> Value {
    serde_json::from_slice(&Status::of(error).to_json()).unwrap()
}

/// Scenario: a status without details.
/// Guarantees: the bytes of the specification's example, in both encodings.
#[test]
fn the_plain_form() {
    let status = Status::new(Code::InvalidArgument, "bad data");
    let json: Value = serde_json::from_slice(&status.to_json()).unwrap();
    assert_eq!(json, json!({"code": 3, "message": "bad data"}));
    assert_eq!(status.to_protobuf(), b"\x08\x03\x12\x08bad data");
}

/// Scenario: a 400 with a known path, and one without.
/// Guarantees: `BadRequest` details name the path where it is known, in ProtoJSON's form of Any.
#[test]
fn bad_data_names_the_field() {
    let with_path = as_json(&bad_json(
        "resourceMetrics[0].resource",
        "expected an object",
    ));
    assert_eq!(
        with_path,
        json!({
            "code": 3,
            "message": "resourceMetrics[0].resource: expected an object, at line 1 column 7",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{
                    "field": "resourceMetrics[0].resource",
                    "description": "expected an object, at line 1 column 7",
                }],
            }],
        })
    );
    let without_path = as_json(&bad_json(".", "expected an object"));
    assert_eq!(
        without_path["details"][0]["fieldViolations"],
        json!([{"description": "expected an object, at line 1 column 7"}])
    );
}

/// Scenario: an identifier of a wrong length, in protobuf.
/// Guarantees: the details are an `Any` of `google.rpc.BadRequest` with the path.
#[test]
fn bad_data_in_protobuf() {
    let error = IngestError::Decode(DecodeError::IdLength {
        path: "resourceSpans[0].scopeSpans[0].spans[3].traceId".to_owned(),
        len: 3,
        expected: 16,
    });
    let status = pb::Status::decode(Status::of(&error).to_protobuf().as_slice()).unwrap();
    assert_eq!(status.code, 3);
    let [detail] = &status.details[..] else {
        panic!("{status:?}");
    };
    assert_eq!(detail.type_url, BAD_REQUEST);
    let detail = pb::BadRequest::decode(detail.value.as_slice()).unwrap();
    let violation = &detail.field_violations[0];
    assert_eq!(
        violation.field,
        "resourceSpans[0].scopeSpans[0].spans[3].traceId"
    );
    assert!(violation.description.contains("16"));
}

/// Scenario: the sink refuses for 30 s.
/// Guarantees: `RetryInfo` in both encodings, and `Retry-After`.
#[test]
fn a_refusal_says_when_to_come_again() {
    let error = IngestError::Refused(Refused::too_many_requests(30));
    assert_eq!(
        as_json(&error)["details"],
        json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"}])
    );
    let status = pb::Status::decode(Status::of(&error).to_protobuf().as_slice()).unwrap();
    let detail = pb::RetryInfo::decode(status.details[0].value.as_slice()).unwrap();
    assert_eq!(detail.retry_delay.unwrap().seconds, 30);
    let response = answer(&HeaderMap::new(), &error);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "30");
}

/// Scenario: a body over the limit.
/// Guarantees: no `RetryInfo` and no other detail: RESOURCE_EXHAUSTED with it would be retried.
#[test]
fn too_large_has_no_details() {
    let status = as_json(&IngestError::Body(BodyError::TooLarge {
        limit: 5,
        form: crate::body::Form::Inflated,
    }));
    assert_eq!(
        status,
        json!({"code": 8, "message": "the body is over the limit of 5 bytes after decompression"})
    );
}

/// Scenario: answers to heads with either type, with none, and with another.
/// Guarantees: the encoding is the request's, JSON if that is unknown, and the type is bare.
#[test]
fn the_encoding_is_that_of_the_request() {
    for (request, expected) in [
        (Some("application/x-protobuf"), "application/x-protobuf"),
        (Some("Application/X-Protobuf;a=b"), "application/x-protobuf"),
        (Some("application/json; charset=utf-8"), "application/json"),
        (Some("text/plain"), "application/json"),
        (None, "application/json"),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(request) = request {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(request));
        }
        for response in [
            answer(&headers, &IngestError::Upgrade),
            answer_with(
                &headers,
                StatusCode::BAD_REQUEST,
                Code::InvalidArgument,
                "bad",
            ),
        ] {
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), expected);
        }
    }
}

/// Scenario: each error that needs a header of its own.
/// Guarantees: the header is there.
#[test]
fn headers_that_statuses_call_for() {
    for (error, header, value) in [
        (IngestError::Method, ALLOW, "POST"),
        (
            IngestError::ContentEncoding,
            ACCEPT_ENCODING,
            "gzip, deflate, zstd, snappy, x-snappy-framed",
        ),
        (
            IngestError::Auth(AuthError::Unauthenticated),
            WWW_AUTHENTICATE,
            "Bearer",
        ),
    ] {
        let response = answer(&HeaderMap::new(), &error);
        assert_eq!(response.headers().get(header).unwrap(), value, "{error}");
    }
}

/// Scenario: texts with terminal escapes, line breaks, and characters that reverse a line.
/// Guarantees: none of them arrives; ordinary text of any language does.
#[test]
fn texts_are_safe() {
    assert_eq!(
        safe("a\x1b[31m\n\u{202e}b", 99),
        r"a\u{1b}[31m\u{a}\u{202e}b"
    );
    assert_eq!(safe("grüße, 世界 \"x\" \\", 99), "grüße, 世界 \"x\" \\");
}

/// Scenario: texts that are exactly as long as allowed, and longer, also by escapes alone.
/// Guarantees: at most the allowed number of characters, and a mark where something is missing.
#[test]
fn texts_are_short() {
    assert_eq!(safe("abcdef", 6), "abcdef");
    assert_eq!(safe("abcdefg", 6), "abc...");
    assert_eq!(safe("ab\n\n\n", 6), "ab...");
    assert_eq!(safe("", 6), "");
    let error = bad_json(&"kvlistValue.".repeat(100), &"\u{1b}".repeat(10_000));
    let status = as_json(&error);
    let violation = &status["details"][0]["fieldViolations"][0];
    for text in [
        &status["message"],
        &violation["field"],
        &violation["description"],
    ] {
        assert!(text.as_str().unwrap().chars().count() <= MAX_TEXT_CHARS);
    }
    // A long path leaves room for what is wrong.
    assert!(status["message"].as_str().unwrap().contains("...: \\u{1b}"));
}
