//! Connections over HTTP and gRPC, and their waits.

use super::super::kind::kinds::{COUNT, SMALL_SIZE, TIME};
use super::super::kind::{Form, Kind, Written, one};
use super::super::values;
use super::{Group, setting};

const STREAMS: Kind<u32> = Kind {
    form: Form {
        name: "N",
        written: Written::Number(1, u32::MAX as u64),
        many: false,
        expected: "a whole number, 1 or more",
        example: "100",
    },
    read: |texts| {
        one(texts, |text| {
            let count = values::count_within(text, 1, u32::MAX.into())?;
            u32::try_from(count).map_err(|error| error.to_string())
        })
    },
    write: |streams| vec![streams.to_string()],
};

pub(super) fn connections() -> Group {
    Group {
        title: "Connections",
        settings: vec![
            setting(
                "max-connections",
                COUNT,
                |draft| &mut draft.relay.connections.max,
                "The most open connections, sessions included",
            )
            .more("; one more is answered 503 and closed"),
            setting(
                "max-connections-per-address",
                COUNT,
                |draft| &mut draft.relay.connections.max_per_address,
                "The most open connections of one address, or one /64 of IPv6",
            ),
            setting(
                "head-timeout",
                TIME,
                |draft| &mut draft.relay.connections.head_timeout,
                "How long the head of a request may take, and the handshake of TLS",
            ),
            setting(
                "stall-timeout",
                TIME,
                |draft| &mut draft.relay.connections.stall_timeout,
                "How long a request may go without a byte in either direction",
            ),
            setting(
                "idle-timeout",
                TIME,
                |draft| &mut draft.relay.connections.idle_timeout,
                "How long a connection may lie idle between two requests",
            ),
        ],
    }
}

pub(super) fn grpc() -> Group {
    Group {
        title: "gRPC",
        settings: vec![
            setting(
                "grpc-max-connections",
                COUNT,
                |draft| &mut draft.relay.grpc.max_connections,
                "The most open gRPC connections",
            ),
            setting(
                "grpc-max-connections-per-address",
                COUNT,
                |draft| &mut draft.relay.grpc.max_connections_per_address,
                "The most open gRPC connections of one address, or one /64 of IPv6",
            ),
            setting(
                "grpc-max-streams",
                STREAMS,
                |draft| &mut draft.relay.grpc.max_streams,
                "The most calls at a time on one gRPC connection",
            ),
            setting(
                "grpc-max-headers",
                SMALL_SIZE,
                |draft| &mut draft.relay.grpc.max_header_list_bytes,
                "The longest head of a gRPC call",
            ),
            setting(
                "grpc-max-connection-age",
                TIME,
                |draft| &mut draft.relay.grpc.max_connection_age,
                "How old a gRPC connection may get before its client has to open a new one",
            ),
            setting(
                "grpc-age-grace",
                TIME,
                |draft| &mut draft.relay.grpc.age_grace,
                "How long calls under way may take then",
            ),
            setting(
                "grpc-keepalive-interval",
                TIME,
                |draft| &mut draft.relay.grpc.keepalive_interval,
                "How often a gRPC connection without traffic is asked whether it lives",
            ),
            setting(
                "grpc-keepalive-timeout",
                TIME,
                |draft| &mut draft.relay.grpc.keepalive_timeout,
                "How long the answer to that may take",
            ),
        ],
    }
}
