//! A receiver behind a real HTTP server on a free port, with everything that it does recorded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver as Events};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use ingest::{
    Budget, Code, Export, IngestConfig, Receiver, Refused, Transport, configure, hold_unread,
    status,
};
use otlp_codec::Signal;

use crate::recorder::{Event, Recorder};

/// Against hanging only: no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a path without a receiver answers.
async fn not_found(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let response = status::answer_with(
        request.headers(),
        StatusCode::NOT_FOUND,
        Code::NotFound,
        "there is nothing at this path",
    );
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
        let tell = move |signal, event| {
            assert_eq!(signal, Signal::Metrics);
            let _ = sender.send(event);
        };
        let recorder = Recorder::new(Transport::Http, setup.refuse, setup.token, tell);
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
        self.recorder.exports()
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
