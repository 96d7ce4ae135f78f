//! The flags of the shutdown.

use std::time::Duration;

use clap::Args;

use super::{set, values};
use crate::config::ServerConfig;

#[derive(Debug, Args)]
pub(super) struct ShutdownArgs {
    /// How long everything is served as before when the relay is to end, while /readyz is 503
    /// [default: 0s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_DRAIN_DELAY",
        value_parser = values::time_or_zero
    )]
    drain_delay: Option<Duration>,

    /// How long a shutdown may take, behind that [default: 10s]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_SHUTDOWN_GRACE", value_parser = values::time)]
    shutdown_grace: Option<Duration>,
}

impl ShutdownArgs {
    pub(super) fn apply(self, config: &mut ServerConfig) {
        set(&mut config.drain_delay, self.drain_delay);
        set(&mut config.shutdown_grace, self.shutdown_grace);
    }
}
