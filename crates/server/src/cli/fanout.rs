//! The flags of views and the history.

use std::time::Duration;

use clap::Args;
use fanout::FanoutConfig;

use super::{set, values};

#[derive(Debug, Args)]
pub(super) struct FanoutArgs {
    /// The most different views that are watched at a time; one more is told to come again
    /// [default: 64]
    #[arg(long, value_name = "N", env = "OTLP_RELAY_MAX_VIEWS", value_parser = values::count)]
    max_views: Option<usize>,

    /// How much of each signal is kept for clients that come late or come back, as protobuf; 0
    /// keeps nothing [default: 8MiB]
    #[arg(
        long,
        value_name = "SIZE",
        env = "OTLP_RELAY_HISTORY_BYTES",
        value_parser = values::size_or_zero
    )]
    history_bytes: Option<usize>,

    /// How long it is kept [default: 5m]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_HISTORY_AGE", value_parser = values::time)]
    history_age: Option<Duration>,
}

impl FanoutArgs {
    pub(super) fn apply(self, config: &mut FanoutConfig) {
        set(&mut config.max_views, self.max_views);
        set(&mut config.history_bytes, self.history_bytes);
        set(&mut config.history_age, self.history_age);
    }
}
