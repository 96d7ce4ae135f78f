//! Metrics: every instrument, both kinds of histogram, and values that JSON has no number for.

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::{MetricExporter, Protocol};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, SdkMeterProvider, Stream};
use serde_json::{Value, json};

use super::{COMPRESSIONS, attribute, over_grpc, over_http, resource, resource_json, runtime};
use super::{scope, scope_json, sorted};
use crate::support::{Relay, Watcher};

/// 2^53 + 1, which no double holds.
const BIG: u64 = 9_007_199_254_740_993;

/// Scenario: the SDK sends everything that it has, as protobuf with and without gzip.
/// Guarantees: the watcher sees exactly that, as OTLP JSON.
#[test]
fn protobuf() {
    for compression in COMPRESSIONS {
        let relay = Relay::start();
        let builder = MetricExporter::builder().with_http();
        let builder = over_http(
            builder,
            &relay,
            "metrics",
            Protocol::HttpBinary,
            compression,
        );
        let frame = export(&relay, builder.build().unwrap());
        let expected = expected(&json!({"asDouble": "Infinity"}));
        assert_eq!(frame, expected, "{compression:?}");
    }
}

/// Scenario: the same as JSON. What the SDK (0.33.1) writes differs from what its protobuf says
/// in one place: `asDouble` of an infinite or NaN point is `null` (it is serde_json's number, while
/// `quantile` and `value` of summaries go through `serialize_f64_special`), which is ProtoJSON for
/// an absent field.
/// Guarantees: the watcher sees the same, but for that point, which has no value.
#[test]
fn json() {
    for compression in COMPRESSIONS {
        let relay = Relay::start();
        let builder = MetricExporter::builder().with_http();
        let builder = over_http(builder, &relay, "metrics", Protocol::HttpJson, compression);
        let frame = export(&relay, builder.build().unwrap());
        assert_eq!(frame, expected(&json!({})), "{compression:?}");
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
        let builder = MetricExporter::builder().with_tonic();
        let builder = over_grpc(builder, relay.grpc_address(), compression);
        let frame = export(&relay, builder.build().unwrap());
        let expected = expected(&json!({"asDouble": "Infinity"}));
        assert_eq!(frame, expected, "{compression:?}");
    }
}

/// Exports once; the frame that comes of it, in the order of [`sorted`].
fn export(relay: &Relay, exporter: MetricExporter) -> Value {
    let mut watcher = Watcher::connect(relay.address());
    let provider = SdkMeterProvider::builder()
        .with_resource(resource())
        .with_periodic_exporter(exporter)
        .with_view(exponential)
        .build();
    record(&provider);
    provider.force_flush().unwrap();
    let frame = without_times(sorted(watcher.frame()));
    provider.shutdown().unwrap();
    frame
}

/// Makes the instrument `exponential` what its name says.
fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: 160,
        max_scale: 1,
        record_min_max: true,
    };
    let stream = Stream::builder().with_aggregation(aggregation);
    (instrument.name() == "exponential").then(|| stream.build().unwrap())
}

fn record(provider: &SdkMeterProvider) {
    let meter = provider.meter_with_scope(scope());

    let requests = meter.u64_counter("requests").with_unit("{request}").build();
    requests.add(BIG - 2, &[KeyValue::new("code", 200)]);
    requests.add(2, &[KeyValue::new("code", 200)]);
    requests.add(0, &[KeyValue::new("code", 500)]);

    meter
        .i64_up_down_counter("balance")
        .with_description("what is left")
        .build()
        .add(-7, &[]);

    let temperature = meter.f64_gauge("temperature").build();
    let room = [
        KeyValue::new("room", "attic"),
        KeyValue::new("heated", false),
        KeyValue::new("size", 12.5),
    ];
    temperature.record(21.0, &room);
    temperature.record(-1.5, &room);
    // The SDK takes no such values.
    temperature.record(f64::NAN, &room);
    temperature.record(f64::INFINITY, &[]);

    // But it can add up to one.
    let overflow = meter.f64_counter("overflow").build();
    overflow.add(f64::MAX, &[]);
    overflow.add(f64::MAX, &[]);

    let explicit = meter
        .f64_histogram("explicit")
        .with_boundaries(vec![1.5, 10.5]);
    let explicit = explicit.build();
    let exponential = meter.f64_histogram("exponential").build();
    for value in [0.5, 1.5, 5.25, 100.5] {
        explicit.record(value, &[]);
    }
    for value in [1.5, 2.5, 4.5, 4.5, -3.5, 0.0] {
        exponential.record(value, &[]);
    }
}

/// What was recorded, as OTLP JSON in the order of [`sorted`]; `infinite` is what is left of the
/// value of `overflow`.
fn expected(infinite: &Value) -> Value {
    let point = |value: Value| {
        let mut point = json!({"startTimeUnixNano": "TIME", "timeUnixNano": "TIME"});
        let fields = value.as_object().unwrap().clone();
        point.as_object_mut().unwrap().extend(fields);
        point
    };
    let code = |code: &str| [attribute("code", &json!({"intValue": code}))];
    let metrics = json!([
        {"name": "balance", "description": "what is left", "sum": {
            "aggregationTemporality": 2,
            "dataPoints": [point(json!({"asInt": "-7"}))],
        }},
        {"name": "explicit", "histogram": {
            "aggregationTemporality": 2,
            "dataPoints": [point(json!({
                "count": "4", "sum": 107.75, "min": 0.5, "max": 100.5,
                "explicitBounds": [1.5, 10.5], "bucketCounts": ["2", "1", "1"],
            }))],
        }},
        {"name": "exponential", "exponentialHistogram": {
            "aggregationTemporality": 2,
            "dataPoints": [point(json!({
                "count": "6", "sum": 9.5, "min": -3.5, "max": 4.5, "scale": 1, "zeroCount": "1",
                "positive": {"offset": 1, "bucketCounts": ["1", "1", "0", "2"]},
                "negative": {"offset": 3, "bucketCounts": ["1"]},
            }))],
        }},
        {"name": "overflow", "sum": {
            "aggregationTemporality": 2, "isMonotonic": true,
            "dataPoints": [point(infinite.clone())],
        }},
        {"name": "requests", "unit": "{request}", "sum": {
            "aggregationTemporality": 2, "isMonotonic": true,
            "dataPoints": [
                point(json!({"asInt": BIG.to_string(), "attributes": code("200")})),
                point(json!({"asInt": "0", "attributes": code("500")})),
            ],
        }},
        {"name": "temperature", "gauge": {"dataPoints": [point(json!({
            "asDouble": -1.5,
            "attributes": [
                attribute("heated", &json!({"boolValue": false})),
                attribute("room", &json!({"stringValue": "attic"})),
                attribute("size", &json!({"doubleValue": 12.5})),
            ],
        }))]}},
    ]);
    json!({"resourceMetrics": [{
        "resource": resource_json(),
        "schemaUrl": "https://example.com/schema",
        "scopeMetrics": [{
            "schemaUrl": "https://example.com/scope",
            "scope": scope_json(),
            "metrics": metrics,
        }],
    }]})
}

/// Times are the SDK's own: they must be decimal strings of this century, and become `TIME`.
fn without_times(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(without_times).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                if !name.ends_with("imeUnixNano") {
                    return (name, without_times(value));
                }
                let nanos: u64 = value.as_str().unwrap().parse().unwrap();
                assert!(nanos > 1_700_000_000_000_000_000, "{nanos}");
                (name, json!("TIME"))
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}
