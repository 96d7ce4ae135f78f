//! What any message can be asked with nothing but the [table](tables) of its fields: is it within
//! limits and well-formed, which ids have a wrong length, what is its usual form.
//!
//! Slower than a walk that is generated for its message, and the last word where such a walk
//! can't go on.

mod ids;
mod normal;
mod reader;
pub(crate) mod tables;
mod validate;

pub(crate) use ids::first_wrong_id;
pub(crate) use normal::normalized;
#[cfg(feature = "typed")]
pub(crate) use validate::check_outline;
pub(crate) use validate::validate;

use crate::error::ProtobufError;
use crate::proto::tables as generated;
use crate::{DecodeError, Signal};

/// The table of a signal's request.
pub(crate) fn root(signal: Signal) -> usize {
    match signal {
        Signal::Metrics => generated::METRICS,
        Signal::Traces => generated::TRACES,
        Signal::Logs => generated::LOGS,
        Signal::Profiles => generated::PROFILES,
    }
}

/// Puts the name of a field, and the index of an element of a list, before a path.
fn below(path: &mut String, name: &str, index: Option<usize>) {
    let mut outer = match index {
        Some(index) => format!("{name}[{index}]"),
        None => name.to_owned(),
    };
    if !path.is_empty() {
        outer.push('.');
        outer.push_str(path);
    }
    *path = outer;
}

/// The error for what is valid and in its usual form and still can't be walked. There is no such
/// thing; tests look for it.
#[cold]
pub(crate) fn not_walked(wire: &[u8]) -> DecodeError {
    DecodeError::Protobuf(ProtobufError {
        path: ".".to_owned(),
        message: "it can't be walked".to_owned(),
        offset: wire.len(),
    })
}
