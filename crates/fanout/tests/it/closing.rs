//! Closing handshakes (RFC 6455 section 7), from either side.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use fanout::{CloseReason, FanoutConfig, Pass, serve};
use futures_util::{FutureExt, SinkExt};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::support::{
    DRAIN, client, close_code, frame, hub, next_text, number, piped, piped_from, publish,
    subscribe, text, wired,
};

/// Scenario: clients close with a code, and with none.
/// Guarantees: the answer carries the same, then the stream ends.
#[tokio::test]
async fn a_close_is_answered_in_kind() {
    let (hub, recorder) = hub(FanoutConfig::default());
    for (said, answer) in [
        (frame(0x88, b"\x03\xe8done"), vec![0x88, 2, 0x03, 0xe8]),
        (frame(0x88, b"\x0f\xa0"), vec![0x88, 2, 0x0f, 0xa0]),
        (frame(0x88, b""), vec![0x88, 0]),
    ] {
        let (mut io, session) = wired(&hub).await;
        io.write_all(&said).await.unwrap();
        let mut all = Vec::new();
        io.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, answer);
        drop(io);
        assert_eq!(session.await.unwrap(), CloseReason::Client);
    }
    assert_eq!(recorder.counts().closed, [CloseReason::Client; 3]);
}

/// Scenario: a client closes, and goes on sending: a pong that was due, and rubbish; then it ends.
/// Guarantees: it reads the answer and the end, and not a reset; nobody waits for it for longer
/// than for a closing handshake.
#[tokio::test]
async fn what_comes_behind_a_close_does_no_harm() {
    let (hub, _) = hub(FanoutConfig::default());
    let (mut io, session) = wired(&hub).await;
    io.write_all(&frame(0x88, b"\x03\xe8")).await.unwrap();
    let mut answer = [0; 4];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0x88, 2, 0x03, 0xe8]);
    for _ in 0..100 {
        io.write_all(&frame(0x8a, b"late")).await.unwrap();
    }
    assert_eq!(io.read(&mut answer).await.unwrap(), 0);
    drop(io);
    assert_eq!(session.await.unwrap(), CloseReason::Client);
}

/// Scenario: a client closes while a long frame is on its way to it.
/// Guarantees: it reads that frame whole, then the Close, and none of the frames behind.
#[tokio::test]
async fn a_frame_under_way_is_finished_before_a_close() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (io, session) = piped(&hub, 100);
    let mut client = client(io).await;
    publish(&hub, 0..3, 1000);
    recorder.until(|counts| counts.renderings == 3).await;
    // The session writes into the pipe as soon as it runs: before this is read at the latest.
    tokio::task::yield_now().await;
    let close = CloseFrame {
        code: 1000.into(),
        reason: "".into(),
    };
    client.send(Message::Close(Some(close))).await.unwrap();
    assert_eq!(close_code(&mut client).await, Some(1000));
    drop(client);
    assert_eq!(session.await.unwrap(), CloseReason::Client);
    assert_eq!(recorder.counts().frames, 1);
    assert_eq!(recorder.counts().given_up, 0);
}

/// Scenario: a client closes and ends its stream right behind that, while a long frame is on its
/// way to it; another does so in the middle of nothing.
/// Guarantees: each reads what is due: that frame whole, the answer, and the end.
#[tokio::test]
async fn a_close_with_the_end_behind_it_is_answered() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (mut busy, busy_session) = piped(&hub, 100);
    publish(&hub, [7], 1000);
    let mut all = vec![busy.read_u8().await.unwrap()];
    let (mut idle, idle_session) = piped(&hub, 100);
    for io in [&mut busy, &mut idle] {
        io.write_all(&frame(0x88, b"\x03\xe8")).await.unwrap();
        io.shutdown().await.unwrap();
    }
    busy.read_to_end(&mut all).await.unwrap();
    let text = text(7, 1000);
    let header = [&[0x81, 126][..], &(text.len() as u16).to_be_bytes()].concat();
    let answer = [0x88, 2, 0x03, 0xe8];
    assert!(all == [&header, text.as_bytes(), &answer].concat());
    all.clear();
    idle.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, answer);
    for session in [busy_session, idle_session] {
        assert_eq!(session.await.unwrap(), CloseReason::Client);
    }
    assert_eq!(recorder.counts().given_up, 0);
}

/// Scenario: sessions that have to close with a long frame under way; one client takes 100 bytes
/// of it a second, the other a byte.
/// Guarantees: the first gets the frame whole and the Close, though that takes longer than a
/// closing handshake may; the second is given up within the pong timeout, and counted.
#[tokio::test(start_paused = true)]
async fn who_reads_on_gets_the_close_behind_the_frame() {
    let config = FanoutConfig::default();
    let (most, each) = (config.pong_timeout, Duration::from_secs(1));
    let (hub, recorder) = hub(config);
    let pass = Pass::revocable();
    let under = || subscribe(&hub).under(pass.clone());
    let (mut slow, _) = piped_from(under(), 100);
    let (mut slower, _) = piped_from(under(), 100);
    publish(&hub, [7], 1000);
    let mut all = vec![slow.read_u8().await.unwrap()];
    slower.read_u8().await.unwrap();
    hub.revoke([pass]);
    let began = Instant::now();
    let slower = tokio::spawn(async move {
        while slower.read_u8().await.is_ok() {
            tokio::time::sleep(each).await;
        }
    });
    loop {
        let mut some = [0; 100];
        match slow.read(&mut some).await.unwrap() {
            0 => break,
            read => all.extend_from_slice(&some[..read]),
        }
        tokio::time::sleep(each).await;
    }
    assert!(all.ends_with(b"the token was revoked"));
    assert!(all.len() > 1000 && began.elapsed() > 10 * each);
    hub.drained().await;
    assert!(began.elapsed() <= most + each, "{:?}", began.elapsed());
    slower.await.unwrap();
    // The first has not answered.
    assert_eq!(recorder.counts().given_up, 2);
    assert_eq!(recorder.counts().frames, 1);
}

/// A pipe that counts how often it was ended in good order.
struct Ending(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Ending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Ending {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Scenario: a client that reads a Close and never answers it.
/// Guarantees: it is given up, and the stream ends in good order, so that over TLS it can be told
/// from one that was cut.
#[tokio::test(start_paused = true)]
async fn an_unanswered_close_ends_in_good_order() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let ended = Arc::new(AtomicUsize::new(0));
    let (mut mute, io) = duplex(1000);
    let io = Ending(io, Arc::clone(&ended));
    let session = tokio::spawn(serve(io, Bytes::new(), subscribe(&hub)));
    recorder.until(|counts| counts.opened == 1).await;
    hub.close(DRAIN);
    let mut all = Vec::new();
    mute.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(b"shutting down"));
    assert_eq!(session.await.unwrap(), CloseReason::Shutdown);
    assert_eq!(ended.load(Ordering::Relaxed), 1);
    assert_eq!(recorder.counts().given_up, 1);
}

/// Scenario: the hub closes while sessions have frames to write.
/// Guarantees: they write all that was published before, send 1001, and end once the client
/// has answered; `drained` waits for that.
#[tokio::test]
async fn shutdown_drains_and_says_1001() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (io, session) = piped(&hub, 100);
    let (idle, idle_session) = wired(&hub).await;
    publish(&hub, 0..20, 5000);
    recorder.until(|counts| counts.renderings == 20).await;
    hub.close(DRAIN);
    publish(&hub, [99], 0);
    assert!(hub.drained().now_or_never().is_none());
    let mut client1 = client(io).await;
    let mut client2 = client(idle).await;
    for expected in 0..20 {
        assert_eq!(number(&next_text(&mut client1).await), expected);
        assert_eq!(number(&next_text(&mut client2).await), expected);
    }
    assert_eq!(close_code(&mut client1).await, Some(1001));
    assert_eq!(close_code(&mut client2).await, Some(1001));
    hub.drained().await;
    assert_eq!(session.await.unwrap(), CloseReason::Shutdown);
    assert_eq!(idle_session.await.unwrap(), CloseReason::Shutdown);
    assert_eq!(recorder.counts().dropped, 0);
}

/// Scenario: the hub closes; one client reads but does not answer, one does not even read.
/// Guarantees: the time that was given and the close timeout end both sessions; what the second
/// could not take is counted.
#[tokio::test(start_paused = true)]
async fn shutdown_waits_only_so_long() {
    let config = FanoutConfig::default();
    let most = DRAIN + config.close_timeout + Duration::from_secs(1);
    let (hub, recorder) = hub(config);
    let (mut mute, _) = piped(&hub, 100_000);
    let (_stalled, _) = piped(&hub, 100);
    publish(&hub, 0..3, 1000);
    recorder.until(|counts| counts.renderings == 3).await;
    hub.close(DRAIN);
    let began = Instant::now();
    let mut all = Vec::new();
    mute.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(b"shutting down"));
    hub.drained().await;
    assert!(began.elapsed() <= most, "{:?}", began.elapsed());
    assert_eq!(recorder.counts().closed, [CloseReason::Shutdown; 2]);
    let counts = recorder.counts();
    assert_eq!((counts.frames, counts.dropped), (3, 3));
}

/// Scenario: a session's task is dropped.
/// Guarantees: it is counted as ended, and the hub forgets it.
#[tokio::test]
async fn a_dropped_session_leaves_nothing_behind() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (_io, session) = piped(&hub, 100);
    recorder.until(|counts| counts.opened == 1).await;
    session.abort();
    hub.drained().await;
    assert_eq!(recorder.counts().closed, [CloseReason::Cancelled]);
    assert_eq!(hub.snapshot().views, 0);
}

/// Scenario: sessions under three passes, one of them with a write that is stalled; two passes are
/// taken back, one of them before its session begins.
/// Guarantees: those sessions close with 3500 and end, write nothing that they had not begun, and
/// nothing counts as dropped; the third goes on.
#[tokio::test]
async fn a_pass_that_is_taken_back_ends_its_sessions() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let (gone, unborn, good) = (Pass::revocable(), Pass::revocable(), Pass::revocable());
    let under = |pass: &Pass| subscribe(&hub).under(pass.clone());
    let (idle, idle_session) = piped_from(under(&gone), 1000);
    let (stalled, stalled_session) = piped_from(under(&gone), 100);
    let (fine, _fine_session) = piped_from(under(&good), 100_000);
    let mut idle = client(idle).await;
    publish(&hub, [1], 0);
    assert_eq!(number(&next_text(&mut idle).await), 1);
    publish(&hub, 2..5, 1000);
    // One by the first, and all by the third.
    recorder.until(|counts| counts.frames == 5).await;

    hub.revoke([gone.clone(), unborn.clone()]);
    assert!(gone.is_revoked() && !good.is_revoked());
    let (unborn, unborn_session) = piped_from(under(&unborn), 1000);
    assert_eq!(close_code(&mut client(unborn).await).await, Some(3500));
    assert_eq!(close_code(&mut idle).await, Some(3500));
    assert_eq!(close_code(&mut client(stalled).await).await, Some(3500));
    publish(&hub, [5], 0);
    for session in [unborn_session, idle_session, stalled_session] {
        assert_eq!(session.await.unwrap(), CloseReason::Revoked);
    }
    let mut fine = client(fine).await;
    for expected in 1..=5 {
        assert_eq!(number(&next_text(&mut fine).await), expected);
    }
    // Beside those, the frames that the others had begun.
    let counts = recorder.counts();
    assert!(counts.frames <= 5 + 1 + 2, "{counts:?}");
    assert_eq!(counts.dropped, 0);
}
