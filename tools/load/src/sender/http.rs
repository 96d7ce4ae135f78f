//! OTLP/HTTP over a bare socket: the request is made once, and so costs little to send.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::codegen::Bytes;

use super::{Answer, Target};
use crate::payload::Encoding;
use crate::stream::{self, Stream};

/// The longest answer that is read, in bytes.
const ANSWER: usize = 1 << 20;

/// The most headers of an answer.
const HEADERS: usize = 32;

/// A connection over HTTP/1.1.
pub struct HttpSender {
    io: Stream,
    request: Bytes,
    answer: Vec<u8>,
}

impl HttpSender {
    pub(super) async fn connect(target: &Target) -> io::Result<Self> {
        Ok(Self {
            io: stream::connect(target.address, target.tls.as_ref()).await?,
            request: request(target),
            answer: Vec::new(),
        })
    }

    pub(super) async fn send(&mut self) -> io::Result<Answer> {
        self.io.write_all(&self.request).await?;
        self.io.flush().await?;
        self.answer.clear();
        loop {
            if let Some(status) = complete(&self.answer)? {
                return Ok(match status {
                    200 => Answer::Accepted,
                    status => Answer::Refused(status),
                });
            }
            if self.answer.len() > ANSWER {
                return Err(invalid("a very long answer"));
            }
            if self.io.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn request(target: &Target) -> Bytes {
    let body = &target.body;
    let content_type = match body.encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    let coding = match body.compression.name() {
        Some(name) => format!("content-encoding: {name}\r\n"),
        None => String::new(),
    };
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: {content_type}\r\n{coding}\
         content-length: {}\r\n\r\n",
        target.path,
        target.address,
        body.bytes.len()
    );
    [head.as_bytes(), &body.bytes].concat().into()
}

/// The status of an answer that has come to its end.
fn complete(answer: &[u8]) -> io::Result<Option<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(answer).map_err(io::Error::other)? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| {
            std::str::from_utf8(header.value)
                .ok()?
                .parse::<usize>()
                .ok()
        })
        .ok_or_else(|| invalid("an answer without a length"))?;
    Ok(response.code.filter(|_| answer.len() - head >= length))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::complete;

    /// Scenario: an answer with a body, byte by byte.
    /// Guarantees: it is complete with its last byte, and not before.
    #[test]
    fn an_answer_is_read_to_its_end() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..answer.len() {
            assert_eq!(complete(&answer[..end]).unwrap(), None, "{end}");
        }
        assert_eq!(complete(answer).unwrap(), Some(503));
    }

    /// Scenario: an answer that does not say how long it is, and one that is none.
    /// Guarantees: an error, and no wait for more.
    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(complete(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
