//! How many connections are open, in all and from one address, and the permit that each of them
//! holds.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::addresses::{Addresses, Seat};
use crate::counters::Counters;
use crate::counters::labels::{Limit, Listener, Wait};
use crate::proxies::{Proxies, Way};
use crate::throttle::Throttle;

/// Counts connections, up to a limit in all and one for each address. A clone counts the same
/// ones.
///
/// A connection of a trusted proxy counts for no address: many clients share it. Instead, each
/// request in flight on it counts for the client that it is from, and a WebSocket session for as
/// long as it is open.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    listener: Listener,
    limit: usize,
    addresses: Arc<Addresses>,
    proxies: Arc<Proxies>,
    counters: Arc<Counters>,
    warnings: Throttle,
    open: AtomicUsize,
    /// Those that speak HTTP, that is, all but WebSocket sessions.
    http: watch::Sender<usize>,
}

impl Connections {
    /// Allows up to `limit` connections.
    #[cfg(test)]
    pub(crate) fn new(limit: usize, counters: Arc<Counters>) -> Self {
        let listener = Listener::Http;
        Self::by_address(listener, limit, limit, Arc::default(), counters)
    }

    /// Allows up to `limit` connections, up to `per_address` of them for each address, and counts
    /// what becomes of the others.
    #[must_use]
    pub(crate) fn by_address(
        listener: Listener,
        limit: usize,
        per_address: usize,
        proxies: Arc<Proxies>,
        counters: Arc<Counters>,
    ) -> Self {
        let (http, _) = watch::channel(0);
        Self(Arc::new(Shared {
            listener,
            limit,
            addresses: Addresses::new(per_address),
            proxies,
            counters,
            warnings: Throttle::default(),
            open: AtomicUsize::new(0),
            http,
        }))
    }

    /// A permit for one more connection, from `peer` if that is known, or none if a limit is
    /// reached.
    #[must_use]
    pub fn admit(&self, peer: Option<IpAddr>) -> Option<Permit> {
        let address = match peer {
            Some(peer) if !self.0.proxies.trusts(peer) => Some(self.seat(peer).ok()?),
            _ => None,
        };
        let one_more = |open: usize| (open < self.0.limit).then_some(open + 1);
        if self
            .0
            .open
            .try_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_err()
        {
            self.refused(Limit::Total);
            return None;
        }
        self.0.counters.connection_accepted(self.0.listener);
        self.0.http.send_modify(|http| *http += 1);
        Some(Permit {
            shared: Arc::clone(&self.0),
            is_http: true,
            timed_out: false,
            _address: address,
            client: None,
        })
    }

    /// Who has sent a request that came from `peer`, if `peer` is a trusted proxy; then it counts
    /// as one of that client's connections as long as the seat is held.
    ///
    /// # Errors
    ///
    /// [`Crowded`] if the client has too many.
    pub(crate) fn client<'a>(
        &self,
        peer: IpAddr,
        way: Way<impl Iterator<Item = &'a [u8]>, impl Iterator<Item = &'a [u8]>>,
    ) -> Result<Option<(IpAddr, Seat)>, Crowded> {
        if !self.0.proxies.trusts(peer) {
            return Ok(None);
        }
        let client = self.0.proxies.client(peer, way);
        Ok(Some((client, self.seat(client)?)))
    }

    /// One more for an address.
    fn seat(&self, address: IpAddr) -> Result<Seat, Crowded> {
        self.0.addresses.take(address).ok_or_else(|| {
            self.refused(Limit::Address);
            if let Some(more) = self.0.warnings.pass() {
                tracing::warn!(
                    %address,
                    not_said_before = more,
                    "refused one connection too many of an address; if it is a proxy, \
                     --trusted-proxies makes its clients count each for itself"
                );
            }
            Crowded(address)
        })
    }

    fn refused(&self, limit: Limit) {
        self.0.counters.connection_refused(self.0.listener, limit);
    }

    /// Where they come in.
    pub(crate) fn listener(&self) -> Listener {
        self.0.listener
    }

    /// How many may be open.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// How many are open, WebSocket sessions included.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Ready when no connection speaks HTTP, or gRPC, any more.
    pub async fn http_ended(&self) {
        // The sender lives as long as this does.
        drop(self.0.http.subscribe().wait_for(|http| *http == 0).await);
    }
}

/// An address has as much open as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded(pub(crate) IpAddr);

/// The right to one open connection, given back when dropped.
pub struct Permit {
    shared: Arc<Shared>,
    is_http: bool,
    timed_out: bool,
    /// Counts this connection for the address that it is from.
    _address: Option<Seat>,
    /// Counts what a proxy passes on over it for the client that it is from.
    client: Option<Seat>,
}

impl Permit {
    /// The connection serves a client of a proxy, or, with none, no longer.
    pub(super) fn serve(&mut self, client: Option<Seat>) {
        self.client = client;
    }

    /// The client took too long, and the connection ends for that.
    pub(crate) fn time_out(&mut self, wait: Wait) {
        if !std::mem::replace(&mut self.timed_out, true) {
            let listener = self.shared.listener;
            self.shared.counters.connection_timed_out(listener, wait);
        }
    }

    /// The connection stays open but speaks HTTP no more.
    pub fn leave_http(&mut self) {
        if std::mem::take(&mut self.is_http) {
            self.shared.http.send_modify(|http| *http -= 1);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.leave_http();
        self.shared.open.fetch_sub(1, Ordering::AcqRel);
    }
}
