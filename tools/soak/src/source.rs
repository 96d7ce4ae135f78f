//! Texts from a relay: messages of a WebSocket, or lines of a body that doesn't end.

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::door::{PATIENCE, Stream};
use crate::relay::TOKEN;

/// Where texts come from.
pub(crate) enum Source {
    WebSocket(Box<WebSocketStream<Stream>>),
    Lines(Lines),
}

/// A body and what of it is no whole line yet.
pub(crate) struct Lines {
    body: Incoming,
    rest: BytesMut,
    /// The connection ends with this.
    _sender: http1::SendRequest<Empty<Bytes>>,
}

impl Source {
    /// Asks for `path` over a connection: lines if it begins so, else WebSocket.
    pub(crate) async fn open(io: Stream, path: &str) -> Result<Self> {
        let opening = async {
            match path.starts_with("/stream") {
                true => Ok(Self::Lines(Lines::open(io, path).await?)),
                false => {
                    let mut request = format!("ws://localhost{path}").into_client_request()?;
                    let token = format!("Bearer {TOKEN}").parse()?;
                    request.headers_mut().insert("authorization", token);
                    let (socket, _) = client_async(request, io).await?;
                    Ok(Self::WebSocket(Box::new(socket)))
                }
            }
        };
        timeout(PATIENCE, opening).await?
    }

    /// The next text or message, as bytes.
    ///
    /// # Errors
    ///
    /// If there is none any more, for whatever reason.
    pub(crate) async fn next(&mut self) -> Result<Bytes> {
        match self {
            Self::Lines(lines) => lines.next().await,
            Self::WebSocket(socket) => loop {
                match socket.next().await.context("the connection ended")?? {
                    Message::Text(text) => return Ok(text.into()),
                    Message::Binary(bytes) => return Ok(bytes),
                    Message::Close(close) => bail!("closed: {close:?}"),
                    _ => {}
                }
            },
        }
    }

    /// Goes as it should be done: with a Close, and its answer.
    pub(crate) async fn close(self) -> Result<()> {
        let Self::WebSocket(mut socket) = self else {
            return Ok(());
        };
        let closing = async {
            (*socket).close(None).await?;
            while let Some(message) = socket.next().await {
                message?;
            }
            Ok(())
        };
        timeout(PATIENCE, closing).await?
    }

    /// Sends what no client may send.
    pub(crate) async fn send(&mut self, message: Message) -> Result<()> {
        match self {
            Self::WebSocket(socket) => Ok(socket.send(message).await?),
            Self::Lines(_) => bail!("lines come one way"),
        }
    }
}

impl Lines {
    async fn open(io: Stream, path: &str) -> Result<Self> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection);
        let request = Request::get(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Empty::new())?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        Ok(Self {
            body: answer.into_body(),
            rest: BytesMut::new(),
            _sender: sender,
        })
    }

    /// The next line that is not empty, without its end.
    async fn next(&mut self) -> Result<Bytes> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.rest[searched..].iter().position(|&byte| byte == b'\n') {
                let line = self.rest.split_to(searched + at).freeze();
                self.rest.advance(1);
                searched = 0;
                if !line.is_empty() {
                    return Ok(line);
                }
                continue;
            }
            searched = self.rest.len();
            let frame = self.body.frame().await.context("the lines ended")??;
            if let Ok(data) = frame.into_data() {
                self.rest.extend_from_slice(&data);
            }
        }
    }
}
