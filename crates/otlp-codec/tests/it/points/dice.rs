//! Requests of every kind of item, built by chance, and the same fields in unusual orders.

use otlp_codec::Signal;
use otlp_codec::proto::collector::logs::v1::ExportLogsServiceRequest;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_codec::proto::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use otlp_codec::proto::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otlp_codec::proto::metrics::v1::exponential_histogram_data_point::Buckets;
use otlp_codec::proto::metrics::v1::summary_data_point::ValueAtQuantile;
use otlp_codec::proto::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, metric::Data, number_data_point,
};
use otlp_codec::proto::resource::v1::Resource;
use otlp_codec::proto::trace::v1::span::{Event, Link};
use otlp_codec::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// Chance that starts from a seed (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn odds(&mut self) -> bool {
        self.below(2) == 0
    }

    fn list<T>(&mut self, most: usize, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| element(self)).collect()
    }

    fn text(&mut self) -> String {
        let texts = [
            "",
            "a",
            "http.route",
            "checkout",
            "\"\\/\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}",
            "ключ €",
            "\u{10ffff}\u{2028}",
            "a text that is longer than any memo of a short attribute, by far longer than that is",
        ];
        self.of(&texts).to_owned()
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.list(5, |dice| dice.below(256) as u8)
    }

    fn id(&mut self, len: usize) -> Vec<u8> {
        let len = self.of(&[0, len, len, len, 3]);
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    fn time(&mut self) -> u64 {
        let now = 1_795_363_200_000_000_000 + self.below(3_000_000_000) as u64;
        let odd = self.below(usize::MAX) as u64;
        self.of(&[
            0,
            1,
            now,
            now,
            now,
            999_999_999,
            1_000_000_000,
            u64::MAX,
            odd,
        ])
    }

    fn double(&mut self) -> f64 {
        let odd = f64::from_bits(((self.below(1 << 32) as u64) << 32) | self.below(1 << 32) as u64);
        let small = self.below(1000) as f64 / 8.0;
        self.of(&[
            0.0,
            -0.0,
            1.5,
            1e15,
            -1e15,
            1e16,
            1e300,
            5e-324,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.1,
            odd,
            small,
        ])
    }

    fn int(&mut self) -> i64 {
        let small = self.below(100_000) as i64;
        self.of(&[
            0,
            -1,
            i64::MIN,
            i64::MAX,
            1 << 53,
            (1 << 53) + 1,
            small,
            -small,
        ])
    }

    fn count(&mut self) -> u64 {
        self.int() as u64
    }

    fn number(&mut self) -> i32 {
        self.of(&[0, 1, 2, 3, 4, 5, 6, -1, 99, i32::MIN, i32::MAX])
    }

    fn flags(&mut self) -> u32 {
        self.of(&[0, 0, 1, 0x101, u32::MAX])
    }

    fn value(&mut self, depth: usize) -> AnyValue {
        let kinds = if depth == 0 { 7 } else { 9 };
        let value = match self.below(kinds) {
            0 => None,
            1 | 2 => Some(Value::StringValue(self.text())),
            3 => Some(Value::BoolValue(self.odds())),
            4 => Some(Value::IntValue(self.int())),
            5 => Some(Value::DoubleValue(self.double())),
            6 if self.odds() => Some(Value::StringValueStrindex(self.number())),
            6 => Some(Value::BytesValue(self.bytes())),
            7 => Some(Value::ArrayValue(ArrayValue {
                values: self.list(3, |dice| dice.value(depth - 1)),
            })),
            _ => Some(Value::KvlistValue(KeyValueList {
                values: self.attributes(depth - 1),
            })),
        };
        AnyValue { value }
    }

    fn attributes(&mut self, depth: usize) -> Vec<KeyValue> {
        self.list(3, |dice| KeyValue {
            key: dice.text(),
            value: (dice.below(8) > 0).then(|| dice.value(depth)),
            key_strindex: dice.of(&[0, 0, 0, 7]),
        })
    }

    fn resource(&mut self) -> Option<Resource> {
        self.odds().then(|| Resource {
            attributes: self.attributes(2),
            dropped_attributes_count: self.flags(),
            entity_refs: self.list(1, |dice| EntityRef {
                schema_url: dice.text(),
                r#type: dice.text(),
                id_keys: dice.list(2, Self::text),
                description_keys: vec![],
            }),
        })
    }

    fn scope(&mut self) -> Option<InstrumentationScope> {
        self.odds().then(|| InstrumentationScope {
            name: self.text(),
            version: self.text(),
            attributes: self.attributes(1),
            dropped_attributes_count: self.flags(),
        })
    }

    fn exemplars(&mut self) -> Vec<Exemplar> {
        self.list(2, |dice| Exemplar {
            filtered_attributes: dice.attributes(1),
            time_unix_nano: dice.time(),
            value: match dice.below(3) {
                0 => None,
                1 => Some(exemplar::Value::AsDouble(dice.double())),
                _ => Some(exemplar::Value::AsInt(dice.int())),
            },
            span_id: dice.id(8),
            trace_id: dice.id(16),
        })
    }

    fn number_point(&mut self) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(1),
            start_time_unix_nano: self.time(),
            time_unix_nano: self.time(),
            value: match self.below(3) {
                0 => None,
                1 => Some(number_data_point::Value::AsDouble(self.double())),
                _ => Some(number_data_point::Value::AsInt(self.int())),
            },
            exemplars: self.exemplars(),
            flags: self.flags(),
        }
    }

    fn optional(&mut self) -> Option<f64> {
        self.odds().then(|| self.double())
    }

    fn buckets(&mut self) -> Option<Buckets> {
        self.odds().then(|| Buckets {
            offset: self.number(),
            bucket_counts: self.list(3, Self::count),
        })
    }

    fn data(&mut self) -> Option<Data> {
        Some(match self.below(6) {
            0 => return None,
            1 => Data::Gauge(Gauge {
                data_points: self.list(3, Self::number_point),
            }),
            2 => Data::Sum(Sum {
                data_points: self.list(3, Self::number_point),
                aggregation_temporality: self.number(),
                is_monotonic: self.odds(),
            }),
            3 => Data::Histogram(Histogram {
                data_points: self.list(3, |dice| HistogramDataPoint {
                    attributes: dice.attributes(1),
                    start_time_unix_nano: dice.time(),
                    time_unix_nano: dice.time(),
                    count: dice.count(),
                    sum: dice.optional(),
                    bucket_counts: dice.list(4, Self::count),
                    explicit_bounds: dice.list(3, Self::double),
                    exemplars: dice.exemplars(),
                    flags: dice.flags(),
                    min: dice.optional(),
                    max: dice.optional(),
                }),
                aggregation_temporality: self.number(),
            }),
            4 => Data::ExponentialHistogram(ExponentialHistogram {
                data_points: self.list(3, |dice| ExponentialHistogramDataPoint {
                    attributes: dice.attributes(1),
                    start_time_unix_nano: dice.time(),
                    time_unix_nano: dice.time(),
                    count: dice.count(),
                    sum: dice.optional(),
                    scale: dice.number(),
                    zero_count: dice.count(),
                    positive: dice.buckets(),
                    negative: dice.buckets(),
                    flags: dice.flags(),
                    exemplars: dice.exemplars(),
                    min: dice.optional(),
                    max: dice.optional(),
                    zero_threshold: dice.double(),
                }),
                aggregation_temporality: self.number(),
            }),
            _ => Data::Summary(Summary {
                data_points: self.list(3, |dice| SummaryDataPoint {
                    attributes: dice.attributes(1),
                    start_time_unix_nano: dice.time(),
                    time_unix_nano: dice.time(),
                    count: dice.count(),
                    sum: dice.double(),
                    quantile_values: dice.list(2, |dice| ValueAtQuantile {
                        quantile: dice.double(),
                        value: dice.double(),
                    }),
                    flags: dice.flags(),
                }),
            }),
        })
    }

    fn metric(&mut self) -> Metric {
        Metric {
            name: self.text(),
            description: self.text(),
            unit: self.text(),
            metadata: self.attributes(1),
            data: self.data(),
        }
    }

    fn span(&mut self) -> Span {
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.text(),
            parent_span_id: self.id(8),
            flags: self.flags(),
            name: self.text(),
            kind: self.number(),
            start_time_unix_nano: self.time(),
            end_time_unix_nano: self.time(),
            attributes: self.attributes(1),
            dropped_attributes_count: self.flags(),
            events: self.list(2, |dice| Event {
                time_unix_nano: dice.time(),
                name: dice.text(),
                attributes: dice.attributes(1),
                dropped_attributes_count: dice.flags(),
            }),
            dropped_events_count: self.flags(),
            links: self.list(2, |dice| Link {
                trace_id: dice.id(16),
                span_id: dice.id(8),
                trace_state: dice.text(),
                attributes: dice.attributes(1),
                dropped_attributes_count: dice.flags(),
                flags: dice.flags(),
            }),
            dropped_links_count: self.flags(),
            status: self.odds().then(|| Status {
                message: self.text(),
                code: self.number(),
            }),
        }
    }

    fn log_record(&mut self) -> LogRecord {
        LogRecord {
            time_unix_nano: self.time(),
            observed_time_unix_nano: self.time(),
            severity_number: self.number(),
            severity_text: self.text(),
            body: (self.below(4) > 0).then(|| self.value(3)),
            attributes: self.attributes(2),
            dropped_attributes_count: self.flags(),
            flags: self.flags(),
            trace_id: self.id(16),
            span_id: self.id(8),
            event_name: self.text(),
        }
    }

    /// A request, as protobuf.
    pub(crate) fn request(&mut self) -> (Signal, Vec<u8>) {
        match self.below(3) {
            0 => {
                let resource_metrics = self.list(2, |dice| ResourceMetrics {
                    resource: dice.resource(),
                    scope_metrics: dice.list(2, |dice| ScopeMetrics {
                        scope: dice.scope(),
                        metrics: dice.list(3, Self::metric),
                        schema_url: dice.text(),
                    }),
                    schema_url: dice.text(),
                });
                let request = ExportMetricsServiceRequest { resource_metrics };
                (Signal::Metrics, request.encode_to_vec())
            }
            1 => {
                let resource_spans = self.list(2, |dice| ResourceSpans {
                    resource: dice.resource(),
                    scope_spans: dice.list(2, |dice| ScopeSpans {
                        scope: dice.scope(),
                        spans: dice.list(3, Self::span),
                        schema_url: dice.text(),
                    }),
                    schema_url: dice.text(),
                });
                let request = ExportTraceServiceRequest { resource_spans };
                (Signal::Traces, request.encode_to_vec())
            }
            _ => {
                let resource_logs = self.list(2, |dice| ResourceLogs {
                    resource: dice.resource(),
                    scope_logs: dice.list(2, |dice| ScopeLogs {
                        scope: dice.scope(),
                        log_records: dice.list(3, Self::log_record),
                        schema_url: dice.text(),
                    }),
                    schema_url: dice.text(),
                });
                let request = ExportLogsServiceRequest { resource_logs };
                (Signal::Logs, request.encode_to_vec())
            }
        }
    }
}
