//! When to stop, and in which order.

use std::future::Future;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use actix_server::ServerHandle;
use fanout::Hub;
use socket2::SockRef;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::conn::Connections;

/// How much of the grace requests in flight may use; the rest is for sessions.
const REQUESTS_SHARE: f64 = 0.6;

/// Ready when the system asks the process to end: Ctrl-C, or SIGTERM where there is one.
///
/// # Errors
///
/// If the system refuses to tell.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())?
    };
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    })
}

/// What is told to everything that must know of the shutdown.
#[derive(Clone)]
pub(crate) struct Draining(watch::Sender<bool>);

impl Draining {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready once the shutdown has begun.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + use<> {
        let mut receiver = self.0.subscribe();
        async move {
            // An error means that the sender is gone, and with it the server.
            drop(receiver.wait_for(|draining| *draining).await);
        }
    }

    pub(crate) fn set(&self) {
        self.0.send_replace(true);
    }
}

/// Sees everybody off within `grace`: no new connections, then requests in flight finish, so
/// that what is answered 200 is in the logs of the sessions, then sessions write what they have
/// and close with 1001. Says whether everybody was done in time.
pub(crate) async fn drain(
    server: &ServerHandle,
    listeners: &[TcpListener],
    draining: &Draining,
    connections: &Connections,
    hub: &Hub,
    grace: Duration,
) -> bool {
    let begin = Instant::now();
    server.pause().await;
    for listener in listeners {
        // A paused server's listeners still let the system take connections that nobody will
        // serve. On Linux this ends that; where it fails, they wait for the end of the process.
        drop(SockRef::from(listener).shutdown(Shutdown::Both));
    }
    draining.set();
    let requests = timeout_at(
        begin + grace.mul_f64(REQUESTS_SHARE),
        connections.http_ended(),
    );
    let requests_done = requests.await.is_ok();
    hub.close();
    let sessions_done = timeout_at(begin + grace, hub.drained()).await.is_ok();
    requests_done && sessions_done
}
