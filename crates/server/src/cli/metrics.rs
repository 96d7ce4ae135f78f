//! The flags of metrics.

use clap::Args;

use super::values;
use crate::config::MetricsConfig;

#[derive(Debug, Args)]
pub(super) struct MetricsArgs {
    /// Whether `/metrics` is there, for Prometheus; who may watch may read it [default: on]
    #[arg(
        long,
        value_name = "on|off",
        env = "OTLP_RELAY_METRICS",
        value_parser = values::switch
    )]
    metrics: Option<bool>,

    /// Where else to listen, for `/metrics`, `/healthz` and `/readyz` alone, without a token;
    /// `/metrics` is nowhere else then; may be given several times
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "OTLP_RELAY_METRICS_LISTEN",
        value_delimiter = ',',
        value_parser = values::addresses
    )]
    metrics_listen: Vec<values::Addresses>,
}

impl MetricsArgs {
    pub(super) fn into_config(self) -> MetricsConfig {
        let default = MetricsConfig::default();
        let listen = self.metrics_listen.into_iter();
        MetricsConfig {
            enabled: self.metrics.unwrap_or(default.enabled),
            listen: listen.flat_map(|addresses| addresses.0).collect(),
        }
    }
}
