//! What the codec does where OTLP leaves it open, and what its errors say.

use otlp_codec::check::check;
use otlp_codec::proto::logs::v1::LogRecord;
use otlp_codec::proto::metrics::v1::{
    ExponentialHistogramDataPoint, NumberDataPoint, number_data_point, summary_data_point,
};
use otlp_codec::proto::profiles::v1development::Profile;
use otlp_codec::proto::trace::v1::Span;
use otlp_codec::typed::Request;
use otlp_codec::{DecodeError, Limits, Signal, json};
use serde_json::json;

fn read<M: json::JsonMessage>(text: &str) -> Result<M, DecodeError> {
    json::decode(text.as_bytes(), &Limits::default())
}

fn write<M: serde::Serialize>(message: &M) -> String {
    let mut out = Vec::new();
    json::encode(message, &Limits::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn error<M: json::JsonMessage + std::fmt::Debug>(text: &str) -> String {
    read::<M>(text).unwrap_err().to_string()
}

/// Scenario: enums as numbers known and unknown, as names known and unknown, and quoted.
/// Guarantees: any number is kept and written back, a known name is its number, anything else
/// is an error and never 0 (ProtoJSON, "Enum").
#[test]
fn enums() {
    let span: Span = read(r#"{"kind":99}"#).unwrap();
    assert_eq!(write(&span), r#"{"kind":99}"#);
    assert_eq!(read::<Span>(r#"{"kind":-1}"#).unwrap().kind, -1);
    assert_eq!(read::<Span>(r#"{"kind":3.0}"#).unwrap().kind, 3);
    assert_eq!(
        read::<Span>(r#"{"kind":"SPAN_KIND_SERVER"}"#).unwrap().kind,
        2
    );
    for bad in [
        r#""NOPE""#,
        r#""2""#,
        "2.5",
        "4294967296",
        "true",
        "{}",
        r#""""#,
    ] {
        let message = error::<Span>(&format!(r#"{{"kind":{bad}}}"#));
        assert!(
            message.starts_with("kind: expected the number or a known name"),
            "{message}"
        );
    }
}

/// Scenario: original field names, keys twice, two members of a oneof.
/// Guarantees: snake_case is read, never written, and skipped when asked to be strict; what could
/// be read in two ways is an error.
#[test]
fn names_and_duplicates() {
    let snake = r#"{"start_time_unix_nano":"5","name":"n"}"#;
    let span: Span = read(snake).unwrap();
    assert_eq!(write(&span), r#"{"name":"n","startTimeUnixNano":"5"}"#);
    let strict = json::Names::Strict;
    let span: Span = json::decode_with(snake.as_bytes(), &Limits::default(), strict).unwrap();
    assert_eq!(write(&span), r#"{"name":"n"}"#);
    for twice in [
        r#"{"name":"a","name":"b"}"#,
        r#"{"startTimeUnixNano":1,"start_time_unix_nano":1}"#,
        r#"{"attributes":[],"attributes":[]}"#,
        r#"{"name":null,"name":"a"}"#,
    ] {
        assert!(
            error::<Span>(twice).contains("the field occurs twice"),
            "{twice}"
        );
    }
    let two = error::<LogRecord>(r#"{"body":{"stringValue":"a","intValue":"1"}}"#);
    assert!(
        two.starts_with("body.intValue: a second member of the same oneof"),
        "{two}"
    );
    let null: LogRecord = read(r#"{"body":{"stringValue":"a","intValue":null}}"#).unwrap();
    assert_eq!(write(&null), r#"{"body":{"stringValue":"a"}}"#);
}

/// Scenario: `null` in every position.
/// Guarantees: a field that is `null` is absent; an element and the top level must not be.
#[test]
fn null() {
    let point: NumberDataPoint = read(
        r#"{"attributes":null,"startTimeUnixNano":null,"asInt":null,"asDouble":null,"flags":null,"exemplars":null}"#,
    )
    .unwrap();
    assert_eq!(point, NumberDataPoint::default());
    let element = error::<NumberDataPoint>(r#"{"exemplars":[{},null]}"#);
    assert!(
        element.starts_with("exemplars[1]: null is no element of a list"),
        "{element}"
    );
    assert!(error::<NumberDataPoint>("null").contains("expected an object"));
}

/// Scenario: -0.0 where a double is implicit, and where it has presence.
/// Guarantees: only +0.0 is the default that is left out; the sign is kept.
#[test]
fn negative_zero() {
    let implicit = summary_data_point::ValueAtQuantile {
        quantile: 0.0,
        value: -0.0,
    };
    assert_eq!(write(&implicit), r#"{"value":-0.0}"#);
    let threshold = ExponentialHistogramDataPoint {
        zero_threshold: -0.0,
        ..Default::default()
    };
    assert_eq!(write(&threshold), r#"{"zeroThreshold":-0.0}"#);
    let read: NumberDataPoint = read(r#"{"asDouble":-0.0}"#).unwrap();
    let Some(number_data_point::Value::AsDouble(value)) = read.value else {
        panic!("no double")
    };
    assert!(value.is_sign_negative());
    assert_eq!(write(&read), r#"{"asDouble":-0.0}"#);
}

/// Scenario: doubles that need every digit.
/// Guarantees: what is written reads back to the same bits.
#[test]
fn doubles_round_trip() {
    for value in [
        0.1,
        1.0 / 3.0,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        1e21,
        123_456_789.123_456_79,
    ] {
        let point = NumberDataPoint {
            value: Some(number_data_point::Value::AsDouble(value)),
            ..Default::default()
        };
        assert_eq!(
            read::<NumberDataPoint>(&write(&point)).unwrap(),
            point,
            "{value}"
        );
    }
}

/// Scenario: profile ids in hex and in base64.
/// Guarantees: both are read, hex is written, as the Collector does (OTLP spec, "JSON Protobuf
/// Encoding", names trace and span ids alone); an id that is not 16 bytes long is written so that
/// it is read back.
#[test]
fn profile_ids() {
    let hex = r#"{"profileId":"00112233445566778899aabbccddeeff"}"#;
    let base64 = r#"{"profileId":"ABEiM0RVZneImaq7zN3u/w=="}"#;
    assert_eq!(
        read::<Profile>(hex).unwrap(),
        read::<Profile>(base64).unwrap()
    );
    assert_eq!(write(&read::<Profile>(base64).unwrap()), hex);
    let odd = r#"{"profileId":"EAs="}"#;
    assert_eq!(read::<Profile>(odd).unwrap().profile_id, [16, 11]);
    assert_eq!(write(&read::<Profile>(odd).unwrap()), odd);
    assert!(error::<Profile>(r#"{"profileId":"!!"}"#).starts_with("profileId: "));
}

/// Scenario: ids of lengths that OTLP doesn't have, in each signal.
/// Guarantees: `check_ids` names the first by its path, and passes right and empty ones.
#[test]
fn id_lengths() {
    let request = |signal, value: serde_json::Value| {
        Request::decode_json(signal, value.to_string().as_bytes(), &Limits::default()).unwrap()
    };
    let path = |request: Request| request.check_ids().unwrap_err().path().unwrap().to_owned();
    let metrics = |kind: &str, exemplars: serde_json::Value| {
        request(
            Signal::Metrics,
            json!({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
                {}, {kind: {"dataPoints":[{"exemplars": exemplars}]}}]}]}]}),
        )
    };
    for kind in ["gauge", "sum", "histogram", "exponentialHistogram"] {
        assert_eq!(
            path(metrics(kind, json!([{"traceId":""},{"spanId":"ab"}]))),
            format!(
                "resourceMetrics[0].scopeMetrics[0].metrics[1].{kind}.dataPoints[0].exemplars[1].spanId"
            )
        );
    }
    let trace_id = "5b8efff798038103d269b633813fc60c";
    let good = metrics(
        "gauge",
        json!([{"traceId":trace_id,"spanId":"eee19b7ec3c1b174"}]),
    );
    assert_eq!(good.check_ids(), Ok(()));
    let span = |span| {
        request(
            Signal::Traces,
            json!({"resourceSpans":[{"scopeSpans":[{"spans":[span]}]}]}),
        )
    };
    let spans = "resourceSpans[0].scopeSpans[0].spans[0]";
    assert_eq!(
        path(span(json!({"traceId":"abcd"}))),
        format!("{spans}.traceId")
    );
    assert_eq!(
        path(span(json!({"parentSpanId":trace_id}))),
        format!("{spans}.parentSpanId")
    );
    assert_eq!(
        path(span(json!({"links":[{"spanId":"ab"}]}))),
        format!("{spans}.links[0].spanId")
    );
    let log = json!({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"spanId":trace_id}]}]}]});
    assert_eq!(
        path(request(Signal::Logs, log)),
        "resourceLogs[0].scopeLogs[0].logRecords[0].spanId"
    );
    let profiles = json!({"dictionary":{"linkTable":[{},{"traceId":"ab"}]}});
    assert_eq!(
        path(request(Signal::Profiles, profiles)),
        "dictionary.linkTable[1].traceId"
    );
}

/// Scenario: errors at different depths, with long and unprintable values.
/// Guarantees: an error has the path, says what was expected, and echoes little of the payload.
#[test]
fn errors_help() {
    let base64 = error::<Span>(r#"{"traceId":"W47/95gDgQPSabYzgT/GDA=="}"#);
    assert!(
        base64.contains("traceId: expected an id") && base64.contains("base64"),
        "{base64}"
    );
    let long = format!(
        r#"{{"attributes":[{{"value":{{"intValue":"{}"}}}}]}}"#,
        "9".repeat(10_000)
    );
    let long = error::<Span>(&long);
    assert!(long.starts_with("attributes[0].value.intValue: expected a signed 64-bit integer"));
    assert!(long.len() < 200, "{long}");
    let text = error::<Span>(&format!(
        r#"{{"droppedLinksCount":"{}"}}"#,
        r"\u0007".repeat(100)
    ));
    assert!(!text.contains('\u{7}') && text.len() < 400, "{text}");
    let syntax = error::<Span>("{\n  \"name\": \"a\",\n}");
    assert!(syntax.contains("at line 3 column 1"), "{syntax}");
    let key = format!(r#"{{"{}":[1,}}"#, "k".repeat(5000));
    assert!(error::<Span>(&key).len() < 400);
}

/// Scenario: the `serde` implementations used without the crate's own functions.
/// Guarantees: they read and write the same JSON, from text that is borrowed and from a reader.
#[test]
fn plain_serde() {
    let text = r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","startTimeUnixNano":18446744073709551615}"#;
    let borrowed: Span = serde_json::from_str(text).unwrap();
    let read: Span = serde_json::from_reader(text.as_bytes()).unwrap();
    assert_eq!(borrowed, read);
    assert_eq!(serde_json::to_string(&read).unwrap(), write(&borrowed));
    assert_eq!(borrowed.start_time_unix_nano, u64::MAX);
}

/// Scenario: attributes that refer to a table of strings, in logs and in profiles.
/// Guarantees: accepted in both; the check says so of logs, which have no such table (comments of `common.proto`).
#[test]
fn string_indices_are_noticed() {
    let attributes = r#""attributes":[{"keyStrindex":3,"value":{"stringValueStrindex":4}}]"#;
    for (signal, json, noticed) in [
        (
            Signal::Logs,
            format!(r#"{{"resourceLogs":[{{"resource":{{{attributes}}}}}]}}"#),
            true,
        ),
        (
            Signal::Logs,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#.to_owned(),
            false,
        ),
        (
            Signal::Profiles,
            format!(r#"{{"resourceProfiles":[{{"resource":{{{attributes}}}}}]}}"#),
            false,
        ),
    ] {
        let limits = Limits::default();
        let wire = Request::decode_json(signal, json.as_bytes(), &limits)
            .unwrap()
            .encode_protobuf();
        assert_eq!(
            check(signal, &wire, &limits).unwrap().string_indices,
            noticed,
            "{json}"
        );
    }
}
