//! Why the relay did not start, or stopped early.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::tls::TlsError;
use crate::tokens::TokenError;

/// Why the relay did not start, or stopped early.
#[derive(Debug, Error)]
pub enum RunError {
    /// Addresses could not be bound, or files can't be used: everything that is wrong.
    #[error("{}", lines(.0))]
    Start(Vec<StartError>),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(#[from] io::Error),
}

/// One thing for which the relay did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address could not be bound.
    #[error("can't listen on {address}: {source}{}", hint(source, setting))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting that chooses it.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The tokens could not be read.
    #[error("{source}")]
    Tokens {
        /// The setting that names the file.
        setting: &'static str,
        /// What is wrong with it.
        source: TokenError,
    },
    /// The certificate, its key or the authorities of clients could not be read.
    #[error("{source}")]
    Tls {
        /// The setting that names the file.
        setting: &'static str,
        /// What is wrong with it.
        source: TlsError,
    },
}

impl StartError {
    /// The setting that it comes from.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Bind { setting, .. }
            | Self::Tokens { setting, .. }
            | Self::Tls { setting, .. } => setting,
        }
    }
}

fn lines(errors: &[StartError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What to do about a failure to bind.
fn hint(error: &io::Error, setting: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let who = match cfg!(target_os = "linux") {
                true => " (`ss -ltnp` tells which)",
                false => "",
            };
            format!(
                "; another program listens there{who}: stop it, or choose another address with \
                 --{setting}"
            )
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges".to_owned(),
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address".to_owned(),
        _ => String::new(),
    }
}
