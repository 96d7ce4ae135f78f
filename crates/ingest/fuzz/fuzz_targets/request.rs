//! A request over HTTP, from its head to its answer: media type, content coding, body.
//!
//! Whatever comes: no panic, no 5xx, an answer in the encoding of the request, all of the budget
//! given back. 200 only if the typed door accepts what the body inflates to, and then the sink has
//! what the typed door reads; and always, if the body was compressed by the book. The oracle
//! inflates with the coding's own crate, whole, and not with the readers that are tested.
//!
//! The first three bytes say what to do with the others, see [`Input`].

#![no_main]

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Payload, Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};
use bytes::Bytes;
use futures_util::stream;
use ingest::{AllowAll, Budget, Export, ExportSink, IngestConfig, NoObserver, Receiver, Refused};
use libfuzzer_sys::fuzz_target;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal, check::check};
use prost::Message;
use tonic_types::pb;

/// The longest body. Inputs, repeated or inflated, can be longer.
const MAX_BODY: usize = 16 << 10;
/// Enough for one request: a body as sent, inflated, and as protobuf.
const MAX_REQUESTS_BYTES: usize = 4 * MAX_BODY;

const PATHS: [&str; 4] = [
    "/v1/metrics",
    "/v1/traces",
    "/v1/logs",
    "/v1development/profiles",
];
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const TYPES: [Option<&str>; 4] = [Some(PROTOBUF), Some(JSON), Some("text/plain"), None];
const CODINGS: [&str; 8] = [
    "identity",
    "gzip",
    "deflate",
    "zstd",
    "snappy",
    "x-snappy-framed",
    "gzip, gzip",
    "br",
];

/// What the bytes ask for.
#[derive(Debug)]
struct Input {
    signal: Signal,
    content_type: Option<&'static str>,
    coding: &'static str,
    /// As sent.
    body: Vec<u8>,
    /// What the oracle says that it inflates to.
    inflated: Option<Vec<u8>>,
    /// Whether it was compressed by the book, and so must be accepted if what is in it is.
    sound: bool,
    /// The longest piece that it comes in.
    piece: usize,
}

impl Input {
    /// Byte 0: bits 0 and 1 the signal, 2 and 3 the type, 4 to 6 the coding, 7 whether the rest is
    /// to be compressed. Byte 1: bits 0 to 3 the length of pieces, 4 to 6 how often the rest is
    /// repeated, both as powers of two; 7 whether a byte is to be spoilt after compression, which
    /// byte 2 chooses.
    fn read(input: &[u8]) -> Option<Self> {
        let ([first, second, third], rest) = input.split_first_chunk()?;
        let coding = CODINGS[usize::from(first >> 4 & 7)];
        let mut body = rest.repeat(1 << (second >> 4 & 7));
        let mut sound = false;
        if first & 0x80 != 0 {
            body = compress(coding, &body)?;
            sound = true;
        }
        if second & 0x80 != 0 && !body.is_empty() {
            let at = usize::from(*third) * body.len() / 256;
            body[at] ^= third | 1;
            sound = false;
        }
        let inflated = inflate(coding, &body);
        Some(Self {
            signal: Signal::ALL[usize::from(first & 3)],
            content_type: TYPES[usize::from(first >> 2 & 3)],
            coding,
            sound: sound || coding == "identity",
            piece: 1 << (second & 15),
            body,
            inflated,
        })
    }

    /// What the typed door makes of it; nothing if it must be refused for its head or its coding.
    fn expected(&self, limits: &Limits) -> Option<Request> {
        let body = self.inflated.as_ref()?;
        if self.body.len() > MAX_BODY || body.len() > MAX_BODY {
            return None;
        }
        match self.content_type? {
            PROTOBUF => Request::decode_protobuf(self.signal, body, limits).ok(),
            JSON => Request::decode_json(self.signal, body, limits).ok(),
            _ => None,
        }
    }
}

fn compress(coding: &str, plain: &[u8]) -> Option<Vec<u8>> {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    fn through<W: Write>(mut encoder: W, plain: &[u8]) -> Option<W> {
        encoder.write_all(plain).ok().map(|()| encoder)
    }
    match coding {
        "identity" => Some(plain.to_vec()),
        "gzip" => through(GzEncoder::new(Vec::new(), Compression::fast()), plain)?
            .finish()
            .ok(),
        "deflate" => through(ZlibEncoder::new(Vec::new(), Compression::fast()), plain)?
            .finish()
            .ok(),
        "zstd" => zstd::bulk::compress(plain, 1).ok(),
        "snappy" => snap::raw::Encoder::new().compress_vec(plain).ok(),
        "x-snappy-framed" => through(snap::write::FrameEncoder::new(Vec::new()), plain)?
            .into_inner()
            .ok(),
        _ => None,
    }
}

/// The whole of `body` inflated, as far as it is of interest; nothing if that fails.
fn inflate(coding: &str, body: &[u8]) -> Option<Vec<u8>> {
    fn whole(reader: impl Read) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        let mut reader = reader.take(MAX_BODY as u64 + 1);
        reader.read_to_end(&mut plain).ok().map(|_| plain)
    }
    fn framed(body: &[u8]) -> Option<Vec<u8>> {
        whole(snap::read::FrameDecoder::new(body))
    }
    match coding {
        "identity" => Some(body.to_vec()),
        "gzip" => whole(flate2::read::MultiGzDecoder::new(body)),
        "deflate" => whole(flate2::read::ZlibDecoder::new(body)),
        "zstd" => whole(zstd::stream::read::Decoder::new(body).ok()?),
        "x-snappy-framed" => framed(body),
        "snappy" if body.starts_with(b"\xff\x06\x00\x00sNaPpY") => framed(body),
        "snappy" => match snap::raw::decompress_len(body).ok()? {
            // What it would be doesn't matter.
            length if length > MAX_BODY => Some(vec![0; MAX_BODY + 1]),
            _ => snap::raw::Decoder::new().decompress_vec(body).ok(),
        },
        _ => None,
    }
}

/// Keeps the last export.
#[derive(Default)]
struct Sink(Mutex<Option<Export>>);

impl ExportSink for Sink {
    fn accept(&self, export: Export, _: Instant) -> Result<(), Refused> {
        let before = self.0.lock().unwrap().replace(export);
        assert!(before.is_none(), "two exports of one request");
        Ok(())
    }
}

/// The receiver, made once, and what it hands out.
struct Server {
    receiver: Receiver,
    sink: Arc<Sink>,
    budget: Budget,
    limits: Limits,
}

impl Server {
    fn new() -> Self {
        let config = IngestConfig {
            max_body_bytes: MAX_BODY,
            max_requests: 1,
            max_requests_bytes: MAX_REQUESTS_BYTES,
            profiles: true,
            codec: Limits {
                elements: 2000,
                items: 200,
                ..Limits::default()
            },
            ..IngestConfig::default()
        };
        let sink = Arc::new(Sink::default());
        let budget = config.budget();
        Self {
            limits: config.decode_limits(),
            receiver: Receiver {
                budget: budget.clone(),
                config,
                sink: sink.clone(),
                authorize: Arc::new(AllowAll),
                observer: Arc::new(NoObserver),
            },
            sink,
            budget,
        }
    }
}

/// Sends the request: status, media type and body of the answer.
async fn exchange<S, B>(app: &S, input: &Input) -> (StatusCode, String, Bytes)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let path = PATHS[Signal::ALL
        .iter()
        .position(|signal| *signal == input.signal)
        .unwrap()];
    let mut request = TestRequest::post()
        .uri(path)
        .insert_header((CONTENT_ENCODING, input.coding));
    if let Some(content_type) = input.content_type {
        request = request.insert_header((CONTENT_TYPE, content_type));
    }
    let pieces: Vec<_> = input
        .body
        .chunks(input.piece)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let payload: Payload = Payload::Stream {
        payload: Box::pin(stream::iter(pieces)),
    };
    let (request, _) = request.to_request().replace_payload(payload);
    let response = app
        .call(request)
        .await
        .expect("handlers answer")
        .into_parts()
        .1;
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .expect("a type")
        .to_str()
        .unwrap();
    let (status, content_type) = (response.status(), content_type.to_owned());
    let body = to_bytes(response.into_body())
        .await
        .ok()
        .expect("a body in memory");
    (status, content_type, body)
}

/// Holds an answer to what the oracle says.
fn judge(input: &Input, server: &Server, answer: (StatusCode, String, Bytes)) {
    let (status, content_type, body) = answer;
    let export = server.sink.0.lock().unwrap().take();
    assert_eq!(
        (server.budget.requests(), server.budget.bytes()),
        (0, 0),
        "budget"
    );
    let answered_in = match input.content_type {
        Some(PROTOBUF) => PROTOBUF,
        _ => JSON,
    };
    assert_eq!(content_type, answered_in);
    let expected = input.expected(&server.limits);
    if status == StatusCode::OK {
        let expected = expected.expect("the typed door refuses it, or it can't be inflated");
        accepted(input, &expected, export, &body);
        return;
    }
    assert!(matches!(status.as_u16(), 400 | 413 | 415), "{status}");
    assert!(export.is_none(), "the export of a request that was refused");
    refused(answered_in, &body);
    if let (true, Some(expected)) = (input.sound, expected) {
        // JSON can take more bytes as protobuf.
        let grew = answered_in == JSON && expected.encode_protobuf().len() > MAX_BODY / 2;
        // Of an id outside of all items, like one in the dictionary of profiles, policy refuses
        // the request.
        let bad_id = expected.check_ids().is_err();
        assert!(
            grew && status == 413 || bad_id && status == 400,
            "{status}, but the typed door accepts it"
        );
    }
}

/// The sink has what the typed door reads, but for items whose ids policy refuses; the answer
/// says how many those are.
fn accepted(input: &Input, expected: &Request, export: Option<Export>, answer: &[u8]) {
    let rejected = rejected(input, answer);
    let Some(export) = export else {
        assert!(rejected == expected.items() && rejected > 0, "no export");
        return;
    };
    assert!(export.wire.len() <= MAX_BODY, "{} bytes", export.wire.len());
    assert_eq!(export.signal, input.signal);
    assert_eq!(export.items + rejected, expected.items());
    let read = Request::decode_protobuf(input.signal, &export.wire, &Limits::default());
    let read = read.expect("an export decodes");
    assert_eq!(read.items(), export.items);
    match expected.check_ids() {
        // `Debug`, where NaN equals NaN.
        Ok(()) => assert_eq!(format!("{read:?}"), format!("{expected:?}")),
        Err(_) => assert!(rejected > 0),
    }
    let checked = check(input.signal, &export.wire, &Limits::default()).expect("as before");
    assert!(checked.refused().is_empty(), "an item that policy refuses");
}

/// How many items a success says were not taken. Its field has the same number for all signals.
fn rejected(input: &Input, answer: &[u8]) -> usize {
    use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceResponse;
    let count = if input.content_type == Some(PROTOBUF) {
        let response = ExportMetricsServiceResponse::decode(answer).expect("a response");
        response
            .partial_success
            .map_or(0, |partial| partial.rejected_data_points)
    } else {
        let response: serde_json::Value = serde_json::from_slice(answer).expect("a response");
        let partial = response
            .get("partialSuccess")
            .and_then(|partial| partial.as_object());
        let mut counts = partial
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("rejected"));
        let count = counts.next().and_then(|(_, count)| count.as_str());
        count.map_or(0, |count| count.parse().expect("a number"))
    };
    usize::try_from(count).expect("not negative")
}

/// A `google.rpc.Status` with a code and a message.
fn refused(encoding: &str, answer: &[u8]) {
    let (code, message) = if encoding == PROTOBUF {
        let status = pb::Status::decode(answer).expect("a status");
        (i64::from(status.code), status.message)
    } else {
        let status: serde_json::Value = serde_json::from_slice(answer).expect("a status");
        let message = status["message"].as_str().expect("a message");
        (status["code"].as_i64().expect("a code"), message.to_owned())
    };
    assert!(code != 0 && !message.is_empty(), "{code} {message}");
}

/// Serves one request after another, all with one receiver.
fn harness() -> Box<dyn Fn(&Input)> {
    let server = Server::new();
    let system = System::new();
    let receiver = server.receiver.clone();
    let app = App::new().configure(|cfg| ingest::configure(cfg, receiver));
    let app = system.block_on(init_service(app));
    Box::new(move |input| {
        let answer = system.block_on(exchange(&app, input));
        judge(input, &server, answer);
    })
}

thread_local! {
    /// Never dropped: at the end of the thread, actix would look for what has gone before it.
    static HARNESS: &'static dyn Fn(&Input) = Box::leak(harness());
}

fuzz_target!(|input: &[u8]| {
    if let Some(input) = Input::read(input) {
        HARNESS.with(|serve| serve(&input));
    }
});
