//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{Args, Parser};
use otlp_codec::Signal;
use serde_json::{Value, json};

use crate::pace::Amount;
use crate::payload::{self, Compression, Encoding, Payload};
use crate::process::ServerCommand;
use crate::run::Load;
use crate::sender::{Target, Transport};
use crate::watchers::Crowd;

/// Sends OTLP to a server, watches what it sends over WebSocket, and prints what that cost.
///
/// Every run has a fresh server. Servers take turns, and the medians of all rounds are compared.
/// It prints one JSON document; progress goes to standard error.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask load")]
pub struct Options {
    /// A server: `relay`, `plain`, `discard` (the relay with `POST /discard`), `floor` (it sends
    /// bodies as they come, and gets the JSON of the payload), or `NAME=[ADDRESS] PROGRAM
    /// ARGUMENT…`; several to compare them. Without an ADDRESS, the program has to print
    /// `http://ADDRESS` when it listens [default: relay; with --compare plain too, with --fanout
    /// and --sweep a relay of one worker, and floor]
    #[arg(long = "server")]
    pub servers: Vec<ServerCommand>,
    /// How often each server runs
    #[arg(long, default_value_t = 1)]
    pub rounds: usize,
    /// Threads of this program
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// The table of docs/performance.md: several loads one after another. Only --server,
    /// --rounds, --threads and --duration count beside it
    #[arg(long, group = "preset")]
    pub compare: bool,
    /// What receiving costs beside reading and discarding. Only --rounds counts beside it
    #[arg(long, group = "preset")]
    pub receiver: bool,
    /// What a delivery costs beside the floor, to 1000 subscribers: 150 KB frames one at a time,
    /// and 2 KB frames as many as go. Only --rounds, --threads and --duration count beside it, and
    /// --server for two others
    #[arg(long, group = "preset")]
    pub fanout: bool,
    /// Memory of 5000 subscribers to whom nothing is sent, plain and with TLS, and 10,000 while
    /// exports flow (10,100 descriptors in each process); --rounds, --threads, --payload, --rate,
    /// --duration and --server count beside it
    #[arg(long, group = "preset")]
    pub idle: bool,
    /// How cost grows with the length of frames, with subscribers up to 10,000, and with views up
    /// to 64; --rounds, --threads, --duration and --server count beside it
    #[arg(long, group = "preset")]
    pub sweep: bool,
    /// Where --sweep puts its pictures
    #[arg(long, value_name = "FOLDER", requires = "sweep")]
    pub plots: Option<PathBuf>,
    /// What each run does.
    #[command(flatten)]
    pub workload: Workload,
}

/// What a run does, as it is asked for.
#[derive(Args, Clone, Debug)]
pub struct Workload {
    /// S, M, H, L (metrics), T (traces), G (logs); a number, for metrics whose JSON has so many
    /// bytes; or a file of protobuf, plain or gzip
    #[arg(long, default_value = "M")]
    pub payload: String,
    /// The signal in a file
    #[arg(long, default_value = "metrics", value_parser = payload::signal)]
    pub signal: Signal,
    /// How exports are written
    #[arg(long, value_enum, default_value = "protobuf")]
    pub encoding: Encoding,
    /// How bodies are compressed
    #[arg(long, value_enum, default_value = "identity")]
    pub compression: Compression,
    /// How they are sent
    #[arg(long, value_enum, default_value = "http")]
    pub transport: Transport,
    /// The path to post to, instead of the signal's
    #[arg(long)]
    pub path: Option<String>,
    /// The path to watch, instead of the signal's
    #[arg(long)]
    pub watch_path: Option<String>,
    /// Connections that send
    #[arg(long, default_value_t = 4)]
    pub connections: usize,
    /// Exports a second, whether the server keeps up or not (open loop); latencies count from
    /// when an export was due. Without it, each connection sends when it has its answer (closed
    /// loop)
    #[arg(long)]
    pub rate: Option<f64>,
    /// How long a run lasts
    #[arg(long, value_parser = humantime::parse_duration, default_value = "5s")]
    pub duration: Duration,
    /// How many exports a run sends, instead of a duration
    #[arg(long)]
    pub requests: Option<u64>,
    /// Exports before anything is measured
    #[arg(long, default_value_t = 50)]
    pub warm_up: u64,
    /// In a closed loop, sending waits while the slowest reader is so many frames behind: with 1,
    /// and one connection, until all have the last one; 0 for never
    #[arg(long, default_value_t = 8)]
    pub window: u64,
    /// Subscribers that read as fast as they can
    #[arg(long, default_value_t = 1)]
    pub subscribers: usize,
    /// How many views they share, which differ in a filter that leaves everything as it is; 1 for
    /// the whole, unfiltered
    #[arg(long, default_value_t = 1)]
    pub views: usize,
    /// Subscribers take compressed frames (permessage-deflate)
    #[arg(long)]
    pub deflate: bool,
    /// TLS for all, with a certificate made for the run; the server has to take --tls-cert and
    /// --tls-key
    #[arg(long)]
    pub tls: bool,
    /// Subscribers that read slowly
    #[arg(long, default_value_t = 0)]
    pub slow: usize,
    /// How many bytes a second each of them reads
    #[arg(long, default_value_t = 1_000_000)]
    pub slow_rate: u32,
    /// Subscribers that never read
    #[arg(long, default_value_t = 0)]
    pub stalled: usize,
}

impl Workload {
    /// What a run of it does with a server that is sent protobuf or JSON, as the workload says, or
    /// with one that `takes_frames`.
    ///
    /// # Errors
    ///
    /// If there is no such payload, nobody to send it, or no such number of views of it.
    pub fn load(&self, takes_frames: bool) -> Result<Load> {
        ensure!(self.connections > 0, "there has to be a connection");
        let payload = Payload::find(&self.payload, self.signal)?;
        let (encoding, compression) = match takes_frames {
            true => (Encoding::Json, Compression::Identity),
            false => (self.encoding, self.compression),
        };
        let signal = payload.signal;
        let version = match signal {
            Signal::Profiles => "v1development",
            _ => "v1",
        };
        let path = || format!("/{version}/{signal}");
        let watch_path = || format!("/ws/{signal}");
        let watch_path = self.watch_path.clone().unwrap_or_else(watch_path);
        Ok(Load {
            target: Target {
                address: ([0, 0, 0, 0], 0).into(),
                transport: self.transport,
                path: self.path.clone().unwrap_or_else(path),
                signal,
                body: payload.body(encoding, compression)?,
                tls: None,
            },
            items: payload.items,
            watch_paths: views(&watch_path, signal, self.views)?,
            deflate: self.deflate,
            tls: self.tls,
            crowd: Crowd {
                reading: self.subscribers,
                slow: self.slow,
                slow_bytes_per_second: self.slow_rate,
                stalled: self.stalled,
            },
            connections: self.connections,
            amount: match self.requests {
                Some(requests) => Amount::Requests(requests),
                None => Amount::Time(self.duration),
            },
            rate: self.rate,
            window: self.window,
            warm_up: self.warm_up,
        })
    }

    /// What was asked for, to be printed beside what came out.
    #[must_use]
    pub fn describe(&self, load: &Load) -> Value {
        json!({
            "payload": self.payload,
            "items": load.items,
            "body_bytes": load.target.body.bytes.len(),
            "encoding": name(self.encoding),
            "compression": name(self.compression),
            "transport": name(self.transport),
            "path": load.target.path,
            "watch_path": load.watch_paths.first(),
            "views": self.views,
            "deflate": self.deflate,
            "tls": self.tls,
            "loop": if self.rate.is_some() { "open" } else { "closed" },
            "rate": self.rate,
            "duration_seconds": self.requests.is_none().then_some(self.duration.as_secs_f64()),
            "requests": self.requests,
            "warm_up": self.warm_up,
            "connections": self.connections,
            "window": self.window,
            "subscribers": self.subscribers,
            "slow": self.slow,
            "slow_rate": self.slow_rate,
            "stalled": self.stalled,
        })
    }
}

/// The paths of so many views, all of which show everything. More than one filter by a name that
/// every metric, or span, has.
fn views(path: &str, signal: Signal, count: usize) -> Result<Vec<String>> {
    if count <= 1 {
        return Ok(vec![path.to_owned()]);
    }
    let name = match signal {
        Signal::Metrics => "metric",
        Signal::Traces => "span",
        Signal::Logs | Signal::Profiles => bail!("there are several views of metrics and traces"),
    };
    let begin = if path.contains('?') { '&' } else { '?' };
    // Of two globs one has to match: any text of a character at least.
    let view = |number| format!("{path}{begin}{name}=%3F*&{name}=view-{number}");
    Ok((1..=count).map(view).collect())
}

/// A value as it is written on the command line.
fn name(value: impl clap::ValueEnum) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
}
