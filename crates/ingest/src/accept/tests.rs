//! From bytes to exports, for each encoding and each way to fail.

use otlp_codec::Limits;

use super::*;

/// One gauge with one data point, 31 bytes.
const PROTOBUF: &[u8] = b"\x0a\x1d\x12\x1b\x12\x19\x0a\x01m*\x14\x0a\x12\x19\x01\0\0\0\0\0\0\0\
    1\x05\0\0\0\0\0\0\0";
/// The same in JSON.
const JSON: &[u8] = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m",
    "gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"5"}]}}]}]}]}"#;

fn checked(content_type: ContentType, body: &'static [u8]) -> Result<Export, DecodeError> {
    let body = Bytes::from_static(body);
    let accepted = check(Signal::Metrics, content_type, body, &Limits::default())?;
    assert_eq!(accepted.rejected, None);
    Ok(accepted.export)
}

/// Scenario: the same request in both encodings.
/// Guarantees: both become the same export.
#[test]
fn both_encodings_become_one_form() {
    let expected = Export {
        signal: Signal::Metrics,
        wire: Bytes::from_static(PROTOBUF),
        items: 1,
    };
    assert_eq!(checked(ContentType::Protobuf, PROTOBUF).unwrap(), expected);
    assert_eq!(checked(ContentType::Json, JSON).unwrap(), expected);
}

/// Scenario: a protobuf request with an unknown field.
/// Guarantees: the bytes are handed on as they came, not copied.
#[test]
fn protobuf_is_handed_on_as_it_came() {
    let body = Bytes::from([b"\x9a\x06\x02\xff\xff".as_slice(), PROTOBUF].concat());
    let limits = Limits::default();
    let export = check(
        Signal::Metrics,
        ContentType::Protobuf,
        body.clone(),
        &limits,
    )
    .unwrap()
    .export;
    assert_eq!(export.wire, body);
    assert_eq!(export.wire.as_ptr(), body.as_ptr());
}

/// Scenario: requests without telemetry, and a request for another signal.
/// Guarantees: success, and no items (OTLP spec, "Full Success").
#[test]
fn empty_requests() {
    for (content_type, body) in [
        (ContentType::Protobuf, &b""[..]),
        (ContentType::Json, b"{}"),
        (ContentType::Json, br#"{"resourceMetrics":[]}"#),
        (
            ContentType::Json,
            br#"{"resourceSpans":[{"scopeSpans":[]}]}"#,
        ),
    ] {
        let export = checked(content_type, body).unwrap();
        assert_eq!((export.items, export.wire.len()), (0, 0));
    }
}

/// Scenario: an empty body that claims to be JSON.
/// Guarantees: it is an error; only protobuf has an empty encoding.
#[test]
fn an_empty_body_is_not_json() {
    assert!(checked(ContentType::Json, b"").is_err());
}

/// Scenario: a short JSON text of numbers that are eight bytes each in protobuf.
/// Guarantees: the limit holds for the protobuf form too.
#[test]
fn json_that_grows() {
    let numbers = vec!["1"; 1000].join(",");
    let json = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[
        {{"explicitBounds":[{numbers}]}}]}}}}]}}]}}]}}"#
    );
    let limits = Limits {
        input_bytes: 4000,
        ..Limits::default()
    };
    assert!(json.len() < limits.input_bytes);
    let checked = check(Signal::Metrics, ContentType::Json, json.into(), &limits);
    assert_eq!(checked, Err(DecodeError::TooLong { limit: 4000 }));
}

/// Scenario: a body that is long enough to be decoded elsewhere, good and bad.
/// Guarantees: the result is the same as on the spot.
#[actix_web::test]
async fn long_bodies_are_decoded_elsewhere() {
    let padding = vec![0xff; OFFLOAD_BYTES];
    // Field 99, length-delimited, of 2^20 bytes.
    let good = Bytes::from([b"\x9a\x06\x80\x80\x40", &padding[..], PROTOBUF].concat());
    let limits = Limits::default();
    let (signal, protobuf) = (Signal::Metrics, ContentType::Protobuf);
    let decoders = Decoders::new(1);
    let export = check_off_thread(signal, protobuf, good.clone(), limits, &decoders).await;
    assert_eq!(export.unwrap().export.wire, good);
    let bad = check_off_thread(signal, protobuf, padding.into(), limits, &decoders).await;
    assert!(matches!(
        bad,
        Err(IngestError::Decode(DecodeError::Protobuf(_)))
    ));
}

/// Scenario: three spans, one of which has a trace id of one byte; then only such ones.
/// Guarantees: the others are handed on, with lengths that fit; the text says how many were
/// refused, and what is wrong with the first.
#[test]
fn items_with_wrong_ids_are_taken_out() {
    let json = |spans: &str| {
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        Bytes::from(json)
    };
    let accepted = |spans: &str| {
        let body = json(spans);
        check(Signal::Traces, ContentType::Json, body, &Limits::default()).unwrap()
    };
    let mixed = accepted(r#"{"name":"a"},{"traceId":"07","name":"b"},{"name":"c"}"#);
    assert_eq!(
        mixed.export,
        accepted(r#"{"name":"a"},{"name":"c"}"#).export
    );
    let rejected = Rejected {
        items: 1,
        why: "1 of 3 spans refused: resourceSpans[0].scopeSpans[0].spans[1].traceId: 1 bytes, \
              but OTLP has 16 or none"
            .to_owned(),
    };
    assert_eq!(mixed.rejected, Some(rejected));
    let none = accepted(r#"{"spanId":"07"},{"parentSpanId":"0708"}"#);
    assert_eq!(none.export.items, 0);
    assert_eq!(none.rejected.unwrap().items, 2);
}
