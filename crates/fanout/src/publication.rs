//! An export that the hub has numbered and timed.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use otlp_codec::Signal;

/// What the hub gives to whoever renders it.
#[derive(Debug)]
pub(crate) struct Publication {
    /// Its number, from 1, over all signals.
    pub(crate) seq: u64,
    pub(crate) signal: Signal,
    /// The request, as protobuf.
    pub(crate) wire: Bytes,
    /// When the hub took it.
    pub(crate) received: SystemTime,
    /// When the request began that brought it.
    pub(crate) began: Instant,
}
