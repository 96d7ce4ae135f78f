//! What receiving M costs with nobody watching, beside the least that it could cost.
//!
//! The server is the relay with one more route, which reads a body and discards it. Over
//! connections that are kept alive, blocks of requests of each kind take turns, and the server's
//! CPU time is read after each. What it costs to check M, and to inflate it once, is measured
//! here, in a loop. Ratios are taken in each round, and medians of them.

use std::hint::black_box;
use std::io::Read;
use std::time::Duration;

use anyhow::{Result, ensure};
use flate2::read::GzDecoder;
use otlp_codec::{Limits, Signal, check};
use serde_json::{Value, json};

use crate::figures::Figures;
use crate::payload::{Body, Compression, Encoding, Payload};
use crate::process::{Server, ServerCommand, Usage};
use crate::sender::{Answer, Sender, Target, Transport};

/// Blocks in a round, so that the server is as warm for each kind.
const BLOCKS: u32 = 4;
/// Requests of a kind in a block.
const BLOCK: u32 = 100;

/// Measures in so many rounds. Progress goes to `tell`.
///
/// # Errors
///
/// If the server can't be started, or refuses anything.
pub async fn measure(command: &ServerCommand, rounds: usize, tell: impl Fn(&str)) -> Result<Value> {
    let server = Server::start(command)?;
    let mut bench = Bench::connect(&server).await?;
    bench.round().await?;
    let mut all = Vec::new();
    for round in 0..rounds.max(1) {
        let figures = bench.round().await?;
        tell(&format!(
            "round {}: {}",
            round + 1,
            serde_json::to_string(&figures)?
        ));
        all.push(figures);
    }
    Ok(json!({"median": Figures::medians(&all), "rounds": all}))
}

/// A server, and one connection for each way to send M to it.
struct Bench<'a> {
    server: &'a Server,
    ways: [(&'static str, Sender); 4],
    wire: Vec<u8>,
    gzip: Body,
}

impl<'a> Bench<'a> {
    async fn connect(server: &'a Server) -> Result<Self> {
        let payload = Payload::find("M", Signal::Metrics)?;
        let plain = payload.body(Encoding::Protobuf, Compression::Identity)?;
        let gzip = payload.body(Encoding::Protobuf, Compression::Gzip)?;
        let connect = |transport, path: &str, body: &Body| {
            let target = Target {
                address: match transport {
                    Transport::Http => server.address(),
                    Transport::Grpc => server.grpc_address(),
                },
                transport,
                path: path.to_owned(),
                signal: Signal::Metrics,
                body: body.clone(),
                tls: None,
            };
            async move { Sender::connect(&target).await }
        };
        Ok(Self {
            server,
            ways: [
                (
                    "discard_us",
                    connect(Transport::Http, "/discard", &plain).await?,
                ),
                (
                    "http_us",
                    connect(Transport::Http, "/v1/metrics", &plain).await?,
                ),
                (
                    "http_gzip_us",
                    connect(Transport::Http, "/v1/metrics", &gzip).await?,
                ),
                ("grpc_us", connect(Transport::Grpc, "", &plain).await?),
            ],
            wire: payload.wire,
            gzip,
        })
    }

    /// Microseconds of CPU for one of each, and the ratios that are promised.
    async fn round(&mut self) -> Result<Figures> {
        let mut micros = [0.0; 4];
        let (mut check, mut inflate) = (0.0, 0.0);
        for _ in 0..BLOCKS {
            for ((_, sender), micros) in self.ways.iter_mut().zip(&mut micros) {
                *micros += block(self.server, sender).await?;
            }
            check += here(|| check_once(&self.wire))?;
            inflate += here(|| inflate_once(&self.gzip.bytes, self.wire.len()))?;
        }
        let mut figures = Figures::default();
        let each = f64::from(BLOCKS);
        for ((name, _), micros) in self.ways.iter().zip(micros) {
            figures.set(*name, micros / each);
        }
        figures.set("check_us", check / each);
        figures.set("inflate_us", inflate / each);
        let [discard, http, gzip, grpc] = micros;
        figures.set("http_without_check_to_discard", (http - check) / discard);
        figures.set("http_gzip_to_http_and_inflate", gzip / (http + inflate));
        figures.set("grpc_to_http", grpc / http);
        Ok(figures)
    }
}

/// Microseconds of the server's CPU for one request of a block.
async fn block(server: &Server, sender: &mut Sender) -> Result<f64> {
    let before = server.usage()?.cpu;
    for _ in 0..BLOCK {
        let answer = sender.send().await?;
        ensure!(answer == Answer::Accepted, "{answer:?}");
    }
    Ok(each(server.usage()?.cpu.saturating_sub(before)))
}

/// Microseconds of this program's CPU for doing something once.
fn here(once: impl Fn() -> Result<()>) -> Result<f64> {
    let before = Usage::own()?.cpu;
    for _ in 0..BLOCK {
        once()?;
    }
    Ok(each(Usage::own()?.cpu.saturating_sub(before)))
}

fn each(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(BLOCK)
}

fn check_once(wire: &[u8]) -> Result<()> {
    let checked = check::check(Signal::Metrics, black_box(wire), &Limits::default())?;
    black_box(checked);
    Ok(())
}

fn inflate_once(gzip: &[u8], length: usize) -> Result<()> {
    let mut inflated = Vec::with_capacity(length);
    GzDecoder::new(black_box(gzip)).read_to_end(&mut inflated)?;
    ensure!(black_box(inflated).len() == length, "another length");
    Ok(())
}
