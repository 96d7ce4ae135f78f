//! A connection of a client, with TLS or without.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_util::either::Either;

/// What is read and written.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Connects, with TLS if there is a configuration for it.
///
/// # Errors
///
/// If nobody listens there, or the handshake fails.
pub async fn connect(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> io::Result<Stream> {
    let io = TcpStream::connect(address).await?;
    // Writes are whole requests.
    io.set_nodelay(true)?;
    let Some(tls) = tls else {
        return Ok(Either::Left(io));
    };
    let connector = TlsConnector::from(Arc::clone(tls));
    let io = connector.connect(address.ip().into(), io).await?;
    Ok(Either::Right(Box::new(io)))
}
