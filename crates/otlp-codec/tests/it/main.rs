//! The codec against vectors, against itself and against hostile input.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod from_json;
mod hostile;
mod memo;
mod points;
mod policy;
mod roundtrip;
mod support;
mod vectors;
