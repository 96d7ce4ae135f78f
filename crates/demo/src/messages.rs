//! The messages of OTLP that the demo needs, in fewer words.

use std::time::{Duration, SystemTime};

use otlp_codec::proto::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use otlp_codec::proto::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, Sum, metric::Data, number_data_point,
};
use otlp_codec::proto::resource::v1::Resource;

/// A time in nanoseconds since 1970, as OTLP has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    pub(crate) fn at(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let nanoseconds = since.unwrap_or_default().as_nanos();
        Self(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    pub(crate) fn after(self, seconds: f64) -> Self {
        let later = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self(
            self.0
                .saturating_add(u64::try_from(later.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// Seconds since another time.
    pub(crate) fn since(self, other: Self) -> f64 {
        Duration::from_nanos(self.0.saturating_sub(other.0)).as_secs_f64()
    }
}

/// An attribute of text.
pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

/// An attribute that is a number.
pub(crate) fn integer(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// The body of a log record.
pub(crate) fn body(value: impl Into<String>) -> Option<AnyValue> {
    Some(AnyValue {
        value: Some(Value::StringValue(value.into())),
    })
}

/// The resource of a service of the demo.
pub(crate) fn resource(service: &str, more: Vec<KeyValue>) -> Option<Resource> {
    let mut attributes = vec![
        text("service.name", service),
        text("service.version", env!("CARGO_PKG_VERSION")),
    ];
    attributes.extend(more);
    Some(Resource {
        attributes,
        ..Resource::default()
    })
}

pub(crate) fn scope(name: &str) -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: name.to_owned(),
        ..InstrumentationScope::default()
    })
}

/// A metric: a name, a unit and a description as the semantic conventions have them.
pub(crate) fn metric(name: &str, unit: &str, description: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        description: description.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

/// What is now.
pub(crate) fn gauge(data_points: Vec<NumberDataPoint>) -> Data {
    Data::Gauge(Gauge { data_points })
}

/// What has come together since the beginning: only more if it is `monotonic`.
pub(crate) fn sum(data_points: Vec<NumberDataPoint>, monotonic: bool) -> Data {
    Data::Sum(Sum {
        data_points,
        aggregation_temporality: AggregationTemporality::Cumulative as i32,
        is_monotonic: monotonic,
    })
}

/// Points of one time, each counted from `start`.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: Moment,
    pub(crate) now: Moment,
}

impl Span {
    pub(crate) fn double(self, value: f64, attributes: Vec<KeyValue>) -> NumberDataPoint {
        self.point(number_data_point::Value::AsDouble(value), attributes)
    }

    pub(crate) fn integer(self, value: u64, attributes: Vec<KeyValue>) -> NumberDataPoint {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.point(number_data_point::Value::AsInt(value), attributes)
    }

    fn point(self, value: number_data_point::Value, attributes: Vec<KeyValue>) -> NumberDataPoint {
        NumberDataPoint {
            attributes,
            start_time_unix_nano: self.start.0,
            time_unix_nano: self.now.0,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }
}
