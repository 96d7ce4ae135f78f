//! Clients that watch: some stay, some come and go, some are slow, some never read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::World;
use crate::door::{Leaves, PATIENCE, Stream};
use crate::stop::Stop;
use crate::tally::Fault;
use crate::watching::{EVERYTHING, VIEWS, View, Watching};

/// How many bytes a second the slow ones read.
const SLOW: u64 = 100_000;
/// How many of them they read in one go.
const SIP: usize = 4096;

/// Whom all others are held to: writes the ledger until `stop`, and until it has as many
/// publications as were accepted then.
pub(crate) async fn keep_ledger(world: Arc<World>, mut first: Watching, stop: Stop) {
    let begin = first.last;
    // Nothing is sent any more when it is told to stop.
    let mut due = None;
    while due.is_none_or(|due| first.last < due) {
        let next = tokio::select! {
            next = first.next() => next,
            () = stop.comes(), if due.is_none() => {
                due = Some(begin + world.accepted());
                continue;
            }
            () = sleep(PATIENCE), if due.is_some() => {
                let told = || format!("{} came instead of {due:?}", first.last);
                return world.tally.fault(Fault::Frames, told);
            }
        };
        match next {
            Ok(Some(came)) => {
                let kind = world.exports.kinds.find(came.signal, came.bytes);
                let is_next = kind.is_some_and(|kind| world.ledger.add(came.seq, kind));
                if !is_next {
                    let told = || format!("{came:?} is not the next, or nobody has sent it");
                    return world.tally.fault(Fault::Frames, told);
                }
            }
            Ok(None) => {}
            Err(error) => return world.tally.fault(Fault::Watching, || format!("{error:#}")),
        }
    }
}

/// Watches until `stop`, and to the last publication.
pub(crate) async fn stay(world: Arc<World>, view: View, stop: Stop) {
    let staying = async {
        let mut watching = Watching::begin(&world.door, view, "", Leaves::Quietly).await?;
        read_until(&world, &mut watching, stop.comes()).await?;
        watching.catch_up(&world).await?;
        watching.check(&world).await;
        world.tally.add("frames", watching.frames);
        watching.close().await
    };
    if let Err(error) = staying.await {
        world.tally.fault(Fault::Watching, || format!("{error:#}"));
    }
}

/// Takes frames until something happens.
async fn read_until(
    world: &World,
    watching: &mut Watching,
    end: impl Future<Output = ()>,
) -> Result<()> {
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return Ok(()),
            next = watching.next() => next?,
        };
        watching.check_now_and_then(world).await;
    }
}

/// Comes and goes, now to one view and now to another, until `stop`.
pub(crate) async fn come_and_go(world: Arc<World>, stop: Stop) {
    while !stop.is_now() {
        let view = VIEWS[fastrand::usize(..VIEWS.len())];
        let from = view.beginnings()[fastrand::usize(..view.beginnings().len())];
        if let Err(error) = visit(&world, view, from, &stop).await {
            world
                .tally
                .fault(Fault::Watching, || format!("{from}: {error:#}"));
            stop.pause(Duration::from_secs(1)).await;
        }
    }
}

/// Watches for a moment, and often comes back to the same place.
async fn visit(world: &World, view: View, from: &str, stop: &Stop) -> Result<()> {
    let (epoch, seq) = look(world, view, from, stop).await?;
    // The oldest of a history may have left it before one comes back.
    if !view.has_places() || from.contains("all") || fastrand::bool() {
        return Ok(());
    }
    let leaves = Leaves::Quietly;
    let since = format!("&since={epoch}:{seq}");
    let mut back = Watching::begin(&world.door, view, &since, leaves).await?;
    let recovered = back.recovered && back.epoch == epoch && back.last == seq;
    ensure!(recovered, "{}{since}: nothing is recovered", view.path);
    world.tally.count("resumed");
    read_until(world, &mut back, moment(stop)).await?;
    back.check(world).await;
    world.tally.add("frames", back.frames);
    Ok(())
}

/// Watches for a moment and goes, in one way or another. The place that it came to.
async fn look(world: &World, view: View, from: &str, stop: &Stop) -> Result<(String, u64)> {
    let leaves = match fastrand::bool() {
        true => Leaves::Quietly,
        false => Leaves::Rudely,
    };
    let mut watching = Watching::begin(&world.door, view, from, leaves).await?;
    world.tally.count("visits");
    read_until(world, &mut watching, moment(stop)).await?;
    watching.check(world).await;
    world.tally.add("frames", watching.frames);
    let place = (watching.epoch.clone(), watching.last);
    if fastrand::bool() {
        watching.close().await?;
    }
    Ok(place)
}

/// Some time up to two seconds.
async fn moment(stop: &Stop) {
    stop.pause(Duration::from_millis(fastrand::u64(..2000)))
        .await;
}

/// Reads slowly, for as long as it is borne with, and comes again, until `stop`.
pub(crate) async fn dawdle(world: Arc<World>, stop: Stop) {
    while !stop.is_now() {
        let dawdling = async {
            let io = Throttled::new(world.door.http(Leaves::Quietly).await?);
            let mut watching = Watching::over(Box::new(io), EVERYTHING, "").await?;
            world.tally.count("slow_sessions");
            while let Ok(next) = tokio::select! {
                () = stop.comes() => return Ok(watching.lost),
                next = watching.next() => next,
            } {
                if next.is_some() {
                    world.tally.count("slow_frames");
                }
            }
            Ok::<_, anyhow::Error>(watching.lost)
        };
        match dawdling.await {
            Ok(lost) => world.tally.add("slow_lost", lost),
            Err(error) => {
                world
                    .tally
                    .fault(Fault::Watching, || format!("slow: {error:#}"));
                stop.pause(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Never reads, for longer than pings are waited for, and comes again, until `stop`.
pub(crate) async fn stall(world: Arc<World>, stop: Stop) {
    while !stop.is_now() {
        let io = world.door.http(Leaves::Rudely).await;
        let stalling = async { Watching::over(io?, EVERYTHING, "").await };
        match stalling.await {
            Ok(_unread) => {
                world.tally.count("stalled_sessions");
                stop.pause(Duration::from_secs(fastrand::u64(1..20))).await;
            }
            Err(error) => {
                world
                    .tally
                    .fault(Fault::Watching, || format!("stalled: {error:#}"));
                stop.pause(Duration::from_secs(1)).await;
            }
        }
    }
}

/// A connection over which [`SLOW`] bytes a second come.
struct Throttled {
    io: Stream,
    rest: Pin<Box<Sleep>>,
}

impl Throttled {
    fn new(io: Stream) -> Self {
        let rest = Box::pin(sleep_until(Instant::now()));
        Self { io, rest }
    }
}

impl AsyncRead for Throttled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.rest.as_mut().poll(cx));
        let mut sip = [0; SIP];
        let most = sip.len().min(buf.remaining());
        let mut part = ReadBuf::new(&mut sip[..most]);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let read = part.filled();
        buf.put_slice(read);
        let time = Duration::from_micros(read.len() as u64 * 1_000_000 / SLOW);
        self.rest.as_mut().reset(Instant::now() + time);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Throttled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
