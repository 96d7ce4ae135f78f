//! The flags of tokens.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{set, values};
use crate::config::ServerConfig;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// A file of bearer tokens, one a line, of which every sender has to show one
    #[arg(long, value_name = "FILE", env = "OTLP_RELAY_INGEST_TOKEN_FILE")]
    ingest_token_file: Option<PathBuf>,

    /// A file of bearer tokens, one a line, of which everybody who watches has to show one
    #[arg(long, value_name = "FILE", env = "OTLP_RELAY_WATCH_TOKEN_FILE")]
    watch_token_file: Option<PathBuf>,

    /// How often the files of tokens and of TLS are looked at; if they changed, and on SIGHUP,
    /// they are read again [default: 30s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_RELOAD_INTERVAL",
        value_parser = values::time
    )]
    reload_interval: Option<Duration>,
}

impl TokenArgs {
    pub(super) fn apply(self, config: &mut ServerConfig) {
        config.ingest_token_file = self.ingest_token_file;
        config.watch_token_file = self.watch_token_file;
        set(&mut config.reload_interval, self.reload_interval);
    }
}
