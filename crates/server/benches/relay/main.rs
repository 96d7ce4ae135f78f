//! What the relay costs: CPU per export by the number of subscribers, memory per subscriber.
//!
//! `cargo bench -p server`. The relay runs as a process of its own; its CPU time and resident
//! memory are read from `/proc`, so this needs Linux. What the clients here cost doesn't count.
//! Rounds of different numbers of subscribers take turns, each with a fresh relay, and medians
//! are shown. Kernel socket buffers are not part of resident memory.

mod client;
mod process;

use std::io;

use client::{Caller, Poster, Sender, Subscribers};
use process::Relay;

/// The payload of `crates/otlp-codec/benches/data`: 1,014 points, 80 KB, 228 KB as JSON.
const M: &[u8] = include_bytes!("../../../otlp-codec/benches/data/M.pb.gz");
const ROUNDS: usize = 5;
/// How far the slowest subscriber may be behind, in frames: well below the limit of a log.
const WINDOW: u64 = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    // `cargo test --benches` only wants to see it run.
    let full = std::env::args().any(|arg| arg == "--bench");
    let (rounds, exports, many) = if full {
        (ROUNDS, 1000, 1000)
    } else {
        (1, 4, 10)
    };

    print("M as protobuf, one connection: CPU of the relay per export");
    print("     by  subscribers  us per export  us per delivered frame");
    let rows = [
        (By::Http, 0),
        (By::Grpc, 0),
        (By::Http, 1),
        (By::Grpc, 1),
        (By::Http, 10),
        (By::Http, 100),
    ];
    let mut costs = rows.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((by, count), costs) in rows.iter().zip(&mut costs) {
            let exports = exports / (1 + *count as u64 / 20).min(exports);
            costs.push(cost_of_export(*by, *count, exports).await?);
        }
    }
    for ((by, count), costs) in rows.iter().zip(&mut costs) {
        costs.sort_by(f64::total_cmp);
        let median = costs[costs.len() / 2];
        let each = if *count == 0 {
            "-".to_owned()
        } else {
            format!("{:.0}", median / *count as f64)
        };
        let by = format!("{by:?}");
        print(&format!("{by:>7}  {count:>11}  {median:>13.0}  {each:>22}"));
    }

    print("");
    print("resident memory of the relay");
    let idle = memory_of_idle(many).await?;
    print(&format!("{many} idle subscribers: {idle:.2} KiB each"));
    let (stalled, before, after) = memory_of_stalled(20.min(many), exports.min(300)).await?;
    print(&format!(
        "{stalled} subscribers that never read, {} M exports: {before} KiB before, {after} KiB \
         after, {:.0} KiB each with their share of the log",
        exports.min(300),
        (after as f64 - before as f64) / stalled as f64
    ));
    Ok(())
}

/// How exports come in.
#[derive(Clone, Copy, Debug)]
enum By {
    Http,
    Grpc,
}

/// Microseconds of CPU per export with so many subscribers.
async fn cost_of_export(by: By, subscribers: usize, exports: u64) -> io::Result<f64> {
    let relay = Relay::start(&[])?;
    let mut sender = match by {
        By::Http => Sender::Http(Poster::connect(relay.address(), M).await?),
        By::Grpc => Sender::Grpc(Caller::connect(relay.grpc_address(), M).await?),
    };
    let watching = Subscribers::connect(relay.address(), subscribers).await?;
    for _ in 0..10 {
        sender.send().await?;
    }
    watching.wait_for(10).await;
    let before = relay.cpu_micros()?;
    for posted in 11..=10 + exports {
        sender.send().await?;
        watching.wait_for(posted.saturating_sub(WINDOW)).await;
    }
    watching.wait_for(10 + exports).await;
    Ok((relay.cpu_micros()? - before) / exports as f64)
}

/// KiB of memory for each of so many subscribers that nothing is sent to.
async fn memory_of_idle(subscribers: usize) -> io::Result<f64> {
    let relay = Relay::start(&[])?;
    // The first few make what all share.
    let _warm = Subscribers::connect(relay.address(), 10).await?;
    let before = relay.resident_kib()?;
    let _idle = Subscribers::connect(relay.address(), subscribers).await?;
    let after = relay.resident_kib()?;
    Ok((after as f64 - before as f64) / subscribers as f64)
}

/// How many never read, and the resident KiB before and after so many exports.
async fn memory_of_stalled(subscribers: usize, exports: u64) -> io::Result<(usize, u64, u64)> {
    let relay = Relay::start(&[])?;
    let mut poster = Poster::connect(relay.address(), M).await?;
    let reading = Subscribers::connect(relay.address(), 1).await?;
    for posted in 1..=50 {
        poster.post().await?;
        reading.wait_for(posted).await;
    }
    let before = relay.resident_kib()?;
    let _stalled = Subscribers::stalled(relay.address(), subscribers).await?;
    for posted in 51..=50 + exports {
        poster.post().await?;
        reading.wait_for(posted).await;
    }
    Ok((subscribers, before, relay.resident_kib()?))
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
