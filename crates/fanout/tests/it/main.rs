//! Sessions and routes from the outside, with an independent WebSocket client.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails fails its test; clippy.toml exempts test functions alone"
)]

mod closing;
mod compressed;
mod delivery;
mod liveness;
mod protocol;
mod resume;
mod slow;
mod stream;
mod support;
mod upgrade;
mod views;
