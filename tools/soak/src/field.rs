//! One relay with all its clients, from its start to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::World;
use crate::door::{Door, Leaves, PATIENCE};
use crate::exports::Exports;
use crate::gauges::{Gauges, left_behind};
use crate::ledger::Ledger;
use crate::options::{JUDGED_MINUTES, Options};
use crate::relay::Relay;
use crate::report::{Growth, Section};
use crate::rude::annoy;
use crate::senders::{self, Connection, Transport};
use crate::stop::Stopper;
use crate::tally::{Fault, Tally};
use crate::watchers::{come_and_go, dawdle, keep_ledger, stall, stay};
use crate::watching::{EVERYTHING, VIEWS, Watching};

/// Slow clients, those that never read, and rude ones; of each so many.
const MISFITS: usize = 2;

/// Clients before the first count of descriptors, of each transport.
const WARM_UP: usize = 32;
/// What counts replaced files that can be used, and those that can't.
const USABLE: &str = "reloads";
const UNUSABLE: &str = "reloads_of_garbage";
/// How long a closed connection may take to be forgotten.
const SETTLES: Duration = Duration::from_secs(1);

/// Clients that stop together.
struct Crowd {
    stopper: Stopper,
    tasks: JoinSet<()>,
}

/// A relay with its clients.
pub struct Field {
    relay: Relay,
    world: Arc<World>,
    /// In the order in which they go: whoever stays is held to the last export.
    clients: Vec<Crowd>,
    /// Descriptors that were open before anybody came.
    descriptors: usize,
    most_descriptors: usize,
    /// When, and the resident memory then.
    samples: Vec<(Duration, u64)>,
}

impl Field {
    /// Starts a relay, with TLS if that is asked for, and all its clients.
    ///
    /// # Errors
    ///
    /// If it can't be started, or lets nobody in.
    pub(crate) async fn start(
        program: &Path,
        tls: bool,
        exports: &Arc<Exports>,
        options: &Options,
    ) -> Result<Self> {
        let relay = Relay::start(program, tls)?;
        let door = Door {
            http: relay.http,
            grpc: relay.grpc,
            tls: relay.tls(),
        };
        let descriptors = warm(&relay, &door).await?;
        let first = Watching::begin(&door, EVERYTHING, "", Leaves::Quietly).await?;
        let (no_exports, stop) = Stopper::new();
        let world = Arc::new(World {
            door,
            exports: Arc::clone(exports),
            tally: Arc::new(Tally::default()),
            ledger: Ledger::new(first.last),
            no_exports: stop,
        });
        let ledger = Crowd::of(|tasks, stop| {
            tasks.spawn(keep_ledger(Arc::clone(&world), first, stop.clone()));
        });
        let residents = Crowd::of(|tasks, stop| {
            for view in VIEWS {
                tasks.spawn(stay(Arc::clone(&world), view, stop.clone()));
            }
        });
        let guests = Crowd::of(|tasks, stop| {
            for _ in 0..options.guests {
                tasks.spawn(come_and_go(Arc::clone(&world), stop.clone()));
            }
            for _ in 0..MISFITS {
                tasks.spawn(dawdle(Arc::clone(&world), stop.clone()));
                tasks.spawn(stall(Arc::clone(&world), stop.clone()));
                tasks.spawn(annoy(Arc::clone(&world), stop.clone()));
            }
        });
        let every = Duration::from_secs_f64(2.0 * senders::EACH as f64 / options.rate);
        let mut tasks = JoinSet::new();
        for _ in 0..senders::EACH {
            for transport in [Transport::Http, Transport::Grpc] {
                tasks.spawn(senders::send(Arc::clone(&world), transport, every));
            }
        }
        let stopper = no_exports;
        Ok(Self {
            relay,
            world,
            clients: vec![guests, Crowd { stopper, tasks }, ledger, residents],
            descriptors,
            most_descriptors: descriptors,
            samples: Vec::new(),
        })
    }

    /// Looks at the process. What there is to tell.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub(crate) fn sample(&mut self, at: Duration) -> Result<String> {
        let resident = self
            .relay
            .resident()
            .context("the relay has ended by itself")?;
        let descriptors = self.relay.descriptors()?;
        self.most_descriptors = self.most_descriptors.max(descriptors);
        self.samples.push((at, resident));
        let (accepted, mib) = (self.world.accepted(), mib(resident));
        Ok(format!(
            "{accepted} exports, {mib:.1} MiB, {descriptors} descriptors"
        ))
    }

    /// Replaces the relay's files.
    pub(crate) fn reload(&self) {
        match self.relay.reload() {
            Ok(true) => self.world.tally.count(USABLE),
            Ok(false) => self.world.tally.count(UNUSABLE),
            Err(error) => {
                let tally = &self.world.tally;
                tally.fault(Fault::Reloading, || format!("{error:#}"));
            }
        }
    }

    /// Has all clients go, and the relay end; what came of it.
    ///
    /// # Errors
    ///
    /// If the relay has ended by itself, or does not end.
    pub(crate) async fn end(mut self, options: &Options) -> Result<Section> {
        let tally = Arc::clone(&self.world.tally);
        for crowd in std::mem::take(&mut self.clients) {
            crowd.end(&tally).await;
        }
        let mut section = Section::default();
        section.tell(&tally);
        let ways = [Transport::Http, Transport::Grpc].iter().flat_map(|way| {
            let way = format!("{way:?}").to_lowercase();
            ["metrics", "traces", "logs"].map(|signal| format!("exports_{way}_{signal}"))
        });
        let quiet: Vec<_> = ways
            .filter(|way| !section.counts.contains_key(way))
            .collect();
        section.line(
            "every signal came over every transport",
            quiet.is_empty(),
            format!("{quiet:?} did not"),
        );
        let door = &self.world.door;
        let behind = left_behind(door).await?;
        section.line(
            "nothing is held when all have gone",
            behind.is_empty(),
            format!("{behind:?} is left"),
        );
        self.tell_reloads(&Gauges::of(door).await?, &mut section)?;
        let left = self.relay.descriptors_down_to(self.descriptors).await?;
        let before = self.descriptors;
        section.line(
            "descriptors are given back",
            left <= before,
            format!("{before} before, {left} after"),
        );
        self.tell_memory(options, &mut section);
        let cpu = self.relay.cpu()?.as_secs_f64();
        let status = self.relay.end().await?;
        section.line("SIGTERM ends it with 0", status.success(), status);
        let panics = self.relay.panics();
        section.line("nothing panics", panics.is_empty(), format!("{panics:?}"));
        section.process.extend([
            ("cpu_seconds", cpu),
            ("descriptors_before", before as f64),
            ("descriptors_most", self.most_descriptors as f64),
            ("descriptors_after", left as f64),
            ("log_lines", self.relay.log_lines() as f64),
        ]);
        section.totals = self.relay.totals();
        Ok(section)
    }

    /// Whether the relay has read its files when it was told to, and refused those that it should.
    fn tell_reloads(&self, gauges: &Gauges, section: &mut Section) -> Result<()> {
        let counts = &section.counts;
        let told = |what| counts.get(what).copied().unwrap_or_default() as f64;
        let read = |result: &str| {
            let labels = [r#"what="settings""#, &format!("result=\"{result}\"")];
            gauges.sum("otlp_relay_reloads_total", &labels)
        };
        let (taken, refused) = (read("success")?, read("failure")?);
        // Two signals that come at once are one, and files may be replaced before they are read.
        let enough = |read: f64, told: f64| read <= told + 1.0 && read + 1.0 >= 0.9 * told;
        let holds = enough(taken, told(USABLE))
            && enough(refused, told(UNUSABLE))
            && taken + refused <= told(USABLE) + told(UNUSABLE);
        let seen = format!(
            "{taken} of {} taken, {refused} of {} refused",
            told(USABLE),
            told(UNUSABLE)
        );
        section.line("files are read when it is told to", holds, seen);
        Ok(())
    }

    fn tell_memory(&self, options: &Options, section: &mut Section) {
        let (first, second) = self.samples.split_at(self.samples.len() / 2);
        let growth = Growth::of(second);
        let (by, error) = (
            growth.by / f64::from(1 << 20),
            growth.error.unwrap_or_default() / f64::from(1 << 20),
        );
        let most = |samples: &[(Duration, u64)]| {
            mib(samples.iter().map(|(_, held)| *held).max().unwrap_or(0))
        };
        let (before, after) = (most(first), most(second));
        let judged = options.minutes >= JUDGED_MINUTES;
        let bound = options.max_growth;
        let seen = match judged {
            true => {
                let uneven = match 2.0 * error > bound {
                    true => ", too uneven to be sure: it takes longer",
                    false => "",
                };
                format!(
                    "{by:.2} ± {error:.2} MiB, of at most {bound}{uneven}; peaks {before:.1} and \
                     {after:.1} MiB"
                )
            }
            false => format!("{by:.2} MiB, not judged before {JUDGED_MINUTES} minutes"),
        };
        section.line(
            "memory is flat in the second half",
            !judged || !growth.exceeds(bound * f64::from(1 << 20)),
            seen,
        );
        section.process.extend([
            ("resident_growth_mib", by),
            ("resident_growth_error_mib", error),
            ("resident_most_mib_first_half", before),
            ("resident_most_mib_second_half", after),
            (
                "resident_last_mib",
                second.last().map_or(0.0, |(_, held)| mib(*held)),
            ),
        ]);
    }
}

/// Has every worker serve somebody. How many descriptors are open when they have gone.
async fn warm(relay: &Relay, door: &Door) -> Result<usize> {
    for _ in 0..WARM_UP {
        Connection::open(door, Transport::Grpc).await?;
        Watching::begin(door, EVERYTHING, "", Leaves::Quietly)
            .await?
            .close()
            .await?;
    }
    let mut before = 0;
    loop {
        // Equal twice in a row: nobody is left.
        let open = relay.descriptors()?;
        if open == before {
            return Ok(open);
        }
        before = open;
        sleep(SETTLES).await;
    }
}

impl Crowd {
    fn of(spawn: impl FnOnce(&mut JoinSet<()>, &crate::stop::Stop)) -> Self {
        let (stopper, stop) = Stopper::new();
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, &stop);
        Self { stopper, tasks }
    }

    /// Tells them, and waits until all have gone.
    async fn end(mut self, tally: &Tally) {
        self.stopper.stop();
        let ended = timeout(4 * PATIENCE, async {
            while let Some(task) = self.tasks.join_next().await {
                if let Err(error) = task {
                    tally.fault(Fault::Watching, || format!("a client failed: {error}"));
                }
            }
        });
        if ended.await.is_err() {
            tally.fault(Fault::Watching, || {
                "a client does not come to its end".to_owned()
            });
        }
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
