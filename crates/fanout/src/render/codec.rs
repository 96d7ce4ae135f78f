//! The codec as a writer of messages.

use std::cell::RefCell;
use std::sync::Arc;

use otlp_codec::transcode::{self, Transcoder};
use otlp_codec::{EncodeError, Limits};

use super::Writer;
use super::message::Message;
use crate::config::FanoutConfig;
use crate::view::Format;

thread_local! {
    static TRANSCODER: RefCell<Transcoder> = const { RefCell::new(Transcoder::new()) };
}

/// The codec, within the limits of `config`.
pub(crate) fn codec(config: &FanoutConfig) -> Writer {
    let limits = config.codec;
    Arc::new(move |format, signal, wire, room, out| {
        let output_bytes = limits.output_bytes.min(room);
        let format = match format {
            Format::Otlp => transcode::Format::Otlp,
            Format::ProtoJson => transcode::Format::ProtoJson,
            Format::Points => transcode::Format::Points,
            Format::Protobuf => return copy(wire, output_bytes, out),
        };
        let limits = Limits {
            output_bytes,
            ..limits
        };
        TRANSCODER.with_borrow_mut(|transcoder| {
            out.write_with(|page, at| {
                transcoder.write_over(signal, format, wire, &limits, page, at)
            })
        })
    })
}

fn copy(wire: &[u8], limit: usize, out: &mut Message) -> Result<(), EncodeError> {
    if wire.len() > limit {
        return Err(EncodeError::TooLong { limit });
    }
    out.extend_from_slice(wire);
    Ok(())
}
