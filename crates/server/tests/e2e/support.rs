//! A relay in a process of its own, and clients that can be as rude as a test needs. Every wait
//! ends after [`PATIENCE`], with a failure.

mod http;
mod metrics;
mod raw_ws;
mod relay;
mod watcher;

use std::time::Duration;

pub(crate) use http::{Answer, Http, JSON, PROTOBUF, exchange, head, post, request};
pub(crate) use metrics::{bulky, gauge, gauge_json, gzip, name_of, value_of};
pub(crate) use raw_ws::{RawWatcher, handshake, lets_in, shake};
pub(crate) use relay::{Relay, run_to_end};
pub(crate) use watcher::Watcher;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How often something is tried that has happened, but may not be counted yet.
pub(crate) const TRIES: usize = 200;
