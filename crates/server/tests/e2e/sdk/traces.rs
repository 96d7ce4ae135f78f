//! Traces: a span that has everything, in one that has next to nothing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opentelemetry::trace::{
    Event, Link, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use serde_json::{Value, json};

use super::{COMPRESSIONS, PROTOCOLS, attribute, over_grpc, over_http, resource, resource_json};
use super::{runtime, scope, scope_json, sorted, time, time_json};
use crate::support::{Relay, Watcher};

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const LINKED: &str = "b7ad6b7169203331";

/// Scenario: the SDK sends two spans, as protobuf and as JSON, with and without gzip.
/// Guarantees: the watcher sees exactly that, as OTLP JSON.
#[test]
fn http() {
    for protocol in PROTOCOLS {
        for compression in COMPRESSIONS {
            let relay = Relay::start();
            let builder = SpanExporter::builder().with_http();
            let builder = over_http(builder, &relay, "traces", protocol, compression);
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
        let builder = SpanExporter::builder().with_tonic();
        let builder = over_grpc(builder, relay.grpc_address(), compression);
        let frame = export(&relay, builder.build().unwrap());
        assert_eq!(frame, expected(), "{compression:?}");
    }
}

/// Exports once; the frame that comes of it, in the order of [`sorted`].
fn export(relay: &Relay, exporter: SpanExporter) -> Value {
    let mut watcher = Watcher::connect_to(relay.address(), "/ws/traces");
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_id_generator(Counted(AtomicU64::new(0)))
        .with_batch_exporter(exporter)
        .build();
    record(&provider);
    provider.force_flush().unwrap();
    let frame = sorted(watcher.frame());
    provider.shutdown().unwrap();
    frame
}

/// One trace; its spans are 1, 2 and so on.
#[derive(Debug)]
struct Counted(AtomicU64);

impl IdGenerator for Counted {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from_hex(TRACE_ID).unwrap()
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.0.fetch_add(1, Relaxed) + 1)
    }
}

fn record(provider: &SdkTracerProvider) {
    let tracer = provider.tracer_with_scope(scope());
    let outer = tracer.span_builder("outer").with_start_time(time(1));
    let outer = Context::new().with_span(outer.start_with_context(&tracer, &Context::new()));
    let event = Event::new(
        "it happened",
        time(999_999_999),
        vec![KeyValue::new("path", "/ü")],
        0,
    );
    let mut inner = tracer
        .span_builder("inner")
        .with_kind(SpanKind::Server)
        .with_start_time(time(2))
        .with_attributes([
            KeyValue::new("big", i64::MAX),
            KeyValue::new("ok", true),
            KeyValue::new("ratio", 0.5),
        ])
        .with_events(vec![event])
        .with_links(vec![link()])
        .start_with_context(&tracer, &outer);
    inner.set_status(Status::error("broken \"thing\""));
    inner.end_with_timestamp(time(1_000_000_000));
    outer.span().end_with_timestamp(time(1_000_000_001));
}

/// To a span that is not sampled, elsewhere.
fn link() -> Link {
    let state = TraceState::from_key_value([("vendor", "value")]).unwrap();
    let context = SpanContext::new(
        TraceId::from_hex(TRACE_ID).unwrap(),
        SpanId::from_hex(LINKED).unwrap(),
        TraceFlags::default(),
        true,
        state,
    );
    Link::new(context, vec![KeyValue::new("why", "to link")], 0)
}

/// What was recorded, as OTLP JSON. Flags are those of W3C's trace context, with 0x100 for a
/// parent that is known to be local or remote, and 0x200 for a remote one.
fn expected() -> Value {
    let link = json!({
        "traceId": TRACE_ID, "spanId": LINKED, "traceState": "vendor=value", "flags": 0x300,
        "attributes": [attribute("why", &json!({"stringValue": "to link"}))],
    });
    let event = json!({
        "name": "it happened", "timeUnixNano": time_json(999_999_999),
        "attributes": [attribute("path", &json!({"stringValue": "/ü"}))],
    });
    let spans = json!([
        {
            "traceId": TRACE_ID, "spanId": "0000000000000002", "flags": 0x101,
            "parentSpanId": "0000000000000001", "name": "inner", "kind": 2,
            "startTimeUnixNano": time_json(2), "endTimeUnixNano": time_json(1_000_000_000),
            "attributes": [
                attribute("big", &json!({"intValue": "9223372036854775807"})),
                attribute("ok", &json!({"boolValue": true})),
                attribute("ratio", &json!({"doubleValue": 0.5})),
            ],
            "events": [event], "links": [link],
            "status": {"message": "broken \"thing\"", "code": 2},
        },
        {
            "traceId": TRACE_ID, "spanId": "0000000000000001", "flags": 0x101,
            "name": "outer", "kind": 1,
            "startTimeUnixNano": time_json(1), "endTimeUnixNano": time_json(1_000_000_001),
            "status": {},
        },
    ]);
    json!({"resourceSpans": [{
        "resource": resource_json(),
        "schemaUrl": "https://example.com/schema",
        "scopeSpans": [{
            "schemaUrl": "https://example.com/scope",
            "scope": scope_json(),
            "spans": spans,
        }],
    }]})
}
