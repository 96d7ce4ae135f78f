//! The task that serves one subscriber.
//!
//! It speaks WebSocket or sends lines in the body of an HTTP answer ([`serve_lines`]); all but what
//! goes over the wire is the same.
//!
//! One future per session reads, writes, keeps its own clock and follows its view's log. It
//! never waits for one of these alone: while a write is stalled it still reads pongs and Close
//! frames, and its timers run. What it holds of its own is a few hundred bytes, the control
//! frames under way, and the shared frames that it has taken for the write under way.

mod clock;
mod output;
mod wire;

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::client::{ClientEvent, ClientParser};
use crate::config::{FanoutConfig, Slow};
use crate::frame::{self, CloseCode, Opcode};
use crate::hub::Subscription;
use crate::observer::{CloseReason, Loss};

use self::clock::{Clock, Tick};
use self::output::Output;

pub(crate) use self::clock::after;
pub(crate) use self::wire::Wire;

/// How many frames one vectored write takes at most.
pub const GATHER_FRAMES: usize = 64;

/// How much is read at a time, in bytes. On the stack, so an idle session has no read buffer.
const READ_BYTES: usize = 1024;

/// How long a client may take nothing before its session may be cut off, when there are too many
/// frames in all; see [`FanoutConfig::frames_total_bytes`].
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How many reads one wake-up may do before others get their turn.
const READS_PER_POLL: usize = 32;

/// Serves one subscriber over `io`, on which the handshake is done, until either side ends it.
/// `early` is what the client sent behind its handshake, if it was read already.
///
/// - Frames of the view are written in order, shared frames in vectored writes, none copied.
/// - Pings of the client are answered between frames; of several, the newest (RFC 6455
///   section 5.5.3). Its messages are checked and ignored.
/// - Pings go out every [`FanoutConfig::ping_interval`]; if nothing at all is heard for
///   [`FanoutConfig::pong_timeout`] after one, the session closes with 3012. A client that takes
///   bytes of a frame in front of the ping has the whole timeout again, so a slow one stays. One
///   that stopped reading goes; until then it costs the frames of one write, and loses its
///   oldest ones by the limits of the log, or is closed with 3008 if that is what it asked for.
/// - The client's Close is answered with its own code. What breaks the protocol is answered
///   with 1002, 1007 or 1009. [`Hub::close`](crate::Hub::close) lets the session write what
///   its log holds and closes with 1001; [`Hub::revoke`](crate::Hub::revoke) closes with 3500
///   at once. The rest of the closing handshake gets
///   [`FanoutConfig::close_timeout`].
/// - The end of the stream, or an error of it, ends the session quietly.
///
/// Must run in a tokio runtime with a clock. The connection is closed when this returns.
pub async fn serve<Io>(io: Io, early: Bytes, subscription: Subscription) -> CloseReason
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session::new(io, Wire::WebSocket, subscription);
    session.take_input(&early);
    drop(early);
    run(&mut session).await
}

/// Serves one subscriber over `io`, on which the head of an HTTP answer is out, with lines until
/// either side ends it; `chunked` says whether its body has that coding.
///
/// It is [`serve`] but for this:
/// - The text of each frame is a line: JSON has no newlines in it. A view of points sends many
///   lines at a time.
/// - An empty line goes out when there was nothing else to write for
///   [`FanoutConfig::ping_interval`]. Nobody answers it: it counts as heard when the socket has
///   taken it, and what is in front of it. A client that takes nothing for
///   [`FanoutConfig::pong_timeout`] after that is cut off.
/// - Where a session would close, the body ends; after a stall, without its end.
/// - What the client sends is read and forgotten; the end of its stream ends the session.
pub async fn serve_lines<Io>(io: Io, chunked: bool, subscription: Subscription) -> CloseReason
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    run(&mut Session::new(io, Wire::Lines { chunked }, subscription)).await
}

/// Runs a session to its end. It stays where it is: moved here, it would be there twice.
async fn run<Io>(session: &mut Session<Io>) -> CloseReason
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut changes = session.subscription.changes();
    let mut timer = pin!(sleep_until(session.next_deadline()));
    loop {
        let woken = {
            let mut changed = pin!(changes.changed());
            poll_fn(|cx| session.poll(cx, timer.as_mut(), changed.as_mut())).await
        };
        match woken {
            Woken::LogChanged => {
                session.log_changed = true;
                if session.keep_up(Instant::now()).is_break() {
                    return session.end_reason();
                }
            }
            Woken::Moved => {
                changes = session.subscription.changes();
                // For what has changed before.
                session.log_changed = true;
            }
            Woken::Ended => return session.end_reason(),
        }
    }
}

/// Why the poll loop came back.
enum Woken {
    LogChanged,
    /// The changes of something else count from now on.
    Moved,
    Ended,
}

struct Session<Io> {
    /// Before the subscription: when that is gone, so is the connection.
    io: Io,
    wire: Wire,
    parser: ClientParser,
    output: Output,
    clock: Clock,
    phase: Phase,
    /// The end of the closing handshake, or of draining.
    deadline: Option<Instant>,
    reason: Option<CloseReason>,
    /// The log may have something for this session.
    log_changed: bool,
    /// Since when the client has taken nothing of what there is to write.
    stalled: Option<Instant>,
    /// How many publications it lost.
    lost: u64,
    subscription: Subscription,
}

/// How far the session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Live.
    Open,
    /// Our Close frame is on its way or out; the client's is awaited.
    Closing,
    /// Both Close frames are said, or ours is about to be, or nobody answers one: write, shut
    /// down, end.
    Answering,
    /// The client broke the protocol: write our Close frame and shut down, then swallow its
    /// bytes until it ends. Closing at once would reset the connection under our last frame.
    Discarding {
        /// Our side is shut down.
        shut: bool,
    },
}

impl<Io> Session<Io> {
    fn new(io: Io, wire: Wire, subscription: Subscription) -> Self {
        let shared = subscription.shared();
        shared.observer.opened(subscription.key().format);
        let parser = ClientParser::new(shared.config.client_message_bytes);
        let clock = Clock::new(Instant::now(), &shared.config);
        Self {
            io,
            wire,
            parser,
            output: Output::new(wire),
            clock,
            phase: Phase::Open,
            deadline: None,
            reason: None,
            log_changed: true,
            stalled: None,
            lost: 0,
            subscription,
        }
    }

    fn config(&self) -> &FanoutConfig {
        &self.subscription.shared().config
    }

    fn end_reason(&mut self) -> CloseReason {
        *self.reason.get_or_insert(CloseReason::Disconnected)
    }

    /// Takes bytes of the client.
    fn take_input(&mut self, mut input: &[u8]) {
        if self.wire.is_one_way() {
            return;
        }
        self.clock.heard();
        while !input.is_empty() {
            match self.parser.read(&mut input) {
                Ok(Some(event)) => self.take_event(event),
                Ok(None) => {}
                Err(violation) => {
                    let reason = CloseReason::Protocol(violation.code);
                    self.start_close(violation.code, violation.reason, reason);
                    self.phase = Phase::Discarding { shut: false };
                }
            }
        }
    }

    fn take_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Ping(payload) => {
                self.output
                    .pong(frame::control(Opcode::Pong, payload.as_slice()));
            }
            ClientEvent::Pong(_) => {}
            ClientEvent::Close(code) => {
                if self.phase == Phase::Open {
                    self.stop_watching(CloseReason::Client, frame::close(code, ""));
                }
                self.phase = Phase::Answering;
            }
        }
    }

    /// Says goodbye, unless that is done.
    fn start_close(&mut self, code: CloseCode, text: &str, reason: CloseReason) {
        if self.phase == Phase::Open {
            self.stop_watching(reason, frame::close(Some(code), text));
            self.phase = match self.wire.is_one_way() {
                true => Phase::Answering,
                false => Phase::Closing,
            };
        }
    }

    /// Takes no more frames, drops those not begun, and says goodbye.
    fn stop_watching(&mut self, reason: CloseReason, goodbye: Bytes) {
        self.reason = Some(reason);
        self.deadline = Some(after(Instant::now(), self.config().close_timeout));
        let unsent = self.output.close(goodbye) + self.subscription.release();
        self.count_unsent(reason, unsent);
    }

    /// What a client doesn't get because the relay ends, or because it was too slow, is lost to
    /// it, and counted. A client that has left loses nothing.
    fn count_unsent(&mut self, reason: CloseReason, unsent: u64) {
        let loss = match reason {
            CloseReason::Shutdown | CloseReason::Cancelled => Loss::Closing,
            CloseReason::Slow => Loss::Slow,
            CloseReason::Client
            | CloseReason::Disconnected
            | CloseReason::NoPong
            | CloseReason::Revoked
            | CloseReason::Protocol(_) => return,
        };
        if unsent > 0 {
            self.count_lost(loss, unsent);
        }
    }

    fn count_lost(&mut self, loss: Loss, publications: u64) {
        self.lost += publications;
        let format = self.subscription.key().format;
        let observer = &self.subscription.shared().observer;
        observer.dropped(format, loss, publications);
    }

    /// Says goodbye if the client may watch no longer.
    fn look_at_pass(&mut self) {
        if self.subscription.is_revoked() {
            let text = "the token was revoked";
            self.start_close(CloseCode::REVOKED, text, CloseReason::Revoked);
        }
    }

    /// Closes a session that fell behind, if it is to be closed then. Breaks if it is to be cut
    /// off: it holds what there is no room for, and its client takes none of it.
    fn keep_up(&mut self, now: Instant) -> ControlFlow<()> {
        if self.subscription.slow() == Slow::Disconnect && self.subscription.is_behind() {
            self.too_slow();
        }
        let config = self.config();
        let is_stalled = self
            .stalled
            .is_some_and(|since| after(since, PATIENCE) <= now);
        if is_stalled
            && self.subscription.shared().is_pressed()
            && self.output.bytes() >= config.gather_bytes
        {
            self.reason.get_or_insert(CloseReason::Slow);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn too_slow(&mut self) {
        self.start_close(CloseCode::SLOW, "too slow", CloseReason::Slow);
    }

    /// Does what time demands. Breaks when it is up.
    fn keep_time(&mut self, now: Instant) -> ControlFlow<()> {
        if self.phase == Phase::Open {
            if self.deadline.is_none() {
                self.deadline = self.subscription.shared().drain_until();
            }
            match self.clock.tick(now, &self.subscription.shared().config) {
                Tick::Nothing => {}
                Tick::Ping(number) => {
                    self.output
                        .ping(frame::control(Opcode::Ping, &number.to_be_bytes()));
                }
                Tick::Dead => {
                    self.start_close(CloseCode::NO_PONG, "no pong", CloseReason::NoPong);
                }
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            if self.phase != Phase::Open {
                return ControlFlow::Break(());
            }
            self.shut_down();
        }
        ControlFlow::Continue(())
    }

    fn shut_down(&mut self) {
        self.start_close(CloseCode::AWAY, "shutting down", CloseReason::Shutdown);
    }

    fn next_deadline(&self) -> Instant {
        let clock = (self.phase == Phase::Open).then(|| self.clock.deadline(self.config()));
        match (clock, self.deadline) {
            (Some(clock), Some(deadline)) => clock.min(deadline),
            (Some(at), None) | (None, Some(at)) => at,
            // Every phase but the open one has a deadline.
            (None, None) => Instant::now(),
        }
    }

    /// Takes the next frames out of the log. False if there are none now.
    fn refill(&mut self) -> bool {
        if !std::mem::take(&mut self.log_changed) {
            return false;
        }
        let read = self.output.refill(|queue| self.subscription.read(queue));
        for (loss, publications) in read.lost.iter() {
            self.count_lost(loss, publications);
        }
        self.log_changed = read.more;
        if read.lost.slow > 0 && self.subscription.slow() == Slow::Disconnect {
            self.too_slow();
            return !self.output.is_empty();
        }
        if read.ended && self.output.is_empty() {
            self.shut_down();
        } else if read.ended {
            // Comes back here when the last frames are out.
            self.log_changed = true;
        }
        !self.output.is_empty()
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Session<Io> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        changed: Pin<&mut impl Future>,
    ) -> Poll<Woken> {
        self.look_at_pass();
        loop {
            if self.poll_read(cx).is_ready()
                || self.keep_time(Instant::now()).is_break()
                || self.poll_write(cx).is_ready()
            {
                return Poll::Ready(Woken::Ended);
            }
            let at = self.next_deadline();
            if at < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
        }
        if self.subscription.has_moved() {
            return Poll::Ready(Woken::Moved);
        }
        if self.phase == Phase::Open {
            ready!(changed.poll(cx));
            return Poll::Ready(Woken::LogChanged);
        }
        Poll::Pending
    }

    /// Reads all there is. Ready when the stream has ended.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS_PER_POLL {
            let mut buffer = [0; READ_BYTES];
            let mut buffer = ReadBuf::new(&mut buffer);
            let ended = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)).is_err();
            if ended || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
            self.take_input(buffer.filled());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes all there is, and takes more from the log while there is more. Ready when the
    /// session is over.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let written = self.output.poll_write(cx, Pin::new(&mut self.io));
            let tally = self.output.take_tally();
            if tally.frames > 0 {
                let format = self.subscription.key().format;
                self.subscription
                    .shared()
                    .observer
                    .wrote(format, tally.frames, tally.bytes);
            }
            if tally.progress || written.is_ready() {
                self.stalled = None;
            } else {
                self.stalled.get_or_insert_with(Instant::now);
            }
            if tally.progress && self.output.ping_waits() {
                self.clock.postpone(Instant::now());
            }
            if self.wire.is_one_way() && tally.frames > 0 {
                let config = &self.subscription.shared().config;
                self.clock.spoke(Instant::now(), config);
            }
            if ready!(written).is_err() {
                return Poll::Ready(());
            }
            if self.wire.is_one_way() {
                // The socket has taken all, which is as much as there is to hear.
                self.clock.heard();
            }
            match self.phase {
                Phase::Open => {
                    if !self.refill() && self.phase == Phase::Open {
                        return Poll::Pending;
                    }
                }
                Phase::Closing | Phase::Discarding { shut: true } => return Poll::Pending,
                Phase::Answering => {
                    let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
                    return Poll::Ready(());
                }
                Phase::Discarding { shut: false } => {
                    if ready!(Pin::new(&mut self.io).poll_shutdown(cx)).is_err() {
                        return Poll::Ready(());
                    }
                    self.phase = Phase::Discarding { shut: true };
                }
            }
        }
    }
}

impl<Io> Drop for Session<Io> {
    fn drop(&mut self) {
        let reason = self.reason.unwrap_or(CloseReason::Cancelled);
        let unsent = self.output.unsent() + self.subscription.release();
        self.count_unsent(reason, unsent);
        let format = self.subscription.key().format;
        let observer = &self.subscription.shared().observer;
        observer.closed(format, reason, self.lost);
    }
}
