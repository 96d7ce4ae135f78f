//! The codec against vectors, against itself and against hostile input.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attributes;
mod every_field;
mod from_json;
mod hostile;
mod memo;
mod pages;
mod points;
mod policy;
mod retain;
mod roundtrip;
mod select;
mod split;
mod support;
mod vectors;
