//! How many connections are open, and the permit that each of them holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::counters::Counters;

/// Counts connections, up to a limit. A clone counts the same ones.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    limit: usize,
    counters: Arc<Counters>,
    open: AtomicUsize,
    /// Those that speak HTTP, that is, all but WebSocket sessions.
    http: watch::Sender<usize>,
}

impl Connections {
    /// Allows up to `limit` connections, and counts what becomes of the others.
    #[must_use]
    pub fn new(limit: usize, counters: Arc<Counters>) -> Self {
        let (http, _) = watch::channel(0);
        Self(Arc::new(Shared {
            limit,
            counters,
            open: AtomicUsize::new(0),
            http,
        }))
    }

    /// A permit for one more connection, or none if the limit is reached.
    #[must_use]
    pub fn admit(&self) -> Option<Permit> {
        let one_more = |open: usize| (open < self.0.limit).then_some(open + 1);
        if self
            .0
            .open
            .try_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_err()
        {
            self.0.counters.connection_refused();
            return None;
        }
        self.0.http.send_modify(|http| *http += 1);
        Some(Permit {
            shared: Arc::clone(&self.0),
            is_http: true,
            timed_out: false,
        })
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

/// The right to one open connection, given back when dropped.
pub struct Permit {
    shared: Arc<Shared>,
    is_http: bool,
    timed_out: bool,
}

impl Permit {
    /// The client took too long, and the connection ends for that.
    pub(crate) fn time_out(&mut self) {
        if !std::mem::replace(&mut self.timed_out, true) {
            self.shared.counters.connection_timed_out();
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
