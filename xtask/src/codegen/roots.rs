//! What the generators of walks share: where walks begin, and what their functions are called.

use anyhow::Result;
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, MessageInfo, snake_case};

/// The requests that walks begin with, by the name of their signal.
pub(super) const ROOTS: [(&str, &str); 4] = [
    (
        "metrics",
        ".opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
    ),
    (
        "traces",
        ".opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
    ),
    (
        "logs",
        ".opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
    ),
    (
        "profiles",
        ".opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest",
    ),
];

/// The places of all messages that some request can hold, ascending.
pub(super) fn reached(descriptors: &Descriptors) -> Result<Vec<usize>> {
    let mut reached = Vec::new();
    let mut todo = Vec::new();
    for (_, message) in ROOTS {
        todo.push(descriptors.index_of(message)?);
    }
    while let Some(index) = todo.pop() {
        if reached.contains(&index) {
            continue;
        }
        reached.push(index);
        for field in descriptors.messages()[index].fields() {
            if field.descriptor.r#type() == Type::Message {
                todo.push(descriptors.index_of(field.descriptor.type_name())?);
            }
        }
    }
    reached.sort_unstable();
    Ok(reached)
}

/// The name of a message's function: `metrics_v1_number_data_point`.
pub(super) fn function(message: &MessageInfo) -> String {
    let name = message
        .name
        .split('.')
        .map(snake_case)
        .collect::<Vec<_>>()
        .join("_");
    format!("{}_{name}", message.package.0.replace('.', "_"))
}

/// The numbers of a message's fields, to tell one of another wire type from an unknown field.
pub(super) fn numbers(message: &MessageInfo) -> String {
    let numbers = message
        .fields()
        .map(|field| field.descriptor.number().to_string());
    numbers.collect::<Vec<_>>().join(",")
}
