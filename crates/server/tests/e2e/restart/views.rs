//! Sessions in several views that read to their end.

use std::net::SocketAddr;

use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::metrics::v1::{metric, number_data_point};
use prost::Message as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::Mark;
use crate::support::{Http, Watcher, head, name_of, value_of};

/// Something to watch.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) path: &'static str,
    /// What the names of the metrics that it shows begin with.
    shows: &'static str,
    /// The mark in a frame, or a line.
    mark: fn(&[u8]) -> Mark,
}

/// One of each kind.
pub(super) const VIEWS: [View; 7] = [
    view("/ws/metrics", in_json),
    view("/ws", in_json),
    view("/ws?format=protojson", in_json),
    view("/ws/metrics?format=points", in_points),
    view("/ws/metrics?format=protobuf", in_protobuf),
    View {
        shows: "http",
        ..view("/ws/metrics?metric=http*&envelope=true", in_envelope)
    },
    view("/stream/metrics", in_json),
];

const fn view(path: &'static str, mark: fn(&[u8]) -> Mark) -> View {
    View {
        path,
        shows: "",
        mark,
    }
}

/// A session in a view.
pub(super) enum Session {
    WebSocket(Box<Watcher>),
    Lines(Http),
}

impl View {
    pub(super) fn shows(&self, name: &str) -> bool {
        name.starts_with(self.shows)
    }

    pub(super) fn connect(&self, address: SocketAddr) -> Session {
        if !self.path.starts_with("/stream") {
            let mut watcher = Watcher::connect_to(address, self.path);
            if self.path.contains("envelope") {
                assert_eq!(watcher.frame()["type"], "hello");
            }
            return Session::WebSocket(Box::new(watcher));
        }
        let mut http = Http::connect(address);
        http.send(&head("GET", self.path, &[]));
        assert_eq!(http.answer_head().status, 200);
        Session::Lines(http)
    }

    /// The marks of all frames, up to an end that was told.
    pub(super) fn read(&self, session: Session) -> Vec<Mark> {
        match session {
            Session::WebSocket(watcher) => self.frames(*watcher),
            Session::Lines(mut http) => {
                let lines =
                    std::iter::from_fn(|| Some(http.chunk()).filter(|line| !line.is_empty()));
                lines.map(|line| (self.mark)(&line)).collect()
            }
        }
    }

    fn frames(&self, mut watcher: Watcher) -> Vec<Mark> {
        let mut marks = Vec::new();
        loop {
            match watcher.message() {
                Message::Text(text) => marks.push((self.mark)(text.as_bytes())),
                Message::Binary(bytes) => marks.push((self.mark)(&bytes)),
                Message::Close(close) => {
                    assert_eq!(u16::from(close.unwrap().code), 1001);
                    return marks;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn in_json(text: &[u8]) -> Mark {
    mark(&serde_json::from_slice(text).unwrap())
}

fn in_envelope(text: &[u8]) -> Mark {
    let frame: Value = serde_json::from_slice(text).unwrap();
    assert_eq!(frame["type"], "data", "no gap: {frame}");
    mark(&frame["data"])
}

/// The mark of an export in OTLP JSON.
pub(super) fn mark(export: &Value) -> Mark {
    (name_of(export).to_owned(), value_of(export))
}

fn in_points(text: &[u8]) -> Mark {
    let point: Value = serde_json::from_slice(text).unwrap();
    let name = point["name"].as_str().unwrap();
    (name.to_owned(), point["value"].as_i64().unwrap())
}

fn in_protobuf(bytes: &[u8]) -> Mark {
    let export = ExportMetricsServiceRequest::decode(bytes).unwrap();
    let metric = &export.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(metric::Data::Gauge(gauge)) = &metric.data else {
        panic!("{metric:?}");
    };
    match gauge.data_points[0].value {
        Some(number_data_point::Value::AsInt(value)) => (metric.name.clone(), value),
        ref other => panic!("{other:?}"),
    }
}
