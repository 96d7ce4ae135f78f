//! A client that writes bytes and reads HTTP/1.1 answers, and can so be as rude as a test needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use prost::Message;
use serde_json::Value;
use tonic_types::pb;

use crate::server::{PATIENCE, Server};

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// One gauge with one data point.
pub(crate) const PROTOBUF_BODY: &[u8] =
    b"\x0a\x1d\x12\x1b\x12\x19\x0a\x01m*\x14\x0a\x12\x19\x01\0\0\0\0\0\0\x001\x05\0\0\0\0\0\0\0";
/// The same in JSON.
pub(crate) const JSON_BODY: &[u8] = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":
    [{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"5"}]}}]}]}]}"#;

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        Self::to(server.address)
    }

    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends while the answer can be read already; an early end is not an error.
    pub(crate) fn send_in_background(&mut self, bytes: Vec<u8>) {
        let mut stream = self.stream.get_ref().try_clone().unwrap();
        thread::spawn(move || stream.write_all(&bytes));
    }

    /// Sends the same again and again until the connection ends, while the answer can be read.
    pub(crate) fn send_in_background_until_closed(&mut self, bytes: Vec<u8>) {
        let mut stream = self.stream.get_ref().try_clone().unwrap();
        thread::spawn(move || while stream.write_all(&bytes).is_ok() {});
    }

    /// Ends this side of the connection.
    pub(crate) fn finish(&mut self) {
        self.stream.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Waits until there is something to read, and leaves it there.
    pub(crate) fn wait_for_answer(&self) {
        assert_eq!(self.stream.get_ref().peek(&mut [0]).unwrap(), 1);
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.answer_head();
        let length = answer.header("content-length").unwrap().parse().unwrap();
        answer.body = vec![0; length];
        self.stream.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// The head of an answer, for those to HEAD.
    pub(crate) fn answer_head(&mut self) -> Answer {
        let mut lines = (&mut self.stream).lines().map(Result::unwrap);
        let first = lines.next().expect("an answer");
        let status = first.strip_prefix("HTTP/1.1 ").unwrap()[..3]
            .parse()
            .unwrap();
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

/// The bytes of a request to the metrics path, of a known length.
pub(crate) fn post(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    request("POST", "/v1/metrics", headers, Some(body))
}

/// The bytes of any request.
pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Vec<u8> {
    let length = body.map(|body| body.len().to_string());
    let mut all = headers.to_vec();
    all.extend(length.as_deref().map(|length| ("Content-Length", length)));
    let mut request = head(method, path, &all);
    request.extend_from_slice(body.unwrap_or_default());
    request
}

/// The bytes of a request's head.
pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    head.into_bytes()
}

/// One exchange on a connection of its own.
pub(crate) fn exchange(server: &Server, request: Vec<u8>) -> Answer {
    let mut client = Client::connect(server);
    client.send_in_background(request);
    client.answer()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice: {self:?}");
        value
    }

    /// The `google.rpc.Status` that this is, whose encoding must be `content_type`.
    pub(crate) fn failure(&self, content_type: &str) -> Failure {
        assert_eq!(self.header("content-type"), Some(content_type));
        match content_type {
            PROTOBUF => Failure::from_protobuf(&self.body),
            JSON => Failure::from_json(&self.body),
            other => panic!("{other}"),
        }
    }
}

/// A `google.rpc.Status`, from either encoding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) message: String,
    /// The field of a `BadRequest`; empty if it has none.
    pub(crate) field: Option<String>,
}

impl Failure {
    fn from_protobuf(body: &[u8]) -> Self {
        let status = pb::Status::decode(body).unwrap();
        let bad_request = status
            .details
            .iter()
            .find(|detail| detail.type_url == "type.googleapis.com/google.rpc.BadRequest")
            .map(|detail| pb::BadRequest::decode(detail.value.as_slice()).unwrap());
        Self {
            code: status.code.into(),
            message: status.message,
            field: bad_request.map(|detail| detail.field_violations[0].field.clone()),
        }
    }

    fn from_json(body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap();
        let detail = &status["details"][0];
        let is_bad_request = detail["@type"] == "type.googleapis.com/google.rpc.BadRequest";
        let field = &detail["fieldViolations"][0]["field"];
        Self {
            code: status["code"].as_i64().unwrap(),
            message: status["message"].as_str().unwrap().to_owned(),
            field: is_bad_request.then(|| field.as_str().unwrap_or_default().to_owned()),
        }
    }
}
