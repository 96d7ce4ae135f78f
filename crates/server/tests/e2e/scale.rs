//! The relay is what the load generator's presets measure: small runs of each.

#![cfg(target_os = "linux")]

use clap::Parser;
use load::idle::{self, Crowds};
use load::{Options, ServerCommand, compare, sweep};
use serde_json::Value;

fn relay() -> ServerCommand {
    ServerCommand::relay(env!("CARGO_BIN_EXE_otlp-relay").into())
}

fn figure(result: &Value, name: &str) -> f64 {
    result[name].as_f64().unwrap_or(f64::NAN)
}

/// Scenario: subscribers of two views that take compressed frames over TLS, and as many of one
/// view without either.
/// Guarantees: all get everything, and the former with far fewer bytes.
#[tokio::test]
async fn views_compression_and_tls_are_loads() {
    let common = "load --payload S --requests 5 --warm-up 2 --subscribers 4 --connections 1";
    let mut bytes = Vec::new();
    for more in ["--views 2 --deflate --tls", ""] {
        let args = common.split_whitespace().chain(more.split_whitespace());
        let mut options = Options::parse_from(args);
        options.servers = vec![relay()];
        let result = compare::execute(&options, |_| {}).await.unwrap();
        let median = &result["servers"]["relay"]["median"];
        assert_eq!(figure(median, "frames"), 20.0, "{more}");
        assert_eq!(figure(median, "lost_frames"), 0.0, "{more}");
        bytes.push(figure(median, "frame_bytes"));
    }
    assert!(bytes[0] * 3.0 < bytes[1], "{bytes:?}");
}

/// Scenario: `--idle` with few subscribers.
/// Guarantees: memory is told, plain and with TLS, and nobody loses anything while exports flow.
#[tokio::test]
async fn idle_subscribers_are_measured() {
    let args = "load --payload S --requests 3 --connections 1 --rate 50";
    let workload = Options::parse_from(args.split_whitespace()).workload;
    let crowds = Crowds { idle: 20, held: 20 };
    let relay = relay();
    let measured = idle::measure(&relay, crowds, 1, &workload, |_| {});
    let measured = measured.await.unwrap();
    for name in ["plain", "tls"] {
        let each = &measured["median"][format!("{name}_kib_per_subscriber")];
        assert!(each.is_f64(), "{measured}");
        let held = &measured["while_exports_flow"][name];
        assert_eq!(figure(held, "frames"), 60.0);
        assert_eq!(figure(held, "lost_frames"), 0.0);
        assert_eq!(figure(held, "closed_subscribers"), 0.0);
    }
}

/// Scenario: the first two steps of each of `--sweep`.
/// Guarantees: each step has its figures, frames are as long as the step says, and each sweep has a
/// picture with a line of two points.
#[tokio::test]
async fn sweeps_are_drawn() {
    let workload = Options::parse_from(["load", "--requests", "3"]).workload;
    let servers = [relay()];
    let swept = sweep::measure(&servers, 2, 1, &workload, |_| {});
    let swept = swept.await.unwrap();
    for (name, frames) in [
        ("payload", [300.0; 2]),
        ("subscribers", [3.0, 9.0]),
        ("views", [192.0; 2]),
    ] {
        let steps = swept.results[name].as_array().unwrap();
        let got: Vec<_> = steps
            .iter()
            .map(|step| figure(&step["result"]["servers"]["relay"]["median"], "frames"))
            .collect();
        assert_eq!(got, frames, "{name}");
    }
    for (step, length) in swept.results["payload"]
        .as_array()
        .unwrap()
        .iter()
        .zip([1_024.0, 4_096.0])
    {
        let median = &step["result"]["servers"]["relay"]["median"];
        assert_eq!(figure(median, "frame_bytes"), 300.0 * length);
    }
    let names: Vec<_> = swept.plots.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "sweep-payload.svg",
            "sweep-subscribers.svg",
            "sweep-views.svg"
        ]
    );
    for (name, svg) in &swept.plots {
        assert_eq!(svg.matches("<circle").count(), 2, "{name}");
    }
}
