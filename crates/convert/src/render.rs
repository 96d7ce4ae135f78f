//! A checked request, written in a form of output.

use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::{Limits, Signal};

use crate::Problem;
use crate::options::OutputForm;

/// Appends one record in a form of text or as bare protobuf. On error `out` is as it was. Forms
/// of one object a line don't end it here, except for points, of which each is a line.
pub(crate) fn render(
    transcoder: &mut Transcoder,
    to: OutputForm,
    signal: Signal,
    wire: &[u8],
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    match to {
        OutputForm::Otlp | OutputForm::OtlpLines => {
            transcoder.write(signal, Format::Otlp, wire, limits, out)?;
        }
        OutputForm::ProtoJson => transcoder.write(signal, Format::ProtoJson, wire, limits, out)?,
        OutputForm::Points => transcoder.write(signal, Format::Points, wire, limits, out)?,
        OutputForm::Protobuf | OutputForm::ProtobufDelimited => out.extend_from_slice(wire),
    }
    Ok(())
}
