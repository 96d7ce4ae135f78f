//! What a filter leaves of a request, over the tree: the obvious twin of [`crate::select`].

use super::Request;
use crate::proto::common::v1::{InstrumentationScope, KeyValue, any_value};
use crate::proto::metrics::v1::{Metric, metric::Data};
use crate::proto::resource::v1::Resource;
use crate::select::Selector;
use crate::select::pattern::Pattern;
use crate::typed;

impl Request {
    /// Drops what a filter doesn't want, and what is empty without it. Whether anything is left.
    ///
    /// See [`Filter`](crate::select::Filter) for what clauses mean.
    pub fn select(&mut self, selector: &Selector) -> bool {
        let signal = self.signal();
        if !selector.concerns(signal) {
            return true;
        }
        let attributes = |list: &[KeyValue]| satisfies(&selector.attributes, list, &[]);
        let below = selector.concerns_items(signal);
        let scope = |scope: &Option<InstrumentationScope>| {
            let name = scope.as_ref().map_or("", |scope| &scope.name);
            let pattern = selector.scope.as_ref();
            pattern.is_none_or(|pattern| pattern.matches(name.as_bytes()))
        };
        let resource = |resource: &Option<Resource>, strings: &[String]| {
            let list = resource.as_ref().map_or(&[][..], |r| &r.attributes);
            satisfies(&selector.resource, list, strings)
        };
        // Whether to look into scopes.
        let deep = below || selector.scope.is_some();
        match self {
            Self::Metrics(request) => {
                request.resource_metrics.retain_mut(|one| {
                    resource(&one.resource, &[])
                        && (!deep || {
                            one.scope_metrics.retain_mut(|one| {
                                scope(&one.scope)
                                    && (!below || {
                                        one.metrics.retain_mut(|one| metric(selector, one));
                                        !one.metrics.is_empty()
                                    })
                            });
                            !one.scope_metrics.is_empty()
                        })
                });
                !request.resource_metrics.is_empty()
            }
            Self::Traces(request) => {
                request.resource_spans.retain_mut(|one| {
                    resource(&one.resource, &[])
                        && (!deep || {
                            one.scope_spans.retain_mut(|one| {
                                scope(&one.scope)
                                    && (!below || {
                                        one.spans.retain(|span| {
                                            let pattern = selector.span.as_ref();
                                            pattern.is_none_or(|p| p.matches(span.name.as_bytes()))
                                                && attributes(&span.attributes)
                                        });
                                        !one.spans.is_empty()
                                    })
                            });
                            !one.scope_spans.is_empty()
                        })
                });
                !request.resource_spans.is_empty()
            }
            Self::Logs(request) => {
                request.resource_logs.retain_mut(|one| {
                    resource(&one.resource, &[])
                        && (!deep || {
                            one.scope_logs.retain_mut(|one| {
                                scope(&one.scope)
                                    && (!below || {
                                        one.log_records.retain(|record| {
                                            (selector.severity == 0
                                                || record.severity_number >= selector.severity)
                                                && attributes(&record.attributes)
                                        });
                                        !one.log_records.is_empty()
                                    })
                            });
                            !one.scope_logs.is_empty()
                        })
                });
                !request.resource_logs.is_empty()
            }
            Self::Profiles(request) => {
                let strings = request.dictionary.as_ref();
                let strings = strings.map_or(&[][..], |dictionary| &dictionary.string_table);
                request.resource_profiles.retain_mut(|one| {
                    resource(&one.resource, strings)
                        && (!deep || {
                            one.scope_profiles.retain(|one| scope(&one.scope));
                            !one.scope_profiles.is_empty()
                        })
                });
                !request.resource_profiles.is_empty()
            }
        }
    }
}

/// Drops the data points that aren't wanted; whether the metric is.
fn metric(selector: &Selector, metric: &mut Metric) -> bool {
    let pattern = selector.metric.as_ref();
    if pattern.is_some_and(|pattern| !pattern.matches(metric.name.as_bytes())) {
        return false;
    }
    if selector.attributes.is_empty() {
        return true;
    }
    let attributes = |list: &[KeyValue]| satisfies(&selector.attributes, list, &[]);
    match &mut metric.data {
        Some(Data::Gauge(data)) => data
            .data_points
            .retain(|point| attributes(&point.attributes)),
        Some(Data::Sum(data)) => data
            .data_points
            .retain(|point| attributes(&point.attributes)),
        Some(Data::Histogram(data)) => {
            data.data_points
                .retain(|point| attributes(&point.attributes));
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points
                .retain(|point| attributes(&point.attributes));
        }
        Some(Data::Summary(data)) => {
            data.data_points
                .retain(|point| attributes(&point.attributes));
        }
        None => {}
    }
    typed::data_points(metric) > 0
}

/// Whether each clause is satisfied by some attribute. Indices refer to `strings`.
fn satisfies(clauses: &[(String, Pattern)], list: &[KeyValue], strings: &[String]) -> bool {
    let text = |index: i32| {
        let index = usize::try_from(index).ok();
        let text = index.and_then(|index| strings.get(index));
        text.map_or("", String::as_str)
    };
    clauses.iter().all(|(wanted, pattern)| {
        list.iter().any(|attribute| {
            let key = match attribute.key.as_str() {
                "" => text(attribute.key_strindex),
                key => key,
            };
            let value = attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref());
            let value = match value {
                Some(any_value::Value::StringValueStrindex(index)) if !strings.is_empty() => {
                    Some(text(*index).to_owned())
                }
                value => value.and_then(value_text),
            };
            let matches = |value: String| pattern.matches(value.as_bytes());
            key == wanted && (pattern.is_any() || value.is_some_and(matches))
        })
    })
}

/// The text of a value that has one.
fn value_text(value: &any_value::Value) -> Option<String> {
    match value {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::BoolValue(value) => Some(value.to_string()),
        any_value::Value::IntValue(value) => Some(value.to_string()),
        any_value::Value::DoubleValue(value) if value.is_finite() => {
            serde_json::to_string(value).ok()
        }
        any_value::Value::DoubleValue(value) if value.is_nan() => Some("NaN".to_owned()),
        any_value::Value::DoubleValue(value) if *value > 0.0 => Some("Infinity".to_owned()),
        any_value::Value::DoubleValue(_) => Some("-Infinity".to_owned()),
        any_value::Value::ArrayValue(_)
        | any_value::Value::KvlistValue(_)
        | any_value::Value::BytesValue(_)
        | any_value::Value::StringValueStrindex(_) => None,
    }
}
