//! The stubs, called as tonic's transport would.

use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, async_trait};

use super::services::logs_service::{LogsService, LogsServiceServer};
use super::services::metrics_service::{MetricsService, MetricsServiceServer};
use super::services::profiles_service::ProfilesServiceServer;
use super::services::trace_service::TraceServiceServer;

/// Keeps what it gets and answers with its length.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Bytes>>>);

impl Recorder {
    fn record(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        let bytes = request.into_inner();
        let answer = bytes.len().to_string();
        self.0.lock().unwrap().push(bytes);
        Ok(Response::new(answer.into()))
    }
}

#[async_trait]
impl MetricsService for Recorder {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.record(request)
    }
}

#[async_trait]
impl LogsService for Recorder {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.record(request)
    }
}

/// A gRPC message: a flag for compression, the length, the bytes.
fn framed(message: &[u8]) -> Full<Bytes> {
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_u32(u32::try_from(message.len()).unwrap());
    body.put_slice(message);
    Full::new(body.freeze())
}

fn post(path: &str, message: &[u8]) -> http::Request<Full<Bytes>> {
    http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(framed(message))
        .unwrap()
}

/// Scenario: bytes that are no protobuf, sent to two services by the paths of the specification.
/// Guarantees: they arrive as they were sent, undecoded, and the answer's bytes go back.
#[tokio::test]
async fn bytes_pass_through() {
    let recorder = Recorder::default();
    let raw = [0xff, 0, 1, 2, 0xfe];
    let metrics = post(
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        &raw,
    );
    let answer = MetricsServiceServer::new(recorder.clone())
        .call(metrics)
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(
        body.to_bytes(),
        framed(b"5").collect().await.unwrap().to_bytes()
    );
    let logs = post(
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        &[],
    );
    LogsServiceServer::new(recorder.clone())
        .call(logs)
        .await
        .unwrap();
    assert_eq!(
        *recorder.0.lock().unwrap(),
        [Bytes::copy_from_slice(&raw), Bytes::new()]
    );
}

/// Scenario: a method that the service doesn't have.
/// Guarantees: UNIMPLEMENTED (12), and nothing is recorded.
#[tokio::test]
async fn other_methods_are_unimplemented() {
    let recorder = Recorder::default();
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Import";
    let answer = MetricsServiceServer::new(recorder.clone())
        .call(post(path, b"x"))
        .await
        .unwrap();
    assert_eq!(answer.headers()["grpc-status"], "12");
    assert!(recorder.0.lock().unwrap().is_empty());
}

/// Scenario: the names under which the services are registered.
/// Guarantees: those of the `.proto` files, for all four signals.
#[test]
fn services_have_their_names() {
    assert_eq!(
        [
            MetricsServiceServer::<()>::NAME,
            TraceServiceServer::<()>::NAME,
            LogsServiceServer::<()>::NAME,
            ProfilesServiceServer::<()>::NAME,
        ],
        [
            "opentelemetry.proto.collector.metrics.v1.MetricsService",
            "opentelemetry.proto.collector.trace.v1.TraceService",
            "opentelemetry.proto.collector.logs.v1.LogsService",
            "opentelemetry.proto.collector.profiles.v1development.ProfilesService",
        ]
    );
}
