//! A client that watches, and holds what it gets to the ledger.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use otlp_codec::Signal;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::World;
use crate::door::{Door, Leaves, PATIENCE, Stream};
use crate::kinds::Kind;
use crate::source::Source;
use crate::tally::Fault;

/// After so many frames, what came is held to the ledger.
const CHECKED: usize = 256;

/// How much of what is published a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Every export of its signals.
    Everything,
    /// What a clause of a filter leaves.
    Something(&'static str, &'static str),
    /// Frames without envelopes, which say nothing of their place.
    Bare,
}

/// Something to watch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) path: &'static str,
    signals: &'static [Signal],
    shows: Shows,
}

/// What the first client watches, whom all others are held to.
pub(crate) const EVERYTHING: View = whole("/ws?envelope=true", &Signal::ALL);

/// What others watch.
pub(crate) const VIEWS: [View; 12] = [
    EVERYTHING,
    whole("/ws/metrics?envelope=true", &[Signal::Metrics]),
    whole(
        "/ws/metrics?envelope=true&format=points",
        &[Signal::Metrics],
    ),
    whole("/ws/traces?envelope=true&format=points", &[Signal::Traces]),
    whole("/ws/logs?envelope=true&format=protojson", &[Signal::Logs]),
    whole("/ws?envelope=true&max_frame=65536", &Signal::ALL),
    whole("/stream?envelope=true", &Signal::ALL),
    whole("/stream/logs?envelope=true&format=points", &[Signal::Logs]),
    part(
        "/ws/metrics?envelope=true&metric=*.c*",
        &[Signal::Metrics],
        ("metric", "*.c*"),
    ),
    part(
        "/ws/logs?envelope=true&severity=ERROR",
        &[Signal::Logs],
        ("severity", "ERROR"),
    ),
    part(
        "/stream/traces?envelope=true&span=*a*",
        &[Signal::Traces],
        ("span", "*a*"),
    ),
    View {
        shows: Shows::Bare,
        ..whole("/ws/metrics?format=protobuf", &[Signal::Metrics])
    },
];

const fn whole(path: &'static str, signals: &'static [Signal]) -> View {
    View {
        path,
        signals,
        shows: Shows::Everything,
    }
}

const fn part(
    path: &'static str,
    signals: &'static [Signal],
    (name, value): (&'static str, &'static str),
) -> View {
    View {
        shows: Shows::Something(name, value),
        ..whole(path, signals)
    }
}

impl View {
    /// Whether a client can come back to it.
    pub(crate) fn has_places(&self) -> bool {
        self.shows != Shows::Bare
    }

    /// The kinds of exports that it shows, if frames say what they are.
    fn kinds(&self, world: &World) -> Result<Option<Vec<Kind>>> {
        let clause = match self.shows {
            Shows::Bare => return Ok(None),
            Shows::Everything => None,
            Shows::Something(name, value) => Some((name, value)),
        };
        world.exports.kinds.shown(self.signals, clause).map(Some)
    }

    /// What a client may ask for of what was before. Of several signals, the oldest that the
    /// history holds are not next to each other: each has a history of its own.
    pub(crate) fn beginnings(&self) -> &'static [&'static str] {
        match (self.shows, self.signals) {
            (Shows::Bare, _) => &[""],
            (_, [_]) => &["", "&replay=5", "&replay=all"],
            _ => &["", "&replay=5"],
        }
    }
}

/// A message in an envelope.
#[derive(Deserialize)]
struct Envelope<'a> {
    r#type: &'a str,
    epoch: Option<&'a str>,
    seq: Option<&'a str>,
    signal: Option<&'a str>,
    recovered: Option<bool>,
    dropped: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What a message held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    pub(crate) seq: u64,
    pub(crate) signal: Signal,
    /// How long the export in it was.
    pub(crate) bytes: usize,
}

/// Somebody who watches.
pub(crate) struct Watching {
    view: View,
    source: Source,
    pub(crate) epoch: String,
    /// Whether everything after the place that was asked for is there.
    pub(crate) recovered: bool,
    /// The publication that all was checked up to; none if it is to be the first that comes.
    checked: Option<u64>,
    /// The newest that came.
    pub(crate) last: u64,
    /// Whether it was a frame, of which more parts may come.
    parts: bool,
    /// What came since the check.
    seqs: Vec<u64>,
    /// Frames that came.
    pub(crate) frames: u64,
    /// Publications that were told to be lost.
    pub(crate) lost: u64,
    /// Whether it reads the oldest that there is, which may go before it comes to it.
    may_lose: bool,
}

impl Watching {
    /// Begins to watch a view from a place on, which `from` adds to the query.
    pub(crate) async fn begin(door: &Door, view: View, from: &str, leaves: Leaves) -> Result<Self> {
        Self::over(door.http(leaves).await?, view, from).await
    }

    /// As [`begin`](Self::begin), over a connection.
    pub(crate) async fn over(io: Stream, view: View, from: &str) -> Result<Self> {
        let source = Source::open(io, &format!("{}{from}", view.path)).await;
        let mut watching = Self {
            view,
            source: source.with_context(|| format!("{}{from}", view.path))?,
            epoch: String::new(),
            recovered: false,
            checked: None,
            last: 0,
            parts: false,
            seqs: Vec::new(),
            frames: 0,
            lost: 0,
            may_lose: false,
        };
        if view.has_places() {
            let hello = timeout(PATIENCE, watching.source.next()).await??;
            watching.welcome(&hello)?;
            if from.contains("replay") {
                // So many as there are: where they begin is not told.
                watching.checked = None;
                watching.may_lose = from.contains("all");
            }
        }
        Ok(watching)
    }

    fn welcome(&mut self, hello: &[u8]) -> Result<()> {
        let hello: Envelope<'_> = serde_json::from_slice(hello)?;
        ensure!(hello.r#type == "hello", "{} begins", hello.r#type);
        self.epoch = hello.epoch.context("no epoch")?.to_owned();
        self.last = hello.seq.context("no number")?.parse()?;
        self.checked = Some(self.last);
        self.recovered = hello.recovered == Some(true);
        Ok(())
    }

    /// Takes the next message. What it held, once for all parts of it.
    pub(crate) async fn next(&mut self) -> Result<Option<Came>> {
        let message = self.source.next().await.context(self.view.path)?;
        self.frames += 1;
        match self.view.has_places() {
            true => self.take(&message),
            false => Ok(None),
        }
    }

    fn take(&mut self, message: &Bytes) -> Result<Option<Came>> {
        let envelope: Envelope<'_> = serde_json::from_slice(message)?;
        if envelope.r#type == "gap" {
            self.lost += envelope.dropped.context("no number")?.parse::<u64>()?;
            return Ok(None);
        }
        let data = envelope.data;
        let data = data.with_context(|| format!("no data: {}", envelope.r#type))?;
        let seq = envelope.seq.context("no number")?.parse()?;
        if seq == self.last && self.parts {
            return Ok(None);
        }
        ensure!(
            seq > self.last,
            "{}: {seq} came after {}",
            self.view.path,
            self.last
        );
        (self.last, self.parts) = (seq, true);
        self.checked.get_or_insert(seq - 1);
        self.seqs.push(seq);
        let known = |signal: &&Signal| envelope.signal == Some(signal.as_str());
        let signal = Signal::ALL.iter().find(known).context("no signal")?;
        Ok(Some(Came {
            seq,
            signal: *signal,
            bytes: data.get().len(),
        }))
    }

    /// Holds what came to the ledger, if it is enough to be worth it.
    pub(crate) async fn check_now_and_then(&mut self, world: &World) {
        if self.seqs.len() > CHECKED {
            self.check(world).await;
        }
    }

    /// Holds what came to the ledger.
    pub(crate) async fn check(&mut self, world: &World) {
        if let Err(error) = self.hold_to_ledger(world).await {
            world.tally.fault(Fault::Frames, || format!("{error:#}"));
        }
    }

    async fn hold_to_ledger(&mut self, world: &World) -> Result<()> {
        let (upto, lost) = (self.last, std::mem::take(&mut self.lost));
        let path = self.view.path;
        if self.may_lose {
            // What leaves the history before it has come to it is lost, and told.
            world.tally.add("replay_lost", lost);
        } else if lost > 0 {
            let told = || format!("{path}: {lost} lost, as a gap has told");
            world.tally.fault(Fault::Frames, told);
        }
        let came = std::mem::take(&mut self.seqs);
        if let Some(kinds) = self.view.kinds(world)?
            && let Some(after) = self.checked.replace(upto)
        {
            let due = world.ledger.between(after, upto, &kinds).await;
            let due = due.unwrap_or_default();
            let missing = due.len().saturating_sub(came.len()) as u64;
            // What a filter would have left out is lost with the rest.
            let told = match self.view.shows {
                Shows::Something(..) => missing <= lost,
                _ => missing == lost,
            };
            let told = self.may_lose && told;
            let all = came.iter().all(|seq| due.binary_search(seq).is_ok());
            if all && (missing == 0 || told) {
                world.tally.add("frames_checked", came.len() as u64);
            } else {
                let (came, due) = (came.len(), due.len());
                let told = || format!("{path}: {came} of {due} between {after} and {upto}");
                world.tally.fault(Fault::Frames, told);
            }
        }
        Ok(())
    }

    /// Takes what was published and has not come yet, until all is there.
    pub(crate) async fn catch_up(&mut self, world: &World) -> Result<()> {
        let Some(kinds) = self.view.kinds(world)? else {
            return Ok(());
        };
        let newest = world.ledger.newest(&kinds).unwrap_or_default();
        let catching = async {
            while self.last < newest {
                self.next().await?;
            }
            Ok(())
        };
        let caught = timeout(PATIENCE, catching).await;
        caught.with_context(|| format!("{}: {newest} does not come", self.view.path))?
    }

    /// Goes, with a Close where there is one.
    pub(crate) async fn close(self) -> Result<()> {
        self.source.close().await
    }
}

#[cfg(test)]
mod tests;
