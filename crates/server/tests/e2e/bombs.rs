//! Everything that is made to take memory, all at once, and what it takes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::{
    Http, JSON, PROTOBUF, Relay, Watcher, exchange, gauge, gauge_json, gzip, head, post, request,
};

const MIB: usize = 1 << 20;
/// The longest body, and the most that all requests may hold together.
const BODY: usize = 8 * MIB;
const ALL: usize = 64 * MIB;
/// How many requests there are at a time, each of a kind of its own, and how often.
const ROUNDS: usize = 4;
/// How many uploads lie there with half of their body sent, and as many with half of their head.
const SLOW: usize = 300;
/// What the formula leaves for the process itself and, since there is one view and one session,
/// the fan-out.
const REST: usize = 64 * MIB;
/// How many threads serve connections.
const WORKERS: usize = 2;

/// A length-delimited field of protobuf.
fn field(number: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = contents.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(contents);
    out
}

/// Headers, a body and the status that it gets.
type Bomb = (Vec<(&'static str, &'static str)>, Vec<u8>, u16);

fn bombs() -> Vec<Bomb> {
    let zeros = vec![0; 64 * MIB];
    let zstd = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    let snappy = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    // Empty spans, as many as fit into a body, and a few less than there may be.
    let spans = |count: usize| field(1, &field(2, &[0x12, 0].repeat(count)));
    let nested = |levels: usize| {
        let mut value = Vec::new();
        for _ in 0..levels {
            value = field(5, &field(1, &value));
        }
        field(1, &field(2, &field(2, &field(5, &value))))
    };
    let arrays = format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{}{}}}]}}]}}]}}"#,
        r#"{"arrayValue":{"values":["#.repeat(20_000),
        "]}}".repeat(20_000)
    );
    // As a tree, each of the empty objects would take hundreds of bytes, and each number four
    // times its length; with an end, they are a request.
    let open = |end: &str| {
        let spans = "{},".repeat(900_000);
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}{end}"#);
        gzip(json.as_bytes())
    };
    let numbers = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{{"value":{{"arrayValue":{{"values":[{}"#,
        r#"{"intValue":1},"#.repeat(400_000),
    );
    let json = vec![("Content-Type", JSON), ("Content-Encoding", "gzip")];
    let protobuf = ("Content-Type", PROTOBUF);
    vec![
        (
            vec![protobuf, ("Content-Encoding", "gzip")],
            gzip(&zeros),
            413,
        ),
        (vec![protobuf, ("Content-Encoding", "zstd")], zstd, 413),
        (vec![protobuf, ("Content-Encoding", "snappy")], snappy, 413),
        (
            vec![protobuf, ("Content-Encoding", "gzip")],
            gzip(&spans(BODY / 2 - 64)),
            413,
        ),
        (
            vec![protobuf, ("Content-Encoding", "gzip")],
            gzip(&spans(900_000)),
            200,
        ),
        (vec![protobuf], nested(20_000), 400),
        (vec![("Content-Type", JSON)], arrays.into_bytes(), 400),
        (json.clone(), open(""), 400),
        (json.clone(), open("{}]}]}]}"), 200),
        (json, gzip(numbers.as_bytes()), 400),
    ]
}

/// Sends one kind of bomb, again and again. It may find the room taken by others.
fn throw(address: SocketAddr, (headers, body, status): &Bomb) {
    let request = request("POST", "/v1/traces", headers, body);
    for _ in 0..ROUNDS {
        let answer = exchange(address, &request);
        assert!(
            answer.status == *status || answer.status == 503,
            "{}, not {status}",
            answer.status
        );
    }
}

/// Scenario: bombs of gzip, zstd and snappy, of empty spans and of nesting in both encodings, of
/// JSON that never ends, all at once, while hundreds of uploads stand still in the middle of their
/// bodies, hundreds more in the middle of their heads; and somebody who sends good exports that
/// somebody watches. Then each bomb alone.
/// Guarantees: each bomb gets its answer, or is told to come again while others take the room; good
/// exports get their 200 and are seen throughout; the process holds no more than the formula of
/// `docs/architecture.md` says.
#[test]
fn bombs_take_no_more_than_there_is() {
    let relay = Relay::with(&[
        "--max-body",
        "8MiB",
        "--max-requests-bytes",
        "64MiB",
        "--workers",
        "2",
    ]);
    let address = relay.address();
    let mut watcher = Watcher::connect(address);
    let length = MIB.to_string();
    let headers = [("Content-Type", PROTOBUF), ("Content-Length", &length)];
    let slow: Vec<_> = (0..SLOW)
        .map(|_| {
            let mut http = Http::connect(address);
            http.send(&head("POST", "/v1/metrics", &headers));
            http.send(&[0; 1000]);
            let mut loris = Http::connect(address);
            loris.send(b"POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
            (http, loris)
        })
        .collect();
    let bombs = bombs();
    let done = AtomicBool::new(false);
    let goods = thread::scope(|scope| {
        let throwing: Vec<_> = bombs
            .iter()
            .map(|bomb| scope.spawn(move || throw(address, bomb)))
            .collect();
        let good = scope.spawn(|| {
            let mut goods = 0;
            while !done.load(Ordering::Relaxed) {
                post(address, &gauge("good", goods));
                assert_eq!(watcher.frame(), gauge_json("good", goods));
                goods += 1;
            }
            goods
        });
        for thrown in throwing {
            thrown.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        good.join().unwrap()
    });
    assert!(goods > 0);
    for (headers, body, status) in &bombs {
        let request = request("POST", "/v1/traces", headers, body);
        assert_eq!(exchange(address, &request).status, *status);
    }
    drop(slow);
    #[cfg(target_os = "linux")]
    {
        let cores = thread::available_parallelism().unwrap().get();
        let formula = ALL + (3 * cores + WORKERS) * BODY + REST;
        let peak = relay.peak_memory();
        assert!(peak < formula as u64, "{peak} of {formula}");
    }
}
