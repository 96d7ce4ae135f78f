//! Failure answers: a `google.rpc.Status` in the encoding of the request (OTLP spec,
//! "Failures").

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use otlp_codec::{DecodeError, JsonError, ProtobufError};
use prost::Message;
use prost_types::Any;
use serde_json::json;
use tonic_types::pb;

use crate::authorize::AuthError;
use crate::body::BodyError;
use crate::content::{ContentEncoding, ContentType};
use crate::error::{Code, IngestError};

/// The most characters of a message, a description or a field path in an answer.
pub const MAX_TEXT_CHARS: usize = 256;

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// A `google.rpc.Status`, ready to be written in either encoding. Its texts are at most
/// [`MAX_TEXT_CHARS`] long and hold no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: Code,
    message: String,
    detail: Option<Detail>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Detail {
    /// What is wrong with the request, and in which field if that is known.
    BadRequest {
        field: Option<String>,
        description: String,
    },
    /// When to come again, in seconds.
    RetryInfo { seconds: u32 },
}

impl Status {
    /// A status without details. `message` is shortened and escaped.
    #[must_use]
    pub fn new(code: Code, message: &str) -> Self {
        Self {
            code,
            message: safe(message, MAX_TEXT_CHARS),
            detail: None,
        }
    }

    /// The status of an error: with a `BadRequest` if its HTTP status is 400 (OTLP spec, "Bad
    /// Data"), with a `RetryInfo` if it is worth retrying, else without details.
    #[must_use]
    pub fn of(error: &IngestError) -> Self {
        let (field, description) = locate(error);
        let message = match &field {
            Some(field) => format!("{}: {description}", safe(field, MAX_TEXT_CHARS / 2)),
            None => description.clone(),
        };
        let detail = if let Some(seconds) = error.retry_after() {
            Some(Detail::RetryInfo { seconds })
        } else if error.http_status() == StatusCode::BAD_REQUEST {
            Some(Detail::BadRequest {
                field: field.map(|field| safe(&field, MAX_TEXT_CHARS)),
                description: safe(&description, MAX_TEXT_CHARS),
            })
        } else {
            None
        };
        Self {
            detail,
            ..Self::new(error.grpc_code(), &message)
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The `google.rpc.RetryInfo` alone, if the error is worth retrying: for the trailer
    /// `google.rpc.retryinfo-bin`, which some clients read instead of the status.
    #[must_use]
    pub fn retry_info(&self) -> Option<Vec<u8>> {
        match self.detail.as_ref()? {
            detail @ Detail::RetryInfo { .. } => Some(detail.to_any().value),
            Detail::BadRequest { .. } => None,
        }
    }

    /// Protobuf, also for the trailer `grpc-status-details-bin`.
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        let details = self.detail.as_ref().map(Detail::to_any);
        pb::Status {
            code: self.code.number(),
            message: self.message.clone(),
            details: details.into_iter().collect(),
        }
        .encode_to_vec()
    }

    /// ProtoJSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut status = json!({ "code": self.code.number(), "message": self.message });
        if let Some(detail) = &self.detail {
            status["details"] = json!([detail.to_json()]);
        }
        status.to_string().into_bytes()
    }
}

impl Detail {
    fn to_any(&self) -> Any {
        let (type_url, value) = match self {
            Self::BadRequest { field, description } => {
                let violation = pb::bad_request::FieldViolation {
                    field: field.clone().unwrap_or_default(),
                    description: description.clone(),
                    ..Default::default()
                };
                let detail = pb::BadRequest {
                    field_violations: vec![violation],
                };
                (BAD_REQUEST, detail.encode_to_vec())
            }
            Self::RetryInfo { seconds } => {
                let delay = prost_types::Duration {
                    seconds: i64::from(*seconds),
                    nanos: 0,
                };
                let detail = pb::RetryInfo {
                    retry_delay: Some(delay),
                };
                (RETRY_INFO, detail.encode_to_vec())
            }
        };
        Any {
            type_url: type_url.to_owned(),
            value,
        }
    }

    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::BadRequest { field, description } => {
                let mut violation = json!({ "description": description });
                if let Some(field) = field {
                    violation["field"] = json!(field);
                }
                json!({ "@type": BAD_REQUEST, "fieldViolations": [violation] })
            }
            Self::RetryInfo { seconds } => {
                json!({ "@type": RETRY_INFO, "retryDelay": format!("{seconds}s") })
            }
        }
    }
}

/// The answer to a request with the head `request` that ended in `error`, with every header
/// that its status calls for. The body is in the encoding that the request's `Content-Type`
/// names, JSON if it names none that is known.
#[must_use]
pub fn answer(request: &HeaderMap, error: &IngestError) -> HttpResponse {
    answer_in(encoding(request), error)
}

/// As [`answer`], for failures that are not the receiver's. `message` is shortened and escaped.
#[must_use]
pub fn answer_with(
    request: &HeaderMap,
    status: StatusCode,
    code: Code,
    message: &str,
) -> HttpResponse {
    respond(encoding(request), status, &Status::new(code, message))
}

/// As [`answer`], in an encoding that is already known.
#[must_use]
pub fn answer_in(encoding: ContentType, error: &IngestError) -> HttpResponse {
    let mut response = respond(encoding, error.http_status(), &Status::of(error));
    if let Some((name, value)) = extra_header(error) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn respond(encoding: ContentType, status: StatusCode, body: &Status) -> HttpResponse {
    let body = match encoding {
        ContentType::Protobuf => body.to_protobuf(),
        ContentType::Json => body.to_json(),
    };
    // The bare type: clients compare it as a string.
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, encoding.as_str()))
        .body(body)
}

fn encoding(request: &HeaderMap) -> ContentType {
    ContentType::of(request.get_all(CONTENT_TYPE).map(HeaderValue::as_bytes))
        .unwrap_or(ContentType::Json)
}

/// The header that RFC 9110 wants beside the status: `Allow` (15.5.6), `WWW-Authenticate`
/// (15.5.2), `Accept-Encoding` (15.5.16), `Retry-After` (10.2.3).
fn extra_header(error: &IngestError) -> Option<(HeaderName, HeaderValue)> {
    match error {
        IngestError::Method => Some((ALLOW, HeaderValue::from_static("POST"))),
        IngestError::Auth(AuthError::Unauthenticated) => {
            Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
        IngestError::ContentEncoding => Some((
            ACCEPT_ENCODING,
            HeaderValue::from_static(ContentEncoding::ACCEPTED),
        )),
        IngestError::Refused(refused) | IngestError::Body(BodyError::Overloaded(refused)) => {
            Some((RETRY_AFTER, HeaderValue::from(refused.retry_after())))
        }
        IngestError::Auth(AuthError::Forbidden)
        | IngestError::Upgrade
        | IngestError::ContentType
        | IngestError::Framing(_)
        | IngestError::Body(_)
        | IngestError::Decode(_)
        | IngestError::Internal => None,
    }
}

/// Which field is at fault, if that is known, and what is wrong with it.
fn locate(error: &IngestError) -> (Option<String>, String) {
    match error {
        IngestError::Decode(DecodeError::Json(JsonError {
            path,
            message,
            line,
            column,
            ..
        })) => {
            let field = (path != ".").then(|| path.clone());
            let description = format!("{message}, at line {line} column {column}");
            (field, description)
        }
        IngestError::Decode(DecodeError::Protobuf(ProtobufError {
            path,
            message,
            offset,
        })) => {
            let field = (path != ".").then(|| path.clone());
            (field, format!("{message}, at byte {offset}"))
        }
        IngestError::Decode(DecodeError::IdLength {
            path,
            len,
            expected,
        }) => (
            Some(path.clone()),
            format!("{len} bytes, but an identifier has {expected} or none"),
        ),
        other => (None, other.to_string()),
    }
}

/// `text` with everything escaped that could act on a terminal or a log, cut to `max` characters.
pub(crate) fn safe(text: &str, max: usize) -> String {
    const CUT: &str = "...";
    let mut out = String::new();
    let mut length = 0;
    // Where to cut, should the text turn out too long.
    let mut room_for_cut = 0;
    for char in text.chars() {
        let piece = if acts(char) {
            char.escape_unicode().to_string()
        } else {
            char.to_string()
        };
        length += piece.chars().count();
        if length > max {
            out.truncate(room_for_cut);
            out.push_str(CUT);
            return out;
        }
        out.push_str(&piece);
        if length + CUT.len() <= max {
            room_for_cut = out.len();
        }
    }
    out
}

/// Control characters, and those that hide text or change its direction.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests;
