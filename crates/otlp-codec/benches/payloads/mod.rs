//! What the benchmarks convert: metrics from files, traces and logs made here, always the same.

use std::io::Read;

use flate2::read::GzDecoder;
use otlp_codec::Signal;
use otlp_codec::proto::collector::logs::v1::ExportLogsServiceRequest;
use otlp_codec::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_codec::proto::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use otlp_codec::proto::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otlp_codec::proto::resource::v1::Resource;
use otlp_codec::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use otlp_codec::select::{Filter, Subject};
use prost::Message;

/// How many spans or log records.
const ITEMS: u64 = 500;

/// A request, and what it is called.
pub(crate) struct Payload {
    /// One letter, as in `docs/performance.md`.
    pub(crate) name: &'static str,
    /// Its signal.
    pub(crate) signal: Signal,
    /// Protobuf.
    pub(crate) wire: Vec<u8>,
}

/// The filter of a view that keeps one metric of the 59 of M: 24 of its 1014 points.
pub(crate) fn one_in_fifty() -> Filter {
    let mut filter = Filter::new();
    filter
        .add(Subject::Metric, "system.cpu.freq*")
        .expect("a short glob");
    filter
}

/// S, M, H and L are metrics, T traces, G logs.
pub(crate) fn all() -> Vec<Payload> {
    let metrics = [
        ("S", include_bytes!("../data/S.pb.gz").as_slice()),
        ("M", include_bytes!("../data/M.pb.gz")),
        ("H", include_bytes!("../data/H.pb.gz")),
        ("L", include_bytes!("../data/L.pb.gz")),
    ];
    let metrics = metrics.map(|(name, gz)| {
        let mut wire = Vec::new();
        GzDecoder::new(gz)
            .read_to_end(&mut wire)
            .expect("a payload is gzip");
        Payload {
            name,
            signal: Signal::Metrics,
            wire,
        }
    });
    let mut payloads = Vec::from(metrics);
    payloads.push(Payload {
        name: "T",
        signal: Signal::Traces,
        wire: traces().encode_to_vec(),
    });
    payloads.push(Payload {
        name: "G",
        signal: Signal::Logs,
        wire: logs().encode_to_vec(),
    });
    payloads
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn resource() -> Option<Resource> {
    let attributes = vec![
        text("service.name", "checkout"),
        text(
            "service.instance.id",
            "f1c3a2d4-7b1e-4c55-9d0a-2f6f4b9b1a77",
        ),
        text("host.name", "node-7.cluster.local"),
        attribute("process.pid", Value::IntValue(4711)),
    ];
    Some(Resource {
        attributes,
        ..Default::default()
    })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "io.opentelemetry.http".to_owned(),
        version: "2.4.1".to_owned(),
        ..Default::default()
    })
}

/// Bytes that look random and never change.
fn scrambled(seed: u64) -> [u8; 8] {
    let mut value = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)).to_le_bytes()
}

fn trace_id(item: u64) -> Vec<u8> {
    [scrambled(item / 8), scrambled(item / 8 + 1_000_000)].concat()
}

/// A time near 2026, different for each item.
fn time(item: u64) -> u64 {
    1_790_000_000_000_000_000 + item * 1_234_567 + u64::from(scrambled(item)[0])
}

fn http_attributes(item: u64) -> Vec<KeyValue> {
    let status = [200, 200, 200, 404, 503][usize::from(scrambled(item)[1]) % 5];
    vec![
        text(
            "http.request.method",
            ["GET", "POST", "PUT"][usize::from(scrambled(item)[2]) % 3],
        ),
        text("url.path", format!("/api/v2/orders/{}", scrambled(item)[3])),
        text("server.address", "orders.shop.svc.cluster.local"),
        attribute("server.port", Value::IntValue(8443)),
        attribute("http.response.status_code", Value::IntValue(status)),
        text("network.protocol.version", "1.1"),
        text(
            "user_agent.original",
            "Mozilla/5.0 (X11; Linux x86_64) shop/3.2",
        ),
        attribute("shop.retry", Value::BoolValue(status == 503)),
    ]
}

fn traces() -> ExportTraceServiceRequest {
    let span = |item| Span {
        trace_id: trace_id(item),
        span_id: scrambled(item + 2_000_000).to_vec(),
        parent_span_id: scrambled(item + 1_999_999).to_vec(),
        flags: 0x101,
        name: ["GET /api/v2/orders", "db.query", "POST /pay"][usize::from(scrambled(item)[4]) % 3]
            .to_owned(),
        kind: i32::from(scrambled(item)[5] % 5) + 1,
        start_time_unix_nano: time(item),
        end_time_unix_nano: time(item) + 3_141_592,
        attributes: http_attributes(item),
        events: (0..2)
            .map(|event| span::Event {
                time_unix_nano: time(item) + event,
                name: "message".to_owned(),
                attributes: vec![
                    attribute("message.id", Value::IntValue(item as i64)),
                    text("message.type", "SENT"),
                ],
                ..Default::default()
            })
            .collect(),
        status: Some(Status {
            code: i32::from(scrambled(item)[6] % 3),
            ..Default::default()
        }),
        ..Default::default()
    };
    let spans = (0..ITEMS).map(span).collect();
    let scope_spans = vec![ScopeSpans {
        scope: scope(),
        spans,
        ..Default::default()
    }];
    let resource_spans = vec![ResourceSpans {
        resource: resource(),
        scope_spans,
        ..Default::default()
    }];
    ExportTraceServiceRequest { resource_spans }
}

fn logs() -> ExportLogsServiceRequest {
    let record = |item: u64| {
        let body = format!(
            "order {item} of \"customer {}\" was\tplaced: total 12.50 €",
            scrambled(item)[7]
        );
        LogRecord {
            time_unix_nano: time(item),
            observed_time_unix_nano: time(item) + 1000,
            severity_number: [9, 13, 17][usize::from(scrambled(item)[4]) % 3],
            severity_text: "INFO".to_owned(),
            body: Some(AnyValue {
                value: Some(Value::StringValue(body)),
            }),
            attributes: http_attributes(item),
            flags: 1,
            trace_id: trace_id(item),
            span_id: scrambled(item + 2_000_000).to_vec(),
            ..Default::default()
        }
    };
    let log_records = (0..ITEMS).map(record).collect();
    let scope_logs = vec![ScopeLogs {
        scope: scope(),
        log_records,
        ..Default::default()
    }];
    let resource_logs = vec![ResourceLogs {
        resource: resource(),
        scope_logs,
        ..Default::default()
    }];
    ExportLogsServiceRequest { resource_logs }
}
