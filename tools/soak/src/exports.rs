//! What is sent: every signal, in every encoding and compression, made once.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use load::payload::{Body, Compression, Encoding, Payload};
use otlp_codec::Signal;

use crate::kinds::Kinds;
use crate::relay::TOKEN;
use crate::senders::Transport;

/// Names of payloads, and how many of a hundred exports each is. S is small, M of a usual size,
/// T and G are traces and logs.
const SHARES: [(&str, usize); 4] = [("S", 64), ("M", 12), ("T", 12), ("G", 12)];

/// From one export to the next; no divisor of a hundred, so that all get their turn.
const STRIDE: usize = 37;

/// What HTTP takes.
const CODINGS: [Compression; 5] = [
    Compression::Identity,
    Compression::Gzip,
    Compression::Deflate,
    Compression::Zstd,
    Compression::Snappy,
];

/// An export in one form.
pub(crate) struct Export {
    pub(crate) signal: Signal,
    body: Body,
}

/// All that is sent, each as often as it should be.
pub(crate) struct Exports {
    http: Vec<Export>,
    grpc: Vec<Export>,
    pub(crate) kinds: Kinds,
    /// How many were taken for each transport.
    sent: [AtomicUsize; 2],
}

impl Exports {
    pub(crate) fn new() -> Result<Self> {
        let (mut http, mut grpc, mut kinds) = (Vec::new(), Vec::new(), Kinds::default());
        for (name, share) in SHARES {
            let payload = Payload::find(name, Signal::Metrics)?;
            kinds.add(payload.signal, &payload.wire)?;
            let mut forms = Vec::new();
            for encoding in [Encoding::Protobuf, Encoding::Json] {
                forms.extend(CODINGS.map(|coding| (encoding, coding)));
            }
            for &(encoding, coding) in forms.iter().cycle().take(share) {
                http.push(Export::new(&payload, encoding, coding)?);
            }
            // gRPC has no deflate and no snappy here.
            let codings = [Compression::Identity, Compression::Gzip, Compression::Zstd];
            for &coding in codings.iter().cycle().take(share) {
                grpc.push(Export::new(&payload, Encoding::Protobuf, coding)?);
            }
        }
        Ok(Self {
            http,
            grpc,
            kinds,
            sent: Default::default(),
        })
    }

    /// The next one for a transport: all kinds come early, and in a hundred each as often as it
    /// should.
    pub(crate) fn next(&self, transport: Transport) -> &Export {
        let exports = match transport {
            Transport::Http => &self.http,
            Transport::Grpc => &self.grpc,
        };
        let number = self.sent[transport as usize].fetch_add(1, Ordering::Relaxed);
        &exports[number * STRIDE % exports.len()]
    }
}

impl Export {
    fn new(payload: &Payload, encoding: Encoding, compression: Compression) -> Result<Self> {
        Ok(Self {
            signal: payload.signal,
            body: payload.body(encoding, compression)?,
        })
    }

    /// As OTLP/HTTP sends it.
    pub(crate) fn to_http(&self) -> Result<Request<Full<Bytes>>> {
        let content_type = match self.body.encoding {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let mut request = Request::post(format!("/v1/{}", self.signal))
            .header("host", "localhost")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", content_type);
        if let Some(coding) = self.body.compression.name() {
            request = request.header("content-encoding", coding);
        }
        Ok(request.body(Full::new(self.body.bytes.clone()))?)
    }

    /// As OTLP/gRPC sends it: one message behind its prefix (gRPC over HTTP/2,
    /// "Length-Prefixed-Message").
    pub(crate) fn to_grpc(&self) -> Result<Request<Full<Bytes>>> {
        let coding = self.body.compression.name();
        let mut request = grpc_request(method(self.signal));
        if let Some(coding) = coding {
            request = request.header("grpc-encoding", coding);
        }
        let message = framed(coding.is_some(), &self.body.bytes)?;
        Ok(request.body(Full::new(message))?)
    }
}

/// A call without its message.
pub(crate) fn grpc_request(method: &str) -> hyper::http::request::Builder {
    Request::post(format!("http://localhost{method}"))
        .header("te", "trailers")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/grpc")
}

/// A message behind its prefix.
pub(crate) fn framed(compressed: bool, message: &[u8]) -> Result<Bytes> {
    let length = u32::try_from(message.len())?.to_be_bytes();
    Ok([&[u8::from(compressed)], &length[..], message]
        .concat()
        .into())
}

/// The one method of a signal's service.
pub(crate) fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Profiles => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        }
    }
}
