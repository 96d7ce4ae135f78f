//! What the log says when the relay starts and when it ends.

use std::net::SocketAddr;

use tracing::{info, warn};

use crate::counters::Counters;
use crate::gate::is_loopback;

/// One line for each address, with how to be reached.
pub(super) fn listening(addresses: &[SocketAddr], grpc: &[SocketAddr], tokens: bool) {
    for address in addresses {
        if is_loopback(address.ip()) {
            let port = address.port();
            info!(
                "listening on http://{address} (this machine only; to be reachable from others: \
                 --listen 0.0.0.0:{port})"
            );
        } else {
            info!("listening on http://{address} (reachable from other machines)");
        }
    }
    for address in grpc {
        if is_loopback(address.ip()) {
            let port = address.port();
            info!(
                "listening for OTLP/gRPC on {address} (this machine only; to be reachable from \
                 others: --grpc-listen 0.0.0.0:{port})"
            );
        } else {
            info!("listening for OTLP/gRPC on {address} (reachable from other machines)");
        }
    }
    let mut all = addresses.iter().chain(grpc);
    if all.any(|address| !is_loopback(address.ip())) {
        let who = match tokens {
            true => "watch without a token: keep it",
            false => "send and watch without a token: set --ingest-token-file, keep it",
        };
        warn!(
            "whoever can reach this address may {who} inside a network that you trust, or put a \
             proxy with authentication in front"
        );
    }
}

/// What was done, as the last line.
pub(super) fn totals(counters: &Counters) {
    let totals = counters.totals();
    info!(
        exports = totals.exports,
        items = totals.items,
        rejected = totals.rejected,
        refused = totals.refused,
        sessions = totals.sessions,
        frames = totals.frames,
        dropped = totals.dropped,
        refused_connections = totals.refused_connections,
        refused_addresses = totals.refused_addresses,
        refused_hosts = totals.refused_hosts,
        refused_origins = totals.refused_origins,
        timed_out_connections = totals.timed_out_connections,
        refused_by_reason = ?counters.refused_by_reason(),
        closed_by_reason = ?counters.closed_by_reason(),
        "stopped"
    );
}
