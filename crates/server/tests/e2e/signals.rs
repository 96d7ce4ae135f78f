//! All signals: where each is sent, where each is watched, and items that are refused.

use serde_json::{Value, json};

use crate::support::{Http, Relay, Watcher, exchange, handshake, request};

/// One request of each signal, with its path and its member of JSON.
fn requests() -> [(&'static str, Value); 4] {
    [
        (
            "/v1/metrics",
            json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m",
                "gauge": {"dataPoints": [{"asInt": "5"}]}}]}]}]}),
        ),
        (
            "/v1/traces",
            json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "s", "kind": 2,
                "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}]}]}]}),
        ),
        (
            "/v1/logs",
            json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9,
                "body": {"stringValue": "hello"}}]}]}]}),
        ),
        (
            "/v1development/profiles",
            json!({"resourceProfiles": [{"scopeProfiles": [{"profiles": [{"timeUnixNano": "7"}]}]}]}),
        ),
    ]
}

fn send(relay: &Relay, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("Content-Type", "application/json")];
    let text = body.to_string();
    let answer = exchange(
        relay.address(),
        &request("POST", path, &headers, text.as_bytes()),
    );
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

/// Scenario: each signal is sent, with profiles on; watchers of each signal and of all.
/// Guarantees: each sees what it asked for, as it was sent, in the order of sending.
#[test]
fn each_signal_has_its_watchers() {
    let relay = Relay::with(&["--profiles"]);
    let paths = ["/ws/metrics", "/ws/traces", "/ws/logs", "/ws/profiles"];
    let mut watchers = paths.map(|path| Watcher::connect_to(relay.address(), path));
    let mut all = Watcher::connect_to(relay.address(), "/ws");
    // Twice, so that a frame of another signal would be seen.
    for _ in 0..2 {
        for (path, body) in requests() {
            assert_eq!(send(&relay, path, &body), (200, json!({})), "{path}");
        }
        for ((_, body), watcher) in requests().iter().zip(&mut watchers) {
            assert_eq!(&watcher.frame(), body);
            assert_eq!(&all.frame(), body);
        }
    }
}

/// Scenario: profiles are sent and watched where nobody has switched them on.
/// Guarantees: 404 for both; the other signals are served.
#[test]
fn profiles_are_off_by_default() {
    let relay = Relay::start();
    let mut all = Watcher::connect_to(relay.address(), "/ws");
    let requests = requests();
    assert_eq!(send(&relay, requests[3].0, &requests[3].1).0, 404);
    let mut http = Http::connect(relay.address());
    http.send(&handshake("/ws/profiles", &[]));
    assert_eq!(http.answer().status, 404);
    assert_eq!(send(&relay, requests[2].0, &requests[2].1).0, 200);
    assert_eq!(all.frame(), requests[2].1);
}

/// Scenario: three spans, the second with a trace id of one byte; then only such a one.
/// Guarantees: partial success that counts spans and names the field; watchers see the other two;
/// of the second request they see nothing.
#[test]
fn refused_items_are_taken_out() {
    let relay = Relay::start();
    let mut watcher = Watcher::connect_to(relay.address(), "/ws/traces");
    let body = |spans: Value| json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let mixed = body(json!([{"name": "a"}, {"name": "b", "traceId": "07"}, {"name": "c"}]));
    let (status, answer) = send(&relay, "/v1/traces", &mixed);
    assert_eq!(status, 200);
    let partial = &answer["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1", "{answer}");
    let text = partial["errorMessage"].as_str().unwrap();
    assert!(
        text.contains("spans[1].traceId") && text.len() < 200,
        "{text}"
    );
    assert_eq!(watcher.frame(), body(json!([{"name": "a"}, {"name": "c"}])));

    let (status, answer) = send(&relay, "/v1/traces", &body(json!([{"spanId": "07"}])));
    assert_eq!(
        (status, &answer["partialSuccess"]["rejectedSpans"]),
        (200, &json!("1"))
    );
    let last = body(json!([{"name": "d"}]));
    assert_eq!(send(&relay, "/v1/traces", &last), (200, json!({})));
    assert_eq!(watcher.frame(), last);
}
