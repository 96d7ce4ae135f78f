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
mod ending;
mod output;
mod pace;
mod poll;
mod wire;

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use crate::client::{ClientEvent, ClientParser};
use crate::config::{FanoutConfig, Slow};
use crate::frame::{self, CloseCode, Opcode};
use crate::hub::Subscription;
use crate::observer::CloseReason;

use self::clock::{Clock, Tick};
use self::ending::Phase;
use self::output::Output;

pub(crate) use self::clock::after;
pub use self::pace::{HELD_BYTES, PATIENCE};
pub(crate) use self::wire::Wire;

/// How many frames one vectored write takes at most.
pub const GATHER_FRAMES: usize = 64;

/// Serves one subscriber over `io`, on which the handshake is done, until either side ends it.
/// `early` is what the client sent behind its handshake, if it was read already.
///
/// - Frames of the view are written in order, shared frames in vectored writes, none copied.
/// - If compressed messages were [accepted](Subscription::accept_compressed), frames are written
///   compressed where that makes them shorter, and messages of the client may be compressed.
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
///   [`FanoutConfig::close_timeout`], from when the client last took some of a frame that was
///   under way, for [`FanoutConfig::pong_timeout`] at most.
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
                (session.log_changed, session.told) = (true, true);
                if session.keep_up().is_break() {
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
    /// The client's stream has ended; what it is owed is still written.
    input_ended: bool,
    /// There are too many frames, and the client will be cut off if it takes nothing.
    on_probation: bool,
    reason: Option<CloseReason>,
    /// The log may have something for this session.
    log_changed: bool,
    /// A change of the log was told and is not worked on: it need not be asked for.
    told: bool,
    /// Since when the client has taken nothing of what there is to write.
    stalled: Option<Instant>,
    /// How many publications it lost.
    lost: u64,
    /// When the request began that brought the oldest of what is being written.
    began: Option<time::Instant>,
    subscription: Subscription,
}

impl<Io> Session<Io> {
    fn new(io: Io, wire: Wire, subscription: Subscription) -> Self {
        let shared = subscription.shared();
        shared.observer.opened(subscription.key().format);
        let parser = ClientParser::new(
            shared.config.client_message_bytes,
            subscription.accepts_compressed(),
        );
        let clock = Clock::new(Instant::now(), &shared.config);
        Self {
            io,
            wire,
            parser,
            output: Output::new(wire),
            clock,
            phase: Phase::Open,
            deadline: None,
            input_ended: false,
            on_probation: false,
            reason: None,
            log_changed: true,
            told: true,
            stalled: None,
            lost: 0,
            began: None,
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
                    self.phase = Phase::Ending { shut: false };
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
            ClientEvent::Pong(payload) => {
                let time = self.clock.answered(payload.as_slice(), Instant::now());
                if let Some(time) = time {
                    let format = self.subscription.key().format;
                    self.subscription.shared().observer.round_trip(format, time);
                }
            }
            ClientEvent::Close(code) => {
                if self.phase == Phase::Open {
                    self.stop_watching(CloseReason::Client, frame::close(code, ""));
                }
                self.phase = Phase::Ending { shut: false };
            }
        }
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
                self.give_up();
                return ControlFlow::Break(());
            }
            self.shut_down();
        }
        match self.probation_ends() {
            Some(end) if end <= now => self.keep_up(),
            _ => ControlFlow::Continue(()),
        }
    }

    fn next_deadline(&self) -> Instant {
        let clock = (self.phase == Phase::Open).then(|| self.clock.deadline(self.config()));
        let deadlines = [clock, self.deadline, self.probation_ends()];
        // Every phase but the open one has a deadline.
        let first = deadlines.into_iter().flatten().min();
        first.unwrap_or_else(Instant::now)
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
        self.began = read.began;
        if read.empty > 0 {
            let format = self.subscription.key().format;
            let observer = &self.subscription.shared().observer;
            observer.passed(format, read.empty);
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
