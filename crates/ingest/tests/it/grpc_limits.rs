//! The limits of OTLP/gRPC: lengths, frames, time, calls at a time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::StreamBody;
use http_body_util::channel::Channel as BodyChannel;
use ingest::IngestConfig;
use otlp_codec::Signal;
use tonic::body::Body;

use crate::client::PROTOBUF_BODY;
use crate::grpc::{assert_dropped, gzip, spans};
use crate::grpc_server::{Grpc, Setup, framed, path, prefixed, send, whole};
use crate::recorder::Event;

/// Default but for the length of a message.
fn limited(max_body_bytes: usize) -> Setup {
    Setup {
        config: IngestConfig {
            max_body_bytes,
            ..IngestConfig::default()
        },
        ..Setup::default()
    }
}

/// Scenario: a message of the limit, one that declares a byte more, one that declares all that
/// a length can say and sends nothing, and a bomb that inflates to more.
/// Guarantees: the first is taken; the others are RESOURCE_EXHAUSTED without `RetryInfo`, which
/// clients don't retry, and the declared ones without waiting for the message.
#[tokio::test]
async fn too_long() {
    let wire = spans(&[16; 40]);
    let grpc = Grpc::with(limited(wire.len())).await;
    assert_eq!(grpc.export(Signal::Traces, &wire).await.code(), 0);
    let mut grpc = Grpc::with(limited(wire.len() - 1)).await;
    let answer = grpc.export(Signal::Traces, &wire).await;
    assert_dropped(&mut grpc, &answer, 8, "body_too_large").await;
    let path = path(Signal::Traces);
    for flag in [0, 1] {
        // Never ends, as far as the server can tell.
        let (mut sender, body) = BodyChannel::<Bytes, tonic::Status>::new(1);
        sender
            .send_data(prefixed(flag, u32::MAX, b""))
            .await
            .unwrap();
        let headers = [("grpc-encoding", "gzip")];
        let answer = grpc.call(path, &headers, Body::new(body)).await;
        assert_dropped(&mut grpc, &answer, 8, "body_too_large").await;
    }
    let bomb = gzip(&vec![0; wire.len()]);
    assert!(bomb.len() < wire.len() - 1);
    let answer = grpc
        .call(path, &[("grpc-encoding", "gzip")], whole(framed(1, &bomb)))
        .await;
    assert_dropped(&mut grpc, &answer, 8, "body_too_large").await;
}

/// Scenario: a message in pieces of one byte; bodies that are not one message.
/// Guarantees: the first is taken; the others are INTERNAL, or INVALID_ARGUMENT if cut short.
#[tokio::test]
async fn framing() {
    let wire = spans(&[16]);
    let whole_message = framed(0, &wire);
    let grpc = Grpc::with(Setup::default()).await;
    let pieces: Vec<_> = whole_message
        .chunks(1)
        .map(Bytes::copy_from_slice)
        .collect();
    let pieces = pieces
        .into_iter()
        .map(|piece| Ok(http_body::Frame::data(piece)));
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let body = http_body_util::BodyExt::map_err(body, |never: std::convert::Infallible| {
        tonic::Status::internal(never.to_string())
    });
    let answer = grpc.call(path(Signal::Traces), &[], Body::new(body)).await;
    assert_eq!(answer.code(), 0);
    assert_eq!(grpc.exports()[0].wire, wire);

    let mut grpc = Grpc::with(Setup::default()).await;
    let two = [framed(0, &wire), framed(0, &wire)].concat();
    for (body, code, reason) in [
        (Bytes::new(), 13, "framing"),
        (framed(2, &wire), 13, "framing"),
        (two.into(), 13, "framing"),
        (whole_message.slice(..3), 3, "incomplete_body"),
        (whole_message.slice(..9), 3, "incomplete_body"),
    ] {
        let answer = grpc.call(path(Signal::Traces), &[], whole(body)).await;
        assert_dropped(&mut grpc, &answer, code, reason).await;
    }
}

/// Scenario: a client that sends half a message and then nothing.
/// Guarantees: it is given up as too slow, however alive its connection is.
#[tokio::test]
async fn stalled_messages() {
    let mut grpc = Grpc::with(Setup {
        stall_timeout: Duration::from_millis(50),
        ..Setup::default()
    })
    .await;
    let (mut sender, body) = BodyChannel::<Bytes, tonic::Status>::new(1);
    sender.send_data(prefixed(0, 100, b"half")).await.unwrap();
    let answer = grpc.call(path(Signal::Logs), &[], Body::new(body)).await;
    assert_dropped(&mut grpc, &answer, 8, "slow_body").await;
}

/// Scenario: a client that goes away in the middle of its message.
/// Guarantees: the observer is told, once.
#[tokio::test]
async fn cancelled_calls() {
    let mut grpc = Grpc::with(Setup::default()).await;
    let (mut sender, body) = BodyChannel::<Bytes, tonic::Status>::new(1);
    sender.send_data(prefixed(0, 100, b"half")).await.unwrap();
    sender.abort(tonic::Status::cancelled("gone"));
    let mut request = http::Request::post(path(Signal::Logs))
        .body(Body::new(body))
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    drop(send(grpc.channel(), request).await);
    assert_eq!(
        grpc.event().await,
        (Signal::Logs, Event::Refused("incomplete_body"))
    );
}

/// Scenario: as many calls as may be under way, all of them in the middle of their messages, and
/// one more; then one of them ends.
/// Guarantees: the one more is UNAVAILABLE, with a delay; the place of the one that ended is free.
#[tokio::test]
async fn calls_are_bounded() {
    let mut grpc = Grpc::with(Setup {
        config: IngestConfig {
            max_requests: 1,
            ..IngestConfig::default()
        },
        ..Setup::default()
    })
    .await;
    let (mut sender, body) = BodyChannel::<Bytes, tonic::Status>::new(1);
    sender.send_data(prefixed(0, 4, b"\x0a")).await.unwrap();
    let call = grpc.call(path(Signal::Logs), &[], Body::new(body));
    let more = async {
        let answer = loop {
            // Until the first call has come as far as its permit.
            let answer = grpc.export(Signal::Metrics, PROTOBUF_BODY).await;
            if answer.code() != 0 {
                break answer;
            }
        };
        sender
            .send_data(Bytes::from_static(b"\x02\x12\0"))
            .await
            .unwrap();
        drop(sender);
        answer
    };
    let (first, more) = tokio::join!(call, more);
    assert_eq!((more.code(), more.retry_infos()), (14, (Some(1), Some(1))));
    assert_eq!(first.code(), 0);
    assert_eq!(grpc.export(Signal::Metrics, PROTOBUF_BODY).await.code(), 0);
    let mut told = Vec::new();
    while !told.contains(&Event::Refused("overloaded")) {
        told.push(grpc.event().await.1);
    }
}
