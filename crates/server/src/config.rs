//! The relay's configuration, typed. The command line and the environment become this in
//! [`crate::cli`]; nothing else reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use fanout::FanoutConfig;
use ingest::IngestConfig;

use crate::gate::GateConfig;

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
    /// How long a shutdown may take, all in all. Default: 10 s.
    pub shutdown_grace: Duration,
    /// The receiver.
    pub ingest: IngestConfig,
    /// A file of tokens of which every sender has to show one. Default: none, everybody may send.
    pub ingest_token_file: Option<PathBuf>,
    /// The fan-out.
    pub fanout: FanoutConfig,
    /// Who may talk to the relay.
    pub gate: GateConfig,
}

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    /// Open connections, those of WebSocket sessions included. One more is answered 503 with
    /// `Retry-After` and closed. Default: 12,000.
    pub max: usize,
    /// How long the head of a request may take, from its first byte, or from the accept for
    /// the first one. Default: 10 s; then the connection is closed.
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

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            max: 12_000,
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
            shutdown_grace: Duration::from_secs(10),
            ingest: IngestConfig::default(),
            ingest_token_file: None,
            fanout: FanoutConfig::default(),
            gate: GateConfig::default(),
        }
    }
}

/// The port of the script that the relay replaces.
pub const DEFAULT_PORT: u16 = 4444;
