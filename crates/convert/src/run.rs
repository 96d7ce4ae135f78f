//! From the first byte to the last.

use std::io::{Read, Write};

use crate::engine::Engine;
use crate::layers::Layers;
use crate::options::{OnError, Options};
use crate::output::Output;
use crate::source::{Form, Record, Source, Step};
use crate::window::Window;
use crate::{ConvertError, Failure, Observer, RecordError, Summary};

/// Converts what `reader` gives, to its end, and writes it to `writer`, which is flushed.
///
/// Neither needs a buffer: both are used in large pieces. Memory is bounded by
/// [`Options::limits`], however long the input is.
///
/// # Errors
///
/// See [`ConvertError`]. What was converted before has been written, and what has begun has been
/// ended: the output is whole as far as it goes, unless it was writing that failed.
pub fn run(
    reader: impl Read,
    writer: impl Write,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Summary, Box<Failure>> {
    let mut conversion = match Conversion::new(writer, options, observer) {
        Ok(conversion) => conversion,
        Err(error) => {
            let summary = Summary::default();
            return Err(Box::new(Failure { error, summary }));
        }
    };
    let result = conversion.all(reader);
    let result = match result {
        Err(error @ ConvertError::Write(_)) => Err(error),
        Err(error) => conversion.output.finish(false).and(Err(error)),
        Ok(()) => conversion.output.finish(true),
    };
    let mut summary = conversion.summary;
    summary.bytes_out = conversion.output.bytes_out();
    match result {
        Ok(()) => Ok(summary),
        Err(error) => Err(Box::new(Failure { error, summary })),
    }
}

struct Conversion<'o, W: Write> {
    options: &'o Options,
    observer: &'o mut dyn Observer,
    engine: Engine,
    output: Output<W>,
    summary: Summary,
}

impl<'o, W: Write> Conversion<'o, W> {
    fn new(
        writer: W,
        options: &'o Options,
        observer: &'o mut dyn Observer,
    ) -> Result<Self, ConvertError> {
        Ok(Self {
            options,
            observer,
            engine: Engine::new(options),
            output: Output::new(writer, options.to, options.compression)?,
            summary: Summary::default(),
        })
    }

    fn all(&mut self, reader: impl Read) -> Result<(), ConvertError> {
        let options = self.options;
        let mut layers = Layers::new(reader);
        layers.take_off()?;
        let mut source = Source::open(
            Window::new(layers),
            options.from,
            options.signal,
            options.limits.input_bytes,
        )?;
        let result = self.records(&mut source);
        self.progress(&source);
        result
    }

    fn records(&mut self, source: &mut Source<'_>) -> Result<(), ConvertError> {
        let mut is_looked_at = false;
        loop {
            let step = source.next().map_err(|error| self.placed(error))?;
            match step {
                Step::End => return Ok(()),
                Step::Bad(error) => self.bad(error)?,
                Step::Record(record) => {
                    if record.form == Form::Protobuf && !is_looked_at {
                        is_looked_at = true;
                        if self.engine.looks_like_profiles(record.bytes) {
                            source.read_whole();
                            continue;
                        }
                    }
                    self.record(&record)?;
                }
            }
            self.output.pass_on()?;
            self.progress(source);
        }
    }

    /// Converts a record. If that fails, its elements one by one.
    fn record(&mut self, record: &Record<'_>) -> Result<(), ConvertError> {
        match self.engine.convert(record, &mut self.output) {
            // It is not a record of its own unless it is bad.
            Ok(_) if record.is_beside() => {}
            Ok(items) => self.good(items),
            Err(problem) if record.parts.len() < 2 => {
                self.bad(RecordError {
                    place: record.place,
                    problem,
                })?;
            }
            Err(_) => {
                self.engine.prepare(record);
                for element in record.elements() {
                    match self.engine.convert(&element, &mut self.output) {
                        Ok(items) => self.good(items),
                        Err(problem) => self.bad(RecordError {
                            place: element.place,
                            problem,
                        })?,
                    }
                    // Together they may be far longer than the record.
                    self.output.pass_on()?;
                }
            }
        }
        Ok(())
    }

    fn good(&mut self, items: crate::engine::Items) {
        self.summary.records += 1;
        match items {
            Some((signal, items)) => self.summary.count(signal, items),
            None => self.summary.empty += 1,
        }
    }

    fn bad(&mut self, mut error: RecordError) -> Result<(), ConvertError> {
        self.summary.records += 1;
        error.place.record = self.summary.records;
        match self.options.on_error {
            OnError::Stop => Err(ConvertError::Record(error)),
            OnError::Skip => {
                self.summary.skipped += 1;
                self.observer.skipped(&error);
                Ok(())
            }
        }
    }

    /// Says which record it would have been.
    fn placed(&self, mut error: ConvertError) -> ConvertError {
        if let ConvertError::Truncated { place, .. } | ConvertError::Broken { place, .. } =
            &mut error
        {
            place.record = self.summary.records + 1;
        }
        error
    }

    fn progress(&mut self, source: &Source<'_>) {
        let window = source.window();
        let buffers = [
            window.buffer_bytes(),
            self.engine.buffer_bytes(),
            self.output.buffer_bytes(),
            self.summary.largest_buffer,
        ];
        self.summary.largest_buffer = buffers.into_iter().fold(0, usize::max);
        self.summary.bytes_inflated = window.bytes_inflated();
        if self.summary.bytes_in != window.bytes_in() {
            self.summary.bytes_in = window.bytes_in();
            self.summary.bytes_out = self.output.bytes_out();
            self.observer.progress(&self.summary);
        }
    }
}
