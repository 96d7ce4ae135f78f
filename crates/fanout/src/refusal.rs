//! A refusal: an HTTP status and a text, answered in the shape of `google.rpc.Status`.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};

/// Why a request may not watch, as an HTTP answer.
///
/// Its body is `{"code":<number>,"message":"..."}` with Content-Type `application/json`, the
/// JSON form of `google.rpc.Status`, as OTLP/HTTP answers errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal with `status`, which should be 4xx or 5xx, and a text for a human, which
    /// must not repeat secrets of the request.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// The same refusal with one more response header, such as `WWW-Authenticate` of a 401.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers that it has beside those of every refusal.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The number of `google.rpc.Code` that stands for the status: the table of
    /// google/rpc/code.proto, read from right to left, and 2 (UNKNOWN) for what it lacks.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self.status.as_u16() {
            400 => 3,
            401 => 16,
            403 => 7,
            404 => 5,
            405 => 12,
            426 => 9,
            429 => 8,
            500 => 13,
            503 => 14,
            _ => 2,
        }
    }

    /// The answer to the request.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let body = serde_json::json!({ "code": self.code(), "message": self.message });
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.clone()));
        }
        response
            .content_type("application/json")
            .body(body.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.as_u16(), self.message)
    }
}

impl std::error::Error for Refusal {}
