//! The services behind a real tonic server on a free port, and a client that sends frames made by
//! hand.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use ingest::grpc::{Peer, routes};
use ingest::{
    Accepted, AuthError, Authorize, Credentials, Export, ExportSink, IngestConfig, Observer,
    Receiver, Refusal, Refused, Transport,
};
use otlp_codec::Signal;
use prost::Message;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::InterceptorLayer;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic_types::pb;

use crate::server::{Event, PATIENCE};

/// The path of the one method of a signal's service.
pub(crate) fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Profiles => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        }
    }
}

/// How a server under test differs from the default.
pub(crate) struct Setup {
    pub(crate) config: IngestConfig,
    pub(crate) refuse: Option<Refused>,
    pub(crate) token: Option<&'static [u8]>,
    pub(crate) stall_timeout: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: IngestConfig::default(),
            refuse: None,
            token: None,
            stall_timeout: PATIENCE,
        }
    }
}

/// Sink, authority and observer in one.
struct Recorder {
    refuse: Option<Refused>,
    token: Option<&'static [u8]>,
    exports: Mutex<Vec<Export>>,
    events: mpsc::UnboundedSender<(Signal, Event)>,
}

impl ExportSink for Recorder {
    fn accept(&self, export: Export, _: Instant) -> Result<(), Refused> {
        match self.refuse {
            Some(refused) => Err(refused),
            None => {
                self.exports.lock().unwrap().push(export);
                Ok(())
            }
        }
    }
}

impl Authorize for Recorder {
    fn check(&self, credentials: Credentials<'_>) -> Result<(), AuthError> {
        assert!(credentials.peer.unwrap().is_loopback());
        match (self.token, credentials.authorization) {
            (None, _) => Ok(()),
            (Some(token), Some(given)) if token == given => Ok(()),
            (Some(_), Some(b"Bearer guest")) => Err(AuthError::Forbidden),
            (Some(_), _) => Err(AuthError::Unauthenticated),
        }
    }
}

impl Recorder {
    fn tell(&self, signal: Signal, transport: Transport, event: Event) {
        assert_eq!(transport, Transport::Grpc);
        drop(self.events.send((signal, event)));
    }
}

impl Observer for Recorder {
    fn accepted(&self, signal: Signal, transport: Transport, accepted: Accepted) {
        let Accepted { items, bytes, .. } = accepted;
        self.tell(signal, transport, Event::Accepted { items, bytes });
    }

    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        self.tell(signal, transport, Event::Rejected { items });
    }

    fn refused(&self, signal: Option<Signal>, transport: Transport, refusal: Refusal) {
        self.tell(
            signal.unwrap(),
            transport,
            Event::Refused(refusal.reason.as_str()),
        );
    }
}

/// A server and a connection to it; both end with the runtime of the test.
pub(crate) struct Grpc {
    recorder: Arc<Recorder>,
    events: mpsc::UnboundedReceiver<(Signal, Event)>,
    channel: Channel,
}

impl Grpc {
    pub(crate) async fn with(setup: Setup) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let recorder = Arc::new(Recorder {
            refuse: setup.refuse,
            token: setup.token,
            exports: Mutex::default(),
            events: sender,
        });
        let receiver = Receiver {
            budget: setup.config.budget(),
            config: setup.config,
            sink: recorder.clone(),
            authorize: recorder.clone(),
            observer: recorder.clone(),
        };
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address: SocketAddr = incoming.local_addr().unwrap();
        let peer = |mut request: tonic::Request<()>| {
            let peer = request.remote_addr().map(|peer| peer.ip());
            request.extensions_mut().insert(Peer(peer));
            Ok(request)
        };
        let serving = tonic::transport::Server::builder()
            .layer(InterceptorLayer::new(peer))
            .add_routes(routes(receiver, setup.stall_timeout))
            .serve_with_incoming(incoming);
        tokio::spawn(serving);
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Self {
            recorder,
            events,
            channel,
        }
    }

    /// A connection, for a tonic client.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// What the sink has got so far.
    pub(crate) fn exports(&self) -> Vec<Export> {
        self.recorder.exports.lock().unwrap().clone()
    }

    /// The next thing that the observer was told, in order.
    pub(crate) async fn event(&mut self) -> (Signal, Event) {
        let event = tokio::time::timeout(PATIENCE, self.events.recv());
        event.await.expect("in time").unwrap()
    }

    /// Calls with a body made by hand.
    pub(crate) async fn call(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = http::Request::post(path).body(body).unwrap();
        let all = request.headers_mut();
        all.insert("content-type", "application/grpc".parse().unwrap());
        for (name, value) in headers {
            // A second value stands beside the first, but for what is set above.
            let value = value.parse().unwrap();
            match *name {
                "content-type" => drop(all.insert(*name, value)),
                name => drop(all.append(name, value)),
            }
        }
        let answer = async {
            let response = send(self.channel(), request).await.unwrap();
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().cloned();
            let status = tonic::Status::from_header_map(trailers.as_ref().unwrap_or(&head.headers));
            Answer {
                status: status.unwrap(),
                head,
                body: body.to_bytes(),
            }
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .expect("in time")
    }

    /// Exports one uncompressed message.
    pub(crate) async fn export(&self, signal: Signal, message: &[u8]) -> Answer {
        self.call(path(signal), &[], whole(framed(0, message)))
            .await
    }
}

/// Sends a request.
pub(crate) async fn send(
    mut channel: Channel,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, tonic::transport::Error> {
    poll_fn(|cx| channel.poll_ready(cx)).await?;
    channel.call(request).await
}

/// A message with its prefix.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Bytes {
    prefixed(flag, u32::try_from(message.len()).unwrap(), message)
}

/// Some of a message, behind a prefix that says what it likes.
pub(crate) fn prefixed(flag: u8, length: u32, message: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(flag);
    body.put_u32(length);
    body.put_slice(message);
    body.freeze()
}

/// A body in one piece.
pub(crate) fn whole(bytes: Bytes) -> Body {
    Body::new(Full::new(bytes))
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: tonic::Status,
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn code(&self) -> i32 {
        self.status.code() as i32
    }

    /// The `google.rpc.Status` in the trailers.
    pub(crate) fn details(&self) -> pb::Status {
        pb::Status::decode(self.status.details()).unwrap()
    }

    /// The delay in seconds of the `RetryInfo` in the status, and of the one beside it.
    pub(crate) fn retry_infos(&self) -> (Option<i64>, Option<i64>) {
        let details = self.details().details;
        let inside = details
            .iter()
            .find(|detail| detail.type_url == "type.googleapis.com/google.rpc.RetryInfo");
        let beside = self.status.metadata().get_bin("google.rpc.retryinfo-bin");
        let seconds = |bytes: &[u8]| {
            let info = pb::RetryInfo::decode(bytes).unwrap();
            info.retry_delay.unwrap().seconds
        };
        (
            inside.map(|detail| seconds(&detail.value)),
            beside.map(|value| seconds(&value.to_bytes().unwrap())),
        )
    }

    /// The field and the description of the `BadRequest` in the status.
    pub(crate) fn bad_request(&self) -> Option<(String, String)> {
        let details = self.details().details;
        let detail = details
            .iter()
            .find(|detail| detail.type_url == "type.googleapis.com/google.rpc.BadRequest")?;
        let mut violations = pb::BadRequest::decode(detail.value.as_slice())
            .unwrap()
            .field_violations;
        let violation = violations.remove(0);
        Some((violation.field, violation.description))
    }
}
