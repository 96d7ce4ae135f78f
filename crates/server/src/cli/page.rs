//! The flags of the page: where it is, and what there is to see at once.

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::base_path::BasePath;
use crate::config::ServerConfig;

#[derive(Debug, Args)]
pub(super) struct PageArgs {
    /// Show something at once: send the relay what this machine does, and the traces, logs and
    /// metrics of a small shop that is made up
    #[arg(
        long,
        env = "OTLP_RELAY_DEMO",
        value_parser = FalseyValueParser::new(),
        conflicts_with_all = ["tls_cert", "ingest_token_file"]
    )]
    demo: bool,

    /// What a reverse proxy puts before all paths, like `/otel`; paths without it are served too
    #[arg(long, value_name = "PATH", env = "OTLP_RELAY_BASE_PATH")]
    base_path: Option<BasePath>,
}

impl PageArgs {
    pub(super) fn apply(self, config: &mut ServerConfig) {
        config.base_path = self.base_path;
        config.demo = self.demo;
    }
}
