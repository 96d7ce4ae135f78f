//! What the fast doors remember, held against attributes, times and bounds made to be confused.

use otlp_codec::from_json::JsonReader;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use otlp_codec::proto::metrics::v1::{
    Gauge, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use otlp_codec::transcode::Transcoder;
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{EncodeError, Limits, Signal};
use prost::Message;

/// A request with one metric.
fn request(metric: Metric) -> Vec<u8> {
    let metrics = vec![metric];
    // It lies behind all attributes: only of those that don't end the request is there a memo.
    let schema_url = "behind".repeat(20);
    let scope_metrics = vec![ScopeMetrics {
        metrics,
        schema_url,
        ..Default::default()
    }];
    let resource_metrics = vec![ResourceMetrics {
        scope_metrics,
        ..Default::default()
    }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

fn write(
    transcoder: &mut Transcoder,
    wire: &[u8],
    limits: &Limits,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    transcoder.protobuf_to_json(Signal::Metrics, wire, limits, &mut out)?;
    Ok(out)
}

/// A transcoder that may remember and the typed door write a metric as the same JSON value.
fn agree(transcoder: &mut Transcoder, metric: Metric) {
    let wire = request(metric);
    let limits = Limits::default();
    let mut typed = Vec::new();
    protobuf_to_json(Signal::Metrics, &wire, &limits, &mut typed).unwrap();
    let walked = write(transcoder, &wire, &limits).unwrap();
    let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&walked), value(&typed));
    assert_eq!(transcoder.fallbacks(), 0);
}

fn gauge(points: Vec<NumberDataPoint>) -> Metric {
    Metric {
        data: Some(Data::Gauge(Gauge {
            data_points: points,
        })),
        ..Default::default()
    }
}

/// Scenario: for each length around the memo's limits, an attribute and all those that differ
/// from it in one byte, or are one byte longer or shorter, each several times and mixed.
/// Guarantees: no attribute is ever taken for another, wherever they differ.
#[test]
fn attributes_are_told_apart_by_every_byte() {
    let mut transcoder = Transcoder::new();
    for len in (0..40).chain(85..92) {
        let original = vec![b'a'; len];
        let mut texts: Vec<Vec<u8>> = vec![original.clone(), vec![b'a'; len + 1]];
        for at in 0..len {
            let mut text = original.clone();
            text[at] = b'b';
            texts.push(text);
        }
        let point = |text: &Vec<u8>, in_key: bool| {
            let text = String::from_utf8(text.clone()).unwrap();
            let (key, value) = if in_key {
                (text, "v".to_owned())
            } else {
                ("k".to_owned(), text)
            };
            let value = Some(AnyValue {
                value: Some(Value::StringValue(value)),
            });
            let attributes = vec![KeyValue {
                key,
                value,
                ..Default::default()
            }];
            // The point's flags lie behind its attributes.
            NumberDataPoint {
                attributes,
                flags: 1,
                ..Default::default()
            }
        };
        for in_key in [false, true] {
            for _ in 0..3 {
                let neighbours = texts.iter().flat_map(|text| [text, &original, text, text]);
                agree(
                    &mut transcoder,
                    gauge(neighbours.map(|text| point(text, in_key)).collect()),
                );
            }
        }
    }
}

/// Scenario: attributes whose bytes are alike but whose kinds of value differ, empty ones, nested
/// ones, and ones with text that needs escapes, again and again.
/// Guarantees: each is written as what it is, however often.
#[test]
fn attributes_are_told_apart_by_kind() {
    let mut transcoder = Transcoder::new();
    let values = [
        None,
        Some(AnyValue { value: None }),
        Some(AnyValue {
            value: Some(Value::IntValue(1)),
        }),
        Some(AnyValue {
            value: Some(Value::BoolValue(true)),
        }),
        Some(AnyValue {
            value: Some(Value::StringValue("\u{1}".to_owned())),
        }),
        Some(AnyValue {
            value: Some(Value::StringValue("a\"\\\n€".to_owned())),
        }),
        Some(AnyValue {
            value: Some(Value::BytesValue(vec![1])),
        }),
        Some(AnyValue {
            value: Some(Value::ArrayValue(Default::default())),
        }),
        Some(AnyValue {
            value: Some(Value::KvlistValue(Default::default())),
        }),
        Some(AnyValue {
            value: Some(Value::StringValueStrindex(1)),
        }),
    ];
    let points = |keys: &[&str]| {
        let attributes = |key: &str| {
            let key_value = |value: &Option<AnyValue>| KeyValue {
                key: key.to_owned(),
                value: value.clone(),
                ..Default::default()
            };
            values.iter().map(key_value).collect()
        };
        let point = |key: &&str| NumberDataPoint {
            attributes: attributes(key),
            ..Default::default()
        };
        keys.iter().map(point).collect()
    };
    for _ in 0..5 {
        agree(
            &mut transcoder,
            gauge(points(&["", "k", "", "k", "key", "k"])),
        );
    }
}

/// Scenario: times on either side of a tenth of a second, of other lengths, and both times of a
/// point the other way round; bounds that differ in one value, in length and in sign.
/// Guarantees: each is written as what it is.
#[test]
fn times_and_bounds_are_told_apart() {
    let mut transcoder = Transcoder::new();
    let base = 1_790_000_000_000_000_000_u64;
    let times = [
        0,
        1,
        99_999_999,
        100_000_000,
        base,
        base - 1,
        base + 99_999_999,
    ];
    let times = times
        .into_iter()
        .chain([base + 100_000_000, u64::MAX, 10_u64.pow(18), base]);
    let times: Vec<u64> = times.collect();
    let pairs = times
        .iter()
        .flat_map(|start| times.iter().map(move |time| (*start, *time)));
    let point = |(start_time_unix_nano, time_unix_nano)| NumberDataPoint {
        start_time_unix_nano,
        time_unix_nano,
        ..Default::default()
    };
    agree(&mut transcoder, gauge(pairs.map(point).collect()));

    let lists = [
        vec![],
        vec![0.0],
        vec![-0.0],
        vec![1.0],
        vec![1.0, 2.5],
        vec![1.0, f64::NAN],
    ];
    let long = |last| (0..200).map(f64::from).chain([last]).collect::<Vec<_>>();
    let lists = lists.into_iter().chain([long(1.0), long(2.0)]);
    let lists: Vec<_> = lists
        .flat_map(|list| [list.clone(), vec![7.0], list.clone(), list])
        .collect();
    let point = |explicit_bounds: Vec<f64>| HistogramDataPoint {
        explicit_bounds,
        ..Default::default()
    };
    let data_points = lists.into_iter().map(point).collect();
    let histogram = otlp_codec::proto::metrics::v1::Histogram {
        data_points,
        ..Default::default()
    };
    agree(
        &mut transcoder,
        Metric {
            data: Some(Data::Histogram(histogram)),
            ..Default::default()
        },
    );
}

/// Scenario: flat and nested attributes that came often enough to be remembered, then the same
/// request again with every limit of elements and of depth that it might just reach.
/// Guarantees: what is remembered counts as much as what is read: the limits of the typed door.
#[test]
fn limits_count_what_is_remembered() {
    let nested = |levels: usize| {
        let flat = AnyValue {
            value: Some(Value::IntValue(1)),
        };
        (0..levels).fold(flat, |inner, _| AnyValue {
            value: Some(Value::ArrayValue(ArrayValue {
                values: vec![inner],
            })),
        })
    };
    let attributes = [0, 1, 3].map(|levels| KeyValue {
        key: format!("nested-{levels}"),
        value: Some(nested(levels)),
        ..Default::default()
    });
    let attributes = vec![attributes; 3].concat();
    let flat = vec![attributes[0].clone(); 9];
    let texts = (0..9).map(|number| KeyValue {
        key: format!("text-{number}"),
        value: Some(AnyValue {
            value: Some(Value::StringValue(number.to_string())),
        }),
        ..Default::default()
    });
    for attributes in [attributes, flat, texts.collect()] {
        // The flags lie behind the attributes, and more points behind the flags.
        let point = NumberDataPoint {
            attributes,
            flags: 1,
            ..Default::default()
        };
        same_limits(&request(gauge(vec![point; 2])));
    }
}

/// Each limit that a request might just reach is the same for a transcoder that remembers it.
fn same_limits(wire: &[u8]) {
    let mut transcoder = Transcoder::new();
    for _ in 0..4 {
        write(&mut transcoder, wire, &Limits::default()).unwrap();
    }
    let elements = (0..120).map(|elements| Limits {
        elements,
        ..Limits::default()
    });
    let depths = (0..20).map(|depth| Limits {
        depth,
        ..Limits::default()
    });
    let (mut passed, mut refused) = (0, 0);
    for limits in elements.chain(depths) {
        let typed = protobuf_to_json(Signal::Metrics, wire, &limits, &mut Vec::new());
        // One that remembers, and one that has nothing to remember yet.
        for transcoder in [&mut transcoder, &mut Transcoder::new()] {
            let before = transcoder.fallbacks();
            let walked = write(transcoder, wire, &limits);
            assert_eq!(walked.err(), typed.clone().err(), "{limits:?}");
            // An error is the typed door's own; without one, the walk did it alone.
            assert_eq!(
                transcoder.fallbacks() > before,
                typed.is_err(),
                "{limits:?}"
            );
        }
        match typed {
            Ok(()) => passed += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(passed > 5 && refused > 5, "{passed} {refused}");
}

/// Scenario: lists of bounds in JSON that begin alike, in white space too, one after another.
/// Guarantees: the reader takes none for another: the message is the typed door's.
#[test]
fn bounds_in_json_are_told_apart() {
    let mut reader = JsonReader::new();
    let limits = Limits::default();
    let lists = [
        "[1,2]", "[1,25]", "[1,2.5]", "[1,2,3]", "[1,2 ]", "[1]", "[]", "[1,2e1]", "[-0.0]",
    ];
    for list in lists.iter().flat_map(|list| [list, list, &"[1,2]", list]) {
        let json = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{"explicitBounds":{list}}},{{"explicitBounds":[1,2]}}]}}}}]}}]}}]}}"#
        );
        let mut wire = Vec::new();
        reader
            .json_to_protobuf(Signal::Metrics, json.as_bytes(), &limits, &mut wire)
            .unwrap();
        let typed = Request::decode_json(Signal::Metrics, json.as_bytes(), &limits).unwrap();
        let read = Request::decode_protobuf(Signal::Metrics, &wire, &limits).unwrap();
        assert_eq!(format!("{read:?}"), format!("{typed:?}"), "{list}");
        assert_eq!(reader.fallbacks(), 0);
    }
}
