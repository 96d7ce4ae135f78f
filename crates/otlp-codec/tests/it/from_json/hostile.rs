//! Texts made to hurt.

use otlp_codec::from_json::{JsonReader, json_to_protobuf};
use otlp_codec::{DecodeError, Limits, Signal};

use super::agree;

/// A data point with some members.
fn point(members: &str) -> String {
    format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{{{members}}}]}}}}]}}]}}]}}"#
    )
}

fn both(json: &str) {
    let limits = Limits::default();
    agree(
        &mut JsonReader::new(),
        Signal::Metrics,
        json.as_bytes(),
        &limits,
    );
}

fn error(signal: Signal, json: &str) -> DecodeError {
    let result = JsonReader::new().json_to_protobuf(
        signal,
        json.as_bytes(),
        &Limits::default(),
        &mut vec![],
    );
    result.unwrap_err()
}

/// Scenario: values nested 20,000 deep, where a field is known and where none is, with and
/// without their ends.
/// Guarantees: refused by the limit, as by the typed door; the stack is safe.
#[test]
fn depth_is_bounded() {
    let deep = 20_000;
    let arrays = r#"{"arrayValue":{"values":["#.repeat(deep);
    let ends = "]}}".repeat(deep);
    let too_deep = DecodeError::TooDeep { limit: 100 };
    for json in [
        point(&format!(
            r#""attributes":[{{"key":"k","value":{arrays}{ends}}}]"#
        )),
        point(&format!(r#""x":{}{}"#, "[".repeat(deep), "]".repeat(deep))),
        point(&format!(
            r#""x":{}1{}"#,
            r#"{"y":"#.repeat(deep),
            "}".repeat(deep)
        )),
    ] {
        assert_eq!(error(Signal::Metrics, &json), too_deep);
        both(&json);
    }
    both(&arrays);
    both(&"[".repeat(deep));
    both(&format!(r#"{{"x":{}"#, r#"[{"y":"#.repeat(deep)));
    for levels in 92..=98 {
        both(&point(&format!(
            r#""x":{}{}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )));
        both(&point(&format!(
            r#""x":{}0{}"#,
            r#"{"y":"#.repeat(levels),
            "}".repeat(levels)
        )));
    }
}

/// Scenario: a million and one elements, and one fewer than the limit allows.
/// Guarantees: as the typed door.
#[test]
fn elements_are_counted() {
    let spans = |n: usize| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
            vec!["{}"; n].join(",")
        )
    };
    let mut reader = JsonReader::new();
    let limits = Limits::default();
    let mut out = Vec::new();
    let json = spans(999_998);
    let result = reader.json_to_protobuf(Signal::Traces, json.as_bytes(), &limits, &mut out);
    result.unwrap();
    assert_eq!(reader.fallbacks(), 0);
    assert_eq!(
        error(Signal::Traces, &spans(1_000_001)),
        DecodeError::TooManyElements { limit: 1_000_000 }
    );
    // `null` counts too, since it could have been a message.
    for elements in 0..8 {
        let limits = Limits { elements, ..limits };
        for json in [
            r#"{"resourceSpans":[{"resource":null,"scopeSpans":null}]}"#,
            r#"{"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":["a","b","c"]}]}}]}"#,
        ] {
            agree(&mut reader, Signal::Traces, json.as_bytes(), &limits);
        }
    }
}

/// Scenario: numbers of 20,000 digits, of huge exponents, on the edges of their ranges, and
/// texts that are almost numbers; each with and without quotes, as each kind of field.
/// Guarantees: as the typed door.
#[test]
fn numbers_agree() {
    const DIGITS: usize = 20_000;
    let long = "1".repeat(DIGITS);
    let zeros = "0".repeat(DIGITS);
    let lists = [
        "0 -0 -0.0 0.0 0e0 -0e5 00 01 -01 +1 1. .5 -.5 - . e 1e 1e+ 1e- 1e5 1E5 1e+5 10e-1 15e-1",
        "1e999999999 1e-999999999 -1e999999999 0e999999999 1e99999999999999999999 1e308 1.8e308",
        "5 -5 5.0 5.5 500e-2 1.581452773000000789e18 1581452773000000789 12a 1_0 0x1 1e5e5 1.5.5",
        "2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296 -1 1- 1-1 --1 1+1",
        "9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809",
        "9999999999999999999 10000000000000000000 18446744073709551615 18446744073709551616",
        "99999999999999999999 123456789012345678901234567890 0.1 0.2 0.3 1e22 1e23 123456.789",
        "9007199254740992 9007199254740993 9007199254740992.5 0.1234567890123456789 12345678.9",
        "4.9e-324 2.2250738585072014e-308 2.2250738585072011e-308 1.7976931348623157e308",
        "0.000000000000000000000000000001 0.0000000000000000001 1.0000000000000000000000000001",
        "12345678 123456789 1234567 1234567890123456 12345678901234567 true null nul nullx NaN",
        "Infinity -Infinity +Infinity nan inf infinity \\u0031 1\\u0030 \u{665} 1\u{665} 1\u{e9}",
        "\\u004eaN \\u0049nfinity -\\u0049nfinity \\u002d1 1\\u0065\\u0032 \\ud800 \\u00e9 1\\n",
        "AGGREGATION_TEMPORALITY_DELTA AGGREGATION\\u005fTEMPORALITY_DELTA DELTA [] {} [1] \"",
    ];
    let endless = [
        long.clone(),
        format!("1{zeros}"),
        format!("0.{long}"),
        format!("0.{zeros}1"),
        format!("{long}.{long}e-{long}"),
        format!("1e{long}"),
        format!("0{zeros}"),
        format!("1{zeros}e-{DIGITS}"),
    ];
    let texts = lists.iter().flat_map(|list| list.split(' '));
    let texts = texts.map(str::to_owned).chain(endless);
    for text in texts {
        for text in [
            text.clone(),
            format!("\"{text}\""),
            format!("\" {text}\""),
            format!("\"{text} \""),
            format!(" {text}\n"),
            format!("\"{text}"),
        ] {
            for field in ["asInt", "asDouble", "timeUnixNano", "flags"] {
                both(&point(&format!(r#""{field}":{text}"#)));
            }
            for (field, member) in [
                ("histogram", "explicitBounds"),
                ("histogram", "bucketCounts"),
                ("histogram", "sum"),
                ("exponentialHistogram", "scale"),
                ("exponentialHistogram", "zeroThreshold"),
            ] {
                let value = match member {
                    "explicitBounds" | "bucketCounts" => format!("[{text},{text}]"),
                    _ => text.clone(),
                };
                let json = format!(r#""dataPoints":[{{"{member}":{value}}}]"#);
                both(&format!(
                    r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"{field}":{{{json},"aggregationTemporality":{text}}}}}]}}]}}]}}"#
                ));
            }
        }
    }
}

/// Scenario: strings with every escape, broken escapes, surrogates, control characters, texts of
/// lengths around a word; as values, as keys, and where no field is known.
/// Guarantees: as the typed door.
#[test]
fn strings_agree() {
    let mut texts: Vec<String> = [
        r#"\"\\\/\b\f\n\r\t"#,
        r"\u0000\u001f\u00e9\u20ac",
        r"\ud83d\ude00",
        r"\uD83D\uDE00x",
        r"\ud83d",
        r"\ude00",
        r"\ud83dx",
        r"\ud83d\u0041",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\n",
        r"\u12",
        r"\u123g",
        r"\u+123",
        r"\x41",
        r"\'",
        r"\U0041",
        "\t",
        "\u{1f}",
        "\u{7f}",
        "\u{e9}\u{20ac}\u{1f600}",
        r"bmFtZQ==",
        r"bmFtZQ",
        r"bmFt-_+/",
        r"-_-_",
        r"+\/+\/",
        r"ab\u0063d",
        r"a",
        r"ab=",
        r"ab==cd",
        r"abc=",
        r"abd=",
        r"=",
        r"0123456789abcdefABCDEF0123456789",
        r"0123456789abcdefABCDEF012345678g",
        r"\u0030123456789abcdefABCDEF0123456789",
        r"key",
        r"\u006bey",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend((0..40).map(|len| "x".repeat(len)));
    texts.extend((0..40).map(|len| format!("{}\\n{}", "x".repeat(len), "y".repeat(40 - len))));
    texts.extend((0..20).map(|len| format!("{}\u{1}", "x".repeat(len))));
    texts.extend((0..20).map(|len| "af".repeat(len)));
    texts.push("\\u00e9[{\\\"".repeat(100_000));
    for text in &texts {
        let value = |field: &str| {
            format!(r#""attributes":[{{"key":"{text}","value":{{"{field}":"{text}"}}}}]"#)
        };
        both(&point(&value("stringValue")));
        both(&point(&value("bytesValue")));
        both(&point(&format!(r#""exemplars":[{{"traceId":"{text}"}}]"#)));
        both(&point(&format!(r#""{text}":1"#)));
        both(&point(&format!(
            r#""x":{{"{text}":["{text}",{{"{text}":"{text}"}}]}}"#
        )));
        both(&point(&format!(r#""x":"{text}""#)));
        both(&format!(r#"{{"x":"{text}"#));
        let profile = format!(
            r#"{{"resourceProfiles":[{{"scopeProfiles":[{{"profiles":[{{"profileId":"{text}","originalPayload":"{text}"}}]}}]}}]}}"#
        );
        let limits = Limits::default();
        agree(
            &mut JsonReader::new(),
            Signal::Profiles,
            profile.as_bytes(),
            &limits,
        );
    }
}

/// Scenario: what stands between tokens, at the end, and in the place of values; text cut short
/// at every byte; bytes that are no UTF-8 at every byte.
/// Guarantees: as the typed door.
#[test]
fn shapes_agree() {
    for json in [
        "",
        " ",
        "{}",
        " {} \r\n\t",
        "{}{}",
        "{},",
        "{}x",
        "null",
        "[]",
        "1",
        "\"\"",
        "{",
        "{]",
        "{,}",
        "\u{feff}{}",
        "{}\u{0}",
        "{}\u{b}",
        "{\u{a0}}",
        "{\"\":1}",
        "{\"\":{\"\":[]}}",
        "{\"x\"}",
        "{\"x\":}",
        "{\"x\":1,}",
        "{\"x\" 1}",
        "{x:1}",
        "{'x':1}",
        "{\"x\":[1,]}",
        "{\"x\":[,1]}",
        "{\"x\":[1 2]}",
        "{\"x\":{\"y\":1,}}",
        "{\"x\":{1:1}}",
        "{\"x\":[1}}",
        "{\"x\":{]}",
        "{\"x\":tru}",
        "{\"x\":nulll}",
        "{\"x\":01}",
        "{\"x\":-}",
        "{\"x\":1.}",
        "{\"x\":1e}",
        "{\"x\":.1}",
        "{\"x\":1e999999999}",
        "{\"x\":NaN}",
        "{\"x\":+1}",
        "{\"x\":1}}",
        "{\"x\":1,\"x\":2}",
        "{\"resourceMetrics\":null}",
        "{\"resourceMetrics\":{}}",
        "{\"resourceMetrics\":[null]}",
        "{\"resourceMetrics\":[],\"resource_metrics\":[]}",
        "{\"resourceMetrics\":[{}],\"resourceMetrics\":null}",
        "{\"resourceMetrics\":null,\"resourceMetrics\":null}",
        "{\"resourceMetrics\":[{},]}",
        "{\"resource_metrics\":[{\"resource\":{}}]}",
        "{\"resourceMetrics\":[[]]}",
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"value\":{\"boolValue\":true,\"intValue\":null}}]}}]}",
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"value\":{\"boolValue\":null,\"intValue\":1}}]}}]}",
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"value\":{\"boolValue\":true,\"intValue\":1}}]}}]}",
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"value\":{\"boolValue\":\"true\"}}]}}]}",
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"value\":{\"boolValue\":truex}}]}}]}",
    ] {
        both(json);
    }
    let json = point(
        r#" "attributes" : [ { "key" : "k\n" , "value" : { "intValue" : "1" } } ] , "asDouble" : 1.5e3, "x" : [ { "y" : [ true , null ] } ] , "flags":1"#,
    );
    let mut reader = JsonReader::new();
    let limits = Limits::default();
    for at in 0..json.len() {
        both(&json[..at]);
        for byte in [0, b' ', b'"', b'}', b',', 0x80, 0xff] {
            let mut json = json.clone().into_bytes();
            json[at] = byte;
            agree(&mut reader, Signal::Metrics, &json, &limits);
        }
    }
}

/// Scenario: text that becomes protobuf several times as long, with limits around that length.
/// Guarantees: exactly the limit passes, a byte more does not; the buffer is as it was.
#[test]
fn output_is_bounded() {
    let bounds = vec!["1"; 10_000].join(",");
    let json = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{"explicitBounds":[{bounds}]}}]}}}}]}}]}}]}}"#
    );
    let mut wire = Vec::new();
    let read = |output_bytes: usize, wire: &mut Vec<u8>| {
        let limits = Limits {
            output_bytes,
            ..Limits::default()
        };
        json_to_protobuf(Signal::Metrics, json.as_bytes(), &limits, wire)
    };
    read(usize::MAX, &mut wire).unwrap();
    let len = wire.len();
    assert!(len > 3 * json.len());
    for limit in [0, 1000, len - 1] {
        let mut out = b"kept".to_vec();
        assert_eq!(read(limit, &mut out), Err(DecodeError::TooLong { limit }));
        assert_eq!(out, b"kept");
    }
    let mut out = Vec::new();
    read(len, &mut out).unwrap();
    assert_eq!(out, wire);
}
