//! Where records begin and end, in each form of input.
//!
//! A record is what is converted at once: a line, an object, a message behind its length. One
//! object or message can be as long as a file, so of one that is longer than a [`PIECE`], a
//! record is a run of elements of its top-level list: joining them again is what both encodings
//! do with lists anyway.

mod delimited;
mod document;
mod lines;
mod message;
mod record;

use std::ops::Range;

use otlp_codec::Signal;

use crate::options::InputForm;
use crate::sniff::{BOM, Sniffed, blanks, sniff};
use crate::window::Window;
use crate::{ConvertError, Place, Problem, RecordError};

use delimited::Delimited;
use document::Document;
use lines::Lines;
use message::Message;

pub(crate) use record::{Form, Record};

/// How long an object or a message is before it is taken apart, and the runs of its elements.
const PIECE: usize = 1 << 20;
/// How far a first line is looked at to tell JSON Lines from other objects.
const LOOK_AHEAD: usize = 16 << 20;
/// How many bytes of an unknown input are shown.
const SHOWN: usize = 16;

/// What comes next.
pub(crate) enum Step<'a> {
    Record(Record<'a>),
    /// A record that can't even be handed out. Nothing of it is read on before the next step.
    Bad(RecordError),
    End,
}

/// The same, as a reader of one form says it.
enum Found {
    Record(Span),
    Bad(Place, Problem),
    End,
}

/// A record at the begin of the window.
struct Span {
    form: Form,
    len: usize,
    /// How much of the window it uses up, with what surrounds it.
    used: usize,
    elements_before: u64,
}

/// The lengths that matter.
#[derive(Clone, Copy)]
struct Bounds {
    record: usize,
    piece: usize,
}

/// The records of an input.
pub(crate) struct Source<'r> {
    window: Window<'r>,
    bounds: Bounds,
    form: Reader,
    used: usize,
    parts: Vec<Range<usize>>,
}

enum Reader {
    Nothing,
    Lines(Lines),
    Document(Document),
    Delimited(Delimited),
    Message(Message),
}

impl<'r> Source<'r> {
    /// Finds out what the input is, unless that is said.
    pub(crate) fn open(
        mut window: Window<'r>,
        from: InputForm,
        signal: Option<Signal>,
        longest_record: usize,
    ) -> Result<Self, ConvertError> {
        let bounds = Bounds {
            record: longest_record,
            piece: PIECE.min(longest_record),
        };
        if matches!(
            from,
            InputForm::Auto | InputForm::Json | InputForm::JsonLines
        ) {
            window.fill_to(BOM.len());
            if window.bytes().starts_with(BOM) {
                window.consume(BOM.len());
            }
        }
        let form = match from {
            InputForm::Auto => detect(&mut window, bounds)?,
            said => said,
        };
        let form = match form {
            InputForm::Auto => Reader::Nothing,
            InputForm::Json => {
                window.count_lines();
                Reader::Document(Document::new(signal))
            }
            InputForm::JsonLines => {
                window.count_lines();
                Reader::Lines(Lines::default())
            }
            InputForm::Protobuf => Reader::Message(Message::new(signal)),
            InputForm::ProtobufDelimited => Reader::Delimited(Delimited::default()),
        };
        Ok(Self {
            window,
            bounds,
            form,
            used: 0,
            parts: Vec::new(),
        })
    }

    /// The next record. The one before is used up.
    pub(crate) fn next(&mut self) -> Result<Step<'_>, ConvertError> {
        self.window.consume(std::mem::take(&mut self.used));
        self.parts.clear();
        let (window, parts) = (&mut self.window, &mut self.parts);
        let found = match &mut self.form {
            Reader::Nothing => Ok(Found::End),
            Reader::Lines(lines) => Ok(lines.next(window, self.bounds)),
            Reader::Document(document) => document.next(window, self.bounds, parts),
            Reader::Delimited(delimited) => delimited.next(window, self.bounds),
            Reader::Message(message) => message.next(window, self.bounds, parts),
        };
        if matches!(found, Ok(Found::End) | Err(_))
            && let Some(failure) = window.take_failure()
        {
            return Err(failure);
        }
        let found = found?;
        Ok(match found {
            Found::End => Step::End,
            Found::Bad(place, problem) => Step::Bad(RecordError { place, problem }),
            Found::Record(span) => {
                self.used = span.used;
                Step::Record(Record {
                    form: span.form,
                    bytes: &self.window.bytes()[..span.len],
                    parts: &self.parts,
                    place: self.window.place(),
                    column: self.window.column(),
                    elements_before: span.elements_before,
                })
            }
        })
    }

    /// The input's one message can only be read whole.
    pub(crate) fn read_whole(&mut self) {
        self.used = 0;
        if let Reader::Message(message) = &mut self.form {
            message.read_whole();
        }
    }

    pub(crate) fn window(&self) -> &Window<'r> {
        &self.window
    }
}

/// Tells the form by the first bytes, and by what follows the first object.
fn detect(window: &mut Window<'_>, bounds: Bounds) -> Result<InputForm, ConvertError> {
    let sniffed = loop {
        if let Some(sniffed) = sniff(window.bytes(), window.is_at_end()) {
            break sniffed;
        }
        window.fill();
    };
    match sniffed {
        Sniffed::Blank => Ok(InputForm::Auto),
        Sniffed::Json if lines::is_lines(window, LOOK_AHEAD.min(bounds.record)) => {
            Ok(InputForm::JsonLines)
        }
        Sniffed::Json => Ok(InputForm::Json),
        Sniffed::Protobuf => Ok(InputForm::Protobuf),
        Sniffed::Delimited => Ok(InputForm::ProtobufDelimited),
        Sniffed::Unknown => {
            window.fill_to(SHOWN);
            let begin = window.bytes();
            let shown = begin.len().min(SHOWN);
            Err(ConvertError::Unrecognised(begin[..shown].to_vec()))
        }
    }
}

/// Whether the text is nothing but white space.
fn is_all_blank(text: &[u8]) -> bool {
    blanks(text) == text.len()
}
