//! Minutes of mixed load on a relay, with faults, and whether it took any harm.
//!
//! `cargo xtask soak` builds it optimised and runs it; `docs/operations.md` says what came of it.
//! [`run`] starts two [`relay`]s, one with TLS, and lets a [`field`] of clients loose on each:
//! `senders` send good exports at a steady pace, `watchers` stay, come and go, dawdle and stall,
//! `rude` clients send what nobody should, and files are replaced under the relay all the time.
//! Every frame of those who read is held to a `ledger` of what was published. [`report`] is what
//! comes out.

pub mod field;
pub mod options;
pub mod relay;
pub mod report;
pub mod tally;

mod authority;
mod door;
mod exports;
mod gauges;
mod kinds;
mod ledger;
mod rude;
mod senders;
mod source;
mod stop;
mod watchers;
mod watching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, interval};

pub use options::Options;
pub use report::Report;

use self::door::Door;
use self::exports::Exports;
use self::field::Field;
use self::ledger::Ledger;
use self::stop::Stop;
use self::tally::Tally;

/// How often processes are looked at.
const SAMPLE: Duration = Duration::from_secs(1);
/// After how many looks files are replaced.
const RELOAD: u64 = 3;
/// After how many looks it is told how things go.
const TOLD: u64 = 30;

/// What all clients of a relay share.
struct World {
    door: Door,
    exports: Arc<Exports>,
    tally: Arc<Tally>,
    ledger: Ledger,
    /// When nothing more is sent.
    no_exports: Stop,
}

impl World {
    /// How many exports were accepted.
    fn accepted(&self) -> u64 {
        let counts = self.tally.counts();
        let exports = counts.iter().filter(|(name, _)| {
            name.starts_with("exports_http_") || name.starts_with("exports_grpc_")
        });
        exports.map(|(_, count)| count).sum()
    }
}

/// Runs the load.
///
/// # Errors
///
/// If a relay can't be started, lets nobody in, or ends by itself.
pub async fn run(options: &Options, tell: &dyn Fn(&str)) -> Result<Report> {
    let program = match &options.relay {
        Some(program) => program.clone(),
        None => relay::beside_this()?,
    };
    let exports = Arc::new(Exports::new()?);
    let mut fields = Vec::new();
    for (name, tls) in [("plain", false), ("tls", true)] {
        fields.push((name, Field::start(&program, tls, &exports, options).await?));
    }
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(options.minutes * 60.0);
    let mut clock = interval(SAMPLE);
    for look in 1_u64.. {
        if clock.tick().await >= end {
            break;
        }
        for (name, field) in &mut fields {
            let held = field.sample(begin.elapsed())?;
            if look.is_multiple_of(RELOAD) {
                field.reload();
            }
            if look.is_multiple_of(TOLD) {
                tell(&format!(
                    "{:>5} s {name}: {held}",
                    begin.elapsed().as_secs()
                ));
            }
        }
    }
    let mut relays = BTreeMap::new();
    for (name, field) in fields {
        relays.insert(name, field.end(options).await?);
    }
    Ok(Report {
        minutes: options.minutes,
        relays,
    })
}
