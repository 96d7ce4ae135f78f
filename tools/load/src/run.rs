//! One run: a fresh server, its subscribers, a warm-up, and what is measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::figures::Figures;
use crate::latency::{EndToEnd, Latencies};
use crate::pace::{Amount, Turns};
use crate::process::{Server, ServerCommand, Usage, machine_busy};
use crate::sender::{Answer, Sender, Target, Transport};
use crate::tls::Identity;
use crate::watchers::{Crowd, Door, Watchers};

/// How long an answer may take before the connection is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a closed loop waits for the slowest reader before it stops to care about readers.
const HOLD: Duration = Duration::from_secs(5);

/// What a run does.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is sent; the address is that of the server that is started.
    pub target: Target,
    /// Data points, spans or log records in an export.
    pub items: usize,
    /// The paths that are watched, by subscribers in turns.
    pub watch_paths: Vec<String>,
    /// Whether frames come compressed.
    pub deflate: bool,
    /// Whether all speak TLS.
    pub tls: bool,
    /// Who watches.
    pub crowd: Crowd,
    /// Connections that send.
    pub connections: usize,
    /// How much is sent.
    pub amount: Amount,
    /// Exports a second of an open loop; without it, the loop is closed.
    pub rate: Option<f64>,
    /// In a closed loop, sending waits while the slowest reader is so many frames behind; 0 for
    /// never.
    pub window: u64,
    /// Exports before anything is measured.
    pub warm_up: u64,
}

/// Starts the server, runs the load once, and gives what was measured.
///
/// # Errors
///
/// If the server can't be started or does not let anybody in, if nothing is accepted, or if
/// connections break and can't be made again.
pub async fn run(load: &Load, command: &ServerCommand) -> Result<Figures> {
    let identity = load.tls.then(Identity::new).transpose()?;
    let server = match &identity {
        Some(identity) => Server::start(&command.clone().with(identity.args()?))?,
        None => Server::start(command)?,
    };
    let tls = identity.as_ref().map(Identity::client);
    let mut target = load.target.clone();
    target.tls.clone_from(&tls);
    target.address = match target.transport {
        Transport::Http => server.address(),
        Transport::Grpc => server.grpc_address(),
    };
    let end_to_end = Arc::new(EndToEnd::new()?);
    let door = Door {
        address: server.address(),
        paths: load.watch_paths.clone(),
        tls,
        deflate: load.deflate,
    };
    let watchers = Watchers::connect(&door, load.crowd, Some(Arc::clone(&end_to_end)));
    let drive = Arc::new(Drive {
        target,
        watchers: watchers.await.context("subscribers can't connect")?,
        end_to_end,
        window: if load.rate.is_none() { load.window } else { 0 },
        accepted: AtomicU64::new(0),
        hold: AtomicBool::new(true),
    });
    let mut senders = Vec::new();
    for _ in 0..load.connections {
        senders.push(Sender::connect(&drive.target).await?);
    }
    let warm_up = Turns::closed(Amount::Requests(load.warm_up));
    let (senders, _) = drive.phase(senders, &warm_up).await?;

    drive.end_to_end.take()?;
    let before = Reading::take(&server, &drive)?;
    let turns = match load.rate {
        Some(rate) => Turns::open(rate, load.amount)?,
        None => Turns::closed(load.amount),
    };
    let (_, sent) = drive.phase(senders, &turns).await?;
    let after = Reading::take(&server, &drive)?;
    if sent.accepted == 0 {
        bail!("nothing was accepted; refused: {:?}", sent.failures);
    }
    let mut figures = Figures::default();
    sent.tell(load, &turns, &mut figures);
    after.tell_since(&before, &sent, &drive, &mut figures);
    Ok(figures)
}

/// What all connections share.
struct Drive {
    target: Target,
    watchers: Watchers,
    end_to_end: Arc<EndToEnd>,
    window: u64,
    /// Exports that were accepted so far.
    accepted: AtomicU64,
    /// Whether the window still holds: what is lost never comes.
    hold: AtomicBool,
}

impl Drive {
    /// Sends on all connections until there are no more turns, and waits for the frames.
    async fn phase(
        self: &Arc<Self>,
        senders: Vec<Sender>,
        turns: &Arc<Turns>,
    ) -> Result<(Vec<Sender>, Sent)> {
        let start = Instant::now();
        let mut connections = JoinSet::new();
        for sender in senders {
            let (drive, turns) = (Arc::clone(self), Arc::clone(turns));
            connections.spawn(async move { drive.send(sender, &turns).await });
        }
        let mut all = Sent::new()?;
        let mut senders = Vec::new();
        while let Some(ended) = connections.join_next().await {
            let (sender, sent) = ended??;
            senders.push(sender);
            all.add(&sent)?;
        }
        all.sending = start.elapsed();
        let accepted = self.accepted.load(Ordering::Relaxed);
        let settled = self.watchers.settle(accepted).await;
        all.delivering = all.sending.max(settled.duration_since(start));
        Ok((senders, all))
    }

    /// Sends on one connection until there are no more turns.
    async fn send(&self, mut sender: Sender, turns: &Turns) -> Result<(Sender, Sent)> {
        let mut sent = Sent::new()?;
        loop {
            self.hold_back().await;
            let Some(intended) = turns.next().await else {
                return Ok((sender, sent));
            };
            self.end_to_end.sent(intended);
            let failure = match timeout(PATIENCE, sender.send()).await {
                Ok(Ok(Answer::Accepted)) => {
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                    sent.accepted += 1;
                    sent.latencies.record(intended.elapsed());
                    continue;
                }
                Ok(Ok(Answer::Refused(code))) => code.to_string(),
                Ok(Err(_)) => "connection".to_owned(),
                Err(_) => "timeout".to_owned(),
            };
            let connected = failure.parse::<u16>().is_ok();
            *sent.failures.entry(failure).or_default() += 1;
            if !connected {
                sender = Sender::connect(&self.target)
                    .await
                    .context("a connection broke and can't be made again")?;
            }
        }
    }

    /// Waits while the slowest reader is as far behind as the window says.
    async fn hold_back(&self) {
        let accepted = self.accepted.load(Ordering::Relaxed);
        if self.window == 0 || !self.hold.load(Ordering::Relaxed) {
            return;
        }
        let least = (accepted + 1).saturating_sub(self.window);
        if timeout(HOLD, self.watchers.all_have(least)).await.is_err() {
            self.hold.store(false, Ordering::Relaxed);
        }
    }
}

/// What became of the exports of a phase.
struct Sent {
    accepted: u64,
    /// By status of HTTP, code of gRPC, or what happened to the connection.
    failures: BTreeMap<String, u64>,
    latencies: Latencies,
    /// From the first export to the last answer.
    sending: Duration,
    /// From the first export to the last frame, or the last answer if that was later.
    delivering: Duration,
}

impl Sent {
    fn new() -> Result<Self> {
        Ok(Self {
            accepted: 0,
            failures: BTreeMap::new(),
            latencies: Latencies::new()?,
            sending: Duration::ZERO,
            delivering: Duration::ZERO,
        })
    }

    /// Adds those of another connection.
    fn add(&mut self, other: &Self) -> Result<()> {
        self.accepted += other.accepted;
        for (failure, count) in &other.failures {
            *self.failures.entry(failure.clone()).or_default() += count;
        }
        self.latencies.add(&other.latencies)
    }

    fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    fn tell(&self, load: &Load, turns: &Turns, figures: &mut Figures) {
        let seconds = self.sending.as_secs_f64();
        figures.set("seconds", seconds);
        figures.set("requests", self.accepted as f64);
        figures.set("failed", self.failed() as f64);
        for (failure, count) in &self.failures {
            figures.set(format!("failed_{failure}"), *count as f64);
        }
        if let Some(planned) = turns.planned() {
            let unsent = planned.saturating_sub(self.accepted + self.failed());
            figures.set("unsent", unsent as f64);
        }
        figures.set("requests_per_second", self.accepted as f64 / seconds);
        let items = self.accepted as f64 * load.items as f64;
        figures.set("items_per_second", items / seconds);
        self.latencies.tell("post", figures);
    }
}

/// What has been used and delivered up to a moment.
struct Reading {
    at: Instant,
    server: Usage,
    generator: Usage,
    machine: Duration,
    frames: u64,
    frame_bytes: u64,
    slow_frames: u64,
}

impl Reading {
    fn take(server: &Server, drive: &Drive) -> Result<Self> {
        let frames = drive.watchers.read();
        Ok(Self {
            at: Instant::now(),
            server: server.usage().context("the server has ended")?,
            generator: Usage::own()?,
            machine: machine_busy()?,
            frames: frames.messages,
            frame_bytes: frames.bytes,
            slow_frames: drive.watchers.read_slowly().messages,
        })
    }

    fn tell_since(&self, before: &Self, sent: &Sent, drive: &Drive, figures: &mut Figures) {
        let requests = sent.accepted as f64;
        let seconds = sent.delivering.as_secs_f64();
        let frames = self.frames - before.frames;
        let bytes = self.frame_bytes - before.frame_bytes;
        let expected = sent.accepted * drive.watchers.readers() as u64;
        let lost = expected.saturating_sub(frames);
        figures.set("frames", frames as f64);
        figures.set("frame_bytes", bytes as f64);
        figures.set("frames_per_second", frames as f64 / seconds);
        figures.set("frame_bytes_per_second", bytes as f64 / seconds);
        figures.set("lost_frames", lost as f64);
        figures.set(
            "slow_frames",
            (self.slow_frames - before.slow_frames) as f64,
        );
        figures.set("closed_subscribers", drive.watchers.closed() as f64);
        if lost == 0
            && sent.failures.is_empty()
            && let Ok(latencies) = drive.end_to_end.take()
        {
            latencies.tell("end_to_end", figures);
        }

        let wall = self.at.duration_since(before.at).as_secs_f64();
        let server = self.server.cpu.saturating_sub(before.server.cpu);
        let generator = self.generator.cpu.saturating_sub(before.generator.cpu);
        let machine = self.machine.saturating_sub(before.machine);
        let others = machine.saturating_sub(server + generator);
        let micros = server.as_secs_f64() * 1e6;
        figures.set("server_cpu_us_per_request", micros / requests);
        figures.set("server_cpu_us_per_frame", micros / frames as f64);
        figures.set("server_cores", server.as_secs_f64() / wall);
        figures.set("generator_cores", generator.as_secs_f64() / wall);
        figures.set("other_cores", others.as_secs_f64() / wall);
        figures.set("server_resident_kib", self.server.resident_kib as f64);
        figures.set("server_peak_kib", self.server.peak_kib as f64);
    }
}
