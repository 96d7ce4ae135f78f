//! How many descriptors the system lets the process have, and limits of connections that fit.
//!
//! Where there are too few, accepting would fail, and clients would wait for an answer that
//! nobody gives. So the limit is raised as far as the system allows, as Go's runtime does, and the
//! limits of connections are lowered where even that is too little: who is one too many is told
//! so.

use tracing::warn;

use crate::config::ServerConfig;

/// The part of all descriptors that is kept for what is no connection, or one that is being
/// refused; up to [`MOST_KEPT`].
const KEPT_SHARE: usize = 4;
/// The most that is kept so.
const MOST_KEPT: usize = 1024;

/// Raises the limit of descriptors to what the system allows, and lowers the limits of
/// connections to what fits: those of HTTP and gRPC with a warning, those of refused connections
/// and for metrics alone without.
pub fn fit(config: &mut ServerConfig) {
    if let Some(limit) = raise() {
        fit_into(limit, config);
    }
}

fn fit_into(limit: usize, config: &mut ServerConfig) {
    let kept = kept(limit);
    // Who is refused, and who asks how the relay is, must leave some for what is no connection.
    let refused = &mut config.connections.max_refused;
    *refused = (*refused).min(kept / 2);
    let metrics = &mut config.metrics.max_connections;
    *metrics = (*metrics).min(kept / 4).max(1);
    let (http, grpc) = fitting(limit, config);
    if (http, grpc) == (config.connections.max, config.grpc.max_connections) {
        return;
    }
    config.connections.max = http;
    config.grpc.max_connections = grpc;
    warn!(
        "with {limit} descriptors for this process, only {http} connections of HTTP and {grpc} of \
         gRPC fit; to allow more, raise the limit (ulimit -n; LimitNOFILE= of systemd)"
    );
}

/// How many of `limit` descriptors are kept.
fn kept(limit: usize) -> usize {
    (limit / KEPT_SHARE).min(MOST_KEPT)
}

/// The limits of connections, of HTTP and of gRPC, that `limit` descriptors are enough for. Both
/// are lowered by the same factor.
fn fitting(limit: usize, config: &ServerConfig) -> (usize, usize) {
    let (http, grpc) = (config.connections.max, config.grpc.max_connections);
    let wanted = match config.grpc.listen.is_empty() {
        true => http,
        false => http.saturating_add(grpc),
    };
    let room = limit - kept(limit);
    if wanted <= room {
        return (http, grpc);
    }
    let lower = |max: usize| {
        let share = max as u128 * room as u128 / wanted as u128;
        usize::try_from(share).unwrap_or(room).max(1)
    };
    match config.grpc.listen.is_empty() {
        true => (lower(http), grpc),
        false => (lower(http), lower(grpc)),
    }
}

/// Raises the limit, and says what it is then; `None` where there is none, or nobody tells.
#[cfg(unix)]
fn raise() -> Option<usize> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // Some systems name a hard limit that they don't grant: then it stays as it was.
    let limit = match soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        true => hard,
        false => soft,
    };
    usize::try_from(limit).ok()
}

/// There is no such limit.
#[cfg(not(unix))]
fn raise() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(http: usize, grpc: Option<usize>) -> ServerConfig {
        let mut config = ServerConfig::default();
        config.connections.max = http;
        if let Some(grpc) = grpc {
            config.grpc.max_connections = grpc;
            config.grpc.listen = vec![([127, 0, 0, 1], 0).into()];
        }
        config
    }

    /// Scenario: few descriptors, and many.
    /// Guarantees: those that are refused, and those for metrics, have three quarters of what is
    /// kept at most, and no more than ever; where there are enough, nothing changes.
    #[test]
    fn what_is_kept_is_not_given_away() {
        for (limit, refused, metrics) in
            [(8, 1, 1), (256, 32, 16), (1024, 128, 64), (20_000, 256, 64)]
        {
            let mut config = config(12_000, Some(1000));
            fit_into(limit, &mut config);
            assert_eq!(config.connections.max_refused, refused, "{limit}");
            assert_eq!(config.metrics.max_connections, metrics, "{limit}");
        }
        let (mut fits, all) = (config(12_000, None), config(12_000, None));
        fit_into(20_000, &mut fits);
        assert_eq!(fits.connections, all.connections);
        assert_eq!(fits.metrics, all.metrics);
    }

    /// Scenario: limits of connections that fit, just so and not at all; with gRPC and without.
    /// Guarantees: what fits stays; else both are lowered alike, with a quarter kept, but no more
    /// than 1,024; there is always one.
    #[test]
    fn connections_fit_the_descriptors() {
        assert_eq!(fitting(20_000, &config(12_000, Some(1000))), (12_000, 1000));
        assert_eq!(fitting(256, &config(192, None)).0, 192);
        assert_eq!(fitting(256, &config(12_000, None)).0, 192);
        assert_eq!(fitting(256, &config(9_000, Some(1_000))), (172, 19));
        assert_eq!(fitting(10_000, &config(12_000, None)).0, 10_000 - 1024);
        assert_eq!(fitting(8, &config(12_000, Some(1))), (5, 1));
        assert_eq!(
            fitting(usize::MAX, &config(usize::MAX, None)).0,
            usize::MAX - 1024
        );
    }
}
