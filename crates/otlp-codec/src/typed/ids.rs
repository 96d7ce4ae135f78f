//! The lengths of trace and span ids.

use crate::DecodeError;
use crate::proto::collector::logs::v1::ExportLogsServiceRequest;
use crate::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use crate::proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::metrics::v1::{Exemplar, Metric, metric::Data};
use crate::proto::trace::v1::Span;

const TRACE_ID: usize = 16;
const SPAN_ID: usize = 8;

/// An id of the wrong length, and its path so far.
struct Wrong {
    path: String,
    len: usize,
    expected: usize,
}

impl Wrong {
    fn below(mut self, outer: &str, index: usize) -> Self {
        self.path = format!("{outer}[{index}].{}", self.path);
        self
    }

    fn into_error(self) -> DecodeError {
        DecodeError::IdLength {
            path: self.path,
            len: self.len,
            expected: self.expected,
        }
    }
}

fn id(path: &str, id: &[u8], expected: usize) -> Result<(), Wrong> {
    match id.len() {
        0 => Ok(()),
        len if len == expected => Ok(()),
        len => Err(Wrong {
            path: path.to_owned(),
            len,
            expected,
        }),
    }
}

/// Checks each element of a list; the path of an error says which.
fn each<T>(name: &str, list: &[T], check: impl Fn(&T) -> Result<(), Wrong>) -> Result<(), Wrong> {
    list.iter()
        .enumerate()
        .try_for_each(|(index, element)| check(element).map_err(|wrong| wrong.below(name, index)))
}

pub(super) fn check_metrics(request: &ExportMetricsServiceRequest) -> Result<(), DecodeError> {
    each("resourceMetrics", &request.resource_metrics, |resource| {
        each("scopeMetrics", &resource.scope_metrics, |scope| {
            each("metrics", &scope.metrics, metric)
        })
    })
    .map_err(Wrong::into_error)
}

fn metric(metric: &Metric) -> Result<(), Wrong> {
    let (kind, result) = match &metric.data {
        Some(Data::Gauge(data)) => (
            "gauge",
            each("dataPoints", &data.data_points, |point| {
                exemplars(&point.exemplars)
            }),
        ),
        Some(Data::Sum(data)) => (
            "sum",
            each("dataPoints", &data.data_points, |point| {
                exemplars(&point.exemplars)
            }),
        ),
        Some(Data::Histogram(data)) => (
            "histogram",
            each("dataPoints", &data.data_points, |point| {
                exemplars(&point.exemplars)
            }),
        ),
        Some(Data::ExponentialHistogram(data)) => (
            "exponentialHistogram",
            each("dataPoints", &data.data_points, |point| {
                exemplars(&point.exemplars)
            }),
        ),
        // The points of a summary have no exemplars.
        Some(Data::Summary(_)) | None => return Ok(()),
    };
    result.map_err(|wrong| Wrong {
        path: format!("{kind}.{}", wrong.path),
        ..wrong
    })
}

fn exemplars(exemplars: &[Exemplar]) -> Result<(), Wrong> {
    each("exemplars", exemplars, |exemplar| {
        id("traceId", &exemplar.trace_id, TRACE_ID)?;
        id("spanId", &exemplar.span_id, SPAN_ID)
    })
}

pub(super) fn check_traces(request: &ExportTraceServiceRequest) -> Result<(), DecodeError> {
    each("resourceSpans", &request.resource_spans, |resource| {
        each("scopeSpans", &resource.scope_spans, |scope| {
            each("spans", &scope.spans, span)
        })
    })
    .map_err(Wrong::into_error)
}

fn span(span: &Span) -> Result<(), Wrong> {
    id("traceId", &span.trace_id, TRACE_ID)?;
    id("spanId", &span.span_id, SPAN_ID)?;
    id("parentSpanId", &span.parent_span_id, SPAN_ID)?;
    each("links", &span.links, |link| {
        id("traceId", &link.trace_id, TRACE_ID)?;
        id("spanId", &link.span_id, SPAN_ID)
    })
}

pub(super) fn check_logs(request: &ExportLogsServiceRequest) -> Result<(), DecodeError> {
    each("resourceLogs", &request.resource_logs, |resource| {
        each("scopeLogs", &resource.scope_logs, |scope| {
            each("logRecords", &scope.log_records, |record| {
                id("traceId", &record.trace_id, TRACE_ID)?;
                id("spanId", &record.span_id, SPAN_ID)
            })
        })
    })
    .map_err(Wrong::into_error)
}

pub(super) fn check_profiles(request: &ExportProfilesServiceRequest) -> Result<(), DecodeError> {
    let links = request
        .dictionary
        .iter()
        .flat_map(|dictionary| &dictionary.link_table);
    for (index, link) in links.enumerate() {
        id("traceId", &link.trace_id, TRACE_ID)
            .and_then(|()| id("spanId", &link.span_id, SPAN_ID))
            .map_err(|wrong| wrong.below("dictionary.linkTable", index).into_error())?;
    }
    Ok(())
}
