//! Accepts gRPC connections: a permit for each, and TLS if there is any.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::connection::{Connection, Deadlines};
use crate::conn::{Connections, Permit};
use crate::counters::labels::Listener;
use crate::throttle::Throttle;
use crate::tls::{self, Handshake, Tls};

/// How long accepting rests after a failure, which is nearly always a lack of descriptors.
const ACCEPT_RESTS: Duration = Duration::from_millis(100);

/// Where connections come from.
pub(super) struct Incoming {
    pub(super) listener: TcpListener,
    pub(super) connections: Connections,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) deadlines: Deadlines,
    /// Those that begin TLS: no more than there are permits. They end with this.
    pub(super) handshakes: JoinSet<Option<Connection>>,
    /// What is said of failures.
    pub(super) failures: Throttle,
}

impl Incoming {
    /// Connections that are ready for HTTP/2. One that there is no permit for is closed at once,
    /// which clients take for UNAVAILABLE and try again; so is one whose handshake fails.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Connection>> + Send + 'static {
        stream::unfold(self, async |mut incoming| {
            let connection = incoming.next().await;
            Some((Ok(connection), incoming))
        })
    }

    async fn next(&mut self) -> Connection {
        loop {
            let connection = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((io, peer)) => self.begin(io, peer),
                    Err(error) => {
                        if let Some(more) = self.failures.pass() {
                            warn!(
                                not_said_before = more,
                                "accepting a gRPC connection failed: {error}"
                            );
                        }
                        sleep(ACCEPT_RESTS).await;
                        None
                    }
                },
                Some(done) = self.handshakes.join_next() => done.ok().flatten(),
            };
            if let Some(connection) = connection {
                return connection;
            }
        }
    }

    /// The connection, if it is ready at once.
    fn begin(&mut self, io: TcpStream, peer: SocketAddr) -> Option<Connection> {
        let permit = self.connections.admit(Some(peer.ip()))?;
        // Frames are written whole: waiting for more only adds delay.
        if let Err(error) = io.set_nodelay(true) {
            debug!("a gRPC connection was gone already: {error}");
            return None;
        }
        let deadlines = self.deadlines;
        let Some(tls) = self.tls.clone() else {
            let io = tls::Stream::Left(io);
            return Some(Connection::new(io, peer.ip(), permit, deadlines));
        };
        self.handshakes
            .spawn(secure(tls, io, peer, permit, deadlines));
        None
    }
}

/// The connection, if TLS began.
async fn secure(
    tls: Arc<Tls>,
    io: TcpStream,
    peer: SocketAddr,
    permit: Permit,
    deadlines: Deadlines,
) -> Option<Connection> {
    match tls.accept(io, Listener::Grpc, deadlines.head).await {
        Ok(Handshake::Done(io)) => Some(Connection::new(io, peer.ip(), permit, deadlines)),
        Ok(Handshake::NotTls(_)) | Err(_) => None,
    }
}
