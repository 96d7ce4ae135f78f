//! The typed door: a request as a tree of prost messages, read and written whole.
//!
//! Slow beside a walk over the bytes, but obvious: what it accepts and gives is what the rest of
//! the crate is held to.

mod ids;
mod points;
#[cfg(feature = "select")]
mod select;

use prost::Message as _;

use crate::error::ProtobufError;
use crate::json::{self, JsonMessage};
use crate::proto::collector::logs::v1::ExportLogsServiceRequest;
use crate::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use crate::proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::metrics::v1::{Metric, metric::Data};
use crate::{DecodeError, EncodeError, Limits, Signal, wire};

/// An `Export` request of any signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Metrics.
    Metrics(ExportMetricsServiceRequest),
    /// Traces.
    Traces(ExportTraceServiceRequest),
    /// Logs.
    Logs(ExportLogsServiceRequest),
    /// Profiles.
    Profiles(ExportProfilesServiceRequest),
}

impl Request {
    /// Reads protobuf, as prost does: unknown fields are skipped, a sub-message that is sent
    /// twice is merged, of a scalar that is sent twice the last one counts.
    ///
    /// Limits and outline are checked in a walk over the bytes before a tree is built.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooLong`], [`TooDeep`](DecodeError::TooDeep),
    /// [`TooManyElements`](DecodeError::TooManyElements) and
    /// [`TooManyItems`](DecodeError::TooManyItems) for a limit, [`DecodeError::Protobuf`] for
    /// anything else.
    pub fn decode_protobuf(
        signal: Signal,
        wire: &[u8],
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        wire::check_outline(wire::root(signal), wire, limits)?;
        match signal {
            Signal::Metrics => ExportMetricsServiceRequest::decode(wire).map(Self::Metrics),
            Signal::Traces => ExportTraceServiceRequest::decode(wire).map(Self::Traces),
            Signal::Logs => ExportLogsServiceRequest::decode(wire).map(Self::Logs),
            Signal::Profiles => ExportProfilesServiceRequest::decode(wire).map(Self::Profiles),
        }
        .map_err(|error| malformed(signal, wire, limits, &error))?
        .within(limits)
    }

    /// Reads OTLP JSON, see [`json`].
    ///
    /// # Errors
    ///
    /// Those of [`json::decode`], and [`DecodeError::TooManyItems`].
    pub fn decode_json(signal: Signal, json: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        fn read<M: JsonMessage>(
            json: &[u8],
            limits: &Limits,
            request: impl FnOnce(M) -> Request,
        ) -> Result<Request, DecodeError> {
            request(json::decode(json, limits)?).within(limits)
        }
        match signal {
            Signal::Metrics => read(json, limits, Self::Metrics),
            Signal::Traces => read(json, limits, Self::Traces),
            Signal::Logs => read(json, limits, Self::Logs),
            Signal::Profiles => read(json, limits, Self::Profiles),
        }
    }

    /// Writes protobuf.
    #[must_use]
    pub fn encode_protobuf(&self) -> Vec<u8> {
        match self {
            Self::Metrics(request) => request.encode_to_vec(),
            Self::Traces(request) => request.encode_to_vec(),
            Self::Logs(request) => request.encode_to_vec(),
            Self::Profiles(request) => request.encode_to_vec(),
        }
    }

    /// Appends canonical OTLP JSON to `out`. On error `out` is as it was.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if that is more than [`Limits::output_bytes`].
    pub fn encode_json(&self, limits: &Limits, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Metrics(request) => json::encode(request, limits, out),
            Self::Traces(request) => json::encode(request, limits, out),
            Self::Logs(request) => json::encode(request, limits, out),
            Self::Profiles(request) => json::encode(request, limits, out),
        }
    }

    /// How many items it holds, in OTLP's own unit of counting: data points, spans, log records
    /// or profiles (OTLP spec, "Partial Success").
    #[must_use]
    pub fn items(&self) -> usize {
        match self {
            Self::Metrics(request) => request
                .resource_metrics
                .iter()
                .flat_map(|resource| &resource.scope_metrics)
                .flat_map(|scope| &scope.metrics)
                .map(data_points)
                .sum(),
            Self::Traces(request) => request
                .resource_spans
                .iter()
                .flat_map(|resource| &resource.scope_spans)
                .map(|scope| scope.spans.len())
                .sum(),
            Self::Logs(request) => request
                .resource_logs
                .iter()
                .flat_map(|resource| &resource.scope_logs)
                .map(|scope| scope.log_records.len())
                .sum(),
            Self::Profiles(request) => request
                .resource_profiles
                .iter()
                .flat_map(|resource| &resource.scope_profiles)
                .map(|scope| scope.profiles.len())
                .sum(),
        }
    }

    /// Which signal it is of.
    #[must_use]
    pub fn signal(&self) -> Signal {
        match self {
            Self::Metrics(_) => Signal::Metrics,
            Self::Traces(_) => Signal::Traces,
            Self::Logs(_) => Signal::Logs,
            Self::Profiles(_) => Signal::Profiles,
        }
    }

    /// Refuses more items than a limit.
    fn within(self, limits: &Limits) -> Result<Self, DecodeError> {
        let limit = limits.items;
        // Each item is an element, and those were counted.
        match limit < limits.elements && self.items() > limit {
            true => Err(DecodeError::TooManyItems { limit }),
            false => Ok(self),
        }
    }

    /// Looks for ids of a length that OTLP doesn't have: trace ids are 16 bytes long and span
    /// ids 8, or either is empty (comments of the `.proto` files).
    ///
    /// # Errors
    ///
    /// [`DecodeError::IdLength`] with the path of the first such id.
    pub fn check_ids(&self) -> Result<(), DecodeError> {
        match self {
            Self::Metrics(request) => ids::check_metrics(request),
            Self::Traces(request) => ids::check_traces(request),
            Self::Logs(request) => ids::check_logs(request),
            Self::Profiles(request) => ids::check_profiles(request),
        }
    }
}

/// Appends the canonical OTLP JSON of the request `wire` to `out`. On error `out` is as it was.
///
/// # Errors
///
/// [`EncodeError::Decode`] where [`Request::decode_protobuf`] fails, [`EncodeError::TooLong`]
/// where [`Request::encode_json`] does.
pub fn protobuf_to_json(
    signal: Signal,
    wire: &[u8],
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    Request::decode_protobuf(signal, wire, limits)?.encode_json(limits, out)
}

/// The error that says where prost found one.
#[cold]
fn malformed(
    signal: Signal,
    wire: &[u8],
    limits: &Limits,
    error: &prost::DecodeError,
) -> DecodeError {
    match wire::validate(wire::root(signal), wire, limits) {
        Err(located) => located,
        // It knows of nothing that prost refuses and the walk takes.
        Ok(()) => DecodeError::Protobuf(ProtobufError {
            path: ".".to_owned(),
            message: error.to_string(),
            offset: wire.len(),
        }),
    }
}

fn data_points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(data)) => data.data_points.len(),
        Some(Data::Sum(data)) => data.data_points.len(),
        Some(Data::Histogram(data)) => data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(Data::Summary(data)) => data.data_points.len(),
        None => 0,
    }
}
