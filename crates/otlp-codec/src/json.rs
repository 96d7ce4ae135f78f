//! OTLP JSON of any message, through `serde`.
//!
//! Writing follows the generated `Serialize` implementations: lowerCamelCase keys, hex ids,
//! enums as integers, 64-bit integers as strings, `"NaN"` and `"Infinity"`, fields at their
//! default left out unless they have presence. An implicit double that holds -0.0 is written as
//! `-0.0`: only +0.0 is the default.
//!
//! Reading takes more than writing gives, as OTLP and ProtoJSON ask of a receiver:
//!
//! | input | answer |
//! |---|---|
//! | `null` for a field | absent; as an element of a list: an error |
//! | 64-bit and 32-bit integers | number or string, every digit exact, `5.0` and `5e0` too |
//! | doubles | number, string, `"NaN"`, `"Infinity"`, `"-Infinity"`; out of range: an error |
//! | enums | any integer, known or not; a known name; an unknown name or a quoted number: an error |
//! | ids | hex of either case; `""` is an empty id |
//! | other bytes | base64, standard or URL-safe alphabet, padded or not |
//! | `profileId` | 32 hex digits, else base64 (written as hex if it is 16 bytes long, else as base64) |
//! | keys | lowerCamelCase or the original field name ([`Names`]), in any order |
//! | unknown keys | skipped, however the value looks, up to [`Limits::depth`] |
//! | a key twice, two members of a oneof | an error |
//!
//! prost leaves an implicit double of -0.0 out when it writes protobuf, so on the way from JSON
//! to protobuf through the [typed door](crate::typed), -0.0 in `zeroThreshold`, in a summary's
//! `sum` or in a quantile's `quantile` or `value` becomes 0; everywhere else, and through
//! [`crate::from_json`], it keeps its sign.

pub(crate) mod number;
pub(crate) mod read;
pub(crate) mod write;

use serde::Serialize;

use crate::{DecodeError, EncodeError, Limits};

pub use read::JsonMessage;

/// Reads one message from JSON text: one object, UTF-8, nothing after it but white space.
///
/// # Errors
///
/// [`DecodeError::TooLong`], [`TooDeep`](DecodeError::TooDeep) and
/// [`TooManyElements`](DecodeError::TooManyElements) for a limit,
/// [`DecodeError::Json`] with the path of the field for anything else.
pub fn decode<M: JsonMessage>(json: &[u8], limits: &Limits) -> Result<M, DecodeError> {
    read::decode(json, limits, Names::Lenient)
}

/// As [`decode`], with a choice of the keys that name fields.
///
/// # Errors
///
/// Those of [`decode`].
pub fn decode_with<M: JsonMessage>(
    json: &[u8],
    limits: &Limits,
    names: Names,
) -> Result<M, DecodeError> {
    read::decode(json, limits, names)
}

/// What is wrong with the JSON text of a message, if anything: the error of [`decode`], without a
/// message in memory. It takes at most about twice the memory of the longest string in `json`.
pub(crate) fn examine<M: JsonMessage>(json: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    read::examine::<M>(json, limits)
}

/// Which keys name a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// lowerCamelCase and the original field names, as every ProtoJSON parser and the Collector
    /// read them: a payload of original names is not an empty request.
    #[default]
    Lenient,
    /// lowerCamelCase alone: original names are unknown keys, which are skipped. That is the
    /// letter of OTLP ("Original field names are not valid to use as keys").
    Strict,
}

/// Appends the canonical JSON of `message` to `out`. On error `out` is as it was.
///
/// # Errors
///
/// [`EncodeError::TooLong`] if that is more than [`Limits::output_bytes`].
pub fn encode<M: Serialize>(
    message: &M,
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    write::encode(message, limits, out)
}
