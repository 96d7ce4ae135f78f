//! The load generator before the relay.
#![cfg(target_os = "linux")]

use clap::Parser;
use load::{Options, ServerCommand, compare};
use serde_json::Value;

use crate::support::wait;

/// What the load generator prints for a relay.
fn load(args: &[&str]) -> Value {
    let mut options = Options::parse_from([&["load", "--requests", "12"], args].concat());
    options.servers = vec![ServerCommand::relay(
        env!("CARGO_BIN_EXE_otlp-relay").into(),
    )];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let result = wait(&runtime, compare::execute(&options, |_| {})).unwrap();
    result["servers"]["relay"]["median"].clone()
}

/// Scenario: each signal over HTTP and gRPC, in JSON and every compression, to three subscribers.
/// Guarantees: the load generator has each export accepted and sees it arrive everywhere.
#[test]
fn what_it_sends_arrives() {
    let ways: [&[&str]; 6] = [
        &["--payload", "S", "--transport", "grpc"],
        &[
            "--payload",
            "S",
            "--transport",
            "grpc",
            "--compression",
            "gzip",
        ],
        &["--payload", "T", "--compression", "zstd"],
        &[
            "--payload",
            "G",
            "--encoding",
            "json",
            "--compression",
            "deflate",
        ],
        &["--payload", "S", "--compression", "snappy", "--rate", "500"],
        &[
            "--payload",
            "M",
            "--compression",
            "gzip",
            "--stalled",
            "2",
            "--slow",
            "2",
        ],
    ];
    for way in ways {
        let figures = load(&[way, &["--subscribers", "3"]].concat());
        assert_eq!(figures["requests"], 12.0, "{way:?}: {figures}");
        assert_eq!(figures["failed"], 0.0, "{way:?}: {figures}");
        assert_eq!(figures["frames"], 36.0, "{way:?}: {figures}");
        assert!(figures["end_to_end_ms_p50"].as_f64().unwrap() > 0.0);
    }
}
