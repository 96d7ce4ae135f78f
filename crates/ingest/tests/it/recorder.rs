//! What a receiver under test is given: sink, authority and observer in one, which write down what
//! they are told.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use ingest::{
    Accepted, AuthError, Authorize, Credentials, Export, ExportSink, Observer, Refusal, Refused,
    Transport,
};
use otlp_codec::Signal;

/// What an observer was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Accepted { items: usize, bytes: usize },
    Rejected { items: usize },
    Refused(&'static str),
}

/// Everything that comes has to be by one transport, from this machine.
pub(crate) struct Recorder {
    transport: Transport,
    refuse: Option<Refused>,
    token: Option<&'static [u8]>,
    exports: Mutex<Vec<Export>>,
    tell: Box<dyn Fn(Signal, Event) + Send + Sync>,
}

impl Recorder {
    /// Accepts everything unless it is to `refuse`, from everybody unless there is a `token`, and
    /// says what the observer is told.
    pub(crate) fn new(
        transport: Transport,
        refuse: Option<Refused>,
        token: Option<&'static [u8]>,
        tell: impl Fn(Signal, Event) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            transport,
            refuse,
            token,
            exports: Mutex::default(),
            tell: Box::new(tell),
        })
    }

    /// What the sink has got so far.
    pub(crate) fn exports(&self) -> Vec<Export> {
        self.exports.lock().unwrap().clone()
    }

    fn tell(&self, signal: Signal, transport: Transport, event: Event) {
        assert_eq!(transport, self.transport);
        (self.tell)(signal, event);
    }
}

impl ExportSink for Recorder {
    fn accept(&self, export: Export, _: Instant) -> Result<(), Refused> {
        if let Some(refused) = self.refuse {
            return Err(refused);
        }
        self.exports.lock().unwrap().push(export);
        Ok(())
    }
}

impl Authorize for Recorder {
    fn check(&self, credentials: Credentials<'_>) -> Result<(), AuthError> {
        assert!(credentials.peer.unwrap().is_loopback());
        match (self.token, credentials.authorization) {
            (None, _) => Ok(()),
            (Some(token), Some(given)) if token == given => Ok(()),
            (Some(_), Some(b"Bearer guest")) => Err(AuthError::Forbidden),
            (Some(_), _) => Err(AuthError::Unauthenticated),
        }
    }
}

impl Observer for Recorder {
    fn accepted(&self, signal: Signal, transport: Transport, accepted: Accepted) {
        let Accepted { items, bytes, .. } = accepted;
        self.tell(signal, transport, Event::Accepted { items, bytes });
    }

    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        self.tell(signal, transport, Event::Rejected { items });
    }

    fn refused(&self, signal: Signal, transport: Transport, refusal: Refusal) {
        let event = Event::Refused(refusal.reason.as_str());
        self.tell(signal, transport, event);
    }
}
