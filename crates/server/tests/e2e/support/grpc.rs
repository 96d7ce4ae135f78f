//! A gRPC client over tonic, made to wait.

use std::future::poll_fn;
use std::net::SocketAddr;

use http_body_util::BodyExt;
use http_body_util::channel::{Channel as BodyChannel, Sender};
use ingest::grpc::BytesCodec;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{Bytes, Service};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::{PATIENCE, wait};

/// The method of the service for metrics.
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// One connection.
pub(crate) struct Grpc {
    /// What calls say in `x-forwarded-for`, if anything.
    pub(crate) forwarded_for: Option<&'static str>,
    pub(crate) runtime: Runtime,
    pub(crate) channel: Channel,
}

impl Grpc {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap()
    }

    /// As [`connect`](Self::connect), where it may be refused.
    pub(crate) fn try_connect(address: SocketAddr) -> Result<Self, Status> {
        Self::to(Endpoint::from_shared(format!("http://{address}")).unwrap())
    }

    /// Connects over TLS.
    pub(crate) fn connect_tls(address: SocketAddr, tls: ClientTlsConfig) -> Result<Self, Status> {
        let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
        Self::to(endpoint.tls_config(tls).unwrap())
    }

    fn to(endpoint: Endpoint) -> Result<Self, Status> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let channel = wait(&runtime, endpoint.timeout(PATIENCE).connect());
        let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Self {
            forwarded_for: None,
            runtime,
            channel,
        })
    }

    /// Exports metrics: what came back.
    pub(crate) fn export(&self, message: Vec<u8>) -> Result<Bytes, Status> {
        self.export_with(None, message)
    }

    /// As [`export`](Self::export), with the whole value of an `authorization`.
    pub(crate) fn export_with(
        &self,
        authorization: Option<&str>,
        message: Vec<u8>,
    ) -> Result<Bytes, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        wait(&self.runtime, async {
            let ready = client.ready().await;
            ready.map_err(|error| Status::unavailable(error.to_string()))?;
            let path = PathAndQuery::from_static(METRICS);
            let mut request = tonic::Request::new(Bytes::from(message));
            let metadata = request.metadata_mut();
            if let Some(authorization) = authorization {
                metadata.insert("authorization", authorization.parse().unwrap());
            }
            if let Some(client) = self.forwarded_for {
                metadata.insert("x-forwarded-for", client.parse().unwrap());
            }
            let answer = client.unary(request, path, BytesCodec).await?;
            Ok(answer.into_inner())
        })
    }

    /// Asks for the health of the relay: what came back.
    pub(crate) fn health(&self) -> Result<(), Status> {
        let mut client = HealthClient::new(self.channel.clone());
        let mut request = tonic::Request::new(HealthCheckRequest::default());
        if let Some(client) = self.forwarded_for {
            let client = client.parse().unwrap();
            request.metadata_mut().insert("x-forwarded-for", client);
        }
        wait(&self.runtime, client.check(request)).map(drop)
    }

    /// Begins a call with the first bytes of its body; the relay has seen its head when this
    /// returns.
    pub(crate) fn begin(&self, bytes: Vec<u8>) -> Call {
        let call = self.start(bytes);
        // Comes behind it on the same connection.
        let status = self.export(b"\xff".to_vec()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        call
    }

    /// As [`begin`](Self::begin), but the relay may not have seen anything yet; what is sent
    /// from now on over this connection comes behind the head.
    pub(crate) fn start(&self, bytes: Vec<u8>) -> Call {
        let (mut sender, body) = BodyChannel::<Bytes, Status>::new(1);
        let request = Request::post(METRICS)
            .header("content-type", "application/grpc")
            .header("x-forwarded-for", self.forwarded_for.unwrap_or_default())
            .body(Body::new(body))
            .unwrap();
        let mut channel = self.channel.clone();
        let calling = async move {
            poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
            let response = channel.call(request).await.unwrap();
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().unwrap_or(&head.headers);
            Status::from_header_map(trailers).unwrap().code()
        };
        let answer = self.runtime.spawn(calling);
        wait(&self.runtime, sender.send_data(bytes.into())).unwrap();
        // There is room for one piece: the first was taken, and the head is sent before it.
        wait(&self.runtime, sender.send_data(Bytes::new())).unwrap();
        Call { sender, answer }
    }

    /// Ends a call with the rest of its body. Its code.
    pub(crate) fn finish(&self, mut call: Call, bytes: Vec<u8>) -> Code {
        if !bytes.is_empty() {
            wait(&self.runtime, call.sender.send_data(bytes.into())).unwrap();
        }
        drop(call.sender);
        wait(&self.runtime, call.answer).unwrap()
    }
}

/// A call whose body has not ended.
pub(crate) struct Call {
    sender: Sender<Bytes, Status>,
    answer: JoinHandle<Code>,
}

/// A message behind its prefix, which says that it has `length` bytes.
pub(crate) fn prefixed(length: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}
