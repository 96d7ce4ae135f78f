//! Metrics of the fan-out: renderings, sessions, what they got and lost, the history.

use fanout::{FanoutConfig, Format, Snapshot};
use otlp_codec::Signal;

use super::families::Families;
use crate::counters::Watching;

pub(super) fn tell(counted: &Watching, now: &Snapshot, config: &FanoutConfig, to: &mut Families) {
    renderings(counted, to);
    sessions(counted, now, config, to);
    deliveries(counted, to);
    held(now, config, to);
    history(counted, now, config, to);
}

fn renderings(counted: &Watching, to: &mut Families) {
    to.counter(
        "publications_total",
        "Exports that got a number.",
        &counted.publications,
    );
    to.counter(
        "renderings_total",
        "Renderings, one for each export and view that is watched, and for each that is replayed.",
        &counted.renderings,
    );
    to.counter(
        "renderings_saved_total",
        "Renderings that there would be beside those if each session had a view of its own; \
         replayed ones don't count.",
        &counted.renderings_saved,
    );
    to.counter(
        "compressions_total",
        "Renderings that were compressed.",
        &counted.compressions,
    );
    to.counter(
        "compressions_saved_total",
        "Compressions that there would be beside those if each session had a view of its own.",
        &counted.compressions_saved,
    );
    to.counter(
        "compression_input_bytes_total",
        "Bytes of frames before compression.",
        &counted.deflate_in_bytes,
    );
    to.counter(
        "compression_output_bytes_total",
        "Bytes of the same frames after it; one that would not get shorter stays as it is.",
        &counted.deflate_out_bytes,
    );
    to.histogram(
        "render_seconds",
        "From the head of a request until a view has its export as frames, not yet compressed. \
         Waits for the sender are part of it.",
        &counted.rendered_seconds,
    );
}

fn sessions(counted: &Watching, now: &Snapshot, config: &FanoutConfig, to: &mut Families) {
    to.gauges(
        "sessions",
        "Sessions now, over WebSocket and as streams of lines.",
        |format: Format| now.formats[format as usize].sessions as f64,
    );
    to.gauge(
        "sessions_limit",
        "How many there may be; one more is told to come again.",
        config.max_sessions as f64,
    );
    to.gauge(
        "views",
        "Different views that are watched.",
        now.views as f64,
    );
    to.gauge(
        "views_limit",
        "How many there may be; who asks for one more is told to come again.",
        config.max_views as f64,
    );
    to.counter("sessions_opened_total", "Sessions begun.", &counted.opened);
    to.counter("sessions_closed_total", "Sessions ended.", &counted.closed);
    to.counter(
        "closes_unanswered_total",
        "Sessions that ended because the client did not do its part of the closing handshake in time.",
        &counted.given_up,
    );
    to.counter(
        "sessions_refused_total",
        "Requests to watch that were refused, but for those of `rules_broken_total`.",
        &counted.turned_away,
    );
    to.histogram(
        "ping_round_trip_seconds",
        "From a ping in the socket to its pong. What waits in front of it is part of that.",
        &counted.round_trip_seconds,
    );
}

fn deliveries(counted: &Watching, to: &mut Families) {
    to.counter(
        "deliveries_total",
        "Publications by the sessions that were to get them. Each is written, passed, dropped, \
         still to come, or was not waited for by a client that left.",
        &counted.deliveries,
    );
    to.counter(
        "frames_written_total",
        "Frames handed to sockets, replayed ones included.",
        &counted.frames,
    );
    to.counter(
        "frame_bytes_written_total",
        "Bytes of these frames, as they were sent.",
        &counted.frame_bytes,
    );
    to.counter(
        "publications_passed_total",
        "Publications of which nothing belongs to a session's view.",
        &counted.passed,
    );
    to.counter(
        "publications_dropped_total",
        "Publications that sessions lost.",
        &counted.dropped,
    );
    to.histogram(
        "delivery_seconds",
        "From the head of a request until the socket of a session has taken the frame; of several \
         that are written at once, for the oldest. Each session counts. Replayed ones don't.",
        &counted.delivered_seconds,
    );
}

fn held(now: &Snapshot, config: &FanoutConfig, to: &mut Families) {
    to.gauges(
        "lag_publications",
        "Publications that the session has yet to take which lags most.",
        |format: Format| now.formats[format as usize].lag_frames as f64,
    );
    to.gauge(
        "lag_publications_limit",
        "At how many a session loses its oldest.",
        config.lag_frames as f64,
    );
    to.gauges(
        "lag_bytes",
        "Bytes that the session has yet to take which lags most.",
        |format: Format| now.formats[format as usize].lag_bytes as f64,
    );
    to.gauge(
        "lag_bytes_limit",
        "At how many a session loses its oldest.",
        config.lag_bytes as f64,
    );
    to.gauge(
        "logs_bytes",
        "Bytes in the logs of all views.",
        now.log_bytes as f64,
    );
    to.gauge(
        "logs_bytes_limit",
        "At how many the longest log loses its oldest.",
        config.lag_total_bytes as f64,
    );
    to.gauge(
        "frames_held_bytes",
        "Bytes of frames, wherever they are held.",
        now.frame_bytes as f64,
    );
    to.gauge(
        "frames_held_bytes_limit",
        "At how many sessions are cut off whose clients take nothing.",
        config.frames_total_bytes as f64,
    );
    to.gauge(
        "replay_cache_bytes",
        "Bytes of replayed frames that are held for others.",
        now.replay_cache_bytes as f64,
    );
    to.gauge(
        "replay_cache_bytes_limit",
        "At how many the oldest of them go.",
        config.replay_cache_bytes as f64,
    );
}

fn history(counted: &Watching, now: &Snapshot, config: &FanoutConfig, to: &mut Families) {
    to.gauges(
        "history_publications",
        "Publications in the history.",
        |signal: Signal| now.history[signal as usize].len as f64,
    );
    to.gauges(
        "history_bytes",
        "Bytes in the history, with what each publication costs beside.",
        |signal: Signal| now.history[signal as usize].bytes as f64,
    );
    to.gauge(
        "history_bytes_limit",
        "At how many bytes of a signal its oldest go.",
        config.history_bytes as f64,
    );
    to.gauge(
        "replaying_sessions",
        "Sessions that still read in the history.",
        now.replaying as f64,
    );
    to.counter(
        "resumptions_total",
        "Clients that came back, by whether everything was here that they had missed.",
        &counted.resumed,
    );
}
