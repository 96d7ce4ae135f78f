//! Several servers under the same load, taking turns; and the loads of `docs/performance.md`.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use crate::figures::Figures;
use crate::options::{Options, Workload};
use crate::payload::Compression;
use crate::process::ServerCommand;
use crate::run::run;
use crate::{fanout, idle, receiver, sweep};

/// A load of the table, and what is different from the workload of the command line's defaults.
struct Row {
    payload: &'static str,
    compression: Compression,
    connections: usize,
    subscribers: usize,
    /// What is compared.
    figures: &'static [&'static str],
}

const CPU: &[&str] = &["server_cpu_us_per_request"];

const ROWS: [Row; 7] = [
    Row::new("M", Compression::Identity, 1),
    Row::new("M", Compression::Identity, 10),
    Row::new("M", Compression::Identity, 100),
    Row::new("M", Compression::Gzip, 10),
    Row::new("S", Compression::Identity, 1),
    Row::new("S", Compression::Identity, 100),
    Row {
        connections: 1,
        figures: &["end_to_end_ms_p50", "end_to_end_ms_p99"],
        ..Row::new("M", Compression::Identity, 1)
    },
];

impl Row {
    const fn new(payload: &'static str, compression: Compression, subscribers: usize) -> Self {
        Self {
            payload,
            compression,
            connections: 4,
            subscribers,
            figures: CPU,
        }
    }

    fn workload(&self, options: &Options) -> Workload {
        Workload {
            payload: self.payload.to_owned(),
            compression: self.compression,
            connections: self.connections,
            subscribers: self.subscribers,
            ..options.workload.clone()
        }
    }
}

/// Runs what the command line asks for. What came out, and what to tell meanwhile goes to `tell`.
///
/// # Errors
///
/// Those of [`run`] and of the presets, and of a workload that makes no sense.
pub async fn execute(options: &Options, tell: impl Fn(&str)) -> Result<Value> {
    if options.receiver {
        return receiver::measure(&"discard".parse()?, options.rounds, tell).await;
    }
    let servers = servers(options)?;
    let (rounds, workload) = (options.rounds, &options.workload);
    if options.fanout {
        let Ok(two) = <[_; 2]>::try_from(servers) else {
            bail!("--fanout needs two servers: one, and its floor");
        };
        return fanout::measure(&two, fanout::SUBSCRIBERS, rounds, workload, tell).await;
    }
    if options.idle {
        let crowds = idle::Crowds::default();
        let [server] = &servers[..] else {
            bail!("--idle needs one server");
        };
        return idle::measure(server, crowds, rounds, workload, tell).await;
    }
    if options.sweep {
        // Before minutes have passed.
        options.plots.iter().try_for_each(std::fs::create_dir_all)?;
        let swept = sweep::measure(&servers, usize::MAX, rounds, workload, tell).await?;
        for (name, svg) in swept.plots {
            if let Some(folder) = &options.plots {
                std::fs::write(folder.join(name), svg)?;
            }
        }
        return Ok(swept.results);
    }
    match options.compare {
        true => table(options, &servers, tell).await,
        false => compare(rounds, &servers, workload, &tell).await,
    }
}

/// All loads of the table.
async fn table(options: &Options, servers: &[ServerCommand], tell: impl Fn(&str)) -> Result<Value> {
    let mut results = Vec::new();
    let mut table = vec![header(servers)];
    for row in &ROWS {
        let workload = row.workload(options);
        let result = compare(options.rounds, servers, &workload, &tell).await?;
        table.extend(
            row.figures
                .iter()
                .map(|figure| line(row, figure, servers, &result)),
        );
        results.push(result);
    }
    tell(&table.join("\n"));
    Ok(Value::Array(results))
}

/// The servers that were asked for, or else the usual ones.
fn servers(options: &Options) -> Result<Vec<ServerCommand>> {
    if !options.servers.is_empty() {
        return Ok(options.servers.clone());
    }
    let other = match (options.compare, options.fanout || options.sweep) {
        (true, _) => Some("plain"),
        (_, true) => Some("floor"),
        _ => None,
    };
    let mut relay: ServerCommand = "relay".parse()?;
    if other == Some("floor") {
        // The floor has one thread, too, and everybody comes from one address.
        relay = relay.with(["--workers", "1"]).with(idle::ARGS);
    }
    let others = other.map(str::parse).transpose()?;
    Ok([relay].into_iter().chain(others).collect())
}

/// Runs one workload against all servers, in turns whose order changes from round to round, so
/// that none always comes first.
pub(crate) async fn compare(
    rounds: usize,
    servers: &[ServerCommand],
    workload: &Workload,
    tell: &impl Fn(&str),
) -> Result<Value> {
    let loads = servers
        .iter()
        .map(|server| workload.load(server.takes_frames));
    let loads = loads.collect::<Result<Vec<_>>>()?;
    let mut runs = vec![Vec::new(); servers.len()];
    for round in 0..rounds.max(1) {
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            let figures = run(&loads[at], &servers[at]).await?;
            tell(&progress(workload, round, &servers[at], &figures));
            runs[at].push(figures);
        }
    }
    let medians: Vec<_> = runs.iter().map(|runs| Figures::medians(runs)).collect();
    let mut results = Map::new();
    let mut ratios = Map::new();
    for (at, server) in servers.iter().enumerate() {
        let result = json!({"median": medians[at], "rounds": runs[at]});
        results.insert(server.name.clone(), result);
        if at > 0 {
            let name = format!("{}/{}", servers[0].name, server.name);
            ratios.insert(name, json!(medians[0].ratios(&medians[at])));
        }
    }
    Ok(json!({
        "workload": workload.describe(&loads[0]),
        "servers": results,
        "ratios": ratios,
    }))
}

fn progress(
    workload: &Workload,
    round: usize,
    server: &ServerCommand,
    figures: &Figures,
) -> String {
    let figure = |name| figures.get(name).unwrap_or(f64::NAN);
    format!(
        "{} x{} round {} {}: {:.0} requests/s, {:.1} us of CPU each, end to end p50 {:.2} ms, \
         {} failed, {} lost, {:.2} cores of others",
        workload.payload,
        workload.subscribers,
        round + 1,
        server.name,
        figure("requests_per_second"),
        figure("server_cpu_us_per_request"),
        figure("end_to_end_ms_p50"),
        figure("failed"),
        figure("lost_frames"),
        figure("other_cores"),
    )
}

fn header(servers: &[ServerCommand]) -> String {
    let names = servers.iter().map(|server| format!(" {} |", server.name));
    let rules = servers.iter().map(|_| "---|");
    format!(
        "| load | figure |{} ratio |\n|---|---|{}---|",
        names.collect::<String>(),
        rules.collect::<String>()
    )
}

/// A line of a table in Markdown; the ratio is that of the first server to the second.
fn line(row: &Row, figure: &str, servers: &[ServerCommand], result: &Value) -> String {
    let values = servers.iter().map(|server| {
        let value = &result["servers"][&server.name]["median"][figure];
        format!(" {:.2} |", value.as_f64().unwrap_or(f64::NAN))
    });
    let values = values.collect::<String>();
    let ratio = servers.get(1).and_then(|second| {
        let name = format!("{}/{}", servers[0].name, second.name);
        result["ratios"][name][figure].as_f64()
    });
    let gzip = match row.compression {
        Compression::Identity => "",
        _ => " gzip",
    };
    format!(
        "| {}{gzip} x{}, {} connections | {figure} |{values} {:.2} |",
        row.payload,
        row.subscribers,
        row.connections,
        ratio.unwrap_or(f64::NAN)
    )
}
