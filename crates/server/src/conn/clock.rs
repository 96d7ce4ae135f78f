//! The deadlines of a connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What a connection is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: no byte of a next request has come. actix's keep-alive limits this.
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
}

/// Knows the phase of a connection and how long it may last.
pub struct Clock {
    head_timeout: Duration,
    stall_timeout: Duration,
    phase: Phase,
    /// No head was complete yet.
    is_new: bool,
    /// When a head must be complete, or when without progress a request or an answer has
    /// stalled. `None` while the client owes nothing.
    deadline: Option<Instant>,
    /// Wakes the connection at some time up to the deadline. Made when first needed, and not
    /// moved with every byte: when it fires too early, it is set again.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// A deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late;

impl From<Late> for io::Error {
    fn from(_: Late) -> Self {
        io::ErrorKind::TimedOut.into()
    }
}

impl Clock {
    /// A clock for a new connection.
    #[must_use]
    pub fn new(head_timeout: Duration, stall_timeout: Duration) -> Self {
        Self {
            head_timeout,
            stall_timeout,
            phase: Phase::Idle,
            is_new: true,
            deadline: None,
            alarm: None,
        }
    }

    /// Begins a phase.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        if phase == Phase::Request {
            self.is_new = false;
        }
        self.deadline = match phase {
            Phase::Idle | Phase::Work => None,
            Phase::Head => Some(Instant::now() + self.head_timeout),
            Phase::Request | Phase::Answer | Phase::Flush => {
                Some(Instant::now() + self.stall_timeout)
            }
        };
    }

    /// Bytes came in.
    pub fn received(&mut self) {
        match self.phase {
            Phase::Idle => self.enter(Phase::Head),
            // A head has one deadline, however it trickles in.
            Phase::Head | Phase::Work => {}
            Phase::Request | Phase::Answer | Phase::Flush => self.progress(),
        }
    }

    /// Bytes went in either direction.
    pub fn progress(&mut self) {
        if matches!(self.phase, Phase::Request | Phase::Answer | Phase::Flush) {
            self.enter(self.phase);
        }
    }

    /// Whether the first head is not complete yet. actix gives that one its deadline.
    #[must_use]
    pub fn awaits_first_head(&self) -> bool {
        self.is_new
    }

    /// Everything that was written is out.
    pub fn flushed(&mut self) {
        if self.phase == Phase::Flush {
            self.enter(Phase::Idle);
        }
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
                return Poll::Ready(Late);
            }
            alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
