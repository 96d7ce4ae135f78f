//! otlp-relay: OpenTelemetry in, live JSON out.
//!
//! This crate composes the others: [`ingest`] receives exports, [`fanout`] shows them to
//! WebSocket clients, and here is what joins them ([`bridge`]), the connections below them
//! ([`conn`]), who may talk to the relay ([`gate`], [`cors`], [`tokens`], [`tls`]), what can
//! be set ([`settings`]), and the command line ([`cli`]).
//! [`Relay`] is the whole program, callable from a test. Beside it, [`conversion`] converts files
//! with [`::convert`], without a relay.

mod aside;
pub mod base_path;
pub mod bridge;
pub mod cli;
mod compose;
pub mod config;
pub mod conn;
pub mod conversion;
pub mod cors;
pub mod counters;
pub mod descriptors;
mod error;
mod files;
pub mod gate;
mod grpc;
pub mod logging;
mod metrics;
mod pages;
pub mod proxies;
pub mod settings;
mod showing;
pub mod shutdown;
mod throttle;
pub mod tls;
pub mod tokens;

use std::future::Future;

pub use compose::Relay;
pub use config::ServerConfig;
pub use error::{RunError, StartError};

/// Runs the relay until `shutdown` is ready and everybody has been seen off.
///
/// # Errors
///
/// [`RunError::Start`] with every address that can't be bound and every file that can't be used,
/// [`RunError::Server`] if serving fails.
pub async fn run(config: ServerConfig, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    Relay::bind(config)?.run(shutdown).await
}
