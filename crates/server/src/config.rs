//! The relay's configuration, typed. The command line, the environment and a file become this in
//! [`crate::settings`]; nothing else reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use fanout::FanoutConfig;
use ingest::IngestConfig;

use crate::base_path::BasePath;
use crate::cors::CorsConfig;
use crate::gate::GateConfig;
use crate::proxies::Proxies;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen for HTTP and WebSocket; port 0 lets the system choose. Default:
    /// `127.0.0.1:4444`.
    pub listen: Vec<SocketAddr>,
    /// Threads that serve connections. Default: one for each core.
    pub workers: usize,
    /// Connections and their waits.
    pub connections: ConnectionConfig,
    /// Proxies that say who their clients are. Default: none.
    pub trusted_proxies: Proxies,
    /// How long everything is served as before once the relay was asked to end, while `/readyz` is
    /// 503 and gRPC's health service says NOT_SERVING: so long a load balancer may go on sending
    /// until it has noticed. It comes before the grace. Default: not at all.
    pub drain_delay: Duration,
    /// How long a shutdown may take, all in all. Default: 10 s.
    pub shutdown_grace: Duration,
    /// gRPC.
    pub grpc: GrpcConfig,
    /// Metrics of the relay itself.
    pub metrics: MetricsConfig,
    /// The receiver.
    pub ingest: IngestConfig,
    /// TLS for every listener, of HTTP and of gRPC. Default: none.
    pub tls: Option<TlsConfig>,
    /// A file of tokens of which every sender has to show one. Default: none, everybody may send.
    pub ingest_token_file: Option<PathBuf>,
    /// A file of tokens of which every watcher has to show one. Default: none, everybody may watch.
    pub watch_token_file: Option<PathBuf>,
    /// How often the files of tokens and of TLS are looked at, and read again if they changed.
    /// Default: 30 s.
    pub reload_interval: Duration,
    /// The fan-out.
    pub fanout: FanoutConfig,
    /// Who may talk to the relay.
    pub gate: GateConfig,
    /// What a reverse proxy puts before all paths. Default: nothing.
    pub base_path: Option<BasePath>,
    /// Whether the relay is sent telemetry that is made up, to the first address of
    /// [`listen`](Self::listen), without TLS and without a token. Default: no.
    pub demo: bool,
    /// Which web pages may send.
    pub cors: CorsConfig,
}

/// Where the certificates are, as PEM. All three may change while the relay runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate of the relay, and behind it those that lead to an authority.
    pub cert: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1, without a password.
    pub key: PathBuf,
    /// Authorities. If they are given, every client has to show a certificate of one of them
    /// (mTLS), who watches and asks for `/healthz` too. Lists of revoked ones are not looked at.
    pub client_ca: Option<PathBuf>,
}

/// Who may read the metrics of the relay itself, at `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Whether there are any. Default: yes; beside the other pages, who may watch may read them.
    pub enabled: bool,
    /// Where else to listen: `/metrics`, `/healthz` and `/readyz` are here then, without a token,
    /// and `/metrics` is nowhere else. Port 0 lets the system choose. Default: nowhere.
    pub listen: Vec<SocketAddr>,
    /// Open connections there, from wherever. One more is answered 503. Default: 64.
    pub max_connections: usize,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: Vec::new(),
            max_connections: 64,
        }
    }
}

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    /// Open connections, those of WebSocket sessions included. One more is answered 503 with
    /// `Retry-After` and closed. Default: 12,000.
    pub max: usize,
    /// Open connections of one address, of IPv6 of one /64; one more is answered as above. Through
    /// a trusted proxy each request in flight, and each WebSocket session, counts as one for the
    /// client that it is from, and one more is answered 503 with `Retry-After`. Default: 10,000,
    /// which leaves room for others whatever one address does, and for a load test all that it
    /// needs.
    pub max_per_address: usize,
    /// Connections that are refused and wait for their answer to be read, each for a second at
    /// most. One more is just closed. Default: 256.
    pub max_refused: usize,
    /// How long the head of a request may take, from its first byte, or from the accept for
    /// the first one; and how long the handshake of TLS may take. Default: 10 s; then the
    /// connection is closed.
    pub head_timeout: Duration,
    /// How long a connection may lie idle between two requests. Default: 75 s.
    pub idle_timeout: Duration,
    /// How long a request may go without a byte in either direction. Default: 30 s; then the
    /// connection is closed.
    pub stall_timeout: Duration,
    /// How long a client may go on sending after it was refused early, before the connection
    /// is closed. Default: 1 s.
    pub linger_timeout: Duration,
}

/// OTLP/gRPC: where, and the limits of its connections. The limits of a message are those of
/// [`IngestConfig`], as over HTTP; [`ConnectionConfig`]'s `head_timeout` and `stall_timeout` hold
/// here too, for the first bytes of a connection and for a message.
///
/// A connection holds at most [`connection_window_bytes`](Self::connection_window_bytes) that
/// nobody has read; what messages hold is taken from the budget of all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcConfig {
    /// Where to listen; port 0 lets the system choose. Default: nowhere. By convention the port
    /// is 4317.
    pub listen: Vec<SocketAddr>,
    /// Open connections. One more is closed at once, which clients take for UNAVAILABLE and try
    /// again. Default: 1,000; one of gRPC carries what takes many of HTTP.
    pub max_connections: usize,
    /// Open connections of one address, as in [`ConnectionConfig`]; through a trusted proxy, calls
    /// in flight of one client, and one more is UNAVAILABLE. Default: 800.
    pub max_connections_per_address: usize,
    /// Calls at a time on one connection. A client waits before it begins one more (RFC 9113,
    /// 5.1.2). Default: 100.
    pub max_streams: u32,
    /// The longest head of a call, in bytes as RFC 9113, 6.5.2 counts them. A longer one is
    /// refused with 431. Default: 16 KiB.
    pub max_header_list_bytes: u32,
    /// How much of one message may be under way unread (RFC 9113, 6.9.2). Default: 1 MiB.
    pub stream_window_bytes: u32,
    /// How much of all messages of a connection may be under way unread. Default: 2 MiB.
    pub connection_window_bytes: u32,
    /// How often a connection without traffic is asked whether it lives. Default: 60 s.
    pub keepalive_interval: Duration,
    /// How long the answer to that may take, before the connection is closed. Default: 20 s.
    pub keepalive_timeout: Duration,
    /// How old a connection may get before its client is told to open a new one, so that clients
    /// spread again over what a load balancer has. Calls under way are finished. Default: 1 h.
    pub max_connection_age: Duration,
    /// How long those calls may take before the connection is closed. Default: 60 s.
    pub age_grace: Duration,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            max_connections: 1000,
            max_connections_per_address: 800,
            max_streams: 100,
            max_header_list_bytes: 16 << 10,
            stream_window_bytes: 1 << 20,
            connection_window_bytes: 2 << 20,
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            max_connection_age: Duration::from_secs(60 * 60),
            age_grace: Duration::from_secs(60),
        }
    }
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            max: 12_000,
            max_per_address: 10_000,
            max_refused: 256,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            linger_timeout: Duration::from_secs(1),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT))],
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            connections: ConnectionConfig::default(),
            trusted_proxies: Proxies::default(),
            drain_delay: Duration::ZERO,
            shutdown_grace: Duration::from_secs(10),
            grpc: GrpcConfig::default(),
            metrics: MetricsConfig::default(),
            ingest: IngestConfig::default(),
            tls: None,
            ingest_token_file: None,
            watch_token_file: None,
            reload_interval: Duration::from_secs(30),
            fanout: FanoutConfig::default(),
            gate: GateConfig::default(),
            base_path: None,
            demo: false,
            cors: CorsConfig::default(),
        }
    }
}

/// The port of the script that the relay replaces.
pub const DEFAULT_PORT: u16 = 4444;
