//! Conversions from every form to every other, of good input and bad.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad;
mod compressed;
mod forms;
mod limits;
mod signals;
mod streams;
mod support;
