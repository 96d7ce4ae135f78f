//! Permits, deadlines and detachment, over pipes and on a paused clock.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fanout::Detach;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::Instant;

use super::{Clock, Conn, Connections};

const HEAD: Duration = Duration::from_secs(10);
const STALL: Duration = Duration::from_secs(30);

fn pair() -> (Conn<DuplexStream>, DuplexStream, Connections) {
    let connections = Connections::new(1, Arc::default());
    let (near, far) = duplex(64);
    let permit = connections.admit(None).unwrap();
    (
        Conn::new(near, permit, Clock::new(HEAD, STALL)),
        far,
        connections,
    )
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
    far.write_all(b"x").await.unwrap();
    conn.read_u8().await.unwrap();
    handle.request_begins();
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

/// Scenario: nothing happens on a connection; then a handler works for a day.
/// Guarantees: idling is left to keep-alive, and work has no deadline once the body has ended; an
/// answer that flushes in between, part of a stream say, is still under way.
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
        std::task::Poll::Ready(read.is_pending())
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
