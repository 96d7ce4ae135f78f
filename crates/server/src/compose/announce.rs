//! What the log says when the relay starts and when it ends.

use std::net::SocketAddr;

use ingest::Decoders;
use tracing::{info, warn};

use super::reload::Files;
use crate::counters::Counters;
use crate::gate::is_loopback;

/// One line for each address, with how to be reached, and a warning if that is too easy.
pub(super) fn listening(addresses: &[SocketAddr], grpc: &[SocketAddr], files: &Files) {
    let scheme = scheme(files);
    for address in addresses {
        let reach = reach(*address, "--listen");
        info!("listening on {scheme}://{address} ({reach})");
    }
    for address in grpc {
        let with = match files.tls {
            Some(_) => " with TLS",
            None => "",
        };
        let reach = reach(*address, "--grpc-listen");
        info!("listening for OTLP/gRPC on {address}{with} ({reach})");
    }
    let (watchers, senders) = (wide(addresses), wide(addresses) || wide(grpc));
    warn_of_strangers(files, senders, watchers);
}

/// The same of the addresses for metrics alone, where there may be none `shown`.
pub(super) fn pages(addresses: &[SocketAddr], shown: bool, files: &Files) {
    let scheme = scheme(files);
    for address in addresses {
        let reach = reach(*address, "--metrics-listen");
        match shown {
            true => info!("metrics are at {scheme}://{address}/metrics, without a token ({reach})"),
            false => info!("/healthz and /readyz are at {scheme}://{address} ({reach})"),
        }
    }
    if shown && wide(addresses) && !asks_clients(files) {
        warn!(
            "whoever can reach the address of --metrics-listen may read the metrics, without a \
             token: keep it inside a network that you trust"
        );
    }
}

fn scheme(files: &Files) -> &'static str {
    match files.tls {
        Some(_) => "https",
        None => "http",
    }
}

/// Whether others than this machine can reach one of these.
fn wide(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|at| !is_loopback(at.ip()))
}

/// Whether every client has to show a certificate.
fn asks_clients(files: &Files) -> bool {
    files.tls.as_ref().is_some_and(|tls| tls.asks_clients())
}

/// Who can connect to an address that `flag` chose.
fn reach(address: SocketAddr, flag: &str) -> String {
    match is_loopback(address.ip()) {
        true => {
            let port = address.port();
            format!("this machine only; to be reachable from others: {flag} 0.0.0.0:{port}")
        }
        false => "reachable from other machines".to_owned(),
    }
}

/// Says what others may do who can reach the doors for senders and for watchers, and what to do
/// about it.
fn warn_of_strangers(files: &Files, senders: bool, watchers: bool) {
    let Files { tokens, tls, .. } = files;
    let known = asks_clients(files);
    let may_send = senders && tokens.senders.is_none();
    let may_watch = watchers && tokens.watchers.is_none();
    let open = match (may_send, may_watch) {
        (true, true) => Some((
            "send and watch",
            "--ingest-token-file and --watch-token-file",
        )),
        (true, false) => Some(("send", "--ingest-token-file")),
        (false, true) => Some(("watch", "--watch-token-file")),
        (false, false) => None,
    };
    if let (Some((what, flags)), false) = (open, known) {
        warn!(
            "whoever can reach this address may {what} without a token: set {flags}, keep it \
             inside a network that you trust, or put a proxy with authentication in front"
        );
    }
    let asks = (senders && tokens.senders.is_some()) || (watchers && tokens.watchers.is_some());
    if asks && tls.is_none() {
        warn!("tokens and telemetry go over the network in clear: set --tls-cert and --tls-key");
    }
}

/// What was done, as the last line.
pub(super) fn totals(counters: &Counters, decoders: &Decoders) {
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
        failed_handshakes = totals.failed_handshakes,
        refused_addresses = totals.refused_addresses,
        refused_hosts = totals.refused_hosts,
        refused_origins = totals.refused_origins,
        refused_watchers = totals.refused_watchers,
        timed_out_connections = totals.timed_out_connections,
        waited_for_decoder = decoders.waited(),
        failed_reloads = totals.failed_reloads,
        refused_by_reason = ?counters.refused_by_reason(),
        dropped_by_reason = ?counters.dropped_by_reason(),
        closed_by_reason = ?counters.closed_by_reason(),
        "stopped"
    );
}
