//! Lines over plain HTTP: the frames of WebSocket clients, with other ends around them.

use std::net::SocketAddr;
use std::sync::Arc;

use fanout::{CloseReason, Fanout, FanoutConfig, Hub, OpenGate, Pass, serve_lines};
use futures_util::StreamExt;
use proptest::prelude::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::detach::{Server, start};
use crate::support::lines::{End, Lines};
use crate::support::{DRAIN, hub, number, publish, subscribe, subscribe_to, text};

fn serve(hub: &Hub) -> Server {
    let gate = Arc::new(OpenGate);
    let hub = hub.clone();
    start(Fanout { hub, gate }, true)
}

/// A session over a pipe that holds `capacity` bytes each way, and the client's end.
fn piped(hub: &Hub, capacity: usize, query: &str) -> (DuplexStream, JoinHandle<CloseReason>) {
    let (client, server) = duplex(capacity);
    let session = serve_lines(server, true, subscribe_to(hub, query));
    (client, tokio::spawn(session))
}

/// An answer that ends: to a request that gets no stream.
async fn ask(addr: SocketAddr, request: &str) -> String {
    let mut io = TcpStream::connect(addr).await.unwrap();
    let request = format!("{request}Host: relay\r\nConnection: close\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Scenario: a client of `/stream/metrics`; exports as soon as it has the head; the hub closes.
/// Guarantees: the head says what comes, and that nothing keeps it; nothing published after it is
/// missed; the body ends as it should.
#[tokio::test]
async fn a_stream_is_lines_from_the_head_on() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let (mut lines, head) = Lines::open(server.addr, "/stream/metrics").await;
    publish(&hub, 0..20, 10_000);
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    for header in [
        "content-type: application/x-ndjson",
        "transfer-encoding: chunked",
        "cache-control: no-store",
        "connection: close",
        "x-accel-buffering: no",
    ] {
        assert!(
            head.contains(&format!("{header}\r\n")),
            "{header} in {head}"
        );
    }
    for expected in 0..20 {
        assert_eq!(lines.line().await.unwrap(), text(expected, 10_000));
    }
    hub.close(DRAIN);
    assert_eq!(lines.line().await, Err(End::Whole));
    hub.drained().await;
    let counts = recorder.counts();
    assert_eq!(counts.closed, [CloseReason::Shutdown]);
    assert_eq!((counts.frames, counts.dropped), (20, 0));
}

/// What clients may ask for in both ways.
fn any_query() -> impl Strategy<Value = String> {
    let format = prop::sample::select(vec!["otlp", "protojson", "points"]);
    let filter = prop::sample::select(vec!["", "&metric=num*", "&metric=other", "&span=x"]);
    let limit = prop::sample::select(vec!["", "&max_frame=1024", "&max_frame=20000"]);
    let start = prop::sample::select(vec!["", "&replay=all", "&replay=2"]);
    (format, any::<bool>(), filter, limit, start).prop_map(
        |(format, envelope, filter, limit, start)| {
            format!("format={format}&envelope={envelope}{filter}{limit}{start}")
        },
    )
}

/// Makes one of the notices of losses that follow each other: how many are told at a time depends
/// on who reads when.
fn join_gaps(lines: Vec<String>) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for line in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        let dropped = |line: &Value| line["dropped"].as_str()?.parse::<u64>().ok();
        match joined.last_mut() {
            Some(last) if last["type"] == "gap" && line["type"] == "gap" => {
                let sum = dropped(last).unwrap() + dropped(&line).unwrap();
                last["dropped"] = sum.to_string().into();
            }
            _ => joined.push(line),
        }
    }
    joined
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Scenario: a client of `/stream` and one of `/ws` with the same query, whatever it asks for;
    /// exports before and after they come; the hub closes.
    /// Guarantees: the lines of one are the texts of the other, and where both watch live, each
    /// export is rendered once for both.
    #[test]
    fn lines_are_the_frames_of_websocket(
        query in any_query(),
        before in prop::collection::vec(0..30_000_usize, 0..4),
        after in prop::collection::vec(0..90_000_usize, 0..6),
    ) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (hub, recorder) = hub(FanoutConfig::default());
            let server = serve(&hub);
            for (number, len) in before.iter().enumerate() {
                publish(&hub, [number as u64], *len);
            }
            let (mut lines, head) = Lines::open(server.addr, &format!("/stream?{query}")).await;
            assert!(head.starts_with("http/1.1 200 "), "{head}");
            let url = format!("ws://{}/ws?{query}", server.addr);
            let (mut client, _) = connect_async(url).await.unwrap();
            assert_eq!(hub.snapshot().views, 1);
            for (number, len) in after.iter().enumerate() {
                publish(&hub, [100 + number as u64], *len);
            }
            hub.close(DRAIN);
            let (lines, end) = lines.rest().await;
            assert_eq!(end, End::Whole);
            let mut texts = Vec::new();
            while let Some(Ok(message)) = client.next().await {
                if let Message::Text(text) = message {
                    texts.extend(text.lines().map(str::to_owned));
                }
            }
            let (lines, texts) = (join_gaps(lines), join_gaps(texts));
            assert!(lines == texts, "{} lines, {} texts", lines.len(), texts.len());
            // In the history, each may be at another place.
            if !query.contains("replay") {
                assert_eq!(recorder.counts().renderings, after.len());
            }
        });
    }
}

/// Scenario: HTTP/1.0; HEAD; other methods, bad parameters, protobuf; a connection that cannot be
/// given away; the limit of sessions.
/// Guarantees: lines until the connection ends, without a coding; the head alone, and no session;
/// answers that help.
#[tokio::test]
async fn other_requests_get_what_they_can() {
    let (hub, _) = hub(FanoutConfig {
        max_sessions: 1,
        ..FanoutConfig::default()
    });
    let server = serve(&hub);
    let head = ask(server.addr, "HEAD /stream/logs?envelope=true HTTP/1.1\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"));
    assert!(
        head.contains("content-type: application/x-ndjson"),
        "{head}"
    );
    for (request, status, text) in [
        (
            "POST /stream HTTP/1.1\r\nContent-Length: 0\r\n",
            405,
            "allow: GET, HEAD",
        ),
        ("GET /stream/profiles HTTP/1.1\r\n", 404, ""),
        (
            "GET /stream?format=protobuf HTTP/1.1\r\n",
            400,
            "protobuf has no lines",
        ),
        ("HEAD /stream?format=xml HTTP/1.1\r\n", 400, ""),
        (
            "GET /stream/traces?metrics=a HTTP/1.1\r\n",
            400,
            "allowed: format=otlp",
        ),
    ] {
        let answer = ask(server.addr, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains(text), "{text} in {answer}");
    }
    assert_eq!(hub.snapshot().sessions, 0);

    let old = "GET /stream/metrics HTTP/1.0\r\nHost: relay\r\n\r\n";
    let (mut lines, head) = Lines::send(server.addr, old).await;
    let coded = ["transfer-encoding", "content-length", "keep-alive"];
    assert!(!coded.iter().any(|word| head.contains(word)), "{head}");
    let full = ask(server.addr, "GET /stream HTTP/1.1\r\n").await;
    assert!(
        full.starts_with("HTTP/1.1 503 ") && full.contains("retry-after: 1"),
        "{full}"
    );
    publish(&hub, [1, 2], 0);
    hub.close(DRAIN);
    let mut all = String::new();
    lines.io.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, format!("{}\n{}\n", text(1, 0), text(2, 0)));

    let (hub, _) = self::hub(FanoutConfig::default());
    let gate = Arc::new(OpenGate);
    let fanout = Fanout {
        hub: hub.clone(),
        gate,
    };
    let rigid = start(fanout, false);
    let answer = ask(rigid.addr, "GET /stream HTTP/1.1\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert_eq!(hub.snapshot().sessions, 0);
}

/// Scenario: a client sends two more requests behind the one for a stream, for a session and for a
/// stream; another sends a body with it; another ends its side at once.
/// Guarantees: the first gets its lines and nothing else, and there is no other session; so does
/// the second; the third is gone.
#[tokio::test]
async fn nothing_behind_the_request_counts() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let one = "GET /stream/metrics HTTP/1.1\r\nHost: relay\r\n\r\n";
    let body = "GET /stream/metrics HTTP/1.1\r\nHost: relay\r\nContent-Length: 9\r\n\r\nbo";
    for request in [one.repeat(3), body.to_owned()] {
        let (mut lines, _) = Lines::send(server.addr, &request).await;
        assert_eq!(hub.snapshot().sessions, 1);
        lines.io.get_mut().write_all(one.as_bytes()).await.unwrap();
        publish(&hub, [1], 0);
        assert_eq!(lines.line().await.unwrap(), text(1, 0));
        drop(lines);
        hub.drained().await;
    }
    let mut io = TcpStream::connect(server.addr).await.unwrap();
    io.write_all(one.as_bytes()).await.unwrap();
    io.shutdown().await.unwrap();
    io.read_to_end(&mut Vec::new()).await.unwrap();
    hub.drained().await;
}

/// Scenario: an idle client for an hour; then an export every ten seconds.
/// Guarantees: it stays; an empty line every interval, and none while there are others.
#[tokio::test(start_paused = true)]
async fn silence_is_told_by_empty_lines() {
    let config = FanoutConfig::default();
    let interval = config.ping_interval;
    let (hub, _) = hub(config);
    let (io, session) = piped(&hub, 1000, "");
    let mut lines = Lines::over(io);
    let began = Instant::now();
    for count in 1..=180 {
        assert_eq!(lines.next().await.unwrap(), "\n");
        assert!(began.elapsed() >= interval * count);
        assert!(began.elapsed() < interval * count + interval / 10);
    }
    for count in 0..20 {
        tokio::time::advance(interval / 2).await;
        publish(&hub, [count], 0);
        assert_eq!(number(&lines.next().await.unwrap()), count);
    }
    assert!(!session.is_finished());
}

/// Scenario: a client that reads nothing, with exports and without.
/// Guarantees: it is cut off after the interval, the pong timeout and the close timeout, without an
/// end, once there is something that it does not take; what the log held for it is freed.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_off() {
    let config = FanoutConfig::default();
    let most = config.ping_interval + config.pong_timeout + config.close_timeout;
    let (hub, recorder) = hub(config);
    let began = Instant::now();
    let (stalled, session) = piped(&hub, 100, "");
    publish(&hub, 0..10, 10_000);
    recorder.until(|counts| counts.renderings == 10).await;
    assert_eq!(session.await.unwrap(), CloseReason::NoPong);
    assert!(began.elapsed() >= most && began.elapsed() < most * 2);
    assert_eq!((hub.snapshot().sessions, hub.snapshot().log_bytes), (0, 0));
    let mut all = Vec::new();
    Lines::over(stalled).io.read_to_end(&mut all).await.unwrap();
    assert!(!all.ends_with(b"0\r\n\r\n"));
}

/// Scenario: a client stops reading, exports go beyond the log, in an envelope; then it reads again.
/// Guarantees: it loses the oldest, and a line tells how many before the next; what it got and what
/// it lost add up.
#[tokio::test]
async fn losses_are_lines_too() {
    const EXPORTS: u64 = 200;
    let (hub, recorder) = hub(FanoutConfig {
        lag_bytes: 100_000,
        ..FanoutConfig::default()
    });
    let (io, _session) = piped(&hub, 100, "envelope=true");
    for number in 0..EXPORTS {
        publish(&hub, [number], 10_000);
        let done = number as usize + 1;
        recorder.until(|counts| counts.renderings == done).await;
    }
    hub.close(DRAIN);
    let (lines, end) = Lines::over(io).rest().await;
    assert_eq!(end, End::Whole);
    let (mut got, mut lost) = (0, 0);
    for line in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        match line["type"].as_str().unwrap() {
            "hello" => {}
            "data" => got += 1,
            "gap" => lost += line["dropped"].as_str().unwrap().parse::<u64>().unwrap(),
            other => panic!("{other}"),
        }
    }
    assert_eq!(got + lost, EXPORTS);
    assert!(lost > EXPORTS / 2, "{lost}");
    assert_eq!(recorder.counts().dropped, lost);
}

/// Scenario: a client that asked for it stops reading, exports go beyond the log; then it reads.
/// Guarantees: the line under way comes whole, then the end, and nothing between.
#[tokio::test]
async fn a_slow_stream_ends_if_that_is_wanted() {
    let (hub, recorder) = hub(FanoutConfig {
        lag_bytes: 50_000,
        ..FanoutConfig::default()
    });
    let (io, session) = piped(&hub, 100, "slow=disconnect");
    publish(&hub, [0], 10_000);
    recorder.until(|counts| counts.renderings == 1).await;
    tokio::task::yield_now().await;
    publish(&hub, 1..20, 10_000);
    recorder.until(|counts| counts.dropped > 0).await;
    let (lines, end) = Lines::over(io).rest().await;
    assert_eq!((lines.len(), end), (1, End::Whole));
    assert_eq!(session.await.unwrap(), CloseReason::Slow);
}

/// Scenario: a pass is taken back while a line is on its way.
/// Guarantees: that line comes whole, then the end, and none of the lines behind it.
#[tokio::test]
async fn a_pass_that_is_taken_back_ends_the_stream() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let pass = Pass::revocable();
    let (io, server) = duplex(100);
    let session = serve_lines(server, true, subscribe(&hub).under(pass.clone()));
    let session = tokio::spawn(session);
    publish(&hub, 0..3, 1000);
    recorder.until(|counts| counts.renderings == 3).await;
    // It writes into the pipe as soon as it runs.
    tokio::task::yield_now().await;
    hub.revoke([pass]);
    let (lines, end) = Lines::over(io).rest().await;
    assert_eq!((lines.len(), end), (1, End::Whole));
    assert_eq!(session.await.unwrap(), CloseReason::Revoked);
}
