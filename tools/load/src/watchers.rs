//! WebSocket clients that count: some read as fast as they can, some slowly, some never.

mod door;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::frames::{Event, FrameCounter};
use crate::latency::EndToEnd;
use crate::stream::Stream;

pub use door::Door;

/// What a reader takes from its socket at most in one go, in bytes.
const READ: usize = 256 << 10;
/// How often a slow reader takes its share.
const SLOW_TURN: Duration = Duration::from_millis(50);
/// After this long without a frame for anybody, what has not come is lost.
const QUIET: Duration = Duration::from_secs(2);

thread_local! {
    /// What all readers of a thread read into.
    static SCRAP: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crowd {
    /// Who read as fast as they can.
    pub reading: usize,
    /// Who read `slow_bytes_per_second`.
    pub slow: usize,
    /// How many bytes of each the slow ones read in a second.
    pub slow_bytes_per_second: u32,
    /// Who never read.
    pub stalled: usize,
}

/// What some clients have got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, to their end.
    pub messages: u64,
    /// Bytes of their payload.
    pub bytes: u64,
}

/// Connected clients. They go when this is dropped.
#[derive(Debug)]
pub struct Watchers {
    reading: Vec<watch::Receiver<Tally>>,
    slow: Vec<watch::Receiver<Tally>>,
    _stalled: Vec<Stream>,
    _tasks: JoinSet<io::Result<()>>,
}

impl Watchers {
    /// Lets a crowd in. Frames of the first reader are told to `end_to_end`.
    ///
    /// # Errors
    ///
    /// If a connection is refused, or not upgraded within 30 s, or what is asked for is not agreed
    /// on.
    pub async fn connect(
        door: &Door,
        crowd: Crowd,
        end_to_end: Option<Arc<EndToEnd>>,
    ) -> io::Result<Self> {
        let mut watchers = Self {
            reading: Vec::new(),
            slow: Vec::new(),
            _stalled: Vec::new(),
            _tasks: JoinSet::new(),
        };
        for number in 0..crowd.reading + crowd.slow {
            let io = door.enter(number).await?;
            let (tally, receiver) = watch::channel(Tally::default());
            let slow = number >= crowd.reading;
            let reader = Reader {
                io,
                counter: FrameCounter::new(door.deflate),
                tally,
                end_to_end: end_to_end.clone().filter(|_| number == 0 && !slow),
            };
            match slow {
                true => {
                    watchers.slow.push(receiver);
                    let reading = reader.read_slowly(crowd.slow_bytes_per_second);
                    watchers._tasks.spawn(reading);
                }
                false => {
                    watchers.reading.push(receiver);
                    watchers._tasks.spawn(reader.read());
                }
            }
        }
        for number in 0..crowd.stalled {
            watchers._stalled.push(door.enter(number).await?);
        }
        Ok(watchers)
    }

    /// Waits until each client that reads, and is still connected, has so many messages.
    pub async fn all_have(&self, messages: u64) {
        for tally in &self.reading {
            if tally.borrow().messages < messages {
                let enough = |tally: &Tally| tally.messages >= messages;
                // An error is a closed connection.
                drop(tally.clone().wait_for(enough).await);
            }
        }
    }

    /// As [`all_have`](Self::all_have), but gives up when nothing arrives for 2 s. When the last
    /// frame had arrived.
    pub async fn settle(&self, messages: u64) -> Instant {
        let mut before = self.read();
        while timeout(QUIET, self.all_have(messages)).await.is_err() {
            let now = self.read();
            if now == before {
                return Instant::now() - QUIET;
            }
            before = now;
        }
        Instant::now()
    }

    /// How many read as fast as they can.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.reading.len()
    }

    /// What those have got who read as fast as they can, all together.
    #[must_use]
    pub fn read(&self) -> Tally {
        total(&self.reading)
    }

    /// What the slow ones have got, all together.
    #[must_use]
    pub fn read_slowly(&self) -> Tally {
        total(&self.slow)
    }

    /// How many of both are not connected any more. Of those that never read nobody knows.
    #[must_use]
    pub fn closed(&self) -> usize {
        let all = self.reading.iter().chain(&self.slow);
        all.filter(|tally| tally.has_changed().is_err()).count()
    }
}

fn total(tallies: &[watch::Receiver<Tally>]) -> Tally {
    tallies
        .iter()
        .map(|tally| *tally.borrow())
        .fold(Tally::default(), |sum, tally| Tally {
            messages: sum.messages + tally.messages,
            bytes: sum.bytes + tally.bytes,
        })
}

/// One client.
struct Reader {
    io: Stream,
    counter: FrameCounter,
    tally: watch::Sender<Tally>,
    end_to_end: Option<Arc<EndToEnd>>,
}

impl Reader {
    async fn read(mut self) -> io::Result<()> {
        while self.read_some(READ).await? > 0 {}
        Ok(())
    }

    async fn read_slowly(mut self, bytes_per_second: u32) -> io::Result<()> {
        let share = f64::from(bytes_per_second) * SLOW_TURN.as_secs_f64();
        let share = (share as usize).clamp(1, READ);
        while self.read_some(share).await? > 0 {
            sleep(SLOW_TURN).await;
        }
        Ok(())
    }

    /// Reads up to `most` bytes, counts what is in them, and answers pings. How many bytes: none
    /// at the end, or when the server closes.
    async fn read_some(&mut self, most: usize) -> io::Result<usize> {
        let (read, pongs) = poll_fn(|cx| self.take(cx, most)).await?;
        if !pongs.is_empty() {
            self.io.write_all(&pongs).await?;
            self.io.flush().await?;
        }
        Ok(read)
    }

    /// Takes what is there: how many bytes, and the pongs to answer with.
    fn take(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<(usize, Vec<u8>)>> {
        SCRAP.with_borrow_mut(|scrap| {
            let mut buffer = ReadBuf::new(&mut scrap[..most]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            let mut got = Tally::default();
            let (mut pongs, mut closed) = (Vec::new(), false);
            let fed = self.counter.feed(buffer.filled(), |event| match event {
                Event::Message(bytes) => {
                    got.messages += 1;
                    got.bytes += bytes;
                }
                Event::Ping(payload) => pongs.extend(pong(payload)),
                Event::Close => closed = true,
            });
            fed.map_err(io::Error::other)?;
            if got.messages > 0 {
                self.count(got);
            }
            let read = if closed { 0 } else { buffer.filled().len() };
            Poll::Ready(Ok((read, pongs)))
        })
    }

    fn count(&self, got: Tally) {
        if let Some(end_to_end) = &self.end_to_end {
            let now = Instant::now();
            (0..got.messages).for_each(|_| end_to_end.arrived(now));
        }
        self.tally.send_modify(|tally| {
            tally.messages += got.messages;
            tally.bytes += got.bytes;
        });
    }
}

/// A pong, masked by zeros (RFC 6455, 5.3 and 5.5.3).
fn pong(payload: &[u8]) -> impl Iterator<Item = u8> {
    const PONG: u8 = 0x8A;
    const MASKED: u8 = 0x80;
    let head = [PONG, MASKED | payload.len() as u8, 0, 0, 0, 0];
    head.into_iter().chain(payload.iter().copied())
}

#[cfg(test)]
mod tests;
