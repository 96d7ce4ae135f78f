//! What many subscribers cost who have nothing to read: memory for each, plain and over TLS; and
//! whether they all get everything once exports flow.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::figures::Figures;
use crate::options::Workload;
use crate::process::{Server, ServerCommand};
use crate::run::run;
use crate::tls::Identity;
use crate::watchers::{Crowd, Door, Watchers};

/// How many come before memory is read: they make what all share.
const WARM: usize = 100;
/// How often memory is read until it stands still, and at most.
const LOOKS: u32 = 50;
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// What the relay is told: all of them come from one address, and so do those who send.
pub(crate) const ARGS: [&str; 2] = ["--max-connections-per-address", "12000"];

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Crowds {
    /// Whose memory is measured.
    pub idle: usize,
    /// Who are there while exports flow.
    pub held: usize,
}

impl Default for Crowds {
    fn default() -> Self {
        Self {
            idle: 5_000,
            held: 10_000,
        }
    }
}

/// Measures a relay in so many rounds. Progress goes to `tell`. `workload` says what flows, and how
/// long.
///
/// # Errors
///
/// If the relay can't be started, or refuses anybody.
pub async fn measure(
    command: &ServerCommand,
    crowds: Crowds,
    rounds: usize,
    workload: &Workload,
    tell: impl Fn(&str),
) -> Result<Value> {
    let command = command.clone().with(ARGS);
    let mut all = Vec::new();
    for round in 0..rounds.max(1) {
        let mut figures = Figures::default();
        for (name, tls) in [("plain", false), ("tls", true)] {
            let kib = resident(&command, crowds.idle, tls).await?;
            figures.set(format!("{name}_kib_per_subscriber"), kib);
        }
        tell(&format!(
            "round {}: {}",
            round + 1,
            serde_json::to_string(&figures)?
        ));
        all.push(figures);
    }
    let mut held = Map::new();
    for (name, tls) in [("plain", false), ("tls", true)] {
        let workload = Workload {
            subscribers: crowds.held,
            rate: workload.rate.or(Some(RATE)),
            window: 0,
            warm_up: 2,
            tls,
            ..workload.clone()
        };
        let figures = run(&workload.load(false)?, &command).await?;
        tell(&format!(
            "{} held, {name}: {}",
            crowds.held,
            serde_json::to_string(&figures)?
        ));
        held.insert(name.to_owned(), json!(figures));
    }
    Ok(json!({
        "idle": crowds.idle,
        "median": Figures::medians(&all),
        "rounds": all,
        "held": crowds.held,
        "while_exports_flow": held,
    }))
}

/// How many exports a second flow if nothing else is asked for.
const RATE: f64 = 5.0;

/// KiB of resident memory for each of so many subscribers to whom nothing was sent.
async fn resident(command: &ServerCommand, subscribers: usize, tls: bool) -> Result<f64> {
    let identity = tls.then(Identity::new).transpose()?;
    let command = match &identity {
        Some(identity) => command.clone().with(identity.args()?),
        None => command.clone(),
    };
    let server = Server::start(&command)?;
    let door = Door {
        tls: identity.as_ref().map(Identity::client),
        ..Door::at(server.address(), "/ws/metrics")
    };
    let _warm = Watchers::connect(&door, reading(WARM.min(subscribers)), None).await?;
    let before = settled(&server).await?;
    let watchers = Watchers::connect(&door, reading(subscribers), None).await?;
    let after = settled(&server).await?;
    ensure!(watchers.closed() == 0, "a subscriber was closed");
    Ok((after as f64 - before as f64) / subscribers as f64)
}

fn reading(reading: usize) -> Crowd {
    Crowd {
        reading,
        ..Crowd::default()
    }
}

/// The memory of a server that has come to rest, in KiB.
async fn settled(server: &Server) -> Result<u64> {
    let mut before = server.usage()?.resident_kib;
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        let now = server.usage()?.resident_kib;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(before)
}
