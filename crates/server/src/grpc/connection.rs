//! An accepted gRPC connection: its permit, and the deadlines that HTTP/2's keepalive leaves out.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ingest::grpc::Peer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::transport::server::Connected;

use crate::conn::{Permit, writes_through_io};
use crate::tls::Stream;

/// What every HTTP/2 client sends first (RFC 9113, 3.4). Keepalive begins behind it.
const PREFACE_BYTES: usize = 24;

/// Deadlines are at most this far away: 10 years, which every clock can tell.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How long a connection may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// Until the client's preface is there.
    pub(super) head: Duration,
    /// All in all.
    pub(super) end: Duration,
}

/// A socket that fails once a deadline has passed, with the permit that it gives back then.
pub(super) struct Connection<T = Stream> {
    io: T,
    peer: IpAddr,
    permit: Permit,
    /// What is left of the preface.
    preface: usize,
    end: Instant,
    /// Fires at the deadline of the preface, then at the end.
    alarm: Pin<Box<Sleep>>,
}

impl<T> Connection<T> {
    pub(super) fn new(io: T, peer: IpAddr, permit: Permit, deadlines: Deadlines) -> Self {
        let now = Instant::now();
        Self {
            io,
            peer,
            permit,
            preface: PREFACE_BYTES,
            end: now + deadlines.end.min(LONGEST),
            alarm: Box::pin(sleep_until(now + deadlines.head.min(LONGEST))),
        }
    }

    /// Bytes came in.
    fn received(&mut self, bytes: usize) {
        if self.preface > 0 {
            self.preface = self.preface.saturating_sub(bytes);
            if self.preface == 0 {
                self.alarm.as_mut().reset(self.end);
            }
        }
    }
}

impl<T> Connected for Connection<T> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer(Some(self.peer))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let filled = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        this.received(buf.filled().len() - filled);
        if this.alarm.as_mut().poll(cx).is_ready() {
            this.permit.time_out();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

writes_through_io!(Connection);

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::conn::Connections;
    use crate::counters::Counters;

    const DEADLINES: Deadlines = Deadlines {
        head: Duration::from_secs(10),
        end: Duration::from_secs(1000),
    };

    fn pair() -> (Connection<DuplexStream>, DuplexStream, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        let permit = Connections::new(1, Arc::clone(&counters))
            .admit(None)
            .unwrap();
        let (near, far) = duplex(64);
        let connection = Connection::new(near, Ipv4Addr::LOCALHOST.into(), permit, DEADLINES);
        (connection, far, counters)
    }

    /// Scenario: a client that connects and sends a byte a second.
    /// Guarantees: the preface has one deadline that no byte moves, and passing it is counted.
    #[tokio::test(start_paused = true)]
    async fn a_preface_has_one_deadline() {
        let (mut connection, mut far, counters) = pair();
        let begin = Instant::now();
        let error = loop {
            far.write_all(b"P").await.unwrap();
            connection.read_u8().await.unwrap();
            let second = Duration::from_secs(1);
            if let Ok(read) = tokio::time::timeout(second, connection.read_u8()).await {
                break read.unwrap_err();
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), DEADLINES.head.as_secs());
        assert_eq!(counters.totals().timed_out_connections, 1);
    }

    /// Scenario: a client that sends its preface and stays.
    /// Guarantees: the connection lasts to its end, and no longer.
    #[tokio::test(start_paused = true)]
    async fn behind_the_preface_there_is_time() {
        let (mut connection, mut far, _) = pair();
        let begin = Instant::now();
        far.write_all(&[b'P'; PREFACE_BYTES]).await.unwrap();
        let mut preface = [0; PREFACE_BYTES];
        connection.read_exact(&mut preface).await.unwrap();
        let error = connection.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), DEADLINES.end.as_secs());
    }
}
