//! An accepted connection: its permit, its deadlines, and the way out of HTTP.
//!
//! [`Conn`] lies between a socket and actix's HTTP dispatcher. actix limits only the first head
//! of a connection in time and knows no deadline for a body or a stalled answer; `Conn` does. And
//! it lets a handler take the socket away (*detach*): the handler returns a 101 with an empty
//! body, or an answer whose body never has a byte; once the head is flushed, `Conn` tells the
//! dispatcher that the stream has ended, or that body fails, which frees its buffers, and the socket
//! goes to whoever asked for it.

mod addresses;
mod clock;
mod permits;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use fanout::Detach;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

pub use addresses::Seat;
pub use clock::Clock;
pub(crate) use clock::{LONGEST, after};
pub(crate) use permits::Crowded;
pub use permits::{Connections, Permit};

use self::clock::Late;
use crate::counters::labels::Wait;

/// How actix's answer to a head begins that took too long.
const TOO_LATE: &[u8] = b"HTTP/1.1 408";

/// A connection as the HTTP dispatcher sees it.
pub struct Conn<T>(Rc<RefCell<Inner<T>>>);

/// What handlers see of a connection, through `HttpRequest::conn_data`.
pub struct ConnHandle<T>(Weak<RefCell<Inner<T>>>);

struct Inner<T> {
    /// Gone only while the connection is being dropped.
    socket: Option<Socket<T>>,
    clock: Clock,
    /// The client sends no more.
    read_ended: bool,
    detaching: Detaching<T>,
}

/// How far a detachment has come.
enum Detaching<T> {
    /// Nobody asked.
    No,
    /// Asked for; the answer of the handler is not written yet. Reads pend, so that nothing
    /// which belongs to the new protocol ends in the dispatcher's buffer.
    Asked(oneshot::Sender<Socket<T>>),
    /// Some of the answer is written.
    Writing(oneshot::Sender<Socket<T>>),
    /// All of it is flushed: the end, for the dispatcher.
    Flushed(oneshot::Sender<Socket<T>>),
}

/// A socket with the permit for its connection, which is given back when it closes.
pub struct Socket<T> {
    io: T,
    permit: Permit,
}

impl<T> Conn<T> {
    /// Wraps an accepted socket.
    #[must_use]
    pub fn new(io: T, permit: Permit, clock: Clock) -> Self {
        let socket = Some(Socket { io, permit });
        Self(Rc::new(RefCell::new(Inner {
            socket,
            clock,
            read_ended: false,
            detaching: Detaching::No,
        })))
    }

    /// The handle for handlers.
    #[must_use]
    pub fn handle(&self) -> ConnHandle<T> {
        ConnHandle(Rc::downgrade(&self.0))
    }
}

impl<T> ConnHandle<T> {
    /// A request's head has arrived, and its handler begins.
    pub fn request_begins(&self) {
        self.tell(Clock::request_begins);
    }

    /// It has no body.
    pub fn no_body(&self) {
        self.tell(Clock::no_body);
    }

    /// The request's body was read to its end; the client owes nothing.
    pub fn body_ended(&self) {
        self.tell(Clock::body_ended);
    }

    /// The handler has its answer; what follows is writing it.
    pub fn answer_begins(&self) {
        self.tell(Clock::answer_begins);
    }

    /// The request is from a client of a proxy, which has `seat` until the answer has ended or,
    /// if the connection is detached, until it is closed.
    pub fn serve(&self, seat: Seat) {
        if let Some(inner) = self.0.upgrade() {
            inner.borrow_mut().serve(Some(seat));
        }
    }

    /// The answer is with the dispatcher to its last byte.
    pub fn answer_ended(&self) {
        self.tell(Clock::answer_ended);
        if let Some(inner) = self.0.upgrade() {
            let mut inner = inner.borrow_mut();
            if matches!(inner.detaching, Detaching::No) {
                inner.serve(None);
            }
        }
    }

    fn tell(&self, what: impl FnOnce(&mut Clock)) {
        if let Some(inner) = self.0.upgrade() {
            what(&mut inner.borrow_mut().clock);
        }
    }
}

impl<T> Clone for ConnHandle<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Detach for ConnHandle<T> {
    type Io = Socket<T>;

    fn detach(&self) -> Pin<Box<dyn Future<Output = Option<Socket<T>>>>> {
        let (tx, rx) = oneshot::channel();
        if let Some(inner) = self.0.upgrade() {
            inner.borrow_mut().detaching = Detaching::Asked(tx);
        }
        Box::pin(async { rx.await.ok() })
    }

    fn is_ready(&self) -> bool {
        let inner = self.0.upgrade();
        inner.is_some_and(|inner| inner.borrow().is_detached())
    }
}

impl<T> Drop for Conn<T> {
    fn drop(&mut self) {
        let mut inner = self.0.borrow_mut();
        let socket = inner.socket.take();
        let detaching = std::mem::replace(&mut inner.detaching, Detaching::No);
        if let (Detaching::Flushed(tx), Some(mut socket)) = (detaching, socket) {
            socket.permit.leave_http();
            // If nobody waits any more, the socket closes.
            drop(tx.send(socket));
        }
    }
}

impl<T> Inner<T> {
    /// Ready, with what the client took too long for.
    fn check_clock(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        let late = self.clock.check(cx);
        if let Poll::Ready(Late(wait)) = late {
            self.timed_out(wait);
        }
        late
    }

    /// The connection ends because the client took too long.
    fn timed_out(&mut self, wait: Wait) {
        if let Some(socket) = &mut self.socket {
            socket.permit.time_out(wait);
        }
    }

    fn serve(&mut self, client: Option<Seat>) {
        if let Some(socket) = &mut self.socket {
            socket.permit.serve(client);
        }
    }

    fn is_detached(&self) -> bool {
        matches!(self.detaching, Detaching::Flushed(_))
    }
}

impl<T: AsyncWrite + Unpin> Inner<T> {
    /// The socket, pinned; an error once it is gone.
    fn socket(&mut self) -> io::Result<Pin<&mut T>> {
        match &mut self.socket {
            Some(socket) => Ok(Pin::new(&mut socket.io)),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Notes what is about to be written: actix says by itself that the first head is late.
    fn writes(&mut self, bytes: &[u8]) {
        if self.clock.awaits_first_head() && bytes.starts_with(TOO_LATE) {
            self.timed_out(Wait::Head);
        }
    }

    /// Notes what became of a write.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(_)) => {
                self.clock.wrote();
                if let Detaching::Asked(tx) = std::mem::replace(&mut self.detaching, Detaching::No)
                {
                    self.detaching = Detaching::Writing(tx);
                }
                result
            }
            Poll::Ready(Err(_)) => result,
            Poll::Pending => self.check_clock(cx).map(|late| Err(late.into())),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Conn<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.borrow_mut();
        match inner.detaching {
            Detaching::No => {}
            Detaching::Asked(_) | Detaching::Writing(_) => return Poll::Pending,
            Detaching::Flushed(_) => return Poll::Ready(Ok(())),
        }
        let before = buf.filled().len();
        match inner.socket()?.poll_read(cx, buf) {
            Poll::Ready(result) => {
                match &buf.filled()[before..] {
                    [] => inner.read_ended = true,
                    bytes => inner.clock.received(bytes),
                }
                Poll::Ready(result)
            }
            Poll::Pending => inner.check_clock(cx).map(|late| match late {
                // The end, for the dispatcher: so it closes in good order.
                Late(Wait::Idle) => {
                    inner.clock.closes();
                    Ok(())
                }
                late => Err(late.into()),
            }),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Conn<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0.borrow_mut();
        inner.writes(buf);
        let result = inner.socket()?.poll_write(cx, buf);
        inner.wrote(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0.borrow_mut();
        inner.writes(bufs.first().map_or(&[], |first| first));
        let result = inner.socket()?.poll_write_vectored(cx, bufs);
        inner.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.0
            .borrow()
            .socket
            .as_ref()
            .is_some_and(|socket| socket.io.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.borrow_mut();
        let flushed = inner.socket()?.poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            match std::mem::replace(&mut inner.detaching, Detaching::No) {
                Detaching::Writing(tx) => {
                    inner.detaching = Detaching::Flushed(tx);
                    // The dispatcher has to come and read the end.
                    cx.waker().wake_by_ref();
                }
                other => inner.detaching = other,
            }
            // Nobody reads any more before the deadline that begins here.
            if inner.clock.flushed() && inner.clock.check(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.borrow_mut();
        if inner.is_detached() {
            return Poll::Ready(Ok(()));
        }
        if inner.clock.lingered() && !inner.read_ended {
            inner.timed_out(Wait::Linger);
        }
        inner.clock.closes();
        match inner.socket()?.poll_shutdown(cx) {
            Poll::Pending => inner.check_clock(cx).map(|late| Err(late.into())),
            closed => closed,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
