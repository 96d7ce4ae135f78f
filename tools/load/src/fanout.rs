//! What a delivery costs beside the least that it could cost.
//!
//! Two servers send the same frames to as many subscribers, in turns: the relay, with one worker,
//! and the floor, which has one thread and is sent the JSON that the relay makes of its protobuf. All CPU time of each counts, over all frames that were delivered:
//! the relay's receiving, checking and rendering too, the floor's receiving of a longer body. So
//! the ratio is the whole relay's, and nothing has to be subtracted.

use anyhow::Result;
use serde_json::{Value, json};

use crate::compare::compare;
use crate::options::Workload;
use crate::process::ServerCommand;

/// A load of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    /// The length of a frame, without its head.
    bytes: &'static str,
    connections: usize,
    window: u64,
    /// What the ratio may be.
    may_be: f64,
}

const ROWS: [Row; 2] = [
    Row {
        name: "one at a time",
        bytes: "150000",
        connections: 1,
        window: 1,
        may_be: 1.2,
    },
    // Below 1,024 frames, the relay's log and the floor's channel lose nothing.
    Row {
        name: "saturated",
        bytes: "2048",
        connections: 64,
        window: 512,
        may_be: 1.3,
    },
];

/// How many subscribers there are.
pub const SUBSCRIBERS: usize = 1000;

const FIGURE: &str = "server_cpu_us_per_frame";

/// Measures `servers`, the second of which is the floor, in so many rounds. Of `workload`, the
/// duration, or the number of exports, counts. Progress goes to `tell`.
///
/// # Errors
///
/// If a server can't be started, or refuses anything.
pub async fn measure(
    servers: &[ServerCommand; 2],
    subscribers: usize,
    rounds: usize,
    workload: &Workload,
    tell: impl Fn(&str),
) -> Result<Value> {
    let mut results = Vec::new();
    let mut table = vec![
        format!("| frames to {subscribers} | relay, us | floor, us | ratio | may be |"),
        "|---|---|---|---|---|".to_owned(),
    ];
    for row in ROWS {
        let workload = Workload {
            payload: row.bytes.to_owned(),
            connections: row.connections,
            window: row.window,
            subscribers,
            warm_up: 20,
            ..workload.clone()
        };
        let result = compare(rounds, servers, &workload, &tell).await?;
        table.push(line(row, servers, &result));
        results.push(json!({"row": row.name, "may_be": row.may_be, "result": result}));
    }
    tell(&table.join("\n"));
    Ok(Value::Array(results))
}

fn line(row: Row, servers: &[ServerCommand; 2], result: &Value) -> String {
    let median = |server: &ServerCommand| {
        let median = &result["servers"][&server.name]["median"];
        median[FIGURE].as_f64().unwrap_or(f64::NAN)
    };
    let [relay, floor] = [median(&servers[0]), median(&servers[1])];
    format!(
        "| {} bytes, {} | {relay:.2} | {floor:.2} | {:.2} | {} |",
        row.bytes,
        row.name,
        relay / floor,
        row.may_be
    )
}
