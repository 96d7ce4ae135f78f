//! HTTP/1.1 as bytes over a socket.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use prost::Message;
use rustls::ClientConfig;
use serde_json::Value;
use socket2::SockRef;
use tonic_types::pb;

use super::patient;

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// One connection.
pub(crate) struct Http<S = TcpStream> {
    stream: BufReader<S>,
}

/// A connection of any kind.
pub(crate) type AnyStream = Box<dyn ReadWrite>;

/// What a connection can do.
pub(crate) trait ReadWrite: Read + Write {}

impl<S: Read + Write> ReadWrite for S {}

impl Http<AnyStream> {
    /// Connects, over TLS if there is a configuration for it. What is sent in pieces goes out in
    /// pieces.
    pub(crate) fn any(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Self {
        match tls {
            None => Self::pieces(Http::connect(address), |tcp| tcp),
            Some(config) => Self::pieces(Http::tls(address, config).unwrap(), |tls| &tls.sock),
        }
    }

    fn pieces<S: Read + Write + 'static>(http: Http<S>, tcp: impl Fn(&S) -> &TcpStream) -> Self {
        let stream = http.stream.into_inner();
        tcp(&stream).set_nodelay(true).unwrap();
        Self::new(Box::new(stream))
    }
}

impl Http {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        Self::new(patient(stream))
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream()
    }

    /// Sends pieces while the answer can be read already, until they end or the connection does.
    pub(crate) fn send_in_background(
        &self,
        pieces: impl IntoIterator<Item = Vec<u8>> + Send + 'static,
    ) {
        let mut stream = self.socket().try_clone().unwrap();
        thread::spawn(move || {
            let sent = |piece: Vec<u8>| stream.write_all(&piece);
            pieces.into_iter().try_for_each(sent)
        });
    }

    /// Ends this side of the connection.
    pub(crate) fn finish(&mut self) {
        self.socket().shutdown(Shutdown::Write).unwrap();
    }

    /// Ends with a reset instead of a FIN.
    pub(crate) fn reset(self) {
        let socket = SockRef::from(self.socket());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

impl<S: Read + Write> Http<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Waits for the next byte; whether the connection has ended instead.
    pub(crate) fn ends(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                true
            }
        }
    }

    /// Everything until the server ends the connection: by a FIN, which TLS may not have
    /// announced, or a reset.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            let ends = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
            assert!(ends.contains(&error.kind()), "{error}");
        }
        rest
    }

    pub(crate) fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(bytes)
    }

    /// An answer with its body; an error if the connection ends before it begins.
    pub(crate) fn try_answer(&mut self) -> io::Result<Answer> {
        match self.stream.fill_buf()? {
            [] => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(self.answer()),
        }
    }

    /// An answer with its body.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.answer_head();
        let length = answer.header("content-length").unwrap().parse().unwrap();
        answer.body = vec![0; length];
        self.stream.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// The next chunk of a body that has the chunked coding (RFC 9112, section 7.1); the last is
    /// empty.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let mut size = String::new();
        self.stream.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.strip_suffix("\r\n").unwrap(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        assert_eq!(chunk.split_off(size), b"\r\n");
        chunk
    }

    /// An answer without a body: to HEAD, and 1xx.
    pub(crate) fn answer_head(&mut self) -> Answer {
        let mut lines = (&mut self.stream).lines().map(Result::unwrap);
        let first = lines.next().expect("an answer");
        let versions = ["HTTP/1.1 ", "HTTP/1.0 "];
        let status = versions
            .iter()
            .find_map(|version| first.strip_prefix(version));
        let status = status.expect("a status line");
        let status = status[..3].parse().unwrap();
        let headers = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        Answer {
            status,
            headers,
            body: Vec::new(),
        }
    }
}

/// The bytes of a head, for the host `localhost` unless a header says another.
pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head += "Host: localhost\r\n";
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    head.into_bytes()
}

/// The bytes of a request with a body.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let headers = [headers, &[("Content-Length", length.as_str())]].concat();
    let mut request = head(method, path, &headers);
    request.extend(body);
    request
}

/// One exchange on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut http = Http::connect(address);
    http.send_in_background([request.to_vec()]);
    if request.starts_with(b"HEAD ") {
        http.answer_head()
    } else {
        http.answer()
    }
}

/// Posts an export as protobuf; it must be accepted.
pub(crate) fn post(address: SocketAddr, wire: &[u8]) {
    let headers = [("Content-Type", PROTOBUF)];
    let answer = exchange(address, &request("POST", "/v1/metrics", &headers, wire));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header that may be there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice: {self:?}");
        value
    }

    /// The code of the `google.rpc.Status` that the body is, in the encoding of its type.
    pub(crate) fn status_code(&self) -> i64 {
        let (code, message) = match self.header("content-type") {
            Some(PROTOBUF) => {
                let status = pb::Status::decode(self.body.as_slice()).unwrap();
                (status.code.into(), status.message)
            }
            Some(JSON) => {
                let status: Value = serde_json::from_slice(&self.body).unwrap();
                let message = status["message"].as_str().unwrap().to_owned();
                (status["code"].as_i64().unwrap(), message)
            }
            _ => panic!("no encoding of a status: {self:?}"),
        };
        assert_ne!(message, "", "{self:?}");
        code
    }
}
