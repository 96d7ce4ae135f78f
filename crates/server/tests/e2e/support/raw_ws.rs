//! A WebSocket client made by hand: it never answers anything, and reads only when told to.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use rustls::ClientConfig;
use socket2::{Domain, Socket, Type};

use super::http::{Http, head};
use super::tls::TlsStream;
use super::{PATIENCE, soon, ws_frame};

/// The opcode of a text frame.
const TEXT: u8 = 1;

/// The bytes of a WebSocket handshake, with more headers.
pub(crate) fn handshake(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    head("GET", path, &[&upgrade, headers].concat())
}

/// The status of a handshake with more headers.
pub(crate) fn shake(address: SocketAddr, headers: &[(&str, &str)]) -> u16 {
    let mut http = Http::connect(address);
    http.send(&handshake("/ws/metrics", headers));
    http.answer_head().status
}

/// Whether there is room for a subscriber now, or the moment after a connection was seen to end:
/// the relay closes its side first and counts afterwards.
pub(crate) fn lets_in(address: SocketAddr) -> bool {
    soon(|| shake(address, &[]) == 101)
}

/// A subscriber that reads the bytes of frames.
pub(crate) struct RawWatcher<S = TcpStream> {
    http: Http<S>,
    /// Whether frames may be compressed.
    deflate: bool,
}

/// A frame as it came.
#[derive(Debug)]
pub(crate) struct RawFrame {
    pub(crate) opcode: u8,
    /// Whether the payload is compressed.
    pub(crate) compressed: bool,
    pub(crate) payload: Vec<u8>,
}

impl RawWatcher {
    /// Subscribes to metrics, over a socket that can't hold much unread.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_to(address, "/ws/metrics")
    }

    /// As [`connect`](Self::connect), to what a path shows.
    pub(crate) fn connect_to(address: SocketAddr, path: &str) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect_timeout(&address.into(), PATIENCE).unwrap();
        Self::with(Http::over(TcpStream::from(socket)), path, &[])
    }

    /// Ends with a reset instead of a FIN.
    pub(crate) fn reset(self) {
        self.http.reset();
    }
}

impl RawWatcher<TlsStream> {
    /// Subscribes to metrics over TLS.
    pub(crate) fn connect_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        Self::over(Http::tls(address, config).unwrap())
    }
}

impl<S: Read + Write> RawWatcher<S> {
    /// Subscribes to metrics on a connection.
    pub(crate) fn over(http: Http<S>) -> Self {
        Self::with(http, "/ws/metrics", &[])
    }

    /// As [`over`](Self::over), and agrees on permessage-deflate.
    pub(crate) fn deflating(http: Http<S>) -> Self {
        let offer = ("Sec-WebSocket-Extensions", "permessage-deflate");
        let watcher = Self::with(http, "/ws/metrics", &[offer]);
        assert!(watcher.deflate);
        watcher
    }

    fn with(mut http: Http<S>, path: &str, headers: &[(&str, &str)]) -> Self {
        http.send(&handshake(path, headers));
        let answer = http.answer_head();
        assert_eq!(answer.status, 101, "{answer:?}");
        let accept = answer.header("sec-websocket-accept");
        assert_eq!(accept, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455");
        let deflate = answer.header("sec-websocket-extensions").is_some();
        Self { http, deflate }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.http.send(bytes);
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.http.try_send(bytes)
    }

    /// The next frame, which must be whole, final and unmasked; none if the stream has ended.
    pub(crate) fn frame(&mut self) -> Option<RawFrame> {
        let mut head = [0; 2];
        match self.http.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if is_end(&error) => return None,
            Err(error) => panic!("{error}"),
        }
        let compressed = head[0] & ws_frame::RSV1 != 0;
        assert_eq!(head[0] & 0xb0, 0x80, "{head:?}");
        assert!(self.deflate || !compressed, "{head:?}");
        let mut number = [0; 8];
        let length = match head[1] {
            short @ ..126 => u64::from(short),
            126 => {
                self.http.read_exact(&mut number[6..]).unwrap();
                u64::from_be_bytes(number)
            }
            127 => {
                self.http.read_exact(&mut number).unwrap();
                u64::from_be_bytes(number)
            }
            _ => panic!("masked: {head:?}"),
        };
        let mut payload = vec![0; length.try_into().unwrap()];
        self.http.read_exact(&mut payload).unwrap();
        let opcode = head[0] & 0x0f;
        Some(RawFrame {
            opcode,
            compressed,
            payload,
        })
    }

    /// The text of the next text frame.
    pub(crate) fn text(&mut self) -> Vec<u8> {
        loop {
            let frame = self.frame().expect("a text frame");
            if frame.opcode == TEXT {
                return frame.into_message();
            }
        }
    }
}

impl RawFrame {
    /// What the payload stands for (RFC 7692 section 7.2.2).
    pub(crate) fn into_message(mut self) -> Vec<u8> {
        if !self.compressed {
            return self.payload;
        }
        // What was taken off, and an end for the reader.
        self.payload.extend([0x00, 0x00, 0xff, 0xff, 0x03, 0x00]);
        let mut message = Vec::new();
        let mut reader = DeflateDecoder::new(&self.payload[..]);
        reader.read_to_end(&mut message).unwrap();
        message
    }
}

fn is_end(error: &io::Error) -> bool {
    let end = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    end.contains(&error.kind())
}
