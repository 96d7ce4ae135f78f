//! What a session does when it is woken: read, keep time, write.

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::ending::Phase;
use super::{Session, Woken};

/// How much is read at a time, in bytes. On the stack, so an idle session has no read buffer.
const READ_BYTES: usize = 1024;

/// How many reads one wake-up may do before others get their turn.
const READS_PER_POLL: usize = 32;

/// How many bytes one wake-up may inflate before others get their turn, but for what one read
/// brings.
const INFLATED_PER_POLL: u64 = 256 << 10;

impl<Io: AsyncRead + AsyncWrite + Unpin> Session<Io> {
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        mut changed: Pin<&mut impl Future>,
    ) -> Poll<Woken> {
        // Work that has just come is not done here, but in the next call, which is told of it: once.
        let told = std::mem::take(&mut self.told);
        if !told && self.phase == Phase::Open && changed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Woken::LogChanged);
        }
        self.look_at_pass();
        loop {
            if self.poll_read(cx).is_ready() {
                return Poll::Ready(Woken::Ended);
            }
            if self.keep_time(Instant::now()).is_break() {
                self.hang_up(cx);
                return Poll::Ready(Woken::Ended);
            }
            if self.poll_write(cx).is_ready() {
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
        if told && self.phase == Phase::Open {
            ready!(changed.poll(cx));
            return Poll::Ready(Woken::LogChanged);
        }
        Poll::Pending
    }

    /// Reads all there is. Ready when the stream has ended, and the client is owed nothing.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.input_ended {
            return Poll::Pending;
        }
        let mut inflated = 0;
        for _ in 0..READS_PER_POLL {
            let mut buffer = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            let failed = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)).is_err();
            if failed || buffer.filled().is_empty() {
                // Behind its Close a client has nothing to say, and still gets ours.
                self.input_ended = !failed && self.phase == Phase::Ending { shut: false };
                return match self.input_ended {
                    true => Poll::Pending,
                    false => Poll::Ready(()),
                };
            }
            self.take_input(buffer.filled());
            inflated += self.parser.take_inflated();
            if inflated > INFLATED_PER_POLL {
                break;
            }
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
            } else if self.stalled.is_none() {
                self.stalled = Some(Instant::now());
                self.on_probation = self.holds_too_much();
            }
            if self.output.ping_waits() {
                if tally.progress {
                    self.clock.postpone(Instant::now());
                }
            } else if self.clock.times_a_ping() {
                self.clock.sent(Instant::now());
            }
            if tally.progress {
                self.put_off(Instant::now());
            }
            if self.wire.is_one_way() && tally.frames > 0 && self.phase == Phase::Open {
                let config = &self.subscription.shared().config;
                self.clock.spoke(Instant::now(), config);
            }
            if ready!(written).is_err() {
                return Poll::Ready(());
            }
            self.tell_delivered();
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
                Phase::Ending { shut: true } if self.input_ended => return Poll::Ready(()),
                Phase::Closing | Phase::Ending { shut: true } => return Poll::Pending,
                Phase::Ending { shut: false } => {
                    if ready!(Pin::new(&mut self.io).poll_shutdown(cx)).is_err() {
                        return Poll::Ready(());
                    }
                    self.phase = Phase::Ending { shut: true };
                }
            }
        }
    }

    /// Ends the stream in good order, as far as that takes no time: over TLS a client can tell it
    /// from one that was cut (RFC 8446 section 6.1). What was cut, it can tell by the frame.
    fn hang_up(&mut self, cx: &mut Context<'_>) {
        if self.phase == Phase::Closing && self.output.is_empty() {
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
        }
    }

    /// The socket has taken all there was.
    fn tell_delivered(&mut self) {
        if let Some(began) = self.began.take() {
            let format = self.subscription.key().format;
            let observer = &self.subscription.shared().observer;
            observer.delivered(format, began.elapsed());
        }
    }
}
