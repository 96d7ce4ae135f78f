//! `serve --demo`: telemetry that is made up, sent to the relay's own door like anybody else's.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use actix_rt::net::TcpStream;
use demo::{Demo, Export};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{error, warn};

use crate::gate::HostName;
use crate::throttle::Throttle;

/// How long a request may take, from the connection to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why nothing was shown.
#[derive(Debug, Error)]
enum ShowError {
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    #[error(transparent)]
    Send(#[from] hyper::Error),
    #[error("the relay answered {0}")]
    Refused(StatusCode),
    #[error("the relay did not answer in time")]
    TimedOut,
}

/// Sends the demo to the relay that listens at `address` and calls itself what `host` tells if it is
/// choosy, which may change, until this is dropped. What can't be sent is lost, with a warning: the next second brings more.
/// The shop is another one each time.
pub(crate) async fn run(address: SocketAddr, host: impl Fn() -> Option<HostName>) {
    let address = reachable(address);
    let warnings = Throttle::default();
    let now = SystemTime::now();
    // Every `RandomState` has keys of its own.
    let mut demo = Some(Demo::new(RandomState::new().hash_one(now), now));
    let mut ticks = interval(demo::PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(current) = demo.take() else { return };
        // Looking at the machine reads files.
        let told = tokio::task::spawn_blocking(move || look(current)).await;
        let (current, exports) = match told {
            Ok(told) => told,
            Err(error) => {
                // Else the runtime is about to end.
                if error.is_panic() {
                    error!("the demo has panicked, and ends");
                }
                return;
            }
        };
        demo = Some(current);
        let host = host().map_or_else(|| address.to_string(), |name| name.to_string());
        let sent = timeout(TIMEOUT, send(address, &host, exports)).await;
        if let Err(error) = sent.unwrap_or(Err(ShowError::TimedOut))
            && let Some(more) = warnings.pass()
        {
            warn!(%error, not_said_before = more, "the demo could not be sent");
        }
    }
}

fn look(mut demo: Demo) -> (Demo, Vec<Export>) {
    let exports = demo.tick(SystemTime::now());
    (demo, exports)
}

/// The address for a client on this machine: one that means "all" is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn send(address: SocketAddr, host: &str, exports: Vec<Export>) -> Result<(), ShowError> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = actix_rt::spawn(connection);
    let mut result = Ok(());
    for export in exports {
        result = post(&mut sender, host, export).await;
        if result.is_err() {
            break;
        }
    }
    connection.abort();
    result
}

async fn post(
    sender: &mut SendRequest<Full<bytes::Bytes>>,
    host: &str,
    export: Export,
) -> Result<(), ShowError> {
    sender.ready().await?;
    let mut request = Request::new(Full::from(export.body));
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = path(export.signal).parse().unwrap_or_default();
    let headers = request.headers_mut();
    if let Ok(host) = host.parse() {
        headers.insert(HOST, host);
    }
    let protobuf = hyper::header::HeaderValue::from_static("application/x-protobuf");
    headers.insert(CONTENT_TYPE, protobuf);
    let response = sender.send_request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    match status {
        StatusCode::OK => Ok(()),
        status => Err(ShowError::Refused(status)),
    }
}

/// OTLP/HTTP, "Default URL Paths".
fn path(signal: otlp_codec::Signal) -> String {
    format!("/v1/{signal}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: addresses that mean all of the machine, and some that mean one.
    /// Guarantees: a client can connect to what comes out.
    #[test]
    fn every_listener_can_be_reached() {
        for (listens, reached) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:2", "[::1]:2"),
            ("127.0.0.1:3", "127.0.0.1:3"),
            ("192.0.2.1:4", "192.0.2.1:4"),
        ] {
            let listens: SocketAddr = listens.parse().unwrap();
            assert_eq!(reachable(listens).to_string(), reached);
        }
    }
}
