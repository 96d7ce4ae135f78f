//! The way in: connections to a relay, plain or with TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long anything may take that a client waits for. Machines are slow and full.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection of either kind.
pub(crate) type Stream = Box<dyn Io>;

/// Where a relay listens, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// How a client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// With a FIN.
    Quietly,
    /// With a reset.
    Rudely,
}

impl Door {
    /// Connects for HTTP and WebSocket.
    pub(crate) async fn http(&self, leaves: Leaves) -> io::Result<Stream> {
        self.connect(self.http, leaves, b"http/1.1").await
    }

    /// Connects for gRPC.
    pub(crate) async fn grpc(&self) -> io::Result<Stream> {
        self.connect(self.grpc, Leaves::Quietly, b"h2").await
    }

    async fn connect(&self, to: SocketAddr, leaves: Leaves, speaks: &[u8]) -> io::Result<Stream> {
        let connecting = async {
            let io = TcpStream::connect(to).await?;
            io.set_nodelay(true)?;
            if leaves == Leaves::Rudely {
                SockRef::from(&io).set_linger(Some(Duration::ZERO))?;
            }
            let Some(config) = &self.tls else {
                return Ok(Box::new(io) as Stream);
            };
            let mut config = ClientConfig::clone(config);
            config.alpn_protocols = vec![speaks.to_vec()];
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            let tls = TlsConnector::from(Arc::new(config)).connect(name, io);
            Ok(Box::new(tls.await?) as Stream)
        };
        timeout(PATIENCE, connecting).await?
    }
}
