//! Metrics of connections, of requests over HTTP, and of what is read again.

use super::State;
use super::families::Families;
use crate::counters::Connecting;
use crate::counters::labels::Listener;

pub(super) fn tell(counted: &Connecting, state: &State, to: &mut Families) {
    to.gauges(
        "connections",
        "Open connections, those of sessions included.",
        |listener: Listener| state.connections[listener as usize].now,
    );
    to.gauges(
        "connections_limit",
        "How many there may be; one more is answered 503, or closed over gRPC.",
        |listener: Listener| state.connections[listener as usize].limit,
    );
    to.counter(
        "connections_accepted_total",
        "Connections that got a place.",
        &counted.accepted,
    );
    to.counter(
        "connections_refused_total",
        "Connections refused because of their number, and requests through a trusted proxy because \
         of that of their client.",
        &counted.refused,
    );
    to.counter(
        "connections_timed_out_total",
        "Connections closed because the client kept the relay waiting, by what for. `idle` is the \
         usual end of a connection that is not used.",
        &counted.timed_out,
    );
    to.counter(
        "tls_handshakes_failed_total",
        "Connections closed because TLS could not begin.",
        &counted.failed_handshakes,
    );
    to.counter(
        "http_requests_total",
        "Requests over HTTP whose head was read, whatever they asked for.",
        &counted.requests,
    );
    to.counter(
        "http_responses_total",
        "Answers to them. An upgrade to WebSocket is 1xx.",
        &counted.responses,
    );
    to.counter(
        "rules_broken_total",
        "Requests refused because of their Host, their Origin, or a missing or wrong token of a \
         watcher; of a Host or a token that is malformed or there twice, too.",
        &counted.broken_rules,
    );
    to.counter(
        "reloads_total",
        "Files that were read again: on SIGHUP, and when they had changed.",
        &counted.reloads,
    );
    if let Some(expires) = state.certificate_expires {
        to.gauge(
            "tls_certificate_expiry_timestamp_seconds",
            "When the first certificate of the chain expires that the relay shows, in seconds since \
             1970; only with TLS.",
            expires as f64,
        );
    }
}
