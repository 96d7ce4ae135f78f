//! OTLP/gRPC: a call after the other over one HTTP/2 connection of tonic's, with the message
//! framed and compressed beforehand (gRPC over HTTP/2, "Length-Prefixed-Message").

use std::future::poll_fn;
use std::io;

use http_body_util::{BodyExt, Full};
use otlp_codec::Signal;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::codegen::{Bytes, Service};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::{Answer, Target};
use crate::payload::{self, Encoding};

/// A connection over HTTP/2.
pub struct GrpcSender {
    channel: Channel,
    method: String,
    compression: Option<&'static str>,
    message: Bytes,
}

impl GrpcSender {
    pub(super) async fn connect(target: &Target) -> io::Result<Self> {
        if target.body.encoding != Encoding::Protobuf {
            return Err(io::Error::other("OTLP/gRPC takes protobuf alone"));
        }
        if target.tls.is_some() {
            return Err(io::Error::other("TLS is for those who send over HTTP"));
        }
        let authority = format!("http://{}", target.address);
        let endpoint = Endpoint::from_shared(authority.clone()).map_err(io::Error::other)?;
        Ok(Self {
            channel: endpoint.connect().await.map_err(io::Error::other)?,
            method: format!("{authority}{}", method(target.signal)),
            compression: target.body.compression.name(),
            message: framed(&target.body)?,
        })
    }

    pub(super) async fn send(&mut self) -> io::Result<Answer> {
        let mut request = Request::post(&self.method)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(name) = self.compression {
            request = request.header("grpc-encoding", name);
        }
        let body = Body::new(Full::new(self.message.clone()));
        let request = request.body(body).map_err(io::Error::other)?;
        let ready = poll_fn(|cx| self.channel.poll_ready(cx)).await;
        ready.map_err(io::Error::other)?;
        let response = self.channel.call(request).await.map_err(io::Error::other)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        // An answer without a message has its status in the head.
        let trailers = body.trailers().unwrap_or(&head.headers);
        let status = Status::from_header_map(trailers);
        match status.ok_or_else(|| io::Error::other("an answer without a status"))? {
            status if status.code() == Code::Ok => Ok(Answer::Accepted),
            status => Ok(Answer::Refused(status.code() as u16)),
        }
    }
}

/// The one method of a signal's service.
fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Profiles => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        }
    }
}

fn framed(body: &payload::Body) -> io::Result<Bytes> {
    let length = u32::try_from(body.bytes.len()).map_err(io::Error::other)?;
    let compressed = u8::from(body.compression.name().is_some());
    Ok([&[compressed], &length.to_be_bytes()[..], &body.bytes]
        .concat()
        .into())
}
