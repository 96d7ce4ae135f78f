//! Clients that send what nobody should, and what it deserves.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use otlp_codec::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::World;
use crate::door::{Door, Leaves, PATIENCE, Stream};
use crate::exports::{framed, grpc_request, method};
use crate::relay::TOKEN;
use crate::senders::{Answer, Connection, Transport};
use crate::source::Source;
use crate::stop::Stop;
use crate::tally::Fault;

/// The longest head of an answer, in bytes.
const HEAD: usize = 16 << 10;
/// How long a client does nothing in the middle of something.
const SILENCE: Duration = Duration::from_secs(2);

/// A bad request over HTTP: the lines of its head after `host` and the token, its body, and the
/// statuses that it may have.
type Bad = (&'static str, &'static str, &'static [u8], u16);

/// Bad requests over HTTP.
const REQUESTS: [Bad; 12] = [
    ("GET /nonexistent", "", b"", 404),
    (
        "PUT /v1/metrics",
        "content-type: application/json\r\n",
        b"{}",
        405,
    ),
    ("POST /v1/metrics", "", b"{}", 415),
    ("POST /v1/logs", "content-type: text/plain\r\n", b"{}", 415),
    (
        "POST /v1/traces",
        "content-type: application/x-protobuf\r\n",
        b"\xff\xff\xff",
        400,
    ),
    (
        "POST /v1/logs",
        "content-type: application/json\r\n",
        b"{\"resourceLogs\":[{]",
        400,
    ),
    (
        "POST /v1/metrics",
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
        b"no gzip at all",
        400,
    ),
    (
        "POST /v1/metrics",
        "content-type: application/json\r\ncontent-encoding: br\r\n",
        b"{}",
        415,
    ),
    ("GET /ws?format=nonsense", UPGRADE, b"", 400),
    ("GET /ws?since=nonsense&envelope=true", UPGRADE, b"", 400),
    ("GET /stream?format=protobuf", "", b"", 400),
    ("GET /ws/metrics", "", b"", 426),
];

/// What asks for WebSocket.
const UPGRADE: &str = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Ways to be rude that take more than a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Connects, and resets.
    Nothing,
    /// Half a head, and a reset.
    HalfAHead,
    /// Half a body, silence, and a reset.
    HalfABody,
    /// A body that is announced to be a giant.
    Giant,
    /// Somebody else's token.
    WrongToken,
    /// Bytes that are no HTTP.
    NoHttp,
    /// A WebSocket frame of a reserved kind.
    ReservedFrame,
    /// Calls of gRPC that make no sense.
    BadCalls,
    /// HTTP/1.1 where HTTP/2 is spoken.
    NoHttp2,
}

const WAYS: [Way; 9] = [
    Way::Nothing,
    Way::HalfAHead,
    Way::HalfABody,
    Way::Giant,
    Way::WrongToken,
    Way::NoHttp,
    Way::ReservedFrame,
    Way::BadCalls,
    Way::NoHttp2,
];

/// Is rude in one way after the other until `stop`.
pub(crate) async fn annoy(world: Arc<World>, stop: Stop) {
    while stop
        .pause(Duration::from_millis(fastrand::u64(..200)))
        .await
    {
        let choice = fastrand::usize(..REQUESTS.len() + WAYS.len());
        let annoying = async {
            match REQUESTS.get(choice) {
                Some(bad) => bad_request(&world, bad).await,
                None => WAYS[choice - REQUESTS.len()].go(&world.door, &stop).await,
            }
        };
        let result = timeout(PATIENCE, annoying).await;
        let fault = match result {
            Ok(Ok(())) => {
                world.tally.count("bad_requests");
                continue;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer".to_owned(),
        };
        let told = || format!("number {choice}: {fault}");
        world.tally.fault(Fault::Answers, told);
    }
}

async fn bad_request(world: &World, &(line, headers, body, expected): &Bad) -> Result<()> {
    let head = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n{headers}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let io = world.door.http(Leaves::Quietly).await?;
    let status = ask(io, &[head.as_bytes(), body].concat()).await?;
    ensure!(status == expected, "{line}: {status} instead of {expected}");
    Ok(())
}

impl Way {
    async fn go(self, door: &Door, stop: &Stop) -> Result<()> {
        let leaves = match self {
            Self::Nothing | Self::HalfAHead | Self::HalfABody => Leaves::Rudely,
            _ => Leaves::Quietly,
        };
        match self {
            Self::Nothing => drop(door.http(leaves).await?),
            Self::HalfAHead => door.http(leaves).await?.write_all(b"POST /v1/met").await?,
            Self::HalfABody => half_a_body(door.http(leaves).await?, stop).await?,
            Self::Giant => {
                let status = ask(door.http(leaves).await?, &upload("9999999999", TOKEN)).await?;
                ensure!(status == 413, "a giant: {status}");
            }
            Self::WrongToken => {
                let status = ask(door.http(leaves).await?, &upload("2", "wrong")).await?;
                ensure!(status == 401, "a wrong token: {status}");
            }
            Self::NoHttp => {
                to_the_end(door.http(leaves).await?, b"\x00\x01 no HTTP\r\n\r\n").await?
            }
            Self::ReservedFrame => reserved_frame(door.http(leaves).await?).await?,
            Self::BadCalls => bad_calls(door).await?,
            Self::NoHttp2 => {
                // It may be told, or be cut off.
                let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
                drop(to_the_end(door.grpc().await?, request).await);
            }
        }
        Ok(())
    }
}

async fn half_a_body(mut io: Stream, stop: &Stop) -> Result<()> {
    io.write_all(&upload("1000", TOKEN)).await?;
    io.write_all(b"{\"resource").await?;
    io.flush().await?;
    stop.pause(SILENCE).await;
    Ok(())
}

async fn reserved_frame(io: Stream) -> Result<()> {
    let mut session = Source::open(io, "/ws/logs").await?;
    let text = Message::Text("a client may talk".into());
    session.send(text).await?;
    let Source::WebSocket(socket) = session else {
        bail!("no WebSocket")
    };
    to_the_end(socket.into_inner(), &[0xf3, 0x80, 0, 0, 0, 0]).await
}

async fn bad_calls(door: &Door) -> Result<()> {
    let mut connection = Connection::open(door, Transport::Grpc).await?;
    for (path, message, code) in [
        (method(Signal::Logs), &b"\xff\xff"[..], 3),
        ("/opentelemetry.proto.Nothing/Export", b"", 12),
    ] {
        let request = grpc_request(path).body(Full::new(framed(false, message)?))?;
        let answer = connection.send(request).await?;
        ensure!(answer == Answer::Grpc(code), "{path}: {answer:?}");
    }
    Ok(())
}

/// Sends some bytes, and waits until the relay has had enough, which TLS may not have announced.
async fn to_the_end(mut io: Stream, bytes: &[u8]) -> Result<()> {
    io.write_all(bytes).await?;
    match io.read_to_end(&mut Vec::new()).await {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
        _ => Ok(()),
    }
}

/// The head of an export of so many bytes.
fn upload(length: &str, token: &str) -> Bytes {
    format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .into()
}

/// The status of the answer to some bytes.
async fn ask(mut io: Stream, bytes: &[u8]) -> Result<u16> {
    io.write_all(bytes).await?;
    io.flush().await?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") && answer.len() < HEAD {
        ensure!(io.read_buf(&mut answer).await? > 0, "the connection ended");
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(&answer)?;
    response.code.context("no status")
}
