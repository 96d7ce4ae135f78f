//! The flags of those who watch.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use fanout::{FanoutConfig, Slow};

use super::{set, values};

#[derive(Debug, Args)]
pub(super) struct FanoutArgs {
    /// The most sessions, of WebSocket and of streams [default: 10000]
    #[arg(long, value_name = "N", env = "OTLP_RELAY_MAX_SESSIONS", value_parser = values::count)]
    max_sessions: Option<usize>,

    /// The most different views that are watched at a time; one more is told to come again
    /// [default: 64]
    #[arg(long, value_name = "N", env = "OTLP_RELAY_MAX_VIEWS", value_parser = values::count)]
    max_views: Option<usize>,

    /// How far a client may fall behind [default: 16MiB]
    #[arg(long, value_name = "SIZE", env = "OTLP_RELAY_MAX_LAG", value_parser = values::size)]
    max_lag: Option<usize>,

    /// How much all views together may hold for clients that fall behind [default: 256MiB]
    #[arg(
        long,
        value_name = "SIZE",
        env = "OTLP_RELAY_MAX_LAG_TOTAL",
        value_parser = values::size
    )]
    max_lag_total: Option<usize>,

    /// What becomes of a client that falls behind further, unless it says itself: it loses its
    /// oldest frames, or it is closed [default: drop-oldest]
    #[arg(
        long,
        value_name = "WHAT",
        env = "OTLP_RELAY_SLOW",
        value_parser = PossibleValuesParser::new(Slow::ALL.map(Slow::as_str)).map(slow)
    )]
    slow: Option<Slow>,

    /// The longest frame; an export that is longer as JSON is dropped and counted
    /// [default: 16MiB]
    #[arg(long, value_name = "SIZE", env = "OTLP_RELAY_MAX_FRAME", value_parser = values::size)]
    max_frame: Option<usize>,

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

    /// Whether frames are compressed for clients that offer permessage-deflate: on or off
    /// [default: on]
    #[arg(long, value_name = "WHEN", env = "OTLP_RELAY_COMPRESSION", value_parser = values::switch)]
    compression: Option<bool>,

    /// How often clients are pinged; one that is silent for as long again is closed
    /// [default: 20s]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_PING_INTERVAL", value_parser = values::time)]
    ping_interval: Option<Duration>,
}

impl FanoutArgs {
    pub(super) fn apply(self, config: &mut FanoutConfig) {
        set(&mut config.max_sessions, self.max_sessions);
        set(&mut config.max_views, self.max_views);
        set(&mut config.lag_bytes, self.max_lag);
        set(&mut config.lag_total_bytes, self.max_lag_total);
        set(&mut config.slow, self.slow);
        set(&mut config.frame_bytes, self.max_frame);
        set(&mut config.history_bytes, self.history_bytes);
        set(&mut config.history_age, self.history_age);
        set(&mut config.compression, self.compression);
        if let Some(interval) = self.ping_interval {
            config.ping_interval = interval;
            config.pong_timeout = interval;
        }
        config.frames_total_bytes = config.enough_frames_bytes();
    }
}

/// One of the names that were given as possible.
fn slow(name: String) -> Slow {
    let known = Slow::ALL.into_iter().find(|slow| slow.as_str() == name);
    known.unwrap_or_default()
}
