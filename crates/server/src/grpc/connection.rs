//! An accepted gRPC connection: its permit, and the deadlines that HTTP/2's keepalive leaves out.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ingest::grpc::Peer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::transport::server::Connected;

use crate::conn::{Permit, after};
use crate::counters::labels::Wait;
use crate::tls::Stream;

/// What every HTTP/2 client sends first (RFC 9113, 3.4). Keepalive begins behind it.
const PREFACE_BYTES: usize = 24;

/// How long a connection may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// Until the client's preface is there.
    pub(super) head: Duration,
    /// While it takes nothing of what is written: hyper would wait for that as long as TCP does,
    /// keepalive or not.
    pub(super) stall: Duration,
    /// Until it answers to keepalive. hyper sees to that; here it is only counted.
    pub(super) keepalive: Duration,
    /// All in all.
    pub(super) end: Duration,
}

/// A socket that fails once a deadline has passed, with the permit that it gives back then.
pub(super) struct Connection<T = Stream> {
    io: T,
    peer: IpAddr,
    permit: Permit,
    deadlines: Deadlines,
    /// What is left of the preface.
    preface: usize,
    head: Instant,
    end: Instant,
    /// When something must have been written that could not be so far.
    blocked: Option<Instant>,
    last_read: Instant,
    /// The client sends no more.
    read_ended: bool,
    closes: bool,
    /// Fires at the next deadline, or too early.
    alarm: Pin<Box<Sleep>>,
}

impl<T> Connection<T> {
    pub(super) fn new(io: T, peer: IpAddr, permit: Permit, deadlines: Deadlines) -> Self {
        let head = after(deadlines.head);
        Self {
            io,
            peer,
            permit,
            deadlines,
            preface: PREFACE_BYTES,
            head,
            end: after(deadlines.end),
            blocked: None,
            last_read: Instant::now(),
            read_ended: false,
            closes: false,
            alarm: Box::pin(sleep_until(head)),
        }
    }

    /// Bytes came in.
    fn received(&mut self, bytes: usize) {
        self.last_read = Instant::now();
        self.preface = self.preface.saturating_sub(bytes);
    }

    /// The next deadline, and what is waited for until then.
    fn deadline(&self) -> (Instant, Wait) {
        let deadline = match self.preface {
            0 => (self.end, Wait::Age),
            _ => (self.head, Wait::Head),
        };
        match self.blocked {
            Some(blocked) if blocked < deadline.0 => (blocked, Wait::Stall),
            _ => deadline,
        }
    }

    /// Ready, with an error, once a deadline has passed.
    fn check(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (deadline, wait) = self.deadline();
        if self.alarm.deadline() > deadline {
            self.alarm.as_mut().reset(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                self.permit.time_out(wait);
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Notes what became of a write. Who can't write doesn't read either, so deadlines are looked
    /// at here too.
    fn wrote<R>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.blocked = None;
            return result;
        }
        let stall = self.deadlines.stall;
        self.blocked.get_or_insert_with(|| after(stall));
        self.check(cx).map(Err)
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
        match (buf.filled().len() - filled, &read) {
            (0, Poll::Ready(_)) => this.read_ended = true,
            (0, Poll::Pending) => {}
            (bytes, _) => this.received(bytes),
        }
        match this.check(cx) {
            Poll::Ready(late) => Poll::Ready(Err(late)),
            Poll::Pending => read,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(cx, result)
    }

    /// hyper closes a connection, or has the client close it. It closes one that is silent only
    /// when keepalive was not answered: to GOAWAY, with which it begins every other end, the
    /// client has to answer first.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let first = !std::mem::replace(&mut this.closes, true);
        let silent = this.last_read.elapsed() >= this.deadlines.keepalive;
        if first && silent && !this.read_ended {
            this.permit.time_out(Wait::Keepalive);
        }
        let result = Pin::new(&mut this.io).poll_shutdown(cx);
        this.wrote(cx, result)
    }
}

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
        stall: Duration::from_secs(30),
        keepalive: Duration::from_secs(20),
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

    /// As [`pair`], with the preface behind it.
    async fn serving() -> (Connection<DuplexStream>, DuplexStream, Arc<Counters>) {
        let (mut connection, mut far, counters) = pair();
        let mut preface = [b'P'; PREFACE_BYTES];
        far.write_all(&preface).await.unwrap();
        connection.read_exact(&mut preface).await.unwrap();
        (connection, far, counters)
    }

    /// What connections have ended for.
    fn ended(counters: &Counters) -> Vec<Wait> {
        let counts = counters.connecting.timed_out.iter();
        let counts = counts.filter(|(_, count)| *count > 0);
        counts.map(|((_, wait), _)| wait).collect()
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
        assert_eq!(ended(&counters), [Wait::Head]);
    }

    /// Scenario: a client that sends its preface and stays.
    /// Guarantees: the connection lasts to its end, and no longer.
    #[tokio::test(start_paused = true)]
    async fn behind_the_preface_there_is_time() {
        let (mut connection, _far, counters) = serving().await;
        let begin = Instant::now();
        let error = connection.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), DEADLINES.end.as_secs());
        assert_eq!(ended(&counters), [Wait::Age]);
    }

    /// Scenario: a client that takes some of what is written, and then nothing.
    /// Guarantees: the connection ends when nothing could be written for as long as that may take,
    /// although nobody reads any more.
    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_cut_off() {
        let (mut connection, mut far, counters) = serving().await;
        let mut some = [0; 64];
        connection.write_all(&some).await.unwrap();
        let later = DEADLINES.stall / 2;
        let wait = tokio::time::timeout(later, connection.write_u8(0)).await;
        assert!(wait.is_err());
        far.read_exact(&mut some).await.unwrap();
        let begin = Instant::now();
        let error = connection.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), DEADLINES.stall.as_secs());
        assert_eq!(ended(&counters), [Wait::Stall]);
    }

    /// Scenario: the server closes a connection: one whose client was just heard of, one whose
    /// client has ended, and one whose client was not heard of for as long as keepalive waits.
    /// Guarantees: the last alone counts.
    #[tokio::test(start_paused = true)]
    async fn silence_is_counted() {
        let (mut heard, _far, counters) = serving().await;
        heard.shutdown().await.unwrap();
        assert_eq!(ended(&counters), []);

        let (mut gone, far, counters) = serving().await;
        drop(far);
        assert_eq!(gone.read(&mut [0]).await.unwrap(), 0);
        tokio::time::advance(DEADLINES.keepalive).await;
        gone.shutdown().await.unwrap();
        assert_eq!(ended(&counters), []);

        let (mut silent, _far, counters) = serving().await;
        tokio::time::advance(DEADLINES.keepalive).await;
        silent.shutdown().await.unwrap();
        assert_eq!(ended(&counters), [Wait::Keepalive]);
    }
}
