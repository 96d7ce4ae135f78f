//! The deadlines of a connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::ConnectionConfig;
use crate::counters::labels::Wait;

/// Deadlines are at most this far away: 10 years, which every clock can tell.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// actix tells the time in steps of this length, so that its waits may be so much shorter.
const ACTIX_STEP: Duration = Duration::from_millis(500);

/// A moment that is `wait` away, or as far as every clock can tell.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(LONGEST)
}

/// What a connection is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing: no byte of a next request has come.
    Idle,
    /// Some of a head has come.
    Head,
    /// A handler is at work, and the body has not ended.
    Request,
    /// A handler is at work, and has all that the client sends. It may take its time.
    Work,
    /// An answer is being written.
    Answer,
    /// All of an answer is written, but maybe not out.
    Flush,
    /// The connection is being closed.
    Close,
}

/// Knows the phase of a connection and how long it may last.
pub struct Clock {
    waits: ConnectionConfig,
    phase: Phase,
    /// No head was complete yet.
    is_new: bool,
    /// The body of the request, the last one where there is none now, has not ended for all that
    /// is known. What comes may be of it.
    body_is_open: bool,
    /// Bytes have come that are behind the request.
    more_came: bool,
    /// The last bytes that came.
    tail: [u8; 3],
    /// When the last answer was out.
    answered: Option<Instant>,
    /// When the phase must be over, or some byte must have gone on. `None` while the client owes
    /// nothing.
    deadline: Option<Instant>,
    /// Wakes the connection at some time up to the deadline. Made when first needed, and not
    /// moved with every byte: when it fires too early, it is set again.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// A deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late(pub(crate) Wait);

impl From<Late> for io::Error {
    fn from(_: Late) -> Self {
        io::ErrorKind::TimedOut.into()
    }
}

impl Clock {
    /// A clock for a new connection. actix sees to the first head.
    #[must_use]
    pub fn new(waits: ConnectionConfig) -> Self {
        Self {
            waits,
            phase: Phase::Idle,
            is_new: true,
            body_is_open: false,
            more_came: false,
            tail: [0; 3],
            answered: None,
            deadline: None,
            alarm: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.deadline = match phase {
            Phase::Idle => Some(after(self.waits.idle_timeout)),
            Phase::Head => Some(after(self.waits.head_timeout)),
            Phase::Work => None,
            Phase::Request | Phase::Answer | Phase::Flush | Phase::Close => {
                Some(after(self.waits.stall_timeout))
            }
        };
    }

    /// A head is complete, and its handler begins.
    pub fn request_begins(&mut self) {
        self.is_new = false;
        self.body_is_open = true;
        self.more_came = false;
        self.enter(Phase::Request);
    }

    /// The request has no body. So if what came is not the end of a head, a next one has begun.
    pub fn no_body(&mut self) {
        self.body_ended();
        let [.., before, last] = self.tail;
        let ends = last == b'\n' && (before == b'\n' || self.tail == *b"\n\r\n");
        self.more_came = !ends;
    }

    /// The body was read to its end; the client owes nothing. Whether bytes of a next head came
    /// together with it, nobody knows: if they did, it has the time of an idle connection.
    pub fn body_ended(&mut self) {
        self.body_is_open = false;
        if self.phase == Phase::Request {
            self.enter(Phase::Work);
        }
    }

    /// There is an answer; what follows is writing it.
    pub fn answer_begins(&mut self) {
        self.enter(Phase::Answer);
    }

    /// The answer is written to its last byte, but maybe not out.
    pub fn answer_ended(&mut self) {
        self.enter(Phase::Flush);
    }

    /// The connection is being closed.
    pub fn closes(&mut self) {
        if self.phase != Phase::Close {
            self.enter(Phase::Close);
        }
    }

    /// Bytes came in.
    pub fn received(&mut self, bytes: &[u8]) {
        for byte in &bytes[bytes.len().saturating_sub(self.tail.len())..] {
            self.tail.rotate_left(1);
            self.tail[2] = *byte;
        }
        match self.phase {
            // The rest of a body, which actix throws away for a while, or a next head after all:
            // then it has the time of an idle connection.
            Phase::Idle if self.body_is_open => self.more_came = true,
            Phase::Idle => self.enter(Phase::Head),
            // A head has one deadline, however it trickles in.
            Phase::Head | Phase::Close => {}
            Phase::Request | Phase::Answer | Phase::Flush if self.body_is_open => {
                self.enter(self.phase);
            }
            // A head that begins before the answer before it is out has its time from then on.
            Phase::Request | Phase::Work | Phase::Answer | Phase::Flush => self.more_came = true,
        }
    }

    /// Bytes went out.
    pub fn wrote(&mut self) {
        if matches!(self.phase, Phase::Request | Phase::Answer | Phase::Flush) {
            self.enter(self.phase);
        }
    }

    /// Whether the first head is not complete yet. actix gives that one its deadline.
    #[must_use]
    pub fn awaits_first_head(&self) -> bool {
        self.is_new
    }

    /// Everything that was written is out. Whether that was the end of an answer.
    pub fn flushed(&mut self) -> bool {
        if self.phase != Phase::Flush {
            return false;
        }
        self.answered = Some(Instant::now());
        match std::mem::take(&mut self.more_came) {
            true if !self.body_is_open => self.enter(Phase::Head),
            _ => self.enter(Phase::Idle),
        }
        if self.body_is_open && self.phase == Phase::Idle {
            // actix has this time to wait for the rest of a body that was refused.
            let wait = self.waits.idle_timeout.max(self.waits.linger_timeout);
            self.deadline = Some(after(wait));
        }
        true
    }

    /// Whether actix, which closes the connection now, has waited in vain for a client to stop
    /// sending that was refused in the middle of its body.
    #[must_use]
    pub fn lingered(&self) -> bool {
        let waited = self.answered.map(|answered| answered.elapsed());
        let long = waited.is_some_and(|waited| waited + ACTIX_STEP >= self.waits.linger_timeout);
        self.phase == Phase::Idle && self.body_is_open && self.more_came && long
    }

    /// Ready if the deadline has passed; else sees to it that the task is woken when it does.
    pub fn check(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(Late(match self.phase {
                    Phase::Idle => Wait::Idle,
                    Phase::Head => Wait::Head,
                    _ => Wait::Stall,
                }));
            }
            alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
