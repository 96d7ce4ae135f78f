//! A well-behaved WebSocket client: tokio-tungstenite, made to wait.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::either::Either;

use super::tls::localhost;
use super::wait;

type Socket = WebSocketStream<Either<TcpStream, TlsStream<TcpStream>>>;

/// A subscriber. It answers pings only while it waits for a message.
pub(crate) struct Watcher {
    runtime: Runtime,
    socket: Socket,
}

impl Watcher {
    /// Subscribes to metrics; everything that is exported from now on is seen.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_to(address, "/ws/metrics")
    }

    /// Subscribes to what a path shows.
    pub(crate) fn connect_to(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, &[])
    }

    /// Subscribes to what a path shows, with more headers. Subprotocols among them have to be
    /// answered by one of them.
    pub(crate) fn connect_with(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Self {
        let url = format!("ws://{address}{path}");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let value = value.parse().unwrap();
            request.headers_mut().insert(*name, value);
        }
        Self::over(async {
            let stream = Either::Left(TcpStream::connect(address).await.unwrap());
            client_async(request, stream).await.unwrap().0
        })
    }

    /// As [`connect_to`](Self::connect_to); none if there is no relay, or it lets nobody in.
    pub(crate) fn try_connect(address: SocketAddr, path: &str) -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connecting = async {
            let stream = Either::Left(TcpStream::connect(address).await.ok()?);
            let url = format!("ws://{address}{path}");
            Some(client_async(url, stream).await.ok()?.0)
        };
        let socket = wait(&runtime, connecting)?;
        Some(Self { runtime, socket })
    }

    /// Subscribes to metrics over TLS.
    pub(crate) fn connect_tls(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self::over(async {
            let stream = TcpStream::connect(address).await.unwrap();
            let tls = TlsConnector::from(config).connect(localhost(), stream);
            let stream = Either::Right(tls.await.unwrap());
            let url = format!("wss://{address}/ws/metrics");
            client_async(url, stream).await.unwrap().0
        })
    }

    fn over(connecting: impl Future<Output = Socket>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let socket = wait(&runtime, connecting);
        Self { runtime, socket }
    }

    pub(crate) fn send(&mut self, message: Message) {
        wait(&self.runtime, self.socket.send(message)).unwrap();
    }

    /// The next message of any kind.
    pub(crate) fn message(&mut self) -> Message {
        wait(&self.runtime, self.socket.next()).unwrap().unwrap()
    }

    /// The next message of any kind; none if the connection has ended.
    pub(crate) fn try_message(&mut self) -> Option<Message> {
        wait(&self.runtime, self.socket.next())?.ok()
    }

    /// The text of the next frame; pings in front of it are answered.
    pub(crate) fn text(&mut self) -> String {
        loop {
            match self.message() {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next frame.
    pub(crate) fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// The code of the Close frame that must come next; then the connection has to end.
    pub(crate) fn close_code(&mut self) -> u16 {
        let message = self.message();
        let Message::Close(Some(close)) = message else {
            panic!("{message:?}");
        };
        // Answers the Close frame.
        let end = wait(&self.runtime, self.socket.next());
        assert!(end.is_none_or(|end| end.is_err()));
        close.code.into()
    }
}
