//! What is received, shown and kept.

use fanout::Slow;

use super::super::kind::kinds::{COUNT, MAYBE_SIZE, SIZE, SIZE_OR_ZERO, SWITCH, TIME};
use super::super::kind::{Form, Kind, Written, one};
use super::{Group, setting};

const SLOW: Kind<Slow> = Kind {
    form: Form {
        name: "WHAT",
        written: Written::Word(&[Slow::ALL[0].as_str(), Slow::ALL[1].as_str()]),
        many: false,
        expected: "drop-oldest or disconnect",
        example: "disconnect",
    },
    read: |texts| {
        one(texts, |text| {
            let known = Slow::ALL.into_iter().find(|slow| slow.as_str() == text);
            known.ok_or_else(|| "expected drop-oldest or disconnect".to_owned())
        })
    },
    write: |slow| vec![slow.as_str().to_owned()],
};

pub(super) fn data() -> Group {
    Group {
        title: "What is received and kept",
        settings: vec![
            setting(
                "max-body",
                SIZE,
                |draft| &mut draft.relay.ingest.max_body_bytes,
                "The longest request body, sent and inflated",
            )
            .more("; longer ones are refused with 413")
            .common(),
            setting(
                "max-requests",
                COUNT,
                |draft| &mut draft.relay.ingest.max_requests,
                "The most requests in flight",
            )
            .more("; one more is told to come again"),
            setting(
                "max-requests-bytes",
                MAYBE_SIZE,
                |draft| &mut draft.max_requests_bytes,
                "The most memory for the bodies of all requests in flight",
            )
            .more("; JSON takes twice its length, and what doesn't fit is told to come again")
            .default_words("256MiB, or twice as much as one body may be long"),
            setting(
                "body-timeout",
                TIME,
                |draft| &mut draft.relay.ingest.body_timeout,
                "How long a request body may take",
            ),
            setting(
                "lenient-content-type",
                SWITCH,
                |draft| &mut draft.relay.ingest.lenient_content_type,
                "Take bodies of a missing or unknown Content-Type as protobuf",
            )
            .more(" instead of refusing them; never those that a web page sends"),
            setting(
                "profiles",
                SWITCH,
                |draft| &mut draft.relay.ingest.profiles,
                "Receive and show profiles too",
            )
            .more(", at /v1development/profiles and /ws/profiles; in OTLP they are in development"),
            setting(
                "history-bytes",
                SIZE_OR_ZERO,
                |draft| &mut draft.relay.fanout.history_bytes,
                "How much of each signal is kept for latecomers",
            )
            .more(" and those who come back, counted as protobuf; 0 keeps nothing")
            .common(),
            setting(
                "history-age",
                TIME,
                |draft| &mut draft.relay.fanout.history_age,
                "How long it is kept",
            ),
        ],
    }
}

pub(super) fn watching() -> Group {
    Group {
        title: "Who watches",
        settings: vec![
            setting(
                "max-sessions",
                COUNT,
                |draft| &mut draft.relay.fanout.max_sessions,
                "The most sessions, of WebSocket and of streams",
            )
            .more("; one more is told to come again"),
            setting(
                "max-views",
                COUNT,
                |draft| &mut draft.relay.fanout.max_views,
                "The most different views that are watched at a time",
            )
            .more("; one more is told to come again"),
            setting(
                "max-lag",
                SIZE,
                |draft| &mut draft.relay.fanout.lag_bytes,
                "How far a client may fall behind",
            ),
            setting(
                "max-lag-total",
                SIZE,
                |draft| &mut draft.relay.fanout.lag_total_bytes,
                "How much all views together may hold for clients that fall behind",
            ),
            setting(
                "slow",
                SLOW,
                |draft| &mut draft.relay.fanout.slow,
                "What becomes of a client that falls behind further, unless it says itself",
            )
            .more(": it loses its oldest frames, or is closed"),
            setting(
                "max-frame",
                SIZE,
                |draft| &mut draft.relay.fanout.frame_bytes,
                "The longest frame",
            )
            .more("; an export that is longer as JSON is dropped and counted"),
            setting(
                "compression",
                SWITCH,
                |draft| &mut draft.relay.fanout.compression,
                "Whether frames are compressed for clients that offer permessage-deflate",
            ),
            setting(
                "ping-interval",
                TIME,
                |draft| &mut draft.relay.fanout.ping_interval,
                "How often clients are pinged",
            )
            .more("; one that is silent for as long again is closed"),
        ],
    }
}
