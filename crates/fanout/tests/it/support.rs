//! What the tests share: exports, a recorder, and clients on both kinds of wire.

pub(crate) mod detach;
pub(crate) mod lines;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fanout::{
    CloseReason, FanoutConfig, Format, Hub, Loss, Observer, Query, Rendering, Subscription, serve,
};
use futures_util::StreamExt;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use otlp_codec::{Limits, Signal, typed};
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// An export of one gauge whose value is `number`, of at least `len` bytes.
pub(crate) fn export(number: u64, len: usize) -> Bytes {
    let point = NumberDataPoint {
        time_unix_nano: 1,
        value: Some(number_data_point::Value::AsInt(number as i64)),
        ..NumberDataPoint::default()
    };
    let metric = Metric {
        name: "number".to_owned(),
        description: "x".repeat(len),
        data: Some(metric::Data::Gauge(Gauge {
            data_points: vec![point],
        })),
        ..Metric::default()
    };
    let scope = ScopeMetrics {
        metrics: vec![metric],
        ..ScopeMetrics::default()
    };
    let resource = ResourceMetrics {
        scope_metrics: vec![scope],
        ..ResourceMetrics::default()
    };
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![resource],
    };
    Bytes::from(request.encode_to_vec())
}

/// The text that a client must get for [`export`].
pub(crate) fn text(number: u64, len: usize) -> String {
    let mut json = Vec::new();
    let wire = export(number, len);
    typed::protobuf_to_json(Signal::Metrics, &wire, &Limits::default(), &mut json).unwrap();
    String::from_utf8(json).unwrap()
}

/// The number in such a text.
pub(crate) fn number(text: &str) -> u64 {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let metric = &json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
    metric["gauge"]["dataPoints"][0]["asInt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// How long sessions may write on when a hub closes, unless a test says otherwise.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// What an observer was told so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) renderings: usize,
    pub(crate) opened: usize,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    /// Bytes before and after.
    pub(crate) compressed: Vec<(usize, usize)>,
    pub(crate) round_trips: Vec<Duration>,
    pub(crate) closed: Vec<CloseReason>,
    pub(crate) given_up: usize,
    /// What sessions say when they end.
    pub(crate) lost: u64,
}

/// An observer that can be waited for.
pub(crate) struct Recorder(watch::Sender<Counts>);

impl Recorder {
    pub(crate) fn counts(&self) -> Counts {
        self.0.borrow().clone()
    }

    /// Waits until the counts are as asked.
    pub(crate) async fn until(&self, asked: impl FnMut(&Counts) -> bool) -> Counts {
        self.0.subscribe().wait_for(asked).await.unwrap().clone()
    }
}

impl Observer for Recorder {
    fn rendered(&self, _: Format, _: Rendering, _: Option<Duration>) {
        self.0.send_modify(|counts| counts.renderings += 1);
    }

    fn compressed(&self, _: Format, plain: usize, compressed: usize, _: usize) {
        let lengths = (plain, compressed);
        self.0.send_modify(|counts| counts.compressed.push(lengths));
    }

    fn round_trip(&self, _: Format, time: Duration) {
        self.0.send_modify(|counts| counts.round_trips.push(time));
    }

    fn opened(&self, _: Format) {
        self.0.send_modify(|counts| counts.opened += 1);
    }

    fn wrote(&self, _: Format, frames: u64, bytes: u64) {
        self.0.send_modify(|counts| {
            counts.frames += frames;
            counts.bytes += bytes;
        });
    }

    fn dropped(&self, _: Format, _: Loss, publications: u64) {
        self.0.send_modify(|counts| counts.dropped += publications);
    }

    fn given_up(&self, _: Format) {
        self.0.send_modify(|counts| counts.given_up += 1);
    }

    fn closed(&self, _: Format, reason: CloseReason, lost: u64) {
        self.0.send_modify(|counts| {
            counts.closed.push(reason);
            counts.lost += lost;
        });
    }
}

/// A hub and what it tells.
pub(crate) fn hub(config: FanoutConfig) -> (Hub, Arc<Recorder>) {
    let recorder = Arc::new(Recorder(watch::Sender::default()));
    (Hub::new(config, recorder.clone()), recorder)
}

pub(crate) fn subscribe(hub: &Hub) -> Subscription {
    subscribe_to(hub, "")
}

/// A subscription to metrics, as a query asks for them.
pub(crate) fn subscribe_to(hub: &Hub, query: &str) -> Subscription {
    let query = Query::parse(Signal::Metrics, query, hub.config()).unwrap();
    hub.subscribe(query).unwrap()
}

/// Publishes the exports of these numbers.
pub(crate) fn publish(hub: &Hub, numbers: impl IntoIterator<Item = u64>, len: usize) {
    for number in numbers {
        hub.publish(Signal::Metrics, export(number, len), 1);
    }
}

/// A session over a pipe that holds `capacity` bytes each way, and the client's end.
pub(crate) fn piped(hub: &Hub, capacity: usize) -> (DuplexStream, JoinHandle<CloseReason>) {
    piped_to(hub, "", capacity)
}

/// As [`piped`], for what a query asks for.
pub(crate) fn piped_to(
    hub: &Hub,
    query: &str,
    capacity: usize,
) -> (DuplexStream, JoinHandle<CloseReason>) {
    piped_from(subscribe_to(hub, query), capacity)
}

/// As [`piped`], from a subscription.
pub(crate) fn piped_from(
    subscription: Subscription,
    capacity: usize,
) -> (DuplexStream, JoinHandle<CloseReason>) {
    let (client, server) = tokio::io::duplex(capacity);
    (
        client,
        tokio::spawn(serve(server, Bytes::new(), subscription)),
    )
}

/// A session over loopback TCP, and the client's end.
pub(crate) async fn wired(hub: &Hub) -> (TcpStream, JoinHandle<CloseReason>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let subscription = subscribe(hub);
    (
        client,
        tokio::spawn(serve(server, Bytes::new(), subscription)),
    )
}

/// A WebSocket client behind its handshake.
pub(crate) async fn client<Io>(io: Io) -> WebSocketStream<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    WebSocketStream::from_raw_socket(io, Role::Client, None).await
}

/// The next text, which must come before anything else but pings.
pub(crate) async fn next_text<Io>(client: &mut WebSocketStream<Io>) -> String
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match client.next().await {
            Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("no text but {other:?}"),
        }
    }
}

/// The code that the server closes with, after any texts. Goes on until the stream has ended.
pub(crate) async fn close_code<Io>(client: &mut WebSocketStream<Io>) -> Option<u16>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut code = None;
    while let Some(message) = client.next().await {
        if let Ok(Message::Close(Some(close))) = message {
            code = Some(close.code.into());
        }
    }
    code
}

/// A client's frame with a mask of zeros.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    assert!(len <= 125);
    [&[first, 0x80 | len, 0, 0, 0, 0], payload].concat()
}
