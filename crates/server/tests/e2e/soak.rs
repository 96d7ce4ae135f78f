//! Some seconds of the load that `cargo xtask soak` puts on a relay for minutes.
#![cfg(target_os = "linux")]

use soak::Options;
use tokio::runtime::Runtime;

/// Scenario: every kind of client of the soak test, on a relay without TLS and one with it, for
/// some seconds.
/// Guarantees: every line of its report holds, but that of the memory, which takes minutes.
#[test]
fn some_seconds_do_no_harm() {
    let options = Options {
        minutes: 0.1,
        relay: Some(env!("CARGO_BIN_EXE_otlp-relay").into()),
        rate: 6.0,
        guests: 2,
        max_growth: 0.0,
    };
    let runtime = Runtime::new().unwrap();
    let report = runtime.block_on(soak::run(&options, &|_| {})).unwrap();
    assert!(
        report.holds(),
        "{}",
        serde_json::to_string_pretty(&report).unwrap()
    );
}
