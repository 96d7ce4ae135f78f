//! Where subscribers come in, and how.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use crate::stream::{self, Stream};

/// How long an upgrade may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest head of the answer to an upgrade.
const HEAD: usize = 16 << 10;
/// What is offered, and the one thing that is read in an answer (RFC 7692, section 7.1).
const DEFLATE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Where subscribers come in, and how.
#[derive(Clone, Debug)]
pub struct Door {
    /// The server.
    pub address: SocketAddr,
    /// What is watched: subscribers take the paths in turns.
    pub paths: Vec<String>,
    /// For TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// Whether frames have to come compressed.
    pub deflate: bool,
}

impl Door {
    /// One path without TLS and compression.
    #[must_use]
    pub fn at(address: SocketAddr, path: &str) -> Self {
        Self {
            address,
            paths: vec![path.to_owned()],
            tls: None,
            deflate: false,
        }
    }

    /// Connects the subscriber of this number.
    pub(super) async fn enter(&self, number: usize) -> io::Result<Stream> {
        let path = self.paths.get(number % self.paths.len().max(1));
        let path = path.ok_or_else(|| io::Error::other("no path to watch"))?;
        timeout(PATIENCE, self.upgrade(path)).await?
    }

    async fn upgrade(&self, path: &str) -> io::Result<Stream> {
        let mut io = stream::connect(self.address, self.tls.as_ref()).await?;
        let extensions = match self.deflate {
            true => format!("sec-websocket-extensions: {DEFLATE}\r\n"),
            false => String::new(),
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n{extensions}\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        io.write_all(request.as_bytes()).await?;
        io.flush().await?;
        let head = read_head(&mut io).await?;
        let text = String::from_utf8_lossy(&head);
        if !text.starts_with("HTTP/1.1 101 ") {
            return Err(io::Error::other(format!("no upgrade: {text}")));
        }
        let agreed = text.lines().any(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("sec-websocket-extensions:") && line.contains("permessage-deflate")
        });
        match agreed == self.deflate {
            true => Ok(io),
            false => Err(io::Error::other(format!("no compression: {text}"))),
        }
    }
}

/// Reads up to the empty line, and nothing of the frames behind it.
pub(super) async fn read_head(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        head.push(io.read_u8().await?);
    }
    Ok(head)
}
