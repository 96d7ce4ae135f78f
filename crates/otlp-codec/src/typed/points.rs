//! Points from a tree, as `docs/points.md` has them: the obvious way.

mod object;

use super::Request;
use crate::proto::common::v1::InstrumentationScope;
use crate::proto::logs::v1::LogRecord;
use crate::proto::metrics::v1::exponential_histogram_data_point::Buckets;
use crate::proto::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    SummaryDataPoint, exemplar, metric::Data, number_data_point,
};
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::Span;
use crate::{EncodeError, Limits, Signal};
use object::{Object, any, double};

impl Request {
    /// Appends points to `out`: one JSON object for each data point, span or log record, each on
    /// a line of its own (`docs/points.md`). On error `out` is as it was.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if that is more than [`Limits::output_bytes`];
    /// [`EncodeError::NoPoints`] for profiles.
    pub fn encode_points(&self, limits: &Limits, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut lines = Lines {
            text: String::new(),
            limit: limits.output_bytes,
        };
        self.write_points(&mut lines)?;
        out.extend_from_slice(lines.text.as_bytes());
        Ok(())
    }

    fn write_points(&self, lines: &mut Lines) -> Result<(), EncodeError> {
        match self {
            Self::Metrics(request) => {
                for of_resource in &request.resource_metrics {
                    for of_scope in &of_resource.scope_metrics {
                        let tail = tail(of_resource.resource.as_ref(), of_scope.scope.as_ref());
                        for metric in &of_scope.metrics {
                            lines.metric(metric, &tail)?;
                        }
                    }
                }
            }
            Self::Traces(request) => {
                for of_resource in &request.resource_spans {
                    for of_scope in &of_resource.scope_spans {
                        let tail = tail(of_resource.resource.as_ref(), of_scope.scope.as_ref());
                        for item in &of_scope.spans {
                            lines.line(span(item), &tail)?;
                        }
                    }
                }
            }
            Self::Logs(request) => {
                for of_resource in &request.resource_logs {
                    for of_scope in &of_resource.scope_logs {
                        let tail = tail(of_resource.resource.as_ref(), of_scope.scope.as_ref());
                        for item in &of_scope.log_records {
                            lines.line(log_record(item), &tail)?;
                        }
                    }
                }
            }
            Self::Profiles(_) => {
                return Err(EncodeError::NoPoints {
                    signal: Signal::Profiles,
                });
            }
        }
        Ok(())
    }
}

/// The lines so far.
struct Lines {
    text: String,
    limit: usize,
}

impl Lines {
    fn line(&mut self, mut line: Object, tail: &Object) -> Result<(), EncodeError> {
        line.members(tail);
        self.text.push_str(&line.to_json());
        self.text.push('\n');
        match self.text.len() > self.limit {
            true => Err(EncodeError::TooLong { limit: self.limit }),
            false => Ok(()),
        }
    }

    fn metric(&mut self, metric: &Metric, tail: &Object) -> Result<(), EncodeError> {
        let series = |kind: &str, temporality: i32, monotonic: Option<bool>| {
            let mut series = Object::default();
            series.text("name", &metric.name);
            series.text("unit", &metric.unit);
            series.text("type", kind);
            series.named("temporality", temporality, &["delta", "cumulative"]);
            if let Some(monotonic) = monotonic {
                series.member("monotonic", &monotonic.to_string());
            }
            series
        };
        match &metric.data {
            Some(Data::Gauge(data)) => {
                let series = series("gauge", 0, None);
                for point in &data.data_points {
                    self.line(number_point(point, &series), tail)?;
                }
            }
            Some(Data::Sum(data)) => {
                let monotonic = Some(data.is_monotonic);
                let series = series("sum", data.aggregation_temporality, monotonic);
                for point in &data.data_points {
                    self.line(number_point(point, &series), tail)?;
                }
            }
            Some(Data::Histogram(data)) => {
                let series = series("histogram", data.aggregation_temporality, None);
                for point in &data.data_points {
                    self.line(histogram_point(point, &series), tail)?;
                }
            }
            Some(Data::ExponentialHistogram(data)) => {
                let temporality = data.aggregation_temporality;
                let series = series("exponentialHistogram", temporality, None);
                for point in &data.data_points {
                    self.line(exponential_point(point, &series), tail)?;
                }
            }
            Some(Data::Summary(data)) => {
                let series = series("summary", 0, None);
                for point in &data.data_points {
                    self.line(summary_point(point, &series), tail)?;
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// What a point begins with.
fn point(time: u64, start: u64, series: &Object, flags: u32) -> Object {
    let mut point = Object::default();
    point.text("signal", "metrics");
    point.time("time", time);
    point.time("start", start);
    point.members(series);
    point.unless_zero("flags", flags.into());
    point
}

fn number_point(from: &NumberDataPoint, series: &Object) -> Object {
    let mut point = point(
        from.time_unix_nano,
        from.start_time_unix_nano,
        series,
        from.flags,
    );
    match from.value {
        Some(number_data_point::Value::AsDouble(value)) => point.double("value", Some(value)),
        Some(number_data_point::Value::AsInt(value)) => point.member("value", &value.to_string()),
        None => {}
    }
    point.list("exemplars", &from.exemplars, exemplar);
    point.attributes("attributes", &from.attributes);
    point
}

fn histogram_point(from: &HistogramDataPoint, series: &Object) -> Object {
    let mut point = point(
        from.time_unix_nano,
        from.start_time_unix_nano,
        series,
        from.flags,
    );
    point.member("count", &from.count.to_string());
    point.double("sum", from.sum);
    point.double("min", from.min);
    point.double("max", from.max);
    point.list("bounds", &from.explicit_bounds, |bound| double(*bound));
    point.list("buckets", &from.bucket_counts, u64::to_string);
    point.list("exemplars", &from.exemplars, exemplar);
    point.attributes("attributes", &from.attributes);
    point
}

fn exponential_point(from: &ExponentialHistogramDataPoint, series: &Object) -> Object {
    let mut point = point(
        from.time_unix_nano,
        from.start_time_unix_nano,
        series,
        from.flags,
    );
    point.member("count", &from.count.to_string());
    point.double("sum", from.sum);
    point.double("min", from.min);
    point.double("max", from.max);
    point.member("scale", &from.scale.to_string());
    point.member("zeroCount", &from.zero_count.to_string());
    if from.zero_threshold != 0.0 {
        point.double("zeroThreshold", Some(from.zero_threshold));
    }
    for (key, side) in [("positive", &from.positive), ("negative", &from.negative)] {
        if let Some(side) = side {
            point.member(key, &buckets(side));
        }
    }
    point.list("exemplars", &from.exemplars, exemplar);
    point.attributes("attributes", &from.attributes);
    point
}

fn buckets(from: &Buckets) -> String {
    let mut buckets = Object::default();
    buckets.member("offset", &from.offset.to_string());
    buckets.list("buckets", &from.bucket_counts, u64::to_string);
    buckets.to_json()
}

fn summary_point(from: &SummaryDataPoint, series: &Object) -> Object {
    let mut point = point(
        from.time_unix_nano,
        from.start_time_unix_nano,
        series,
        from.flags,
    );
    point.member("count", &from.count.to_string());
    point.double("sum", Some(from.sum));
    point.list("quantiles", &from.quantile_values, |from| {
        let mut quantile = Object::default();
        quantile.double("quantile", Some(from.quantile));
        quantile.double("value", Some(from.value));
        quantile.to_json()
    });
    point.attributes("attributes", &from.attributes);
    point
}

fn exemplar(from: &Exemplar) -> String {
    let mut exemplar = Object::default();
    exemplar.time("time", from.time_unix_nano);
    match from.value {
        Some(exemplar::Value::AsDouble(value)) => exemplar.double("value", Some(value)),
        Some(exemplar::Value::AsInt(value)) => exemplar.member("value", &value.to_string()),
        None => {}
    }
    exemplar.id("traceId", &from.trace_id);
    exemplar.id("spanId", &from.span_id);
    exemplar.attributes("attributes", &from.filtered_attributes);
    exemplar.to_json()
}

fn span(from: &Span) -> Object {
    const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];
    let (start, end) = (from.start_time_unix_nano, from.end_time_unix_nano);
    let mut span = Object::default();
    span.text("signal", "traces");
    span.time("time", start);
    span.time("end", end);
    if start != 0 && end != 0 && end >= start {
        span.member("duration", &(end - start).to_string());
    }
    span.text("name", &from.name);
    span.named("kind", from.kind, &KINDS);
    span.id("traceId", &from.trace_id);
    span.id("spanId", &from.span_id);
    span.id("parentSpanId", &from.parent_span_id);
    span.text("traceState", &from.trace_state);
    span.unless_zero("flags", from.flags.into());
    if let Some(status) = &from.status {
        span.named("status", status.code, &["ok", "error"]);
        span.text("message", &status.message);
    }
    span.list("events", &from.events, |from| {
        let mut event = Object::default();
        event.time("time", from.time_unix_nano);
        event.text("name", &from.name);
        event.attributes("attributes", &from.attributes);
        event.to_json()
    });
    span.list("links", &from.links, |from| {
        let mut link = Object::default();
        link.id("traceId", &from.trace_id);
        link.id("spanId", &from.span_id);
        link.text("traceState", &from.trace_state);
        link.unless_zero("flags", from.flags.into());
        link.attributes("attributes", &from.attributes);
        link.to_json()
    });
    span.attributes("attributes", &from.attributes);
    span
}

fn log_record(from: &LogRecord) -> Object {
    let mut record = Object::default();
    record.text("signal", "logs");
    match from.time_unix_nano {
        0 => record.time("time", from.observed_time_unix_nano),
        time => record.time("time", time),
    }
    record.time("observed", from.observed_time_unix_nano);
    record.text("name", &from.event_name);
    record.text("severity", &from.severity_text);
    if from.severity_number != 0 {
        record.member("severityNumber", &from.severity_number.to_string());
    }
    if let Some(body) = &from.body {
        record.member("body", &any(body));
    }
    record.id("traceId", &from.trace_id);
    record.id("spanId", &from.span_id);
    record.unless_zero("flags", from.flags.into());
    record.attributes("attributes", &from.attributes);
    record
}

/// What every line of a scope ends with.
fn tail(resource: Option<&Resource>, scope: Option<&InstrumentationScope>) -> Object {
    let mut tail = Object::default();
    if let Some(resource) = resource {
        tail.attributes("resource", &resource.attributes);
    }
    let mut inner = Object::default();
    if let Some(scope) = scope {
        inner.text("name", &scope.name);
        inner.text("version", &scope.version);
        inner.attributes("attributes", &scope.attributes);
    }
    if !inner.is_empty() {
        tail.member("scope", &inner.to_json());
    }
    tail
}
