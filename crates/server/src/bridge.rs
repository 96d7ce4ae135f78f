//! The only place where the receiver and the fan-out meet.

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
    fn accept(&self, export: Export) -> Result<(), Refused> {
        match self.hub.publish(export.signal, export.wire, export.items) {
            Some(_) => Ok(()),
            None => Err(Refused::draining(RETRY_AFTER_DRAIN)),
        }
    }
}
