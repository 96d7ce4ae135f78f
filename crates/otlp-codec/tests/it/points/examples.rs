//! The examples of `docs/points.md`.

use otlp_codec::transcode::Transcoder;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};

use super::{typed, walked};

const DOCS: &str = include_str!("../../../../../docs/points.md");

const METRICS: &str = r#"{"resourceMetrics": [{
    "resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "host.name", "value": {"stringValue": "web-1"}}
    ], "droppedAttributesCount": 1},
    "schemaUrl": "https://opentelemetry.io/schemas/1.30.0",
    "scopeMetrics": [{
        "scope": {"name": "otelcol/hostmetrics", "version": "0.140.0"},
        "metrics": [
            {"name": "no.points", "gauge": {}},
            {"name": "system.memory.utilization", "unit": "1", "description": "left out",
             "gauge": {"dataPoints": [{"timeUnixNano": "1795363200123456789", "asDouble": 0.25,
                "attributes": [{"key": "system.memory.state", "value": {"stringValue": "used"}}]}]}},
            {"name": "http.server.requests", "unit": "{request}", "sum": {
                "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{
                    "startTimeUnixNano": "1795359600000000000",
                    "timeUnixNano": "1795363200123456789", "asInt": "42",
                    "exemplars": [{"timeUnixNano": "1795363199500000000", "asInt": "1",
                        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
                        "filteredAttributes": [{"key": "user.id", "value": {"intValue": "7"}}]}],
                    "attributes": [
                        {"key": "http.route", "value": {"stringValue": "/cart"}},
                        {"key": "http.response.status_code", "value": {"intValue": "200"}}]}]}},
            {"name": "http.server.request.duration", "unit": "s", "histogram": {
                "aggregationTemporality": 1, "dataPoints": [{
                    "startTimeUnixNano": "1795363140000000000",
                    "timeUnixNano": "1795363200123456789",
                    "count": "6", "sum": 1.75, "min": 0.01, "max": 1.5,
                    "explicitBounds": [0.1, 1], "bucketCounts": ["4", "1", "1"],
                    "attributes": [{"key": "http.route", "value": {"stringValue": "/cart"}}]}]}},
            {"name": "rpc.server.duration", "unit": "ms", "exponentialHistogram": {
                "aggregationTemporality": 1, "dataPoints": [{
                    "startTimeUnixNano": "1795363140000000000",
                    "timeUnixNano": "1795363200123456789",
                    "count": "5", "sum": 11.5, "min": 0, "max": 6.5, "scale": 1, "zeroCount": "1",
                    "zeroThreshold": 0.001, "negative": {},
                    "positive": {"offset": -2, "bucketCounts": ["1", "0", "3"]}}]}},
            {"name": "go_gc_duration_seconds", "unit": "s", "summary": {"dataPoints": [{
                "timeUnixNano": "1795363200123456789", "count": "12", "sum": 0.5,
                "quantileValues": [
                    {"quantile": 0.5, "value": 0.03}, {"quantile": 1, "value": 0.125}]}]}}
        ]}]}]}"#;

const TRACES: &str = r#"{"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    "scopeSpans": [{"scope": {}, "spans": [{
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "eee19b7ec3c1b173", "traceState": "vendor=1", "flags": 257,
        "name": "GET /cart", "kind": 2,
        "startTimeUnixNano": "1795363200000000000", "endTimeUnixNano": "1795363200250000000",
        "attributes": [
            {"key": "http.route", "value": {"stringValue": "/cart"}},
            {"key": "http.response.status_code", "value": {"intValue": "500"}}],
        "events": [{"timeUnixNano": "1795363200200000000", "name": "exception", "attributes": [
            {"key": "exception.type", "value": {"stringValue": "OutOfStock"}}]}],
        "links": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
            "attributes": [{"key": "why", "value": {"stringValue": "retry"}}]}],
        "droppedLinksCount": 3,
        "status": {"code": 2, "message": "out of stock"}}]}]}]}"#;

const LOGS: &str = r#"{"resourceLogs": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    "scopeLogs": [{
        "scope": {"name": "cart", "attributes": [{"key": "tier", "value": {"stringValue": "gold"}}]},
        "logRecords": [{
            "timeUnixNano": "1795363200100000000", "observedTimeUnixNano": "1795363200300000000",
            "severityNumber": 13, "severityText": "WARN", "eventName": "cart.checkout",
            "body": {"kvlistValue": {"values": [
                {"key": "message", "value": {"stringValue": "out of stock"}},
                {"key": "items", "value": {"arrayValue": {"values": [
                    {"intValue": "3"}, {"stringValue": "tea"}, {"doubleValue": 1.5},
                    {"boolValue": true}, {}]}}},
                {"key": "raw", "value": {"bytesValue": "AQID"}}]}},
            "attributes": [{"key": "code.lineno", "value": {"intValue": "9007199254740993"}}],
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
            "flags": 1}]}]}]}"#;

/// JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut text, mut within, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if within || !c.is_whitespace() {
            text.push(c);
        }
        if c == '"' && !escaped {
            within = !within;
        }
        escaped = c == '\\' && !escaped;
    }
    text
}

/// Scenario: the requests behind the examples of the documentation.
/// Guarantees: both doors give these examples, character by character but for white space.
#[test]
fn the_examples_of_the_docs_are_what_is_written() {
    let blocks = DOCS.split("```json\n").skip(1);
    let examples = blocks.map(|block| block.split("```").next().unwrap());
    let expected: Vec<_> = examples.map(compact).collect();
    let limits = Limits::default();
    let requests = [
        (Signal::Metrics, METRICS),
        (Signal::Traces, TRACES),
        (Signal::Logs, LOGS),
    ];
    let (mut slow, mut fast) = (String::new(), String::new());
    for (signal, json) in requests {
        let request = Request::decode_json(signal, json.as_bytes(), &limits).unwrap();
        let wire = request.encode_protobuf();
        slow += &typed(signal, &wire, &limits).unwrap();
        fast += &walked(&mut Transcoder::new(), signal, &wire, &limits).unwrap();
    }
    assert_eq!(fast.lines().collect::<Vec<_>>(), expected);
    assert_eq!(slow, fast);
}
