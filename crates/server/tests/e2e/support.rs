//! A relay in a process of its own, and clients that can be as rude as a test needs. Every wait
//! ends after [`PATIENCE`], with a failure.

mod grpc;
mod http;
mod metrics;
#[cfg(target_os = "linux")]
mod proxy;
mod raw_ws;
mod relay;
mod scrape;
mod tls;
mod tokens;
mod watcher;
pub(crate) mod ws_frame;

use std::future::Future;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::time::timeout;

pub(crate) use grpc::{Grpc, prefixed};
pub(crate) use http::{Answer, AnyStream, Http, JSON, PROTOBUF, exchange, head, post, request};
pub(crate) use metrics::{bulky, gauge, gauge_json, gzip, name_of, value_of};
#[cfg(target_os = "linux")]
pub(crate) use proxy::Proxy;
pub(crate) use raw_ws::{RawWatcher, handshake, lets_in, shake};
pub(crate) use relay::{Relay, run_to_end};
pub(crate) use scrape::Scrape;
pub(crate) use tls::{Authority, Folder, TlsStream, certificate, tls_flags};
pub(crate) use tokens::TokenFile;
pub(crate) use watcher::Watcher;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that takes no longer than anything may.
pub(crate) fn wait<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    let limited = async { timeout(PATIENCE, future).await };
    runtime.block_on(limited).expect("in time")
}

/// A socket whose reads and writes take no longer than anything may.
pub(crate) fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Asks until something is so that has happened, but may not be counted yet. Every question is one
/// to the relay, which nothing else would tell from outside; whether it was so in time.
pub(crate) fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
    }
}
