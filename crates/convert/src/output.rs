//! What is written: records put together in the form of the output, then compressed.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use otlp_codec::transcode::Transcoder;
use otlp_codec::{Limits, Signal};

use crate::members::list_of;
use crate::options::{Compression, OutputForm};
use crate::render::render;
use crate::{ConvertError, Problem};

/// How much is gathered before it is written.
const GATHERED: usize = 256 << 10;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;
/// How the one object of [`OutputForm::Otlp`] ends.
const END: &[u8] = b"]}";

/// The output of a conversion.
pub(crate) struct Output<W: Write> {
    sink: Sink<W>,
    to: OutputForm,
    gathered: Vec<u8>,
    /// Of what was written so far, where that is one message.
    signal: Option<Signal>,
    /// Whether anything was.
    has_begun: bool,
}

enum Sink<W: Write> {
    Plain(Counted<W>),
    Gzip(GzEncoder<Counted<W>>),
    Zstd(zstd::Encoder<'static, Counted<W>>),
}

impl<W: Write> Output<W> {
    pub(crate) fn new(
        writer: W,
        to: OutputForm,
        compression: Compression,
    ) -> Result<Self, ConvertError> {
        let writer = Counted {
            inner: writer,
            count: 0,
        };
        let sink = match compression {
            Compression::None => Sink::Plain(writer),
            Compression::Gzip => Sink::Gzip(GzEncoder::new(writer, flate2::Compression::default())),
            Compression::Zstd => {
                let encoder = zstd::Encoder::new(writer, ZSTD_LEVEL);
                Sink::Zstd(encoder.map_err(ConvertError::Write)?)
            }
        };
        Ok(Self {
            sink,
            to,
            gathered: Vec::new(),
            signal: None,
            has_begun: false,
        })
    }

    /// Puts a record behind the others. On error nothing is.
    pub(crate) fn put(
        &mut self,
        transcoder: &mut Transcoder,
        signal: Signal,
        wire: &[u8],
        limits: &Limits,
    ) -> Result<(), Problem> {
        // An empty request has nothing that could be joined or lost.
        if wire.is_empty() {
            return Ok(());
        }
        self.may_join(signal)?;
        let out = &mut self.gathered;
        let start = out.len();
        if self.to == OutputForm::ProtobufDelimited {
            let Ok(len) = u32::try_from(wire.len()) else {
                let limit = u32::MAX as usize;
                return Err(Problem::TooLong { limit });
            };
            out.extend_from_slice(&len.to_be_bytes());
        }
        if let Err(problem) = render(transcoder, self.to, signal, wire, limits, out) {
            out.truncate(start);
            return Err(problem);
        }
        match self.to {
            OutputForm::OtlpLines | OutputForm::ProtoJson => out.push(b'\n'),
            OutputForm::Otlp => {
                let has_joined = self.join(signal, start);
                if !has_joined {
                    return Ok(());
                }
            }
            OutputForm::Points | OutputForm::Protobuf | OutputForm::ProtobufDelimited => {}
        }
        self.signal = Some(signal);
        self.has_begun = true;
        Ok(())
    }

    /// Writes what was gathered, if that is much.
    pub(crate) fn pass_on(&mut self) -> Result<(), ConvertError> {
        if self.gathered.len() >= GATHERED {
            self.write()?;
        }
        Ok(())
    }

    /// Ends what has begun, and writes everything. If nothing has, and nothing went wrong, an
    /// empty input was converted, and there is a form for that, too.
    pub(crate) fn finish(&mut self, went_well: bool) -> Result<(), ConvertError> {
        if self.to == OutputForm::Otlp && (self.has_begun || went_well) {
            match (self.has_begun, self.signal) {
                // An empty request, of any signal.
                (false, _) => self.gathered.extend_from_slice(b"{}"),
                // It is there whole.
                (true, Some(Signal::Profiles)) => {}
                (true, _) => self.gathered.extend_from_slice(END),
            }
            self.gathered.push(b'\n');
        }
        self.write()?;
        let ended = match &mut self.sink {
            Sink::Plain(writer) => writer.flush(),
            Sink::Gzip(encoder) => encoder
                .try_finish()
                .and_then(|()| encoder.get_mut().flush()),
            Sink::Zstd(encoder) => encoder.do_finish().and_then(|()| encoder.get_mut().flush()),
        };
        ended.map_err(ConvertError::Write)
    }

    /// How many bytes were written, as they went.
    pub(crate) fn bytes_out(&self) -> u64 {
        match &self.sink {
            Sink::Plain(writer) => writer.count,
            Sink::Gzip(encoder) => encoder.get_ref().count,
            Sink::Zstd(encoder) => encoder.get_ref().count,
        }
    }

    /// How long the buffer is.
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.gathered.capacity()
    }

    /// Whether a record of this signal can be part of what has begun.
    fn may_join(&self, signal: Signal) -> Result<(), Problem> {
        let to = self.to;
        let is_one = matches!(
            to,
            OutputForm::Otlp | OutputForm::Protobuf | OutputForm::ProtobufDelimited
        );
        match self.signal {
            Some(before) if is_one && before != signal => Err(Problem::Mixed {
                found: signal,
                before,
                to,
            }),
            Some(Signal::Profiles) if matches!(to, OutputForm::Otlp | OutputForm::Protobuf) => {
                Err(Problem::SecondDictionary(to))
            }
            _ => Ok(()),
        }
    }

    /// Makes the object that was appended at `start` a part of the one before, and takes its
    /// end off. Whether there was anything to join.
    fn join(&mut self, signal: Signal, start: usize) -> bool {
        // Requests of all signals but profiles have one field, their list.
        if signal == Signal::Profiles {
            return true;
        }
        let begin = r#"{"":["#.len() + list_of(signal).len();
        let out = &mut self.gathered;
        if out.len() < start + begin + END.len() {
            out.truncate(start);
            return false;
        }
        out.truncate(out.len() - END.len());
        if self.has_begun {
            out[start] = b',';
            out.copy_within(start + begin.., start + 1);
            out.truncate(out.len() - (begin - 1));
        }
        true
    }

    fn write(&mut self) -> Result<(), ConvertError> {
        let gathered = &self.gathered;
        let written = match &mut self.sink {
            Sink::Plain(writer) => writer.write_all(gathered),
            Sink::Gzip(encoder) => encoder.write_all(gathered),
            Sink::Zstd(encoder) => encoder.write_all(gathered),
        };
        self.gathered.clear();
        written.map_err(ConvertError::Write)
    }
}

/// Counts what is written.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.inner.write(bytes)?;
        self.count += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
