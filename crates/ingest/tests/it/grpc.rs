//! OTLP/gRPC over a real tonic server.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::channel::Channel as BodyChannel;
use ingest::grpc::BytesCodec;
use ingest::{IngestConfig, Refused};
use otlp_codec::Signal;
use otlp_codec::proto::collector::logs::v1::ExportLogsServiceRequest;
use otlp_codec::proto::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use otlp_codec::proto::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otlp_codec::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;

use crate::client::PROTOBUF_BODY;
use crate::grpc_server::{Answer, Grpc, Setup, framed, path, whole};
use crate::recorder::Event;

/// One span for each length of a trace id.
pub(crate) fn spans(id_lengths: &[usize]) -> Vec<u8> {
    let spans = id_lengths.iter().map(|&length| Span {
        trace_id: vec![1; length],
        span_id: vec![2; 8],
        name: "s".to_owned(),
        ..Default::default()
    });
    let scope = ScopeSpans {
        spans: spans.collect(),
        ..Default::default()
    };
    let resource = ResourceSpans {
        scope_spans: vec![scope],
        ..Default::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![resource],
    }
    .encode_to_vec()
}

/// Two log records.
fn logs() -> Vec<u8> {
    let scope = ScopeLogs {
        log_records: vec![LogRecord::default(); 2],
        ..Default::default()
    };
    let resource = ResourceLogs {
        scope_logs: vec![scope],
        ..Default::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![resource],
    }
    .encode_to_vec()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A refusal that clients don't retry: code, reason, and no `RetryInfo` anywhere.
pub(crate) async fn assert_dropped(
    grpc: &mut Grpc,
    answer: &Answer,
    code: i32,
    reason: &'static str,
) {
    assert_eq!(answer.code(), code, "{answer:?}");
    assert_eq!(answer.retry_infos(), (None, None));
    let details = answer.details();
    assert_eq!(
        (details.code, details.message.as_str()),
        (code, answer.status.message())
    );
    assert_eq!(grpc.event().await.1, Event::Refused(reason));
    assert!(grpc.exports().is_empty());
}

/// Scenario: an export of each signal that is on by default, through tonic's own client.
/// Guarantees: the answer is zero bytes; the sink gets the very bytes, the observer one call.
#[tokio::test]
async fn three_signals() {
    let mut grpc = Grpc::with(Setup::default()).await;
    for (signal, wire, items) in [
        (Signal::Metrics, PROTOBUF_BODY.to_vec(), 1),
        (Signal::Traces, spans(&[16, 16, 16]), 3),
        (Signal::Logs, logs(), 2),
    ] {
        let mut client = tonic::client::Grpc::new(grpc.channel());
        client.ready().await.unwrap();
        let request = tonic::Request::new(Bytes::from(wire.clone()));
        let path = PathAndQuery::from_static(path(signal));
        let answer = client.unary(request, path, BytesCodec).await.unwrap();
        assert_eq!(answer.into_inner(), "");
        let bytes = wire.len();
        assert_eq!(
            grpc.event().await,
            (signal, Event::Accepted { items, bytes })
        );
        let export = grpc.exports().pop().unwrap();
        assert_eq!((export.signal, export.items), (signal, items));
        assert_eq!(export.wire, wire);
    }
}

/// Scenario: an empty message, which is an empty request.
/// Guarantees: OK, and the sink gets an export without items.
#[tokio::test]
async fn empty_requests() {
    let grpc = Grpc::with(Setup::default()).await;
    let answer = grpc.export(Signal::Metrics, b"").await;
    assert_eq!(
        (answer.code(), answer.body.as_ref()),
        (0, &[0, 0, 0, 0, 0][..])
    );
    assert_eq!(grpc.exports()[0].items, 0);
}

/// Scenario: three spans, one with a trace id of five bytes.
/// Guarantees: OK with a partial success that says so; the sink gets the other two.
#[tokio::test]
async fn partial_success() {
    let mut grpc = Grpc::with(Setup::default()).await;
    let answer = grpc.export(Signal::Traces, &spans(&[16, 5, 16])).await;
    assert_eq!(answer.code(), 0);
    let response = ExportTraceServiceResponse::decode(&answer.body[5..]).unwrap();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("1 of 3"), "{partial:?}");
    assert_eq!(grpc.exports()[0].wire, spans(&[16, 16]));
    let accepted = grpc.event().await.1;
    assert!(matches!(accepted, Event::Accepted { items: 2, .. }));
    assert_eq!(grpc.event().await.1, Event::Rejected { items: 1 });
}

/// Scenario: messages compressed in each of the ways that HTTP knows too, gzip in two members;
/// one that is not compressed though the head names gzip.
/// Guarantees: the sink gets what was compressed, all of it.
#[tokio::test]
async fn compression() {
    let grpc = Grpc::with(Setup::default()).await;
    let wire = spans(&[16; 100]);
    let (begin, end) = wire.split_at(40);
    let zstd = zstd::encode_all(wire.as_slice(), 1).unwrap();
    for (encoding, flag, sent) in [
        ("gzip", 1, gzip(&wire)),
        ("gzip", 1, [gzip(begin), gzip(end)].concat()),
        ("zstd", 1, zstd),
        ("gzip", 0, wire.clone()),
        ("identity", 1, wire.clone()),
    ] {
        let body = whole(framed(flag, &sent));
        let headers = [("grpc-encoding", encoding)];
        let answer = grpc.call(path(Signal::Traces), &headers, body).await;
        assert_eq!(answer.code(), 0, "{encoding} {answer:?}");
        assert_eq!(grpc.exports().pop().unwrap().wire, wire);
    }
}

/// Scenario: a compression that nobody knows; one that is used but not named; data that is not
/// what its name says.
/// Guarantees: UNIMPLEMENTED with the names that are known, INTERNAL, INVALID_ARGUMENT.
#[tokio::test]
async fn bad_compression() {
    let mut grpc = Grpc::with(Setup::default()).await;
    let path = path(Signal::Metrics);
    let body = || whole(framed(1, PROTOBUF_BODY));
    let answer = grpc.call(path, &[("grpc-encoding", "br")], body()).await;
    assert_dropped(&mut grpc, &answer, 12, "content_encoding").await;
    let known = answer.head.headers["grpc-accept-encoding"]
        .to_str()
        .unwrap();
    assert!(
        known.starts_with("gzip, ") && known.contains("zstd"),
        "{known}"
    );
    let answer = grpc.call(path, &[], body()).await;
    assert_dropped(&mut grpc, &answer, 13, "framing").await;
    let answer = grpc.call(path, &[("grpc-encoding", "gzip")], body()).await;
    assert_dropped(&mut grpc, &answer, 3, "bad_compression").await;
}

/// Scenario: a metric whose name is not UTF-8.
/// Guarantees: INVALID_ARGUMENT with a `BadRequest` that names the field.
#[tokio::test]
async fn bad_protobuf() {
    let mut grpc = Grpc::with(Setup::default()).await;
    let wire = b"\x0a\x07\x12\x05\x12\x03\x0a\x01\xff";
    let answer = grpc.export(Signal::Metrics, wire).await;
    assert_dropped(&mut grpc, &answer, 3, "bad_protobuf").await;
    let (field, description) = answer.bad_request().unwrap();
    assert_eq!(field, "resourceMetrics[0].scopeMetrics[0].metrics[0].name");
    assert!(!description.is_empty());
}

/// Scenario: a sink that is shutting down, and one that has too much to do.
/// Guarantees: UNAVAILABLE, with the delay in both trailers.
#[tokio::test]
async fn refusing_sinks() {
    for (refused, reason) in [
        (Refused::draining(7), "draining"),
        (Refused::too_many_bytes(7), "too_many_bytes"),
    ] {
        let mut grpc = Grpc::with(Setup {
            refuse: Some(refused),
            ..Setup::default()
        })
        .await;
        let answer = grpc.export(Signal::Metrics, PROTOBUF_BODY).await;
        assert_eq!(answer.code(), 14);
        assert_eq!(answer.retry_infos(), (Some(7), Some(7)));
        assert_eq!(grpc.event().await.1, Event::Refused(reason));
    }
}

/// Scenario: the right token, none, a wrong one, two, and one that is known but not allowed; the
/// message does not end.
/// Guarantees: UNAUTHENTICATED or PERMISSION_DENIED, before the message is read.
#[tokio::test]
async fn authorization() {
    let mut grpc = Grpc::with(Setup {
        token: Some(b"Bearer right"),
        ..Setup::default()
    })
    .await;
    let path = path(Signal::Metrics);
    let right = ("authorization", "Bearer right");
    for (headers, code, reason) in [
        (&[][..], 16, "unauthenticated"),
        (&[("authorization", "Bearer wrong")], 16, "unauthenticated"),
        (&[right, right], 16, "unauthenticated"),
        (&[("authorization", "Bearer guest")], 7, "forbidden"),
    ] {
        let (_sender, body) = BodyChannel::<Bytes, tonic::Status>::new(1);
        let answer = grpc.call(path, headers, Body::new(body)).await;
        assert_dropped(&mut grpc, &answer, code, reason).await;
    }
    let answer = grpc
        .call(path, &[right], whole(framed(0, PROTOBUF_BODY)))
        .await;
    assert_eq!(answer.code(), 0);
}

/// Scenario: a method and a service that nobody has, the path in lower case, and profiles while
/// they are off and on.
/// Guarantees: UNIMPLEMENTED; profiles are taken if they are on.
#[tokio::test]
async fn what_is_not_served() {
    let grpc = Grpc::with(Setup::default()).await;
    let lower = path(Signal::Metrics).to_ascii_lowercase();
    for path in [
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Import",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export/",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        lower.as_str(),
        path(Signal::Profiles),
    ] {
        let answer = grpc.call(path, &[], whole(framed(0, b""))).await;
        assert_eq!(answer.code(), 12, "{path}");
    }
    assert!(grpc.exports().is_empty());
    let grpc = Grpc::with(Setup {
        config: IngestConfig {
            profiles: true,
            ..IngestConfig::default()
        },
        ..Setup::default()
    })
    .await;
    assert_eq!(grpc.export(Signal::Profiles, b"").await.code(), 0);
    assert_eq!(grpc.exports()[0].signal, Signal::Profiles);
}

/// Scenario: media types that are gRPC and protobuf, and others.
/// Guarantees: the former are taken; the latter are a 415 that says what would do.
#[tokio::test]
async fn media_types() {
    let grpc = Grpc::with(Setup::default()).await;
    let path = path(Signal::Metrics);
    let body = || whole(framed(0, PROTOBUF_BODY));
    for known in ["application/grpc+proto", "Application/gRPC; charset=x"] {
        let answer = grpc.call(path, &[("content-type", known)], body()).await;
        assert_eq!((answer.head.status.as_u16(), answer.code()), (200, 0));
    }
    let mut grpc = Grpc::with(Setup::default()).await;
    for other in [
        "text/plain",
        "application/grpc+json",
        "application/grpc-web",
        "application/x-protobuf",
    ] {
        let answer = grpc.call(path, &[("content-type", other)], body()).await;
        assert_eq!(answer.head.status.as_u16(), 415);
        assert!(answer.status.message().contains("application/grpc"));
        assert_dropped(&mut grpc, &answer, 3, "content_type").await;
    }
}
