//! The flags of gRPC.

use std::time::Duration;

use clap::Args;

use super::{set, values};
use crate::config::GrpcConfig;

#[derive(Debug, Args)]
pub(super) struct GrpcArgs {
    /// Where to listen for OTLP/gRPC, by convention on port 4317; may be given several times
    /// [default: nowhere]
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "OTLP_RELAY_GRPC_LISTEN",
        value_delimiter = ',',
        value_parser = values::addresses
    )]
    grpc_listen: Vec<values::Addresses>,

    /// The most open gRPC connections [default: 1000]
    #[arg(
        long,
        value_name = "N",
        env = "OTLP_RELAY_GRPC_MAX_CONNECTIONS",
        value_parser = values::count
    )]
    grpc_max_connections: Option<usize>,

    /// The most calls at a time on one gRPC connection [default: 100]
    #[arg(
        long,
        value_name = "N",
        env = "OTLP_RELAY_GRPC_MAX_STREAMS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    grpc_max_streams: Option<u32>,

    /// How old a gRPC connection may get before its client has to open a new one [default: 1h]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_GRPC_MAX_CONNECTION_AGE",
        value_parser = values::time
    )]
    grpc_max_connection_age: Option<Duration>,

    /// How long calls under way may take then [default: 60s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_GRPC_AGE_GRACE",
        value_parser = values::time
    )]
    grpc_age_grace: Option<Duration>,

    /// The longest head of a gRPC call [default: 16KiB]
    #[arg(
        long,
        value_name = "SIZE",
        env = "OTLP_RELAY_GRPC_MAX_HEADERS",
        value_parser = values::small_size
    )]
    grpc_max_headers: Option<u32>,

    /// How often a gRPC connection without traffic is asked whether it lives [default: 60s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_GRPC_KEEPALIVE_INTERVAL",
        value_parser = values::time
    )]
    grpc_keepalive_interval: Option<Duration>,

    /// How long the answer to that may take [default: 20s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_GRPC_KEEPALIVE_TIMEOUT",
        value_parser = values::time
    )]
    grpc_keepalive_timeout: Option<Duration>,
}

impl GrpcArgs {
    pub(super) fn apply(self, config: &mut GrpcConfig) {
        let listen = self.grpc_listen.into_iter();
        config.listen = listen.flat_map(|addresses| addresses.0).collect();
        set(&mut config.max_connections, self.grpc_max_connections);
        set(&mut config.max_streams, self.grpc_max_streams);
        set(&mut config.max_connection_age, self.grpc_max_connection_age);
        set(&mut config.age_grace, self.grpc_age_grace);
        set(&mut config.max_header_list_bytes, self.grpc_max_headers);
        set(&mut config.keepalive_interval, self.grpc_keepalive_interval);
        set(&mut config.keepalive_timeout, self.grpc_keepalive_timeout);
    }
}
