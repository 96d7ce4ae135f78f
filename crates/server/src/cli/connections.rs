//! The flags of connections over HTTP, and of their waits.

use std::time::Duration;

use clap::Args;

use super::{set, values};
use crate::config::ConnectionConfig;

#[derive(Debug, Args)]
pub(super) struct ConnectionArgs {
    /// The most open connections, sessions included [default: 12000]
    #[arg(long, value_name = "N", env = "OTLP_RELAY_MAX_CONNECTIONS", value_parser = values::count)]
    max_connections: Option<usize>,

    /// How long the head of a request may take, and the handshake of TLS [default: 10s]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_HEAD_TIMEOUT", value_parser = values::time)]
    head_timeout: Option<Duration>,

    /// How long a request may go without a byte in either direction [default: 30s]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_STALL_TIMEOUT", value_parser = values::time)]
    stall_timeout: Option<Duration>,

    /// How long a connection may lie idle between two requests [default: 75s]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_IDLE_TIMEOUT", value_parser = values::time)]
    idle_timeout: Option<Duration>,
}

impl ConnectionArgs {
    pub(super) fn apply(self, config: &mut ConnectionConfig) {
        set(&mut config.max, self.max_connections);
        set(&mut config.head_timeout, self.head_timeout);
        set(&mut config.stall_timeout, self.stall_timeout);
        set(&mut config.idle_timeout, self.idle_timeout);
    }
}
