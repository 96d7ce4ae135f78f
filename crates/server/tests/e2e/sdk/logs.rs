//! Logs: a record in a span, with a body of every kind of value, and one with next to nothing.

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_otlp::LogExporter;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use serde_json::{Value, json};

use super::{COMPRESSIONS, PROTOCOLS, attribute, over_grpc, over_http, resource, resource_json};
use super::{runtime, scope, scope_json, sorted, time, time_json};
use crate::support::{Relay, Watcher};

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID: &str = "b7ad6b7169203331";

/// Scenario: the SDK sends two records, as protobuf and as JSON, with and without gzip.
/// Guarantees: the watcher sees exactly that, as OTLP JSON.
#[test]
fn http() {
    for protocol in PROTOCOLS {
        for compression in COMPRESSIONS {
            let relay = Relay::start();
            let builder = LogExporter::builder().with_http();
            let builder = over_http(builder, &relay, "logs", protocol, compression);
            let frame = export(&relay, builder.build().unwrap());
            assert_eq!(frame, expected(), "{protocol:?} {compression:?}");
        }
    }
}

/// Scenario: the same over gRPC, with and without gzip.
/// Guarantees: the watcher sees the same.
#[test]
fn grpc() {
    let runtime = runtime();
    let _runtime = runtime.enter();
    for compression in COMPRESSIONS {
        let relay = Relay::with(&["--grpc-listen", "127.0.0.1:0"]);
        let builder = LogExporter::builder().with_tonic();
        let builder = over_grpc(builder, relay.grpc_address(), compression);
        let frame = export(&relay, builder.build().unwrap());
        assert_eq!(frame, expected(), "{compression:?}");
    }
}

/// Exports once; the frame that comes of it, in the order of [`sorted`].
fn export(relay: &Relay, exporter: LogExporter) -> Value {
    let mut watcher = Watcher::connect_to(relay.address(), "/ws/logs");
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build();
    record(&provider);
    provider.force_flush().unwrap();
    let frame = sorted(watcher.frame());
    provider.shutdown().unwrap();
    frame
}

fn record(provider: &SdkLoggerProvider) {
    let logger = provider.logger_with_scope(scope());
    let mut full = logger.create_log_record();
    full.set_event_name("my.event");
    full.set_timestamp(time(1));
    full.set_observed_timestamp(time(2));
    full.set_severity_number(Severity::Warn);
    full.set_severity_text("WARN");
    full.set_body(tree());
    full.add_attribute("path", "/ü");
    full.add_attribute("attempt", 3);
    full.set_trace_context(
        TraceId::from_hex(TRACE_ID).unwrap(),
        SpanId::from_hex(SPAN_ID).unwrap(),
        Some(TraceFlags::SAMPLED),
    );
    logger.emit(full);

    let mut plain = logger.create_log_record();
    plain.set_observed_timestamp(time(3));
    plain.set_body("line\n\"quoted\"".into());
    logger.emit(plain);
}

/// One of each kind of value, two in another.
fn tree() -> AnyValue {
    let bytes = AnyValue::Bytes(Box::new(vec![0, 255, 16]));
    let list = [AnyValue::Int(i64::MIN), AnyValue::Boolean(false), bytes];
    let inner = AnyValue::from_iter([("double", AnyValue::Double(1e300))]);
    AnyValue::from_iter([
        ("list", AnyValue::ListAny(Box::new(list.into()))),
        ("map", inner),
    ])
}

/// What was recorded, as OTLP JSON in the order of [`sorted`].
fn expected() -> Value {
    let list = json!([
        {"intValue": "-9223372036854775808"}, {"boolValue": false}, {"bytesValue": "AP8Q"},
    ]);
    let map = json!([attribute("double", &json!({"doubleValue": 1e300}))]);
    let body = json!([
        attribute("list", &json!({"arrayValue": {"values": list}})),
        attribute("map", &json!({"kvlistValue": {"values": map}})),
    ]);
    let records = json!([
        {"observedTimeUnixNano": time_json(3), "body": {"stringValue": "line\n\"quoted\""}},
        {
            "timeUnixNano": time_json(1), "observedTimeUnixNano": time_json(2),
            "severityNumber": 13, "severityText": "WARN", "eventName": "my.event",
            "body": {"kvlistValue": {"values": body}},
            "attributes": [
                attribute("attempt", &json!({"intValue": "3"})),
                attribute("path", &json!({"stringValue": "/ü"})),
            ],
            "traceId": TRACE_ID, "spanId": SPAN_ID, "flags": 1,
        },
    ]);
    json!({"resourceLogs": [{
        "resource": resource_json(),
        "schemaUrl": "https://example.com/schema",
        "scopeLogs": [{
            "schemaUrl": "https://example.com/scope",
            "scope": scope_json(),
            "logRecords": records,
        }],
    }]})
}
