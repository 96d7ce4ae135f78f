//! The shared HTTP cases, from a raw request to the frame that a watcher gets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{
    Answer, Http, JSON, PROTOBUF, Relay, Watcher, gauge, gauge_json, gzip, post, request,
};

const CASES: &str = include_str!("../../../ingest/tests/data/otlp-http-cases.jsonl");

/// Cases that are not run from the file, and why.
const NOT_FROM_THE_FILE: &[(&str, &str)] = &[
    ("size.gzip-bomb", "a recipe, in limits.rs"),
    ("size.at-limit", "a recipe, in limits.rs"),
    ("path.profiles", "off; what it is then is in signals.rs"),
    (
        "partial",
        "of a server that refuses a good point; ours refuses bad ones, in signals.rs",
    ),
];
/// The page of `cors.preflight`.
const PAGE: &str = "https://app.example";

/// Scenario: every case of the file but those above, with a watcher looking on.
/// Guarantees: status, Content-Type, body and Allow are as the case says. What is accepted comes
/// as the one frame of its OTLP JSON; of what is refused nothing comes, as a marker sent behind
/// it shows.
#[test]
fn shared_cases() {
    let relay = Relay::with(&["--cors-allowed-origins", PAGE]);
    let mut watcher = Watcher::connect(relay.address());
    let mut left: Vec<&str> = NOT_FROM_THE_FILE.iter().map(|(id, _)| *id).collect();
    let mut run = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        if left.contains(&id) {
            left.retain(|known| *known != id);
            continue;
        }
        run += 1;
        let answer = exchange(&relay, &case);
        check(id, &case, &answer);

        let marker = format!("after {id}");
        post(relay.address(), &gauge(&marker, run));
        match (id, answer.status) {
            // An empty request is an export without data.
            ("pb.empty-body", _) => assert_eq!(watcher.frame(), json!({}), "{id}"),
            // Nobody watches traces, and a preflight is no export.
            ("path.wrong-signal" | "cors.preflight", _) => {}
            // All the others hold the same point.
            (_, 200) => assert_eq!(watcher.frame(), gauge_json("m", 5), "{id}"),
            _ => {}
        }
        assert_eq!(watcher.frame(), gauge_json(&marker, run), "{id}");
    }
    assert_eq!(left, [""; 0], "not in the file");
    assert!(run >= 24, "{run}");
}

fn exchange(relay: &Relay, case: &Value) -> Answer {
    let method = method(case);
    let headers = case["headers"].as_object().unwrap().iter();
    let headers: Vec<(&str, &str)> = headers
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let body = case["body_b64"].as_str().unwrap_or_default();
    let body = STANDARD.decode(body).unwrap();
    let mut http = Http::connect(relay.address());
    let path = case["path"].as_str().unwrap();
    http.send(&request(method, path, &headers, &body));
    if method == "OPTIONS" {
        // 204 has no length.
        return http.answer_head();
    }
    if method != "HEAD" {
        return http.answer();
    }
    let mut answer = http.answer_head();
    http.finish();
    answer.body = http.rest();
    assert_eq!(answer.body, b"", "HEAD has no body");
    answer
}

fn method(case: &Value) -> &str {
    case["method"].as_str().unwrap()
}

fn check(id: &str, case: &Value, answer: &Answer) {
    let expected = &case["expect"];
    let statuses = expected["status"].as_array().unwrap();
    assert!(statuses.contains(&answer.status.into()), "{id}: {answer:?}");
    if let Some(content_type) = expected["content_type"].as_str() {
        assert_eq!(answer.header("content-type"), Some(content_type), "{id}");
    }
    if let Some(allow) = expected["allow"].as_str() {
        assert_eq!(answer.header("allow"), Some(allow), "{id}");
    }
    if method(case) == "OPTIONS" && answer.status < 300 {
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        return;
    }
    match (answer.status, answer.header("content-type").unwrap()) {
        (200, PROTOBUF) => assert_eq!(answer.body, b"", "{id}"),
        (200, JSON) => assert_eq!(answer.body, b"{}", "{id}"),
        _ if method(case) == "HEAD" => {}
        _ => assert_ne!(answer.status_code(), 0, "{id}"),
    }
}

/// Scenario: one body with everything that a JSON writer gets wrong, as protobuf and as JSON,
/// plain and gzip: NaN, infinities, 64-bit integers over 2^53, an enum number that nobody
/// knows, ids, bytes, an empty `AnyValue`, text of several scripts.
/// Guarantees: the same frame each time, to the last digit.
#[test]
fn nothing_is_lost_on_the_way() {
    use otlp_codec::{Limits, Signal, typed::Request};

    let expected = json!({"resourceMetrics": [{
        "resource": {"attributes": [
            {"key": "bytes", "value": {"bytesValue": "AP8="}},
            {"key": "empty", "value": {}},
            {"key": "int", "value": {"intValue": "-9223372036854775808"}},
            {"key": "text", "value": {"stringValue": "grün 東京 \u{1f980} \" \\ \n \u{0}"}},
        ]},
        "scopeMetrics": [{"metrics": [
            {"name": "doubles", "gauge": {"dataPoints": [
                {"asDouble": "NaN"}, {"asDouble": "Infinity"}, {"asDouble": "-Infinity"},
                {"asDouble": 0.1}, {"asDouble": 5e-324}, {"asDouble": f64::MAX},
            ]}},
            {"name": "sum", "sum": {"aggregationTemporality": 77, "isMonotonic": true,
                "dataPoints": [{
                    "startTimeUnixNano": "1", "timeUnixNano": "18446744073709551615",
                    "asInt": "9007199254740993", "flags": 1,
                    "exemplars": [{
                        "asInt": "0",
                        "spanId": "eee19b7ec3c1b174",
                        "traceId": "5b8efff798038103d269b633813fc60c",
                    }],
                }]}},
        ]}],
    }]});
    let text = expected.to_string();
    let limits = Limits::default();
    let decoded = Request::decode_json(Signal::Metrics, text.as_bytes(), &limits).unwrap();
    let relay = Relay::start();
    let mut watcher = Watcher::connect(relay.address());
    for (content_type, body) in [
        (PROTOBUF, decoded.encode_protobuf()),
        (JSON, text.into_bytes()),
    ] {
        for (coding, body) in [("identity", body.clone()), ("gzip", gzip(&body))] {
            let headers = [("Content-Type", content_type), ("Content-Encoding", coding)];
            let mut http = Http::connect(relay.address());
            http.send(&request("POST", "/v1/metrics", &headers, &body));
            assert_eq!(http.answer().status, 200);
            assert_eq!(watcher.frame(), expected, "{content_type} {coding}");
        }
    }
}
