//! The configuration while it comes together: what settings set, and what follows from that.

use std::path::PathBuf;

use crate::config::{ServerConfig, TlsConfig};
use crate::logging::LogConfig;

use super::problem::{Place, Problem};

/// What every setting has a place in. It starts with the defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// All but what is below.
    pub(crate) relay: ServerConfig,
    /// The log.
    pub(crate) log: LogConfig,
    /// The parts of [`ServerConfig::tls`].
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// `None` for the default, or twice as much as one body may be long.
    pub(crate) max_requests_bytes: Option<usize>,
}

impl Draft {
    /// The configuration, with what follows from what was set.
    pub(super) fn finish(self) -> (ServerConfig, LogConfig) {
        let mut config = self.relay;
        config.tls = self
            .tls_cert
            .zip(self.tls_key)
            .map(|(cert, key)| TlsConfig {
                cert,
                key,
                client_ca: self.tls_client_ca,
            });
        let (ingest, fanout) = (&mut config.ingest, &mut config.fanout);
        ingest.codec.input_bytes = ingest.max_body_bytes;
        // The fan-out reads what the receiver let in.
        fanout.codec.input_bytes = ingest.max_body_bytes;
        fanout.profiles = ingest.profiles;
        ingest.max_requests_bytes = self.max_requests_bytes.unwrap_or_else(|| {
            // JSON takes as much again.
            let longest = ingest.max_body_bytes.saturating_mul(2);
            ingest.max_requests_bytes.max(longest)
        });
        fanout.frames_total_bytes = fanout.enough_frames_bytes();
        fanout.pong_timeout = fanout.ping_interval;
        (config, self.log)
    }

    /// Says what doesn't go together. `place` tells where a setting came from.
    pub(super) fn check(&self, place: impl Fn(&str) -> Place) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |met: bool, name: &'static str, why: &str| {
            if !met {
                problems.push(Problem::new(place(name), name, why));
            }
        };
        let (cert, key) = (self.tls_cert.is_some(), self.tls_key.is_some());
        require(!cert || key, "tls-cert", "needs tls-key beside it");
        require(!key || cert, "tls-key", "needs tls-cert beside it");
        let authorities = self.tls_client_ca.is_some();
        require(
            !authorities || cert,
            "tls-client-ca",
            "needs tls-cert beside it",
        );
        let demo = self.relay.demo;
        require(
            !demo || !cert,
            "demo",
            "can't be used with tls-cert: it sends to the relay without TLS",
        );
        require(
            !demo || self.relay.ingest_token_file.is_none(),
            "demo",
            "can't be used with ingest-token-file: it has no token",
        );
        require(
            !self.relay.listen.is_empty(),
            "listen",
            "needs one address at least",
        );
        problems
    }
}
