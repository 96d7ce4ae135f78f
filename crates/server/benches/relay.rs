//! What the relay costs: CPU per export by the number of subscribers, memory per subscriber.
//!
//! `cargo bench -p server`. The relay runs as a process of its own; its CPU time and resident
//! memory are read from `/proc`, so this needs Linux. What the clients here cost doesn't count.
//! Rounds of different numbers of subscribers take turns, each with a fresh relay, and medians
//! are shown. Kernel socket buffers are not part of resident memory.

use anyhow::{Result, ensure};
use load::payload::{Compression, Encoding, Payload};
use load::{
    Answer, Crowd, Door, Sender, Server, ServerCommand, Target, Transport, Watchers, median,
};
use otlp_codec::Signal;

const ROUNDS: usize = 5;
/// How far the slowest subscriber may be behind, in frames: well below the limit of a log.
const WINDOW: u64 = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
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
        (Transport::Http, 0),
        (Transport::Grpc, 0),
        (Transport::Http, 1),
        (Transport::Grpc, 1),
        (Transport::Http, 10),
        (Transport::Http, 100),
    ];
    let mut costs = rows.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((by, count), costs) in rows.iter().zip(&mut costs) {
            let exports = exports / (1 + *count as u64 / 20).min(exports);
            costs.push(cost_of_export(*by, *count, exports).await?);
        }
    }
    for ((by, count), costs) in rows.iter().zip(&mut costs) {
        let median = median(costs).unwrap_or(f64::NAN);
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

/// The relay that was built with this.
fn relay() -> Result<Server> {
    Server::start(&ServerCommand::relay(
        env!("CARGO_BIN_EXE_otlp-relay").into(),
    ))
}

/// One connection that sends M.
async fn sender(relay: &Server, transport: Transport) -> Result<Sender> {
    let payload = Payload::find("M", Signal::Metrics)?;
    let target = Target {
        address: match transport {
            Transport::Http => relay.address(),
            Transport::Grpc => relay.grpc_address(),
        },
        transport,
        path: "/v1/metrics".to_owned(),
        signal: payload.signal,
        body: payload.body(Encoding::Protobuf, Compression::Identity)?,
        tls: None,
    };
    Ok(Sender::connect(&target).await?)
}

async fn send(sender: &mut Sender) -> Result<()> {
    let answer = sender.send().await?;
    ensure!(answer == Answer::Accepted, "{answer:?}");
    Ok(())
}

/// So many that read, and so many that never do.
async fn watch(relay: &Server, reading: usize, stalled: usize) -> Result<Watchers> {
    let crowd = Crowd {
        reading,
        stalled,
        ..Crowd::default()
    };
    let door = Door::at(relay.address(), "/ws/metrics");
    Ok(Watchers::connect(&door, crowd, None).await?)
}

/// Microseconds of CPU per export with so many subscribers.
async fn cost_of_export(transport: Transport, subscribers: usize, exports: u64) -> Result<f64> {
    let relay = relay()?;
    let mut sender = sender(&relay, transport).await?;
    let watching = watch(&relay, subscribers, 0).await?;
    for _ in 0..10 {
        send(&mut sender).await?;
    }
    watching.all_have(10).await;
    let before = relay.usage()?.cpu;
    for posted in 11..=10 + exports {
        send(&mut sender).await?;
        watching.all_have(posted.saturating_sub(WINDOW)).await;
    }
    watching.all_have(10 + exports).await;
    let cost = relay.usage()?.cpu - before;
    ensure!(watching.closed() == 0, "a subscriber ended");
    Ok(cost.as_secs_f64() * 1e6 / exports as f64)
}

/// KiB of memory for each of so many subscribers that nothing is sent to.
async fn memory_of_idle(subscribers: usize) -> Result<f64> {
    let relay = relay()?;
    // The first few make what all share.
    let _warm = watch(&relay, 10, 0).await?;
    let before = relay.usage()?.resident_kib;
    let _idle = watch(&relay, subscribers, 0).await?;
    let after = relay.usage()?.resident_kib;
    Ok((after as f64 - before as f64) / subscribers as f64)
}

/// How many never read, and the resident KiB before and after so many exports.
async fn memory_of_stalled(subscribers: usize, exports: u64) -> Result<(usize, u64, u64)> {
    let relay = relay()?;
    let mut sender = sender(&relay, Transport::Http).await?;
    let reading = watch(&relay, 1, 0).await?;
    for posted in 1..=50 {
        send(&mut sender).await?;
        reading.all_have(posted).await;
    }
    let before = relay.usage()?.resident_kib;
    let _stalled = watch(&relay, 0, subscribers).await?;
    for posted in 51..=50 + exports {
        send(&mut sender).await?;
        reading.all_have(posted).await;
    }
    Ok((subscribers, before, relay.usage()?.resident_kib))
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn print(line: &str) {
    println!("{line}");
}
