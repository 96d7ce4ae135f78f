//! When to stop, and in which order.

use std::future::Future;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use actix_server::ServerHandle;
use fanout::Hub;
use socket2::SockRef;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use tracing::{info, warn};

use crate::conn::{Connections, LONGEST};

/// How much of the grace requests in flight may use, at the most.
const REQUESTS_SHARE: f64 = 0.5;
/// How much of the grace sessions may have used when they stop writing what their logs hold; the
/// rest is for the closing handshakes.
const FRAMES_SHARE: f64 = 0.8;
/// How long the accept thread may take to let go of its listeners, once it was told to pause.
const PAUSE_SETTLES: Duration = Duration::from_millis(50);

/// Ready when the system asks the process to end: Ctrl-C, or SIGTERM where there is one. From
/// then on, a second request ends the process at once; but wrappers pass a signal on that the
/// process has had already, so for a moment a second one counts as the first. `at_once` is the last
/// that is done then.
///
/// # Errors
///
/// If the system refuses to tell.
pub fn requested(at_once: impl FnOnce() + 'static) -> io::Result<impl Future<Output = ()>> {
    let mut requests = Requests::new()?;
    Ok(async move {
        requests.next().await;
        let first = Instant::now();
        actix_rt::spawn(async move {
            requests.next().await;
            while first.elapsed() < SAME_REQUEST {
                requests.next().await;
            }
            warn!("asked again to stop: ending at once");
            at_once();
            std::process::exit(EXIT_INTERRUPTED);
        });
    })
}

/// How long a second signal counts as the first.
const SAME_REQUEST: Duration = Duration::from_secs(1);
/// The exit code of a process that was asked twice.
const EXIT_INTERRUPTED: i32 = 130;

/// Requests of the system to end.
struct Requests {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Requests {
    fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: {
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::terminate())?
            },
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        let terminated = self.terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    }
}

/// What is told to everything that must know of the shutdown.
#[derive(Clone)]
pub(crate) struct Draining(watch::Sender<Stage>);

/// How far the shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none.
    Serving,
    /// It was asked for. Everything is served as before, but whoever asks is told to send no more.
    Leaving,
    /// Connections end.
    Draining,
}

impl Draining {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Stage::Serving))
    }

    /// Whether it should be sent more.
    pub(crate) fn is_ready(&self) -> bool {
        *self.0.borrow() == Stage::Serving
    }

    /// Ready once the shutdown was asked for.
    pub(crate) fn left(&self) -> impl Future<Output = ()> + use<> {
        self.reached(Stage::Leaving)
    }

    /// Ready once connections have to end.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + use<> {
        self.reached(Stage::Draining)
    }

    fn reached(&self, stage: Stage) -> impl Future<Output = ()> + use<> {
        let mut receiver = self.0.subscribe();
        async move {
            // An error means that the sender is gone, and with it the server.
            drop(receiver.wait_for(|reached| *reached >= stage).await);
        }
    }

    pub(crate) fn leave(&self) {
        self.0.send_replace(Stage::Leaving);
    }

    pub(crate) fn set(&self) {
        self.0.send_replace(Stage::Draining);
    }
}

/// Says that the relay is to be sent no more, and lets it serve on for `delay`.
pub(crate) async fn leave(draining: &Draining, delay: Duration) {
    draining.leave();
    if !delay.is_zero() {
        info!("asked to stop: /readyz is 503, everything else is served for {delay:?} yet");
        sleep(delay).await;
    }
    info!("shutting down: no new connections, finishing what is under way");
}

/// Sees everybody off within `grace`: no new connections, then requests in flight finish, so
/// that what is answered 200 is in the logs of the sessions, then sessions write what they have
/// and close with 1001. Requests that are still in flight then have what is left, to be refused.
///
/// # Errors
///
/// How long it took, if not everybody was done by then.
pub(crate) async fn drain(
    server: &ServerHandle,
    listeners: &[TcpListener],
    draining: &Draining,
    connections: [&Connections; 3],
    hub: &Hub,
    grace: Duration,
) -> Result<(), Duration> {
    let begin = Instant::now();
    server.pause().await;
    sleep(PAUSE_SETTLES).await;
    for listener in listeners {
        // A paused server's listeners still let the system take connections that nobody will
        // serve. On Linux this ends that; where it fails, they wait for the end of the process.
        drop(SockRef::from(listener).shutdown(Shutdown::Both));
    }
    draining.set();
    see_off(connections, hub, begin, grace).await
}

/// The part of [`drain`] that waits for others.
async fn see_off(
    connections: [&Connections; 3],
    hub: &Hub,
    begin: Instant,
    grace: Duration,
) -> Result<(), Duration> {
    let end = begin + grace.min(LONGEST);
    requests_end(
        connections,
        begin + grace.min(LONGEST).mul_f64(REQUESTS_SHARE),
    )
    .await;
    let frames_end = begin + grace.min(LONGEST).mul_f64(FRAMES_SHARE);
    hub.close(frames_end.saturating_duration_since(Instant::now()));
    let sessions_done = timeout_at(end, hub.drained()).await.is_ok();
    let requests_done = requests_end(connections, end).await;
    match requests_done && sessions_done {
        true => Ok(()),
        false => Err(begin.elapsed()),
    }
}

/// Waits for requests in flight, until `end`. Whether there are none any more.
async fn requests_end(connections: [&Connections; 3], end: Instant) -> bool {
    let mut done = true;
    for connections in connections {
        done &= timeout_at(end, connections.http_ended()).await.is_ok();
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use fanout::FanoutConfig;
    use otlp_codec::Signal;

    use super::*;
    use crate::counters::Counters;

    const GRACE: Duration = Duration::from_secs(10);

    /// Scenario: nobody watches, and a request is in flight for a third of the grace, for six
    /// tenths, and for longer than all of it.
    /// Guarantees: it is waited for as long as there is grace, and no longer, which is told; from
    /// half of it on, nothing is taken any more.
    #[tokio::test(start_paused = true)]
    async fn requests_have_all_of_the_grace() {
        for (tenths, expected) in [(3, Ok(3)), (6, Ok(6)), (20, Err(10))] {
            let counters = Arc::new(Counters::default());
            let connections = Connections::new(1, Arc::clone(&counters));
            let hub = Hub::new(FanoutConfig::default(), counters);
            let permit = connections.admit(None).unwrap();
            let request = tokio::spawn(async move {
                sleep(GRACE / 10 * tenths).await;
                drop(permit);
            });
            let open = hub.clone();
            let taking = tokio::spawn(async move {
                sleep(GRACE / 10 * 2).await;
                let before = open.publish(Signal::Metrics, Bytes::new(), 0);
                sleep(GRACE / 10 * 4).await;
                let after = open.publish(Signal::Metrics, Bytes::new(), 0);
                (before.is_some(), after.is_some())
            });
            let begin = Instant::now();
            let ended = see_off([&connections; 3], &hub, begin, GRACE).await;
            let tenth = |time: Duration| (time.as_secs_f64() / GRACE.as_secs_f64() * 10.0) as u32;
            let took = tenth(begin.elapsed());
            assert_eq!(ended.map(|()| took).map_err(tenth), expected);
            assert_eq!(taking.await.unwrap(), (true, false));
            request.await.unwrap();
        }
    }
}
