//! The flags about the addresses of clients.

use std::net::IpAddr;

use clap::Args;
use ipnet::IpNet;

use super::{set, values};
use crate::config::ServerConfig;
use crate::proxies::Proxies;

#[derive(Debug, Args)]
pub(super) struct AddressArgs {
    /// The most open connections of one address, or one /64 of IPv6 [default: 10000]
    #[arg(
        long,
        value_name = "N",
        env = "OTLP_RELAY_MAX_CONNECTIONS_PER_ADDRESS",
        value_parser = values::count
    )]
    max_connections_per_address: Option<usize>,

    /// The most open gRPC connections of one address, or one /64 of IPv6 [default: 800]
    #[arg(
        long,
        value_name = "N",
        env = "OTLP_RELAY_GRPC_MAX_CONNECTIONS_PER_ADDRESS",
        value_parser = values::count
    )]
    grpc_max_connections_per_address: Option<usize>,

    /// Networks of proxies that say in Forwarded or X-Forwarded-For who their clients are, like
    /// `10.0.0.0/8`; what is in flight counts for those clients [default: none]
    #[arg(
        long,
        value_name = "NETWORK",
        env = "OTLP_RELAY_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network
    )]
    trusted_proxies: Vec<IpNet>,
}

impl AddressArgs {
    pub(super) fn apply(self, config: &mut ServerConfig) {
        set(
            &mut config.connections.max_per_address,
            self.max_connections_per_address,
        );
        set(
            &mut config.grpc.max_connections_per_address,
            self.grpc_max_connections_per_address,
        );
        config.trusted_proxies = Proxies::new(self.trusted_proxies);
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let expected = "expected an address or a network, like 10.0.0.7, 10.0.0.0/8 or fd00::/8";
    text.parse().map_err(|_| expected.to_owned())
}
