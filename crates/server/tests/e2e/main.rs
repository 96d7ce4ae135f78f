//! The relay as its users meet it: the real binary, sent to over sockets, watched through a
//! WebSocket library that is not ours.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod addresses;
mod bombs;
mod cases;
mod configuration;
mod convert;
mod cors;
mod drills;
mod expect;
mod grpc;
mod hardening;
mod limits;
mod load;
mod logged;
mod metrics;
mod mutations;
mod page;
mod reload;
mod restart;
mod rfc6455;
mod rfc7692;
mod rules;
mod scale;
mod sdk;
mod shutdown;
mod signals;
mod soak;
mod stalled;
mod startup;
mod stream;
mod subscribers;
mod support;
mod tls;
mod tokens;
mod views;
mod waits;
mod watching;
