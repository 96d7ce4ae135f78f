//! Views of their own for clients: formats, filters, envelopes and parts, over WebSocket.

use std::sync::Arc;

use bytes::Bytes;
use fanout::{Fanout, FanoutConfig, Hub, OpenGate};
use futures_util::StreamExt;
use otlp_codec::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::detach::{Server, start};
use crate::support::{client, export, hub, next_text, number, piped_to, publish, text};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn serve(hub: &Hub) -> Server {
    let gate = Arc::new(OpenGate);
    let hub = hub.clone();
    start(Fanout { hub, gate }, true)
}

async fn watch(server: &Server, query: &str) -> Client {
    let url = format!("ws://{}/ws/metrics?{query}", server.addr);
    connect_async(url).await.unwrap().0
}

async fn next_json<Io>(client: &mut WebSocketStream<Io>) -> Value
where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    serde_json::from_str(&next_text(client).await).unwrap()
}

/// Reads the first frame of a client with an envelope.
async fn greeted<Io>(client: &mut WebSocketStream<Io>)
where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    assert_eq!(next_json(client).await["type"], "hello");
}

/// Scenario: a client of each format, and one with an envelope; one export.
/// Guarantees: each gets the export in its format, protobuf in a binary frame; the envelope says
/// which export it is.
#[tokio::test]
async fn each_client_gets_its_format() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let mut otlp = watch(&server, "format=otlp").await;
    let mut protojson = watch(&server, "format=protojson").await;
    let mut points = watch(&server, "format=points").await;
    let mut protobuf = watch(&server, "format=protobuf").await;
    let mut envelope = watch(&server, "envelope=true").await;
    publish(&hub, [7], 0);
    assert_eq!(next_text(&mut otlp).await, text(7, 0));
    assert_eq!(number(&next_text(&mut protojson).await), 7);
    let line = next_text(&mut points).await;
    assert!(line.ends_with('\n'), "{line}");
    let point: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&point["name"], &point["value"]),
        (&json!("number"), &json!(7))
    );
    let message = protobuf.next().await.unwrap().unwrap();
    assert_eq!(message, Message::Binary(export(7, 0)));
    greeted(&mut envelope).await;
    let message = next_json(&mut envelope).await;
    let data: Value = serde_json::from_str(&text(7, 0)).unwrap();
    let received = message["receivedAt"].as_str().unwrap().to_owned();
    let expected = json!({
        "type": "data", "epoch": hub.epoch(), "seq": "1", "signal": "metrics",
        "receivedAt": received, "data": data,
    });
    assert_eq!(message, expected);
}

/// Scenario: clients whose filters are written in several ways, and one whose filter leaves
/// nothing; two exports.
/// Guarantees: equal filters share a rendering; nothing left is no frame.
#[tokio::test]
async fn equal_filters_share_a_rendering() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let queries = [
        "metric=num*&metric=other",
        "metric=other&metric=num*",
        "metric=other&metric=num*&metric=num*&span=x",
        "%6Detric=num%2A&metric=other",
    ];
    let mut clients = Vec::new();
    for query in queries {
        clients.push(watch(&server, query).await);
    }
    let mut none = watch(&server, "metric=other").await;
    assert_eq!(hub.snapshot().views, 2);
    publish(&hub, [1, 2], 0);
    for client in &mut clients {
        assert_eq!(next_text(client).await, text(1, 0));
        assert_eq!(next_text(client).await, text(2, 0));
    }
    let counts = recorder.until(|counts| counts.renderings == 4).await;
    assert_eq!(counts.dropped, 0);
    hub.close(crate::support::DRAIN);
    assert!(matches!(none.next().await, Some(Ok(Message::Close(_)))));
}

/// Scenario: a client that takes frames of 1 KB at most, with an envelope; an export of one
/// metric that fits and one that doesn't; a client without that limit beside it; then an export
/// that can't be rendered.
/// Guarantees: what fits comes, what doesn't is told, with its reason; the other client notices
/// nothing of the long one.
#[tokio::test]
async fn what_a_client_cannot_take_is_told() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let mut small = watch(&server, "max_frame=1024&envelope=true").await;
    let mut large = watch(&server, "").await;
    publish(&hub, [1], 2000);
    publish(&hub, [2], 0);
    greeted(&mut small).await;
    let gap = next_json(&mut small).await;
    let expected = json!({"type": "gap", "dropped": "1", "afterSeq": "0", "reason": "too_big"});
    assert_eq!(gap, expected);
    assert_eq!(next_json(&mut small).await["seq"], "2");
    assert_eq!(next_text(&mut large).await, text(1, 2000));
    assert_eq!(next_text(&mut large).await, text(2, 0));
    assert_eq!(recorder.counts().dropped, 1);
    hub.publish(Signal::Metrics, Bytes::from_static(b"\x07"), 0);
    publish(&hub, [4], 0);
    let gap = next_json(&mut small).await;
    let expected = json!({"type": "gap", "dropped": "1", "afterSeq": "2", "reason": "failed"});
    assert_eq!(gap, expected);
    assert_eq!(next_json(&mut small).await["seq"], "4");
    assert_eq!(next_text(&mut large).await, text(4, 0));
    assert_eq!(recorder.counts().dropped, 3);
}

/// Scenario: a client with an envelope stops reading, 50 exports, a log of 5; then it reads.
/// Guarantees: before the next frame it is told how many it lost, and after which; what it got
/// and what it was told add up.
#[tokio::test]
async fn a_slow_client_is_told_what_it_lost() {
    const EXPORTS: u64 = 50;
    let (hub, recorder) = hub(FanoutConfig {
        lag_frames: 5,
        gather_bytes: 1000,
        ..FanoutConfig::default()
    });
    let (io, _) = piped_to(&hub, "envelope=true", 100);
    for seq in 1..=EXPORTS {
        publish(&hub, [seq], 1000);
        recorder
            .until(|counts| counts.renderings as u64 == seq)
            .await;
    }
    let mut slow = client(io).await;
    greeted(&mut slow).await;
    let (mut last, mut got, mut lost) = (0, 0, 0);
    while last < EXPORTS {
        let message = next_json(&mut slow).await;
        let count = |member: &str| message[member].as_str().unwrap().parse::<u64>().unwrap();
        if message["type"] == "gap" {
            assert_eq!(
                (count("afterSeq"), &message["reason"]),
                (last, &json!("slow"))
            );
            lost += count("dropped");
            continue;
        }
        got += 1;
        last = count("seq");
        assert_eq!(last, got + lost, "told before the next frame");
    }
    assert!(lost > 0 && got >= 5, "{got} {lost}");
    assert_eq!(recorder.counts().dropped, lost);
}
