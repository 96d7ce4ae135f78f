//! Views, replay, resume and slow clients, through the real binary and a WebSocket library.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Http, RawWatcher, Relay, Watcher, bulky, gauge, gauge_json, handshake, name_of, post,
};

/// The value of the gauge in a frame of one.
fn value(frame: &Value) -> i64 {
    let metric = &frame["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
    let point = &metric["gauge"]["dataPoints"][0];
    point["asInt"].as_str().unwrap().parse().unwrap()
}

/// Scenario: a watcher of each format, of a filter and of an envelope; two exports.
/// Guarantees: each sees what it asked for, and nothing of what it didn't.
#[test]
fn each_watcher_has_its_view() {
    let relay = Relay::start();
    let watch = |query| Watcher::connect_to(relay.address(), &format!("/ws?{query}"));
    let mut otlp = watch("format=otlp");
    let mut protojson = watch("format=protojson");
    let mut points = watch("format=points");
    let mut protobuf = watch("format=protobuf");
    let mut filtered = watch("metric=second&metric=thi*");
    let mut enveloped = watch("envelope=true&format=points");
    post(relay.address(), &gauge("first", 1));
    post(relay.address(), &gauge("second", 2));
    let point = json!({"signal": "metrics", "time": "1970-01-01T00:00:00.000000001Z",
        "name": "first", "type": "gauge", "value": 1});
    assert_eq!(otlp.frame(), gauge_json("first", 1));
    assert_eq!(protojson.frame(), gauge_json("first", 1));
    let line = points.text();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), point);
    assert!(line.ends_with("}\n"), "{line}");
    assert_eq!(
        protobuf.message(),
        Message::Binary(gauge("first", 1).into())
    );
    assert_eq!(filtered.frame(), gauge_json("second", 2));
    let hello = enveloped.frame();
    assert_eq!(
        (&hello["type"], &hello["seq"]),
        (&json!("hello"), &json!("0"))
    );
    let data = enveloped.frame();
    assert_eq!((&data["type"], &data["seq"]), (&json!("data"), &json!("1")));
    assert_eq!(
        (&data["epoch"], &data["signal"]),
        (&hello["epoch"], &json!("metrics"))
    );
    assert_eq!(data["data"], json!([point]));
}

/// Scenario: ten exports; a watcher that comes late; one that leaves after five, comes back, and
/// comes back again to a relay that was started anew.
/// Guarantees: the first gets the newest that it asked for, the second everything else, once; the
/// new relay says that nothing is recovered, and goes on with what is live.
#[test]
fn who_comes_late_or_again_gets_what_was_before() {
    let relay = Relay::start();
    let address = relay.address();
    let mut leaver = Watcher::connect_to(address, "/ws/metrics?envelope=true");
    let epoch = leaver.frame()["epoch"].as_str().unwrap().to_owned();
    for number in 1..=10 {
        post(address, &gauge("g", number));
    }
    let mut late = Watcher::connect_to(address, "/ws/metrics?replay=3");
    for number in 8..=10 {
        assert_eq!(value(&late.frame()), number);
    }
    for number in 1..=5 {
        assert_eq!(leaver.frame()["seq"], number.to_string());
    }
    drop(leaver);
    let since = format!("/ws/metrics?envelope=true&since={epoch}:5");
    let mut back = Watcher::connect_to(address, &since);
    let hello = back.frame();
    assert_eq!(
        (&hello["epoch"], &hello["recovered"]),
        (&json!(epoch), &json!(true))
    );
    post(address, &gauge("g", 11));
    for number in 6..=11 {
        let frame = back.frame();
        assert_eq!(
            (frame["seq"].clone(), value(&frame["data"])),
            (json!(number.to_string()), number)
        );
    }
    assert_eq!(value(&late.frame()), 11);
    drop(relay);

    let relay = Relay::start();
    post(relay.address(), &gauge("g", 12));
    let mut back = Watcher::connect_to(relay.address(), &since);
    let hello = back.frame();
    assert_ne!(hello["epoch"], epoch);
    assert_eq!(
        (&hello["recovered"], &hello["seq"]),
        (&json!(false), &json!("1"))
    );
    post(relay.address(), &gauge("g", 13));
    assert_eq!(back.frame()["seq"], "2");
}

/// Scenario: a relay without a history, and clients that ask for it.
/// Guarantees: nothing comes that was before; who missed nothing is told so.
#[test]
fn the_history_can_be_off() {
    let relay = Relay::with(&["--history-bytes", "0"]);
    let address = relay.address();
    post(address, &gauge("g", 1));
    let mut late = Watcher::connect_to(address, "/ws/metrics?replay=all&envelope=true");
    let hello = late.frame();
    let epoch = hello["epoch"].as_str().unwrap();
    for (seq, recovered) in [(0, false), (1, true)] {
        let path = format!("/ws/metrics?envelope=true&since={epoch}:{seq}");
        let mut back = Watcher::connect_to(address, &path);
        assert_eq!(back.frame()["recovered"], recovered, "{seq}");
    }
    post(address, &gauge("g", 2));
    assert_eq!(late.frame()["seq"], "2");
}

/// Scenario: a relay that disconnects slow clients by default and lets them fall behind by 1 MiB;
/// one that never reads, and one that asked to stay; 40 exports of 200 KiB.
/// Guarantees: the first is closed for being slow, the second gets the newest; a reader beside
/// them gets everything.
#[test]
fn slow_clients_are_closed_if_that_is_wanted() {
    const EXPORTS: usize = 40;
    let flags = [
        "--slow",
        "disconnect",
        "--max-lag",
        "1MiB",
        "--ping-interval",
        "1h",
    ];
    let mut relay = Relay::with(&flags);
    let address = relay.address();
    let _closed = RawWatcher::connect(address);
    let mut stays = RawWatcher::connect_to(address, "/ws/metrics?slow=drop-oldest");
    let mut reader = Watcher::connect_to(address, "/ws/metrics?slow=drop-oldest");
    for number in 0..EXPORTS {
        let name = number.to_string();
        post(address, &bulky(&name, 200));
        assert_eq!(name_of(&reader.frame()), name);
    }
    let mut last = String::new();
    while last != (EXPORTS - 1).to_string() {
        last = name_of(&serde_json::from_slice(&stays.text()).unwrap()).to_owned();
    }
    relay.signal("TERM");
    let (_, log) = relay.end();
    assert!(log.contains(r#"\"slow\": 1"#), "{log}");
}

/// Scenario: one view more than a relay has room for.
/// Guarantees: 503 with Retry-After before the upgrade.
#[test]
fn one_view_too_many_is_told_so() {
    let relay = Relay::with(&["--max-views", "1"]);
    let _first = Watcher::connect_to(relay.address(), "/ws/metrics?metric=a");
    let mut http = Http::connect(relay.address());
    http.send(&handshake("/ws/metrics", &[]));
    let answer = http.answer();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
}
