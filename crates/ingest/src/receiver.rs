//! What the transports share: the parts of the receiver, the way of a body that has been read,
//! and the count of what became of a request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use otlp_codec::Signal;

use crate::accept::{self, Rejected};
use crate::authorize::Authorize;
use crate::body::BodyError;
use crate::budget::Budget;
use crate::config::IngestConfig;
use crate::content::ContentType;
use crate::error::{IngestError, Reason};
use crate::observer::{Accepted, Observer, Refusal, Transport};
use crate::request_id::RequestId;
use crate::sink::ExportSink;

/// Everything that a transport needs. Cheap to clone; one for all workers and transports.
#[derive(Clone)]
pub struct Receiver {
    /// Limits and rules.
    pub config: IngestConfig,
    /// What all requests may hold together, those of all transports.
    pub budget: Budget,
    /// Where exports go.
    pub sink: Arc<dyn ExportSink>,
    /// Who may send.
    pub authorize: Arc<dyn Authorize>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
}

impl Receiver {
    /// Checks an inflated body, whose request `began` then, and gives the export to the sink.
    pub(crate) async fn take(
        &self,
        signal: Signal,
        content_type: ContentType,
        body: Bytes,
        began: Instant,
    ) -> Result<Taken, IngestError> {
        let limits = self.config.decode_limits();
        let decoders = self.budget.decoders();
        let accept::Accepted { export, rejected } =
            accept::check_off_thread(signal, content_type, body, limits, decoders).await?;
        let taken = Taken {
            items: export.items,
            bytes: export.wire.len(),
            rejected,
        };
        // Of an export that nothing is left of, there is nothing to show.
        if taken.items > 0 || taken.rejected.is_none() {
            self.sink.accept(export, began)?;
        }
        Ok(taken)
    }
}

/// What is left to say of an export that has been given away.
pub(crate) struct Taken {
    items: usize,
    bytes: usize,
    pub(crate) rejected: Option<Rejected>,
}

/// Sees to it that a request is counted once, whatever becomes of it. A transport drops the
/// handler when the connection breaks or the client cancels; that counts as an incomplete body.
pub(crate) struct Outcome<'a> {
    observer: &'a dyn Observer,
    signal: Signal,
    transport: Transport,
    peer: Option<IpAddr>,
    began: Instant,
    told: bool,
}

impl<'a> Outcome<'a> {
    /// For a request of `peer` that begins now.
    pub(crate) fn new(
        observer: &'a dyn Observer,
        signal: Signal,
        transport: Transport,
        peer: Option<IpAddr>,
    ) -> Self {
        Self {
            observer,
            signal,
            transport,
            peer,
            began: Instant::now(),
            told: false,
        }
    }

    /// The same, but it began then.
    pub(crate) fn since(mut self, began: Instant) -> Self {
        self.began = began;
        self
    }

    /// When the request began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn accepted(&mut self, taken: &Taken) {
        self.told = true;
        let accepted = Accepted {
            items: taken.items,
            bytes: taken.bytes,
            took: self.began.elapsed(),
        };
        self.observer
            .accepted(self.signal, self.transport, accepted);
        if let Some(Rejected { items, .. }) = taken.rejected {
            self.observer.rejected(self.signal, self.transport, items);
        }
    }

    /// What its answer is to be found by.
    pub(crate) fn refused(&mut self, error: &IngestError) -> RequestId {
        self.refused_as(error.reason())
    }

    pub(crate) fn refused_as(&mut self, reason: Reason) -> RequestId {
        self.told = true;
        let refusal = Refusal {
            reason,
            peer: self.peer,
            id: RequestId::next(),
        };
        self.observer.refused(self.signal, self.transport, refusal);
        refusal.id
    }

    /// Somebody else counts this request from here on. When it began.
    pub(crate) fn hand_over(mut self) -> Instant {
        self.told = true;
        self.began
    }
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.refused(&IngestError::Body(BodyError::Incomplete));
        }
    }
}
