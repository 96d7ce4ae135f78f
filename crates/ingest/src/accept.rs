//! The core, free of transports: the bytes of a body become a checked [`Export`].

use std::cell::RefCell;
use std::sync::Once;

use bytes::Bytes;
use otlp_codec::from_json::JsonReader;
use otlp_codec::{DecodeError, Limits, Signal, check};
use tracing::{error, warn};

use crate::content::ContentType;
use crate::decoders::Decoders;
use crate::error::IngestError;
use crate::sink::Export;

/// Bodies longer than this many bytes are decoded by [`Decoders`], so that the other connections
/// of a thread don't wait for them. Shorter ones take less time than the round trip to another
/// thread is worth, but for JSON that is refused, which is read twice.
pub const OFFLOAD_BYTES: usize = 1 << 20;

/// What became of an acceptable request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What is handed on.
    pub export: Export,
    /// What is not, if anything (OTLP spec, "Partial Success").
    pub rejected: Option<Rejected>,
}

/// Items that were taken out of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// How many: data points, spans or log records.
    pub items: usize,
    /// What is wrong with the first of them, and where, for a human.
    pub why: String,
}

/// Checks an inflated `body` of an `Export` request and makes it an [`Export`]. An empty
/// protobuf body is an empty request (OTLP spec, "Full Success"). Items with an id of a wrong
/// length are taken out of it; that is no error.
///
/// # Errors
///
/// [`DecodeError`], whose limits are those of `limits`; its `input_bytes` also bounds the
/// protobuf form of a JSON body, which can be four times as long as the text.
pub fn check(
    signal: Signal,
    content_type: ContentType,
    body: Bytes,
    limits: &Limits,
) -> Result<Accepted, DecodeError> {
    let wire = match content_type {
        ContentType::Protobuf => body,
        ContentType::Json => from_json(signal, body, limits)?,
    };
    let checked = check::check(signal, &wire, limits)?;
    if checked.string_indices {
        warn_of_string_indices(signal);
    }
    let (items, refused) = (checked.items, checked.refused().len());
    let Some(first) = checked.refusal() else {
        let export = Export {
            signal,
            wire,
            items,
        };
        return Ok(Accepted {
            export,
            rejected: None,
        });
    };
    let why = format!("{refused} of {items} {} refused: {first}", signal.items());
    let mut rest = checked.retain().into_owned();
    // Exports are kept for long.
    rest.shrink_to_fit();
    let export = Export {
        signal,
        wire: Bytes::from(rest),
        items: items - refused,
    };
    let rejected = Some(Rejected {
        items: refused,
        why,
    });
    Ok(Accepted { export, rejected })
}

/// The longest scratch buffer that a thread keeps between two JSON bodies, in bytes.
const KEPT_SCRATCH: usize = 1 << 20;

thread_local! {
    static READER: RefCell<JsonReader> = const { RefCell::new(JsonReader::new()) };
}

/// The protobuf form of a JSON body.
fn from_json(signal: Signal, body: Bytes, limits: &Limits) -> Result<Bytes, DecodeError> {
    let mut wire = Vec::new();
    READER.with_borrow_mut(|reader| {
        let result = reader.json_to_protobuf(signal, &body, limits, &mut wire);
        if reader.scratch_bytes() > KEPT_SCRATCH {
            *reader = JsonReader::new();
        }
        result
    })?;
    drop(body);
    wire.shrink_to_fit();
    Ok(Bytes::from(wire))
}

/// Says once that somebody sends what only profiles may hold; it is handed on as it is.
fn warn_of_string_indices(signal: Signal) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        warn!(
            %signal,
            "attributes refer to a table of strings that only profiles have; their keys or values \
             will be missing (said once)"
        );
    });
}

/// As [`check()`], away from the calling thread if `body` is longer than [`OFFLOAD_BYTES`].
///
/// # Errors
///
/// [`IngestError::Decode`]; [`IngestError::Internal`] if the pool is gone or the decoder
/// panicked, which no input may cause.
pub async fn check_off_thread(
    signal: Signal,
    content_type: ContentType,
    body: Bytes,
    limits: Limits,
    decoders: &Decoders,
) -> Result<Accepted, IngestError> {
    if body.len() <= OFFLOAD_BYTES {
        return Ok(check(signal, content_type, body, &limits)?);
    }
    let check = move || check(signal, content_type, body, &limits);
    match decoders.run(check).await {
        Ok(checked) => Ok(checked?),
        Err(failure) => {
            error!(%signal, %failure, "decoding a request failed");
            Err(IngestError::Internal)
        }
    }
}

#[cfg(test)]
mod tests;
