//! Failures as gRPC says them: a code, a message, and details for whoever reads them.

use tonic::body::Body;
use tonic::codegen::http::header::HeaderValue;
use tonic::codegen::http::{Response, StatusCode};
use tonic::metadata::{MetadataMap, MetadataValue};

use crate::content::ContentEncoding;
use crate::error::IngestError;
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::status::Status;

/// Where the Python SDK looks for a `RetryInfo`; all others look into the status.
const RETRY_INFO: &str = "google.rpc.retryinfo-bin";

/// The status of an error, with a `google.rpc.Status` in `grpc-status-details-bin`.
fn status(error: &IngestError) -> tonic::Status {
    let status = match error {
        IngestError::ContentType => Status::new(
            error.grpc_code(),
            "the content-type must be application/grpc",
        ),
        error => Status::of(error),
    };
    let mut metadata = MetadataMap::new();
    if let Some(retry_info) = status.retry_info() {
        metadata.insert_bin(RETRY_INFO, MetadataValue::from_bytes(&retry_info));
    }
    tonic::Status::with_details_and_metadata(
        tonic::Code::from_i32(status.code().number()),
        status.message(),
        status.to_protobuf().into(),
        metadata,
    )
}

/// The status of a call that ended in `error`, with its id, and a `google.rpc.Status` in
/// `grpc-status-details-bin`.
#[must_use]
pub fn named(error: &IngestError, id: RequestId) -> tonic::Status {
    let mut status = status(error);
    status.metadata_mut().insert(X_REQUEST_ID, id.metadata());
    status
}

/// The answer to a call that ended in `error` before its stub was asked. gRPC names the codings
/// that would do (gRPC, "Compression"), and wants 415 for what is not gRPC (gRPC over HTTP/2,
/// "Requests").
pub(super) fn refusal(error: &IngestError, id: RequestId) -> Response<Body> {
    let mut response = named(error, id).into_http::<Body>();
    match error {
        IngestError::ContentEncoding => {
            let accepted = HeaderValue::from_static(ContentEncoding::ACCEPTED);
            response
                .headers_mut()
                .insert("grpc-accept-encoding", accepted);
        }
        IngestError::ContentType => *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => {}
    }
    response
}
