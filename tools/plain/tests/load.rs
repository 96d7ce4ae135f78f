//! The plain server does its work, and the load generator measures it.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails fails its test; clippy.toml exempts test functions alone"
)]

use std::path::PathBuf;

use clap::Parser;
use load::{Options, ServerCommand, compare};
use serde_json::Value;

/// What the load generator prints for the plain server, as often as `servers` says.
fn load(servers: &[&str], args: &[&str]) -> Value {
    let mut options = Options::parse_from([&["load"], args].concat());
    let program = PathBuf::from(env!("CARGO_BIN_EXE_plain"));
    options.servers = servers
        .iter()
        .map(|name| ServerCommand::bare(name, program.clone()))
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let executed = compare::execute(&options, |_| {});
    runtime.block_on(executed).unwrap()
}

fn median(result: &Value, server: &str, figure: &str) -> f64 {
    result["servers"][server]["median"][figure]
        .as_f64()
        .unwrap()
}

/// Scenario: ten exports of S, plain and gzip, to two subscribers.
/// Guarantees: each is accepted, and arrives at both as one frame of the same JSON.
#[test]
fn metrics_in_json_out() {
    let bytes = ["identity", "gzip"].map(|compression| {
        let args = ["--payload", "S", "--requests", "10", "--subscribers", "2"];
        let result = load(
            &["plain"],
            &[&args[..], &["--compression", compression]].concat(),
        );
        assert_eq!(median(&result, "plain", "requests"), 10.0);
        assert_eq!(median(&result, "plain", "failed"), 0.0);
        assert_eq!(median(&result, "plain", "frames"), 20.0);
        assert_eq!(median(&result, "plain", "lost_frames"), 0.0);
        median(&result, "plain", "frame_bytes")
    });
    assert_eq!(bytes, [20.0 * 7_403.0; 2]);
}

/// Scenario: a path that the plain server does not have.
/// Guarantees: nothing is accepted, and the load generator fails with the status.
#[test]
fn what_is_refused_is_told() {
    // Short, so that it has arrived whole: the rest of a long body would cost the connection.
    let mut options = Options::parse_from([
        "load",
        "--payload",
        "S",
        "--path",
        "/v1/traces",
        "--requests",
        "3",
    ]);
    options.servers = vec![ServerCommand::bare(
        "plain",
        env!("CARGO_BIN_EXE_plain").into(),
    )];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let executed = runtime.block_on(compare::execute(&options, |_| {}));
    let error = executed.unwrap_err().to_string();
    assert!(error.contains("404"), "{error}");
}

/// Scenario: two servers in three rounds, open loop, one connection, beside a slow and a stalled
/// subscriber.
/// Guarantees: every export is sent and matched with its frame, all that is promised is printed,
/// and the ratios are those of the medians.
#[test]
fn two_servers_are_compared() {
    let args = [
        "--payload",
        "S",
        "--requests",
        "20",
        "--rate",
        "400",
        "--rounds",
        "3",
    ];
    let crowd = ["--connections", "1", "--slow", "1", "--stalled", "1"];
    let result = load(&["one", "two"], &[&args[..], &crowd].concat());
    assert_eq!(result["workload"]["loop"], "open");
    for server in ["one", "two"] {
        let rounds = result["servers"][server]["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3);
        for figure in FIGURES {
            assert!(median(&result, server, figure) >= 0.0, "{figure}");
        }
        assert_eq!(median(&result, server, "unsent"), 0.0);
    }
    let cpu = "server_cpu_us_per_request";
    let ratio = result["ratios"]["one/two"][cpu].as_f64().unwrap();
    let expected = median(&result, "one", cpu) / median(&result, "two", cpu);
    assert!((ratio - expected).abs() < 1e-3, "{ratio} {expected}");
}

/// What docs/performance.md says that a run gives.
const FIGURES: [&str; 16] = [
    "requests_per_second",
    "items_per_second",
    "post_ms_p50",
    "post_ms_p99",
    "post_ms_max",
    "end_to_end_ms_p50",
    "end_to_end_ms_p99",
    "frames_per_second",
    "frame_bytes_per_second",
    "lost_frames",
    "closed_subscribers",
    "server_cpu_us_per_request",
    "server_resident_kib",
    "server_peak_kib",
    "generator_cores",
    "other_cores",
];
