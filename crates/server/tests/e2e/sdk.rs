//! The official OpenTelemetry SDK for Rust as the sender: every signal by HTTP/protobuf, HTTP/JSON
//! and gRPC, each with and without gzip.

mod logs;
mod metrics;
mod traces;

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value as Attribute};
use opentelemetry_otlp::{
    Compression, Protocol, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::support::Relay;

const PROTOCOLS: [Protocol; 2] = [Protocol::HttpBinary, Protocol::HttpJson];
const COMPRESSIONS: [Option<Compression>; 2] = [Some(Compression::Gzip), None];

/// What the exporters over gRPC live on; it has to be entered while they are made.
fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// An exporter over HTTP to the path of a signal.
fn over_http<B: WithExportConfig + WithHttpConfig>(
    builder: B,
    relay: &Relay,
    signal: &str,
    protocol: Protocol,
    compression: Option<Compression>,
) -> B {
    let endpoint = format!("http://{}/v1/{signal}", relay.address());
    let builder = builder.with_endpoint(endpoint).with_protocol(protocol);
    match compression {
        Some(compression) => builder.with_compression(compression),
        None => builder,
    }
}

/// An exporter over gRPC.
fn over_grpc<B: WithExportConfig + WithTonicConfig>(
    builder: B,
    address: SocketAddr,
    compression: Option<Compression>,
) -> B {
    let builder = builder.with_endpoint(format!("http://{address}"));
    match compression {
        Some(compression) => builder.with_compression(compression),
        None => builder,
    }
}

fn resource() -> Resource {
    let strings: Vec<StringValue> = vec!["ä".into(), "\"".into()];
    let attributes = [
        KeyValue::new("service.name", "checkout"),
        KeyValue::new("bool", false),
        KeyValue::new("double", -0.25),
        KeyValue::new("int", i64::MIN),
        KeyValue::new("strings", Attribute::Array(strings.into())),
        KeyValue::new("none", Attribute::Array(Array::I64(Vec::new()))),
    ];
    Resource::builder_empty()
        .with_schema_url(attributes, "https://example.com/schema")
        .build()
}

/// [`resource`], as JSON in the order of [`sorted`].
fn resource_json() -> Value {
    let strings = json!([{"stringValue": "ä"}, {"stringValue": "\""}]);
    json!({"attributes": [
        attribute("bool", &json!({"boolValue": false})),
        attribute("double", &json!({"doubleValue": -0.25})),
        attribute("int", &json!({"intValue": "-9223372036854775808"})),
        attribute("none", &json!({"arrayValue": {}})),
        attribute("service.name", &json!({"stringValue": "checkout"})),
        attribute("strings", &json!({"arrayValue": {"values": strings}})),
    ]})
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("my.library")
        .with_version("1.2.3")
        .with_schema_url("https://example.com/scope")
        .with_attributes([KeyValue::new("scope", true)])
        .build()
}

/// [`scope`], as JSON.
fn scope_json() -> Value {
    json!({
        "name": "my.library", "version": "1.2.3",
        "attributes": [attribute("scope", &json!({"boolValue": true}))],
    })
}

fn attribute(key: &str, value: &Value) -> Value {
    json!({"key": key, "value": value})
}

/// A time that no double holds.
fn time(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_000 + nanos)
}

/// [`time`], as JSON.
fn time_json(nanos: u64) -> Value {
    json!((1_700_000_000_000_000_000 + nanos).to_string())
}

/// Puts into order what the SDK keeps in hash maps: attributes by key, metrics by name, points by
/// their attributes.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sorted).collect();
            values.sort_by_key(|value| {
                let rank = ["key", "name", "attributes"].map(|field| value.get(field));
                rank.map(|field| field.map(Value::to_string))
            });
            Value::Array(values)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, value)| (name, sorted(value))).collect())
        }
        other => other,
    }
}
