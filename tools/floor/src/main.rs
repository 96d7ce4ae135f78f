//! The floor of delivering: a bare tokio server that sends the body of every POST, as it comes, to
//! everybody who has upgraded to WebSocket.
//!
//! The body becomes one frame, which all share; whoever is behind gets many with one vectored
//! write. That is all: one thread, no limits, no pings, no reading of clients, no JSON. What the
//! relay does beside, `cargo xtask load --fanout` holds against this.

use std::io::{self, IoSlice};

use anyhow::{Context, Result, ensure};
use bytes::{Buf, Bytes, BytesMut};
use mimalloc::MiMalloc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{Receiver, Sender, channel};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many frames a client may be behind; more are lost to it.
const BEHIND: usize = 1024;
/// How many frames one write takes at most, as the relay's sessions do.
const GATHER: usize = 64;
/// What the kernel may hold unsent of a connection, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 64 << 10;
/// The congestion control of connections over loopback, as the relay's: one that does not pace.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CONGESTION: &[u8] = b"reno";
/// The longest head of a request.
const HEAD: usize = 16 << 10;
/// A text message in one frame, and a message of 126 to 65,535 bytes, or of more (RFC 6455, 5.2).
const TEXT: u8 = 0x81;
const MEDIUM: u8 = 126;
const LONG: u8 = 127;

fn main() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(serve())
}

#[expect(clippy::print_stdout, reason = "says where it listens")]
async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // Connections inherit it; set on them, it would not end what paces already. Where it is not
    // allowed, the system's own does.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(&listener).set_tcp_congestion(CONGESTION);
    println!("listening on http://{}", listener.local_addr()?);
    let frames = channel(BEHIND).0;
    loop {
        let (io, _) = listener.accept().await?;
        prepare(&io)?;
        let frames = frames.clone();
        // A connection that breaks ends alone.
        tokio::spawn(async move { drop(converse(io, frames).await) });
    }
}

/// Sets what the relay sets for a connection. Without the limit, the kernel takes 4 MiB for each
/// client, and 150 KB frames one at a time cost half as much again.
fn prepare(io: &TcpStream) -> io::Result<()> {
    io.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(io).set_tcp_notsent_lowat(UNSENT)?;
    Ok(())
}

/// What a head asks for.
enum Asked {
    /// To watch, with this key.
    Upgrade(String),
    /// To send a body of so many bytes.
    Body(usize),
}

/// Takes requests, up to the one that is an upgrade.
async fn converse(mut io: TcpStream, frames: Sender<Bytes>) -> Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        let asked = loop {
            if let Some((asked, length)) = head(&buffer)? {
                buffer.advance(length);
                break asked;
            }
            ensure!(buffer.len() < HEAD, "a long head");
            ensure!(io.read_buf(&mut buffer).await? > 0, "the end");
        };
        match asked {
            Asked::Upgrade(key) => {
                let frames = frames.subscribe();
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                     upgrade: websocket\r\nsec-websocket-accept: {}\r\n\r\n",
                    derive_accept_key(key.as_bytes())
                );
                io.write_all(answer.as_bytes()).await?;
                drop(buffer);
                return Ok(deliver(io, frames).await?);
            }
            Asked::Body(length) => {
                buffer.reserve(length.saturating_sub(buffer.len()));
                while buffer.len() < length {
                    ensure!(io.read_buf(&mut buffer).await? > 0, "the end");
                }
                // An error is that nobody watches.
                drop(frames.send(frame(&buffer.split_to(length))));
                io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await?;
            }
        }
    }
}

/// What the head at the front of `bytes` asks for and how long it is, once it is there.
fn head(bytes: &[u8]) -> Result<Option<(Asked, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes)? else {
        return Ok(None);
    };
    let value = |name: &str| {
        let mut headers = request.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    let asked = match value("sec-websocket-key") {
        Some(key) => Asked::Upgrade(key.to_owned()),
        None => Asked::Body(value("content-length").context("no length")?.parse()?),
    };
    Ok(Some((asked, length)))
}

/// A text frame.
fn frame(body: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(body.len() + 10);
    frame.push(TEXT);
    match (u8::try_from(body.len()), u16::try_from(body.len())) {
        (Ok(short), _) if short < MEDIUM => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(MEDIUM);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(LONG);
            frame.extend((body.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(body);
    frame.into()
}

/// Writes frames as they come, those that have come meanwhile in one go.
async fn deliver(mut io: TcpStream, mut frames: Receiver<Bytes>) -> io::Result<()> {
    let mut queue = Vec::with_capacity(4);
    loop {
        match frames.recv().await {
            Ok(frame) => queue.push(frame),
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(()),
        }
        while queue.len() < GATHER {
            match frames.try_recv() {
                Ok(frame) => queue.push(frame),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        write_all(&mut io, &queue).await?;
        queue.clear();
    }
}

async fn write_all(io: &mut TcpStream, frames: &[Bytes]) -> io::Result<()> {
    let mut slices = [IoSlice::new(&[]); GATHER];
    for (slice, frame) in slices.iter_mut().zip(frames) {
        *slice = IoSlice::new(frame);
    }
    let mut slices = &mut slices[..frames.len()];
    while !slices.is_empty() {
        match io.write_vectored(slices).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut slices, written),
        }
    }
    Ok(())
}
