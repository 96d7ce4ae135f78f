//! The only place where the receiver and the fan-out meet.

use std::time::Instant;

use fanout::Hub;
use ingest::{Export, ExportSink, Refused};

/// Seconds after which a client may try again while this relay shuts down: by then another one,
/// or the next, may listen.
const RETRY_AFTER_DRAIN: u32 = 1;

/// Gives accepted exports to a hub.
#[derive(Clone)]
pub struct Bridge {
    hub: Hub,
}

impl Bridge {
    /// A bridge to `hub`.
    #[must_use]
    pub fn new(hub: Hub) -> Self {
        Self { hub }
    }
}

impl ExportSink for Bridge {
    fn accept(&self, export: Export, began: Instant) -> Result<(), Refused> {
        let Export {
            signal,
            wire,
            items,
        } = export;
        match self.hub.publish_of(signal, wire, items, began) {
            Some(_) => Ok(()),
            None => Err(Refused::draining(RETRY_AFTER_DRAIN)),
        }
    }
}
