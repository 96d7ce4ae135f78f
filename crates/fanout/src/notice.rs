//! What a session of a view with an envelope is told beside its exports. Numbers of 64 bits are
//! strings, as in OTLP JSON.

use bytes::Bytes;

use crate::frame::{self, MAX_HEADER, Opcode};
use crate::observer::Loss;

/// What comes first: the life of the hub, the number after which exports come, and whether that
/// is everything after the number that was asked for.
pub(crate) fn hello(epoch: &str, seq: u64, recovered: bool) -> Bytes {
    text(&format!(
        r#"{{"type":"hello","epoch":"{epoch}","seq":"{seq}","recovered":{recovered}}}"#
    ))
}

/// Publications were lost, after the one of a number.
pub(crate) fn gap(after: u64, loss: Loss, dropped: u64) -> Bytes {
    let reason = loss.as_str();
    text(&format!(
        r#"{{"type":"gap","dropped":"{dropped}","afterSeq":"{after}","reason":"{reason}"}}"#
    ))
}

fn text(notice: &str) -> Bytes {
    let mut buffer = Vec::with_capacity(MAX_HEADER + notice.len());
    buffer.resize(MAX_HEADER, 0);
    buffer.extend_from_slice(notice.as_bytes());
    frame::data(Opcode::Text, buffer)
}
