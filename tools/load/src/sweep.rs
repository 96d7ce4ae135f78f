//! How cost grows with the work: over the length of a frame, over subscribers, over views.

use anyhow::Result;
use serde_json::{Value, json};

use crate::compare::compare;
use crate::options::Workload;
use crate::plot::{Chart, Line};
use crate::process::ServerCommand;

/// What is held, and what grows.
struct Sweep {
    /// Of the file and in the results.
    name: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    figure: &'static str,
    /// Whether servers take part that have no views.
    all: bool,
    steps: &'static [u32],
    /// The workload at a step.
    at: fn(u32, Workload) -> Workload,
}

const SWEEPS: [Sweep; 3] = [
    Sweep {
        name: "payload",
        title: "CPU for a delivery, to 100 subscribers",
        x: "bytes of a frame",
        y: "µs",
        figure: "server_cpu_us_per_frame",
        all: true,
        steps: &[
            1 << 10,
            4 << 10,
            16 << 10,
            64 << 10,
            256 << 10,
            1 << 20,
            4 << 20,
        ],
        at: |bytes, workload| Workload {
            payload: bytes.to_string(),
            subscribers: 100,
            ..workload
        },
    },
    Sweep {
        name: "subscribers",
        title: "CPU for an export of 8 KiB, all its deliveries included",
        x: "subscribers",
        y: "µs",
        figure: "server_cpu_us_per_request",
        all: true,
        steps: &[1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000],
        at: |subscribers, workload| Workload {
            payload: "8192".to_owned(),
            subscribers: subscribers as usize,
            ..workload
        },
    },
    Sweep {
        name: "views",
        title: "CPU for an export of M (228 KB), to 64 subscribers",
        x: "views that they share",
        y: "µs",
        figure: "server_cpu_us_per_request",
        all: false,
        steps: &[1, 2, 4, 8, 16, 32, 64],
        at: |views, workload| Workload {
            payload: "M".to_owned(),
            subscribers: 64,
            views: views as usize,
            ..workload
        },
    },
];

/// What came of a sweep.
#[derive(Clone, Debug)]
pub struct Swept {
    /// All figures of all steps.
    pub results: Value,
    /// Pictures of them, by the names of their files.
    pub plots: Vec<(String, String)>,
}

/// Sweeps in so many rounds, with the first `most` steps of each. Servers that take frames as they
/// are have no views, and are left out there. Of `workload`, the duration or the number of exports
/// counts. Progress goes to `tell`.
///
/// # Errors
///
/// If a server can't be started, or refuses anything.
pub async fn measure(
    servers: &[ServerCommand],
    most: usize,
    rounds: usize,
    workload: &Workload,
    tell: impl Fn(&str),
) -> Result<Swept> {
    // An export is sent when all have the last one.
    let workload = Workload {
        connections: 1,
        window: 1,
        warm_up: 5,
        ..workload.clone()
    };
    let mut swept = Swept {
        results: json!({}),
        plots: Vec::new(),
    };
    for sweep in &SWEEPS {
        let servers = servers.iter().filter(|one| sweep.all || !one.takes_frames);
        let servers: Vec<_> = servers.cloned().collect();
        let mut steps = Vec::new();
        for step in sweep.steps.iter().copied().take(most) {
            let workload = (sweep.at)(step, workload.clone());
            let result = compare(rounds, &servers, &workload, &tell).await?;
            steps.push(json!({"at": step, "result": result}));
        }
        let file = format!("sweep-{}.svg", sweep.name);
        swept
            .plots
            .push((file, sweep.chart(&servers, &steps).svg()));
        swept.results[sweep.name] = Value::Array(steps);
    }
    Ok(swept)
}

impl Sweep {
    /// A line for each server, through the medians of all steps.
    fn chart(&self, servers: &[ServerCommand], steps: &[Value]) -> Chart<'_> {
        let point = |step: &Value, name: &str| {
            let y = &step["result"]["servers"][name]["median"][self.figure];
            Some((step["at"].as_f64()?, y.as_f64()?))
        };
        let lines = servers.iter().map(|server| Line {
            name: server.name.clone(),
            points: steps
                .iter()
                .filter_map(|step| point(step, &server.name))
                .collect(),
        });
        Chart {
            title: self.title,
            x: self.x,
            y: self.y,
            lines: lines.collect(),
        }
    }
}
