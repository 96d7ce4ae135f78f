//! OTLP/gRPC: tonic on a runtime of its own, beside actix.
//!
//! actix's workers are single-threaded runtimes, each with its share of the HTTP connections;
//! tonic wants its tasks to be `Send` and spreads them itself. So gRPC has a multi-threaded
//! runtime: its connections use all cores, and none of them can hold up a worker that serves
//! HTTP and WebSocket. Without an address for gRPC there is no such runtime.

mod client;
mod connection;
mod incoming;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use ingest::Receiver;
use ingest::grpc::{routes, service_names};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tonic::service::interceptor::InterceptedService;
use tonic::service::{Interceptor, InterceptorLayer, Routes};
use tonic::transport::{self, Server};
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use self::connection::{Connection, Deadlines};
use self::incoming::Incoming;
use crate::config::GrpcConfig;
use crate::conn::Connections;
use crate::shutdown::Draining;
use crate::throttle::Throttle;
use crate::tls::Tls;

/// The longest frame of HTTP/2 that a client may send, in bytes (RFC 9113, 6.5.2). A connection
/// buffers one frame whole. With the default of 16 KiB, an export of 80 KB takes nine reads, not
/// three or four.
const FRAME_BYTES: u32 = 128 << 10;

/// The longest request to the health service, in bytes: the name of a service.
const HEALTH_REQUEST_BYTES: usize = 4 << 10;

/// What the server needs of the rest of the relay.
pub(crate) struct Parts {
    pub(crate) receiver: Receiver,
    pub(crate) connections: Connections,
    pub(crate) draining: Draining,
    pub(crate) tls: Option<Arc<Tls>>,
    /// How long the first bytes of a connection may take.
    pub(crate) head_timeout: Duration,
    /// How long a message may go without a byte, and what is written.
    pub(crate) stall_timeout: Duration,
    /// Threads of the runtime.
    pub(crate) workers: usize,
}

/// The running server. What is still under way when it is dropped is cut off.
pub(crate) struct GrpcServer {
    serving: JoinSet<Result<(), transport::Error>>,
    runtime: Option<Runtime>,
}

impl GrpcServer {
    /// Serves `listeners` until `parts.draining` is set, then finishes what is under way. Does
    /// nothing without listeners.
    ///
    /// # Errors
    ///
    /// If the system gives no threads, or the reactor refuses a listener.
    pub(crate) async fn start(
        config: &GrpcConfig,
        listeners: Vec<TcpListener>,
        parts: Parts,
    ) -> io::Result<Self> {
        let mut server = Self {
            serving: JoinSet::new(),
            runtime: None,
        };
        if listeners.is_empty() {
            return Ok(server);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(parts.workers)
            .thread_name("grpc")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        // From here on it is dropped in a way that an asynchronous caller may.
        server.runtime = Some(runtime);
        let names = service_names(parts.receiver.config.profiles);
        let (health, health_service) = health_reporter();
        for name in &names {
            health
                .set_service_status(name, ServingStatus::Serving)
                .await;
        }
        // As /healthz over HTTP, it is for everybody.
        let health_service = health_service.max_decoding_message_size(HEALTH_REQUEST_BYTES);
        let health_service = InterceptedService::new(health_service, client::refuse_marked);
        let routes = routes(parts.receiver, parts.stall_timeout).add_service(health_service);
        for listener in listeners {
            let listener = {
                let _reactor = handle.enter();
                tokio::net::TcpListener::from_std(listener)?
            };
            let incoming = Incoming {
                listener,
                connections: parts.connections.clone(),
                tls: parts.tls.clone(),
                deadlines: Deadlines {
                    head: parts.head_timeout,
                    stall: parts.stall_timeout,
                    keepalive: config.keepalive_timeout,
                    end: config.max_connection_age.saturating_add(config.age_grace),
                },
                handshakes: JoinSet::new(),
                failures: Throttle::default(),
            };
            let incoming = incoming.into_stream();
            let serving = serve(
                config,
                client::identified(parts.connections.clone()),
                routes.clone(),
                incoming,
                parts.draining.begun(),
            );
            server.serving.spawn_on(serving, &handle);
        }
        handle.spawn(tell_of_drain(health, names, parts.draining));
        Ok(server)
    }

    /// Ready if the server ends, which it does not do before it is told to. Never ready without
    /// listeners.
    pub(crate) async fn ended(&mut self) -> io::Error {
        match self.serving.join_next().await {
            None => std::future::pending().await,
            Some(Ok(Ok(()))) => io::Error::other("gRPC stopped by itself"),
            Some(Ok(Err(error))) => io::Error::other(error),
            Some(Err(error)) => io::Error::other(error),
        }
    }
}

impl Drop for GrpcServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// tonic with every limit that it has set on purpose. Only HTTP/2 is spoken, and only from the
/// start: no web page can do that, so that there is no rule for Host or Origin here.
fn serve(
    config: &GrpcConfig,
    identified: InterceptorLayer<impl Interceptor + Clone + Send + 'static>,
    routes: Routes,
    incoming: impl Stream<Item = io::Result<Connection>> + Send + 'static,
    drained: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = Result<(), transport::Error>> + Send + 'static {
    Server::builder()
        .http2_keepalive_interval(Some(config.keepalive_interval))
        .http2_keepalive_timeout(Some(config.keepalive_timeout))
        // Its grace ends connections without the notice before it (tonic 0.14.9): ours does.
        .max_connection_age(config.max_connection_age)
        .max_concurrent_streams(config.max_streams)
        .max_frame_size(FRAME_BYTES)
        .http2_max_header_list_size(config.max_header_list_bytes)
        .initial_stream_window_size(config.stream_window_bytes)
        .initial_connection_window_size(config.connection_window_bytes)
        .layer(identified)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, drained)
}

/// Says NOT_SERVING once the shutdown was asked for, and ends the calls that wait for news when
/// connections end, so that they keep none open.
async fn tell_of_drain(mut health: HealthReporter, names: Vec<&'static str>, draining: Draining) {
    draining.left().await;
    for name in names.iter().chain([&""]) {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
    draining.begun().await;
    for name in names.iter().chain([&""]) {
        health.clear_service_status(name).await;
    }
}

#[cfg(test)]
mod tests;
