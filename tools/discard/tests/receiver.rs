//! The floor serves what the load generator measures it by.
#![cfg(target_os = "linux")]

use load::{ServerCommand, receiver};

/// Scenario: the measurement of the receiver, one round of it.
/// Guarantees: the body is taken at `/discard`, and the relay's own ways in are still there; every
/// figure that docs/performance.md tells is given.
#[test]
fn the_receiver_is_measured() {
    let program = env!("CARGO_BIN_EXE_discard").into();
    let command = ServerCommand {
        prints_grpc: true,
        ..ServerCommand::bare("discard", program)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let measured = runtime.block_on(receiver::measure(&command, 1, |_| {}));
    let measured = measured.unwrap();
    for figure in [
        "discard_us",
        "http_us",
        "http_gzip_us",
        "grpc_us",
        "check_us",
        "inflate_us",
    ] {
        assert!(
            measured["median"][figure].as_f64().unwrap() > 0.0,
            "{figure}"
        );
    }
    for ratio in [
        "http_without_check_to_discard",
        "http_gzip_to_http_and_inflate",
        "grpc_to_http",
    ] {
        assert!(measured["median"][ratio].is_f64(), "{ratio}");
    }
}
