//! Exports to send, and what is expected of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::common::v1::{AnyValue, KeyValue, any_value};
use otlp_codec::proto::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use prost::Message;
use serde_json::{Value, json};

/// A gauge with one data point, as protobuf.
pub(crate) fn gauge(name: &str, value: i64) -> Vec<u8> {
    export(name, vec![point(value)])
}

/// What watchers see of [`gauge`].
pub(crate) fn gauge_json(name: &str, value: i64) -> Value {
    let point = json!({"timeUnixNano": "1", "asInt": value.to_string()});
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": name, "gauge": {"dataPoints": [point]}}
    ]}]}]})
}

/// An export of about `points` KiB.
pub(crate) fn bulky(name: &str, points: u16) -> Vec<u8> {
    let text = any_value::Value::StringValue("x".repeat(1000));
    let attribute = KeyValue {
        key: "padding".to_owned(),
        value: Some(AnyValue { value: Some(text) }),
        ..Default::default()
    };
    let points = (0..points).map(|value| NumberDataPoint {
        attributes: vec![attribute.clone()],
        ..point(value.into())
    });
    export(name, points.collect())
}

fn point(value: i64) -> NumberDataPoint {
    NumberDataPoint {
        time_unix_nano: 1,
        value: Some(number_data_point::Value::AsInt(value)),
        ..Default::default()
    }
}

fn export(name: &str, data_points: Vec<NumberDataPoint>) -> Vec<u8> {
    let metric = Metric {
        name: name.to_owned(),
        data: Some(metric::Data::Gauge(Gauge { data_points })),
        ..Default::default()
    };
    let scope = ScopeMetrics {
        metrics: vec![metric],
        ..Default::default()
    };
    let resource = ResourceMetrics {
        scope_metrics: vec![scope],
        ..Default::default()
    };
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![resource],
    };
    request.encode_to_vec()
}

/// The name of the first metric in a frame.
pub(crate) fn name_of(frame: &Value) -> &str {
    metric_of(frame)["name"].as_str().unwrap()
}

/// The value of the first point of a [`gauge`] in a frame.
pub(crate) fn value_of(frame: &Value) -> i64 {
    let value = &metric_of(frame)["gauge"]["dataPoints"][0]["asInt"];
    value.as_str().unwrap().parse().unwrap()
}

fn metric_of(frame: &Value) -> &Value {
    &frame["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
}

/// One gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
