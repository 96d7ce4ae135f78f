//! What a good engineer writes in an hour: OTLP metrics in, JSON out over WebSocket. The relay is
//! measured against it; it has no limits but its channel, and refuses nothing politely.

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_ENCODING};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "says where it listens")]
async fn main() -> anyhow::Result<()> {
    let app = Router::new()
        .route("/v1/metrics", post(receive))
        .route("/ws/metrics", get(watch))
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(channel(256).0);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
    Ok(axum::serve(listener, app).await?)
}

async fn receive(
    State(frames): State<Sender<Utf8Bytes>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), StatusCode> {
    let request = match headers.get(CONTENT_ENCODING) {
        Some(coding) if coding == "gzip" => {
            let mut inflated = Vec::new();
            std::io::copy(&mut GzDecoder::new(&body[..]), &mut inflated)
                .map_err(|_| StatusCode::BAD_REQUEST)?;
            ExportMetricsServiceRequest::decode(&inflated[..])
        }
        _ => ExportMetricsServiceRequest::decode(body),
    };
    let request = request.map_err(|_| StatusCode::BAD_REQUEST)?;
    let json = serde_json::to_string(&request).map_err(|_| StatusCode::BAD_REQUEST)?;
    // An error is that nobody watches.
    drop(frames.send(json.into()));
    Ok(())
}

async fn watch(State(frames): State<Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    let frames = frames.subscribe();
    upgrade.on_upgrade(|socket| forward(socket, frames))
}

async fn forward(mut socket: WebSocket, mut frames: Receiver<Utf8Bytes>) {
    loop {
        let sent = match frames.recv().await {
            Ok(frame) => socket.send(Message::Text(frame)).await,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}
