//! A client of lines: the chunked coding (RFC 9112, section 7.1) and HTTP's heads read by hand.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A body in chunks, which may have a head in front of it.
pub(crate) struct Lines<Io> {
    pub(crate) io: BufReader<Io>,
    /// What came of chunks and is not taken.
    got: Vec<u8>,
}

/// The end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Said, and nothing after it.
    Whole,
    /// The connection ended before.
    Cut,
}

impl Lines<TcpStream> {
    /// Asks for a stream. With the head of the answer, in lower case.
    pub(crate) async fn open(addr: SocketAddr, path: &str) -> (Self, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n");
        Self::send(addr, &request).await
    }

    /// As [`open`](Self::open), with a request of one's own.
    pub(crate) async fn send(addr: SocketAddr, request: &str) -> (Self, String) {
        let mut io = TcpStream::connect(addr).await.unwrap();
        io.write_all(request.as_bytes()).await.unwrap();
        let mut lines = Self::over(io);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(lines.io.read_line(&mut head).await.unwrap(), 0, "{head}");
        }
        (lines, head.to_lowercase())
    }
}

impl<Io: AsyncRead + Unpin> Lines<Io> {
    /// A body whose head was read.
    pub(crate) fn over(io: Io) -> Self {
        Self {
            io: BufReader::new(io),
            got: Vec::new(),
        }
    }

    /// The next line with its newline, empty ones too.
    pub(crate) async fn next(&mut self) -> Result<String, End> {
        loop {
            if let Some(end) = self.got.iter().position(|byte| *byte == b'\n') {
                let rest = self.got.split_off(end + 1);
                let line = std::mem::replace(&mut self.got, rest);
                return Ok(String::from_utf8(line).unwrap());
            }
            let chunk = self.chunk().await.map_err(|_| End::Cut)?;
            if chunk.is_empty() {
                assert!(self.got.is_empty(), "a line without an end");
                assert_eq!(self.io.read(&mut [0]).await.unwrap(), 0);
                return Err(End::Whole);
            }
            self.got.extend(chunk);
        }
    }

    /// The next line that is not empty, without its newline.
    pub(crate) async fn line(&mut self) -> Result<String, End> {
        loop {
            let line = self.next().await?;
            if line != "\n" {
                return Ok(line.trim_end_matches('\n').to_owned());
            }
        }
    }

    /// All lines that are left, and the end.
    pub(crate) async fn rest(&mut self) -> (Vec<String>, End) {
        let mut lines = Vec::new();
        loop {
            match self.line().await {
                Ok(line) => lines.push(line),
                Err(end) => return (lines, end),
            }
        }
    }

    /// A chunk; the last is empty.
    async fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut size = String::new();
        if self.io.read_line(&mut size).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(size.strip_suffix("\r\n").unwrap(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.io.read_exact(&mut chunk).await?;
        assert_eq!(chunk.split_off(size), b"\r\n");
        Ok(chunk)
    }
}
