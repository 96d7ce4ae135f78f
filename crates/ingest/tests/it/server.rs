//! A receiver behind a real HTTP server on a free port, with everything that it does recorded.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver as Events, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use ingest::{
    Accepted, AuthError, Authorize, Budget, Credentials, Export, ExportSink, IngestConfig,
    IngestError, Observer, Receiver, Refusal, Refused, Transport, configure, hold_unread, status,
};
use otlp_codec::Signal;

/// Against hanging only: no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What an observer was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Accepted { items: usize, bytes: usize },
    Rejected { items: usize },
    Refused(&'static str),
}

/// Sink, authority and observer in one.
struct Recorder {
    refuse: Option<Refused>,
    token: Option<&'static [u8]>,
    exports: Mutex<Vec<Export>>,
    events: Sender<Event>,
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
        assert_eq!((signal, transport), (Signal::Metrics, Transport::Http));
        let _ = self.events.send(Event::Accepted { items, bytes });
    }

    fn rejected(&self, signal: Signal, transport: Transport, items: usize) {
        assert_eq!((signal, transport), (Signal::Metrics, Transport::Http));
        let _ = self.events.send(Event::Rejected { items });
    }

    fn refused(&self, signal: Option<Signal>, transport: Transport, refusal: Refusal) {
        assert_eq!(
            (signal, transport),
            (Some(Signal::Metrics), Transport::Http)
        );
        let _ = self.events.send(Event::Refused(refusal.reason.as_str()));
    }
}

/// What a path without a receiver answers.
async fn not_found(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let response = status::answer(request.headers(), &IngestError::NotFound);
    hold_unread(response, payload)
}

/// How a server under test differs from the default.
pub(crate) struct Setup {
    pub(crate) config: IngestConfig,
    pub(crate) refuse: Option<Refused>,
    /// The whole value of the one Authorization header that is let in.
    pub(crate) token: Option<&'static [u8]>,
    /// For how long a connection is read on after an early answer.
    pub(crate) linger: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: IngestConfig::default(),
            refuse: None,
            token: None,
            linger: PATIENCE,
        }
    }
}

impl Setup {
    /// Default but for the length of a body.
    pub(crate) fn with_limit(max_body_bytes: usize) -> Self {
        Self {
            config: IngestConfig {
                max_body_bytes,
                ..IngestConfig::default()
            },
            ..Self::default()
        }
    }
}

/// Stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) budget: Budget,
    recorder: Arc<Recorder>,
    events: Events<Event>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let (sender, events) = mpsc::channel();
        let recorder = Arc::new(Recorder {
            refuse: setup.refuse,
            token: setup.token,
            exports: Mutex::default(),
            events: sender,
        });
        let budget = setup.config.budget();
        let receiver = Receiver {
            config: setup.config,
            budget: budget.clone(),
            sink: recorder.clone(),
            authorize: recorder.clone(),
            observer: recorder.clone(),
        };
        let (started, start) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let receiver = receiver.clone();
                    App::new()
                        .configure(|cfg| configure(cfg, receiver))
                        .default_service(web::to(not_found))
                })
                .workers(1)
                .disable_signals()
                .client_disconnect_timeout(setup.linger)
                .bind(("127.0.0.1", 0))
                .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                started.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = start.recv_timeout(PATIENCE).unwrap();
        Self {
            address,
            budget,
            recorder,
            events,
            handle,
            thread: Some(thread),
        }
    }

    /// What the sink has got so far.
    pub(crate) fn exports(&self) -> Vec<Export> {
        self.recorder.exports.lock().unwrap().clone()
    }

    /// The next thing that the observer was told, in order.
    pub(crate) fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent by the call; the future only waits for its completion.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            assert!(joined.is_ok() || thread::panicking());
        }
    }
}
