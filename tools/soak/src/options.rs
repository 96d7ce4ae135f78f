//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The shortest run whose memory is judged, in minutes: before that, histories still fill up.
pub const JUDGED_MINUTES: f64 = 4.0;

/// Minutes of mixed load on two relays, one of them with TLS: every signal over HTTP and gRPC,
/// watchers that come and go, slow and stalled ones, bad requests, reloads.
///
/// Prints one JSON document; a summary goes to standard error. The exit code is 1 if a line of it
/// does not hold. Linux only.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask soak")]
pub struct Options {
    /// How long the load lasts
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// The relay's binary [default: otlp-relay beside this one]
    #[arg(long, value_name = "FILE")]
    pub relay: Option<PathBuf>,
    /// Exports a second, for each relay
    #[arg(long, default_value_t = 25.0)]
    pub rate: f64,
    /// Watchers that come and go, for each relay
    #[arg(long, default_value_t = 8)]
    pub guests: usize,
    /// How much resident memory may grow in the second half of a run of 4 minutes or more, by the
    /// line that fits it best and beyond what chance explains (two standard errors), in MiB
    #[arg(long, default_value_t = 8.0)]
    pub max_growth: f64,
}
