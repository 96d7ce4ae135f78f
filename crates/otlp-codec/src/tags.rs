//! The tags of what a request is built of, down to the data points of its metrics.

use crate::Signal;
use crate::proto::fields;

/// The tags of lists, from the request down, and of what filters look at.
pub(crate) struct Tags {
    pub(crate) resources: u32,
    pub(crate) resource: u32,
    pub(crate) scopes: u32,
    pub(crate) scope: u32,
    pub(crate) items: u32,
}

impl Tags {
    pub(crate) fn of(signal: Signal) -> Self {
        match signal {
            Signal::Metrics => Self {
                resources: fields::collector_metrics_v1_export_metrics_service_request::RESOURCE_METRICS,
                resource: fields::metrics_v1_resource_metrics::RESOURCE,
                scopes: fields::metrics_v1_resource_metrics::SCOPE_METRICS,
                scope: fields::metrics_v1_scope_metrics::SCOPE,
                items: fields::metrics_v1_scope_metrics::METRICS,
            },
            Signal::Traces => Self {
                resources: fields::collector_trace_v1_export_trace_service_request::RESOURCE_SPANS,
                resource: fields::trace_v1_resource_spans::RESOURCE,
                scopes: fields::trace_v1_resource_spans::SCOPE_SPANS,
                scope: fields::trace_v1_scope_spans::SCOPE,
                items: fields::trace_v1_scope_spans::SPANS,
            },
            Signal::Logs => Self {
                resources: fields::collector_logs_v1_export_logs_service_request::RESOURCE_LOGS,
                resource: fields::logs_v1_resource_logs::RESOURCE,
                scopes: fields::logs_v1_resource_logs::SCOPE_LOGS,
                scope: fields::logs_v1_scope_logs::SCOPE,
                items: fields::logs_v1_scope_logs::LOG_RECORDS,
            },
            Signal::Profiles => Self {
                resources: fields::collector_profiles_v1development_export_profiles_service_request::RESOURCE_PROFILES,
                resource: fields::profiles_v1development_resource_profiles::RESOURCE,
                scopes: fields::profiles_v1development_resource_profiles::SCOPE_PROFILES,
                scope: fields::profiles_v1development_scope_profiles::SCOPE,
                items: fields::profiles_v1development_scope_profiles::PROFILES,
            },
        }
    }
}

/// The kinds of data of a metric: their tags, and those of their points and of the attributes of
/// these.
pub(crate) const DATA: [(u32, u32, u32); 5] = [
    (
        fields::metrics_v1_metric::GAUGE,
        fields::metrics_v1_gauge::DATA_POINTS,
        fields::metrics_v1_number_data_point::ATTRIBUTES,
    ),
    (
        fields::metrics_v1_metric::SUM,
        fields::metrics_v1_sum::DATA_POINTS,
        fields::metrics_v1_number_data_point::ATTRIBUTES,
    ),
    (
        fields::metrics_v1_metric::HISTOGRAM,
        fields::metrics_v1_histogram::DATA_POINTS,
        fields::metrics_v1_histogram_data_point::ATTRIBUTES,
    ),
    (
        fields::metrics_v1_metric::EXPONENTIAL_HISTOGRAM,
        fields::metrics_v1_exponential_histogram::DATA_POINTS,
        fields::metrics_v1_exponential_histogram_data_point::ATTRIBUTES,
    ),
    (
        fields::metrics_v1_metric::SUMMARY,
        fields::metrics_v1_summary::DATA_POINTS,
        fields::metrics_v1_summary_data_point::ATTRIBUTES,
    ),
];
