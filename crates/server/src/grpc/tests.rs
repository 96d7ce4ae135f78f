//! What a connection goes through: its age, its keepalive, the limit of its heads. Frames are
//! those of another implementation, or written by hand.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver as Exports, Sender};
use std::time::{Duration, Instant};

use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use ingest::{AllowAll, Export, ExportSink, IngestConfig, NoObserver, Refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::timeout;
use tonic::codegen::Bytes;

use super::*;
use crate::counters::Counters;
use crate::counters::labels::{Listener, Wait};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

struct Sink(Sender<Export>);

impl ExportSink for Sink {
    fn accept(&self, export: Export, _: Instant) -> Result<(), Refused> {
        self.0.send(export).map_err(|_| Refused::draining(1))
    }
}

/// A server on a free port, and what it takes.
async fn start(config: GrpcConfig) -> (GrpcServer, SocketAddr, Exports<Export>) {
    start_counting(config, Arc::default()).await
}

async fn start_counting(
    config: GrpcConfig,
    counters: Arc<Counters>,
) -> (GrpcServer, SocketAddr, Exports<Export>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, exports) = mpsc::channel();
    let config_of_receiver = IngestConfig::default();
    let parts = Parts {
        receiver: Receiver {
            budget: config_of_receiver.budget(),
            config: config_of_receiver,
            sink: Arc::new(Sink(sender)),
            authorize: Arc::new(AllowAll),
            observer: Arc::new(NoObserver),
        },
        connections: Connections::new(10, counters),
        draining: Draining::new(),
        tls: None,
        head_timeout: PATIENCE,
        stall_timeout: PATIENCE,
        workers: 1,
    };
    let server = GrpcServer::start(&config, vec![listener], parts).await;
    (server.unwrap(), address, exports)
}

/// The future's value, which must not take for ever.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

/// Begins an export of metrics, with one more header of this value.
fn begin(client: &mut SendRequest<Bytes>, value: &str) -> (ResponseFuture, SendStream<Bytes>) {
    try_begin(client, value).unwrap()
}

/// The same, where the connection may be ending.
fn try_begin(
    client: &mut SendRequest<Bytes>,
    value: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
    let request = Request::post(
        "http://localhost/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    );
    let request = request
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-more", value);
    client.send_request(request.body(()).unwrap(), false)
}

/// Reads an answer to its end. Its trailers.
async fn read(response: Response<RecvStream>) -> HeaderMap {
    let mut body = response.into_body();
    while let Some(data) = soon(body.data()).await {
        let length = data.unwrap().len();
        body.flow_control().release_capacity(length).unwrap();
    }
    soon(body.trailers()).await.unwrap().unwrap()
}

/// Scenario: a call is in the middle of its message when its connection reaches its age.
/// Guarantees: the client is told to open another connection; the call is finished all the same,
/// with its export taken; then the connection ends without an error.
#[tokio::test]
async fn calls_outlive_the_age_of_their_connection() {
    // Where the machine is slow, a connection may be too old before its call has begun.
    let mut age = Duration::from_millis(200);
    while !outlives(age).await {
        age *= 2;
    }
}

/// Whether a call has begun before its connection reached this age. Then it is finished.
async fn outlives(age: Duration) -> bool {
    let (_server, address, exports) = start(GrpcConfig {
        max_connection_age: age,
        age_grace: PATIENCE,
        ..GrpcConfig::default()
    })
    .await;
    let socket = TcpStream::connect(address).await.unwrap();
    let Ok((mut client, connection)) = h2::client::handshake(socket).await else {
        return false;
    };
    let connection = tokio::spawn(connection);
    // An empty list of resource metrics, in two parts.
    let Ok((response, mut stream)) = try_begin(&mut client, "") else {
        return false;
    };
    let part = Bytes::from_static(&[0, 0, 0]);
    if stream.send_data(part, false).is_err() {
        return false;
    }

    soon(async {
        while client.clone().ready().await.is_ok() {
            yield_now().await;
        }
    })
    .await;
    let rest = Bytes::from_static(&[0, 2, 0x0a, 0]);
    if stream.send_data(rest, true).is_err() {
        return false;
    }
    let response = match soon(response).await {
        Ok(response) => response,
        // The call began behind the GOAWAY that says which ones are finished.
        Err(error) => {
            assert!(error.is_go_away() || error.is_reset(), "{error}");
            return false;
        }
    };
    assert_eq!(response.status(), StatusCode::OK);
    let trailers = read(response).await;
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(exports.try_recv().unwrap().wire, [0x0a, 0][..]);
    drop((client, stream));
    assert!(soon(connection).await.unwrap().is_ok());
    true
}

/// Scenario: heads below and above the limit, one after another on one connection.
/// Guarantees: the long one is a 431, which costs the others nothing.
#[tokio::test]
async fn long_heads_are_refused() {
    let (_server, address, exports) = start(GrpcConfig::default()).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(socket).await.unwrap();
    let _connection = tokio::spawn(connection);
    let limit = GrpcConfig::default().max_header_list_bytes as usize;
    for (length, status) in [
        (limit / 2, StatusCode::OK),
        (limit, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        (limit / 2, StatusCode::OK),
    ] {
        client = soon(client.ready()).await.unwrap();
        let (response, mut stream) = begin(&mut client, &"x".repeat(length));
        // Whom the server has refused need not take it.
        let _ = stream.send_data(Bytes::from_static(&[0; 5]), true);
        let response = soon(response).await.unwrap();
        assert_eq!(response.status(), status, "{length}");
        if status == StatusCode::OK {
            assert_eq!(read(response).await["grpc-status"], "0");
            assert!(exports.try_recv().is_ok());
        }
    }
    assert!(exports.try_recv().is_err());
}

/// Scenario: a client that reads everything and never answers a PING.
/// Guarantees: it is asked, and its connection is closed, which is counted.
#[tokio::test]
async fn unanswered_keepalive_closes_the_connection() {
    const PING: u8 = 6;
    const ACK: u8 = 1;
    let counters = Arc::new(Counters::default());
    let config = GrpcConfig {
        keepalive_interval: Duration::from_millis(50),
        keepalive_timeout: Duration::from_millis(50),
        ..GrpcConfig::default()
    };
    let (_server, address, _exports) = start_counting(config, Arc::clone(&counters)).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    socket
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    socket.write_all(&settings).await.unwrap();
    let mut asked = false;
    loop {
        let mut head = [0; 9];
        // The end, by a FIN or a reset.
        if soon(socket.read_exact(&mut head)).await.is_err() {
            break;
        }
        let [_, high, low, kind, flags, ..] = head;
        asked |= kind == PING && flags & ACK == 0;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        soon(socket.read_exact(&mut payload)).await.unwrap();
    }
    assert!(asked);
    let ended = (Listener::Http, Wait::Keepalive);
    assert_eq!(counters.connecting.timed_out.get(ended), 1);
    assert_eq!(counters.totals().timed_out_connections, 1);
}
