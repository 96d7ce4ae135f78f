//! One record at a time: to protobuf, checked and counted, and on to the output.

use std::io::{Read, Write};

use otlp_codec::from_json::JsonReader;
use otlp_codec::transcode::Transcoder;
use otlp_codec::{Limits, Signal};
use zstd::zstd_safe::{DCtx, DParameter, ResetDirective};

use crate::guess::{Guess, accept};
use crate::layers::{MAX_WINDOW_LOG, is_zstd};
use crate::members::{Found, list_of, signal_of};
use crate::output::Output;
use crate::shift::{around, shift_of};
use crate::sniff::{Sniffed, sniff};
use crate::source::{Form, Record};
use crate::{Options, Problem};

/// More than what is put around them.
const AROUND: usize = 64;

/// Converts records. Its buffers are kept from one to the next.
pub(crate) struct Engine {
    asked: Option<Signal>,
    guess: Guess,
    record_limit: usize,
    json_limits: Limits,
    wire_limits: Limits,
    reader: JsonReader,
    transcoder: Transcoder,
    inflater: Option<DCtx<'static>>,
    inflated: Vec<u8>,
    text: Vec<u8>,
    wire: Vec<u8>,
}

/// What a record held; nothing if it was empty.
pub(crate) type Items = Option<(Signal, usize)>;

impl Engine {
    pub(crate) fn new(options: &Options) -> Self {
        let limits = options.limits;
        Self {
            asked: options.signal,
            guess: Guess::new(options.signal),
            record_limit: limits.input_bytes,
            json_limits: Limits {
                input_bytes: limits.input_bytes.saturating_add(AROUND),
                ..limits
            },
            // JSON within its limit may become longer as protobuf.
            wire_limits: Limits {
                input_bytes: limits.output_bytes.max(limits.input_bytes),
                ..limits
            },
            reader: JsonReader::new(),
            transcoder: Transcoder::new(),
            inflater: None,
            inflated: Vec::new(),
            text: Vec::new(),
            wire: Vec::new(),
        }
    }

    /// Converts a record. On error nothing is written, and the error's places are those of the
    /// input.
    pub(crate) fn convert<W: Write>(
        &mut self,
        record: &Record<'_>,
        output: &mut Output<W>,
    ) -> Result<Items, Problem> {
        let bytes = record.bytes;
        let result = match record.form {
            Form::Json => self.json(bytes, output),
            Form::Elements(_) => self.part(record, |engine, text| engine.json(text, output)),
            Form::Key | Form::Value => self.part(record, Self::judge),
            Form::Protobuf => self.protobuf(bytes, false, output),
            Form::Framed if is_zstd(bytes) => {
                // Lines and offsets are those of the inflated record.
                return self.compressed(bytes, output);
            }
            Form::Framed => self.framed(bytes, output),
        };
        result.map_err(|problem| shift_of(record).problem(problem))
    }

    /// Whether the message that begins so is one of profiles, by its looks.
    pub(crate) fn looks_like_profiles(&mut self, wire: &[u8]) -> bool {
        self.guess.looks_like_profiles(wire, &self.wire_limits)
    }

    /// Before the elements of a record are converted one by one.
    pub(crate) fn prepare(&mut self, record: &Record<'_>) {
        self.guess.prepare(record, &self.wire_limits);
    }

    /// How long the longest buffer is.
    pub(crate) fn buffer_bytes(&self) -> usize {
        [
            self.reader.scratch_bytes(),
            self.transcoder.scratch_bytes(),
            self.inflated.capacity(),
            self.text.capacity(),
            self.wire.capacity(),
        ]
        .into_iter()
        .fold(0, usize::max)
    }

    fn json<W: Write>(&mut self, json: &[u8], output: &mut Output<W>) -> Result<Items, Problem> {
        let signal = match (signal_of(json)?, self.asked) {
            (Found::Signal(found), Some(asked)) if found != asked => {
                let found = list_of(found);
                return Err(Problem::OtherSignal { found, asked });
            }
            (Found::Signal(found), _) => found,
            (Found::Empty, None) => return Ok(None),
            (Found::Empty, Some(asked)) => asked,
            (Found::Dictionary, Some(Signal::Profiles)) => Signal::Profiles,
            (Found::Dictionary | Found::Foreign, _) => return Err(Problem::NoSignal),
            (Found::Unreadable, _) => {
                // Any signal's reader finds what is wrong.
                self.judge(json)?;
                return Err(Problem::NoSignal);
            }
        };
        self.wire.clear();
        self.reader
            .json_to_protobuf(signal, json, &self.json_limits, &mut self.wire)?;
        if self.wire.is_empty() {
            return Ok(None);
        }
        let items = accept(signal, &self.wire, &self.wire_limits)?;
        output.put(&mut self.transcoder, signal, &self.wire, &self.wire_limits)?;
        Ok(Some((signal, items)))
    }

    /// Makes a part of an object one.
    fn part(
        &mut self,
        record: &Record<'_>,
        then: impl FnOnce(&mut Self, &[u8]) -> Result<Items, Problem>,
    ) -> Result<Items, Problem> {
        let [begin, end] = around(record.form);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.extend_from_slice(begin.as_bytes());
        text.extend_from_slice(record.bytes);
        text.extend_from_slice(end.as_bytes());
        let result = then(self, &text);
        self.text = text;
        result
    }

    /// Checks what nobody wants as the codec does it in the object that it is a part of.
    fn judge(&mut self, json: &[u8]) -> Result<Items, Problem> {
        self.wire.clear();
        let limits = &self.json_limits;
        self.reader
            .json_to_protobuf(Signal::Metrics, json, limits, &mut self.wire)?;
        Ok(None)
    }

    fn protobuf<W: Write>(
        &mut self,
        wire: &[u8],
        is_record: bool,
        output: &mut Output<W>,
    ) -> Result<Items, Problem> {
        let looked = self.guess.look(wire, is_record, &self.wire_limits)?;
        if let Some((signal, _)) = looked {
            output.put(&mut self.transcoder, signal, wire, &self.wire_limits)?;
        }
        Ok(looked)
    }

    fn framed<W: Write>(&mut self, bytes: &[u8], output: &mut Output<W>) -> Result<Items, Problem> {
        match sniff(bytes, true) {
            Some(Sniffed::Json) => self.json(bytes, output),
            _ => self.protobuf(bytes, true, output),
        }
    }

    /// Inflates a record that the Collector's file exporter has compressed alone.
    fn compressed<W: Write>(
        &mut self,
        bytes: &[u8],
        output: &mut Output<W>,
    ) -> Result<Items, Problem> {
        let mut inflated = std::mem::take(&mut self.inflated);
        inflated.clear();
        let result = match self.inflate(bytes, &mut inflated) {
            Ok(()) if inflated.len() > self.record_limit => Err(Problem::TooLong {
                limit: self.record_limit,
            }),
            Ok(()) => self.framed(&inflated, output),
            Err(error) => Err(Problem::Inflate(error.to_string())),
        };
        self.inflated = inflated;
        result
    }

    /// Inflates no more than one byte over the limit.
    fn inflate(&mut self, bytes: &[u8], inflated: &mut Vec<u8>) -> std::io::Result<()> {
        let context = self.inflater.get_or_insert_with(DCtx::create);
        let known = |code| std::io::Error::other(zstd::zstd_safe::get_error_name(code));
        context
            .reset(ResetDirective::SessionOnly)
            .and_then(|_| context.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)))
            .map_err(known)?;
        let limit = (self.record_limit as u64).saturating_add(1);
        let decoder = zstd::Decoder::with_context(bytes, context);
        decoder.take(limit).read_to_end(inflated)?;
        Ok(())
    }
}
