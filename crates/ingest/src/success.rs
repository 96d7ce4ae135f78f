//! Success answers: an `Export…ServiceResponse` in the encoding of the request (OTLP spec, "Full
//! Success", "Partial Success").

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use otlp_codec::proto::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use otlp_codec::proto::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use otlp_codec::proto::collector::profiles::v1development::{
    ExportProfilesPartialSuccess, ExportProfilesServiceResponse,
};
use otlp_codec::proto::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use otlp_codec::{Limits, Signal, json};
use prost::Message;
use serde::Serialize;

use crate::accept::Rejected;
use crate::content::ContentType;
use crate::status::{MAX_TEXT_CHARS, safe};

/// A 200 with the response of a signal.
#[must_use]
pub fn answer(
    content_type: ContentType,
    signal: Signal,
    rejected: Option<&Rejected>,
) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type.as_str()))
        .body(response(content_type, signal, rejected))
}

/// The response of a signal. Without `rejected`, its `partial_success` is not set: no bytes in
/// protobuf, an empty object in JSON.
#[must_use]
pub fn response(content_type: ContentType, signal: Signal, rejected: Option<&Rejected>) -> Vec<u8> {
    let Some(Rejected { items, why }) = rejected else {
        return match content_type {
            ContentType::Protobuf => Vec::new(),
            ContentType::Json => b"{}".to_vec(),
        };
    };
    let rejected = i64::try_from(*items).unwrap_or(i64::MAX);
    let error_message = safe(why, MAX_TEXT_CHARS);
    match signal {
        Signal::Metrics => {
            let partial_success = Some(ExportMetricsPartialSuccess {
                rejected_data_points: rejected,
                error_message,
            });
            let response = ExportMetricsServiceResponse { partial_success };
            encode(content_type, &response)
        }
        Signal::Traces => {
            let partial_success = Some(ExportTracePartialSuccess {
                rejected_spans: rejected,
                error_message,
            });
            encode(
                content_type,
                &ExportTraceServiceResponse { partial_success },
            )
        }
        Signal::Logs => {
            let partial_success = Some(ExportLogsPartialSuccess {
                rejected_log_records: rejected,
                error_message,
            });
            encode(content_type, &ExportLogsServiceResponse { partial_success })
        }
        Signal::Profiles => {
            let partial_success = Some(ExportProfilesPartialSuccess {
                rejected_profiles: rejected,
                error_message,
            });
            let response = ExportProfilesServiceResponse { partial_success };
            encode(content_type, &response)
        }
    }
}

fn encode(content_type: ContentType, response: &(impl Message + Serialize)) -> Vec<u8> {
    match content_type {
        ContentType::Protobuf => response.encode_to_vec(),
        ContentType::Json => {
            let mut text = Vec::new();
            // A few hundred bytes: no limit is near.
            let written = json::encode(response, &Limits::default(), &mut text);
            debug_assert!(written.is_ok(), "{written:?}");
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: full and partial success of every signal in both encodings.
    /// Guarantees: the bytes that OTLP asks for; the count is a string in JSON.
    #[test]
    fn responses() {
        let rejected = Rejected {
            items: 3,
            why: "x".to_owned(),
        };
        for (signal, name) in Signal::ALL.into_iter().zip([
            "rejectedDataPoints",
            "rejectedSpans",
            "rejectedLogRecords",
            "rejectedProfiles",
        ]) {
            assert_eq!(response(ContentType::Protobuf, signal, None), b"");
            assert_eq!(response(ContentType::Json, signal, None), b"{}");
            let some = Some(&rejected);
            assert_eq!(
                response(ContentType::Protobuf, signal, some),
                [0x0a, 5, 0x08, 3, 0x12, 1, b'x']
            );
            assert_eq!(
                String::from_utf8(response(ContentType::Json, signal, some)).unwrap(),
                format!(r#"{{"partialSuccess":{{"{name}":"3","errorMessage":"x"}}}}"#)
            );
        }
    }
}
