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
use std::io;
use std::net::SocketAddr;

use thiserror::Error;

pub use compose::Relay;
pub use config::ServerConfig;

/// Why the relay did not start, or stopped early.
#[derive(Debug, Error)]
pub enum RunError {
    /// An address could not be bound.
    #[error("can't listen on {address}: {source}{}", hint(source, flag))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The tokens could not be read.
    #[error(transparent)]
    Tokens(#[from] tokens::TokenError),
    /// The certificate, its key or the authorities of clients could not be read.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(#[from] io::Error),
}

/// What to do about a failure to bind.
fn hint(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let who = match cfg!(target_os = "linux") {
                true => " (`ss -ltnp` tells which)",
                false => "",
            };
            format!(
                "; another program listens there{who}: stop it, or choose another address with \
                 {flag}"
            )
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges".to_owned(),
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address".to_owned(),
        _ => String::new(),
    }
}

/// Runs the relay until `shutdown` is ready and everybody has been seen off.
///
/// # Errors
///
/// [`RunError::Bind`] if an address can't be bound, [`RunError::Tokens`] and
/// [`RunError::Tls`] if their files can't be used, [`RunError::Server`] if serving fails.
pub async fn run(config: ServerConfig, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    Relay::bind(config)?.run(shutdown).await
}
