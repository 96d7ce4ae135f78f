//! Permits, deadlines and detachment, over pipes and on a paused clock.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use fanout::Detach;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::Instant;

use super::{Clock, Conn, Connections};
use crate::config::ConnectionConfig;
use crate::counters::Counters;
use crate::counters::labels::Wait;

const HEAD: Duration = Duration::from_secs(10);
const STALL: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(75);

fn pair() -> (Conn<DuplexStream>, DuplexStream, Connections) {
    let (conn, far, connections, _) = counted();
    (conn, far, connections)
}

fn counted() -> (Conn<DuplexStream>, DuplexStream, Connections, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let connections = Connections::new(1, Arc::clone(&counters));
    let (near, far) = duplex(64);
    let permit = connections.admit(None).unwrap();
    let clock = Clock::new(ConnectionConfig {
        head_timeout: HEAD,
        stall_timeout: STALL,
        idle_timeout: IDLE,
        ..ConnectionConfig::default()
    });
    (Conn::new(near, permit, clock), far, connections, counters)
}

/// What connections have ended for.
fn ended(counters: &Counters) -> Vec<Wait> {
    let counts = counters.connecting.timed_out.iter();
    let counts = counts.filter(|(_, count)| *count > 0);
    counts.map(|((_, wait), _)| wait).collect()
}

/// Has the dispatcher read what there is.
async fn take(conn: &mut Conn<DuplexStream>, far: &mut DuplexStream, bytes: &[u8]) {
    far.write_all(bytes).await.unwrap();
    let mut taken = vec![0; bytes.len()];
    conn.read_exact(&mut taken).await.unwrap();
}

/// Reads until the connection gives up, and says after how long.
async fn time_out(conn: &mut Conn<DuplexStream>) -> Duration {
    let begin = Instant::now();
    let error = loop {
        match conn.read_u8().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    begin.elapsed()
}

/// Scenario: as many connections as there are permits, and one more.
/// Guarantees: the one more is refused until another closes.
#[test]
fn permits_are_bounded_and_come_back() {
    let connections = Connections::new(2, Arc::default());
    let first = connections.admit(None).unwrap();
    let second = connections.admit(None).unwrap();
    assert!(connections.admit(None).is_none());
    assert_eq!(connections.open(), 2);
    drop(first);
    assert!(connections.admit(None).is_some());
    drop(second);
    assert_eq!(connections.open(), 0);
}

/// Scenario: a head that trickles in a byte a second, on a connection that has served before.
/// Guarantees: the deadline runs from the first byte and no byte moves it.
#[tokio::test(start_paused = true)]
async fn a_head_has_one_deadline() {
    let (mut conn, mut far, _) = pair();
    let handle = conn.handle();
    take(&mut conn, &mut far, b"GET / HTTP/1.1\r\n\r\n").await;
    handle.request_begins();
    handle.no_body();
    handle.answer_begins();
    handle.answer_ended();
    conn.flush().await.unwrap();
    let begin = Instant::now();
    let mut trickled = 0;
    let error = loop {
        far.write_all(b"x").await.unwrap();
        conn.read_u8().await.unwrap();
        trickled += 1;
        // The next byte is a second away.
        if let Ok(read) = tokio::time::timeout(Duration::from_secs(1), conn.read_u8()).await {
            break read.unwrap_err();
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begin.elapsed().as_secs(), HEAD.as_secs());
    assert_eq!(trickled, HEAD.as_secs());
}

/// Scenario: a body that stops coming, and an answer that nobody reads.
/// Guarantees: either ends after the stall timeout; bytes put it off.
#[tokio::test(start_paused = true)]
async fn stalls_end() {
    let (mut conn, mut far, _) = pair();
    let handle = conn.handle();
    handle.request_begins();
    far.write_all(b"body").await.unwrap();
    let waited = time_out(&mut conn).await;
    assert!(
        waited >= STALL && waited < STALL + Duration::from_secs(1),
        "{waited:?}"
    );

    handle.answer_begins();
    let begin = Instant::now();
    let error = conn.write_all(&[0; 1000]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(begin.elapsed() >= STALL);
}

/// Scenario: nothing happens on a new connection; then a handler works for a day.
/// Guarantees: the first head is left to actix, and work has no deadline once the body has ended;
/// an answer that flushes in between, part of a stream say, is still under way.
#[tokio::test(start_paused = true)]
async fn only_clients_have_deadlines() {
    let (mut conn, _far, _) = pair();
    let handle = conn.handle();
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, conn.read_u8()).await.is_err());
    handle.request_begins();
    handle.body_ended();
    assert!(tokio::time::timeout(day, conn.read_u8()).await.is_err());
    handle.answer_begins();
    conn.write_all(b"part").await.unwrap();
    conn.flush().await.unwrap();
    let waited = time_out(&mut conn).await;
    assert!(
        waited >= STALL && waited < STALL + Duration::from_secs(1),
        "{waited:?}"
    );
}

/// A moment at which bytes of a next head may come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    /// In the same read as the head of a request without a body.
    WithTheHead,
    AtWork,
    InTheAnswer,
    BehindTheAnswer,
    OnceItIsOut,
}

/// Scenario: half a head comes at each moment of the exchange before it, whose answer takes its
/// time; and one more byte of it long after.
/// Guarantees: from the moment at which the answer is out, or the head begins, it has the time of
/// a head, and its end is counted as that.
#[tokio::test(start_paused = true)]
async fn a_head_may_begin_before_the_answer_is_out() {
    use When::*;
    for when in [
        WithTheHead,
        AtWork,
        InTheAnswer,
        BehindTheAnswer,
        OnceItIsOut,
    ] {
        let (mut conn, mut far, _, counters) = counted();
        let handle = conn.handle();
        let half = async |now, conn: &mut Conn<_>, far: &mut DuplexStream| {
            if when == now {
                take(conn, far, b"GET /x").await;
            }
        };
        take(&mut conn, &mut far, b"GET / HTTP/1.1\r\n\r\n").await;
        half(WithTheHead, &mut conn, &mut far).await;
        handle.request_begins();
        handle.no_body();
        half(AtWork, &mut conn, &mut far).await;
        tokio::time::advance(STALL * 2).await;
        handle.answer_begins();
        half(InTheAnswer, &mut conn, &mut far).await;
        conn.write_all(b"answer").await.unwrap();
        handle.answer_ended();
        half(BehindTheAnswer, &mut conn, &mut far).await;
        conn.flush().await.unwrap();
        half(OnceItIsOut, &mut conn, &mut far).await;
        let begin = Instant::now();
        tokio::time::advance(HEAD / 2).await;
        take(&mut conn, &mut far, b" ").await;
        let error = conn.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{when:?}");
        assert_eq!(begin.elapsed().as_secs(), HEAD.as_secs(), "{when:?}");
        assert_eq!(ended(&counters), [Wait::Head], "{when:?}");
    }
}

/// Scenario: requests whose bytes end in every way that is none of a next head: with a body in
/// the same read or in the next, and with ends of lines that are bare.
/// Guarantees: the connection then lies idle, as long as it may; its dispatcher is told that it
/// has ended, which is no error, and that is counted as idle.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends() {
    for (head, body) in [
        ("GET / HTTP/1.1\r\n\r\n", None),
        ("GET / HTTP/1.1\n\n", None),
        ("GET / HTTP/1.1\r\n\n", None),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx", Some("")),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\n", Some("x")),
    ] {
        let (mut conn, mut far, _, counters) = counted();
        let handle = conn.handle();
        take(&mut conn, &mut far, head.as_bytes()).await;
        handle.request_begins();
        match body {
            None => handle.no_body(),
            Some(body) => {
                take(&mut conn, &mut far, body.as_bytes()).await;
                handle.body_ended();
            }
        }
        handle.answer_begins();
        conn.write_all(b"answer").await.unwrap();
        handle.answer_ended();
        conn.flush().await.unwrap();
        let begin = Instant::now();
        assert_eq!(conn.read(&mut [0]).await.unwrap(), 0, "{head:?}");
        assert_eq!(begin.elapsed().as_secs(), IDLE.as_secs(), "{head:?}");
        conn.shutdown().await.unwrap();
        assert_eq!(ended(&counters), [Wait::Idle], "{head:?}");
        assert_eq!(counters.totals().timed_out_connections, 0);
    }
}

/// Whether a task was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Scenario: an answer is out in the poll in which its request came, and nobody reads any more.
/// Guarantees: the task is woken when the connection has been idle for long enough.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_woken() {
    let (mut conn, mut far, _) = pair();
    let handle = conn.handle();
    take(&mut conn, &mut far, b"GET / HTTP/1.1\r\n\r\n").await;
    handle.request_begins();
    handle.no_body();
    handle.answer_begins();
    handle.answer_ended();
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let flushed = Pin::new(&mut conn).poll_flush(&mut Context::from_waker(&waker));
    assert!(flushed.is_ready());
    tokio::time::sleep(IDLE - Duration::from_secs(1)).await;
    assert!(!flag.0.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(flag.0.load(Ordering::Relaxed));
}

/// Scenario: a request is refused before the end of its body, which goes on coming; the
/// dispatcher closes after a while, at once, or when the client has ended.
/// Guarantees: what comes is no head, so that it has more time than one; only the first end
/// counts, as one of a client that went on sending.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_body_is_no_head() {
    let long = HEAD * 2;
    for (waits, ends, counted_as) in [
        (long, false, &[Wait::Linger][..]),
        (Duration::ZERO, false, &[]),
        (long, true, &[]),
    ] {
        let (mut conn, mut far, _, counters) = counted();
        let handle = conn.handle();
        take(&mut conn, &mut far, b"POST / HTTP/1.1\r\n\r\n").await;
        handle.request_begins();
        handle.answer_begins();
        conn.write_all(b"refused").await.unwrap();
        handle.answer_ended();
        take(&mut conn, &mut far, b"some of the body").await;
        conn.flush().await.unwrap();
        take(&mut conn, &mut far, b"more").await;
        let more = tokio::time::timeout(waits, conn.read_u8()).await;
        assert!(more.is_err(), "it is not ended");
        if ends {
            drop(far);
            assert_eq!(conn.read(&mut [0]).await.unwrap(), 0);
        }
        conn.shutdown().await.unwrap();
        assert_eq!(ended(&counters), counted_as);
    }
}

/// Scenario: waits that are longer than any clock can tell.
/// Guarantees: nothing panics.
#[tokio::test(start_paused = true)]
async fn waits_may_be_as_long_as_they_like() {
    let mut clock = Clock::new(ConnectionConfig {
        head_timeout: Duration::MAX,
        stall_timeout: Duration::MAX,
        idle_timeout: Duration::MAX,
        ..ConnectionConfig::default()
    });
    clock.received(b"GET / HTTP/1.1\r\n\r\n");
    clock.request_begins();
    clock.no_body();
    clock.answer_begins();
    clock.answer_ended();
    assert!(clock.flushed());
    poll_fn(|cx| {
        assert!(clock.check(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Scenario: a handler asks for the socket, its answer is written and flushed, the client has
/// sent the first bytes of the new protocol meanwhile.
/// Guarantees: the dispatcher reads nothing of it and then the end; the socket comes with those
/// bytes unread and with its permit, which no longer counts as HTTP.
#[tokio::test]
async fn a_socket_is_detached_once_the_answer_is_out() {
    let (mut conn, mut far, connections) = pair();
    let mut socket = conn.handle().detach();
    far.write_all(b"early").await.unwrap();
    let mut byte = [0];
    let pending = poll_fn(|cx| {
        let mut buf = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut conn).poll_read(cx, &mut buf);
        Poll::Ready(read.is_pending())
    });
    assert!(pending.await);
    conn.flush().await.unwrap();
    assert!(
        futures_util::poll!(&mut socket).is_pending(),
        "nothing was written yet"
    );
    conn.write_all(b"101").await.unwrap();
    conn.flush().await.unwrap();
    assert_eq!(
        conn.read(&mut byte).await.unwrap(),
        0,
        "the end, for the dispatcher"
    );
    poll_fn(|cx| Pin::new(&mut conn).poll_shutdown(cx))
        .await
        .unwrap();
    drop(conn);
    let mut socket = socket.await.unwrap();
    connections.http_ended().await;
    assert_eq!(connections.open(), 1);
    let mut early = [0; 5];
    socket.read_exact(&mut early).await.unwrap();
    assert_eq!(&early, b"early");
    let mut answer = [0; 3];
    far.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"101");
    drop(socket);
    assert_eq!(connections.open(), 0);
    assert_eq!(
        far.read(&mut answer).await.unwrap(),
        0,
        "the socket is closed"
    );
}

/// Scenario: the connection breaks before the answer is out.
/// Guarantees: whoever waits for the socket learns that there is none.
#[tokio::test]
async fn a_broken_connection_is_not_detached() {
    let (conn, far, connections) = pair();
    let socket = conn.handle().detach();
    drop(far);
    drop(conn);
    assert!(socket.await.is_none());
    assert_eq!(connections.open(), 0);
}
