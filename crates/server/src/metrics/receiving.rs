//! Metrics of exports.

use super::State;
use super::families::Families;
use crate::counters::Receiving;

pub(super) fn tell(counted: &Receiving, state: &State, to: &mut Families) {
    to.counter("exports_total", "Exports accepted.", &counted.exports);
    to.counter(
        "items_total",
        "Data points, spans, log records and profiles in accepted exports.",
        &counted.items,
    );
    to.counter(
        "export_bytes_total",
        "Bytes of accepted exports, as protobuf and inflated.",
        &counted.bytes,
    );
    to.counter(
        "rejected_items_total",
        "Items taken out of accepted exports and told as partial success.",
        &counted.rejected,
    );
    to.counter(
        "refused_requests_total",
        "Requests to export that were refused, or whose client went away.",
        &counted.refused,
    );
    to.histogram(
        "export_seconds",
        "From the head of an accepted request until its export has a number: reading, inflating \
         and checking the body. Waits for the client are part of it.",
        &counted.seconds,
    );
    to.gauge(
        "requests_in_flight",
        "Requests to export in flight.",
        state.requests.now,
    );
    to.gauge(
        "requests_in_flight_limit",
        "How many there may be; one more is told to come again.",
        state.requests.limit,
    );
    to.gauge(
        "requests_in_flight_bytes",
        "Bytes that they hold.",
        state.request_bytes.now,
    );
    to.gauge(
        "requests_in_flight_bytes_limit",
        "How many bytes they may hold; a request that needs more is told to come again.",
        state.request_bytes.limit,
    );
    to.gauge(
        "decoders_busy",
        "Long bodies that are decoded at the moment.",
        state.decoders.now,
    );
    to.gauge(
        "decoders_limit",
        "How many there may be at a time; one more waits for its turn.",
        state.decoders.limit,
    );
    to.count(
        "decoder_waits_total",
        "Long bodies that had to wait for their turn to be decoded.",
        state.decoder_waits,
    );
}
