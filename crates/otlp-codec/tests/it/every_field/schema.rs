//! The messages as `proto/` declares them, read by a compiler that the codec has no part in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use otlp_codec::Signal;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// The four requests, in the order of [`Signal::ALL`].
static REQUESTS: LazyLock<[MessageDescriptor; 4]> = LazyLock::new(|| {
    const FOLDERS: [(&str, &str); 4] = [
        ("metrics/v1/metrics", "metrics.v1.ExportMetrics"),
        ("trace/v1/trace", "trace.v1.ExportTrace"),
        ("logs/v1/logs", "logs.v1.ExportLogs"),
        (
            "profiles/v1development/profiles",
            "profiles.v1development.ExportProfiles",
        ),
    ];
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([root]).unwrap();
    for (file, _) in FOLDERS {
        let path = format!("opentelemetry/proto/collector/{file}_service.proto");
        compiler.open_file(path).unwrap();
    }
    let pool = compiler.descriptor_pool();
    FOLDERS.map(|(_, name)| {
        let name = format!("opentelemetry.proto.collector.{name}ServiceRequest");
        pool.get_message_by_name(&name).unwrap()
    })
});

/// The request of a signal.
pub(super) fn request(signal: Signal) -> &'static MessageDescriptor {
    let at = Signal::ALL.iter().position(|known| *known == signal);
    &REQUESTS[at.unwrap()]
}

/// Every message that a request can hold, by name.
pub(super) fn reachable() -> BTreeMap<String, MessageDescriptor> {
    let mut found = BTreeMap::new();
    let mut todo: Vec<MessageDescriptor> = REQUESTS.to_vec();
    while let Some(message) = todo.pop() {
        if found.contains_key(message.full_name()) {
            continue;
        }
        for field in message.fields() {
            todo.extend(field.kind().as_message().cloned());
        }
        found.insert(message.full_name().to_owned(), message);
    }
    found
}

/// The length of an id in bytes, if the field is one (comments of the `.proto` files; OTLP spec,
/// "JSON Protobuf Encoding").
pub(super) fn id_length(field: &FieldDescriptor) -> Option<usize> {
    match (field.kind(), field.name()) {
        (Kind::Bytes, "trace_id" | "profile_id") => Some(16),
        (Kind::Bytes, "span_id" | "parent_span_id") => Some(8),
        _ => None,
    }
}

/// Whether absence is not told apart from the default.
pub(super) fn is_implicit(field: &FieldDescriptor) -> bool {
    !field.supports_presence() && !field.is_list()
}
