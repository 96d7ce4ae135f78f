//! OTLP JSON objects, one or several, however they are laid out.
//!
//! An object that is longer than a piece is taken apart: its list is handed out in runs of
//! elements.

mod list;
mod long;

use std::ops::Range;

use otlp_codec::Signal;

use super::{Bounds, Form, Found, Span, is_all_blank};
use crate::members::begins_like_profiles;
use crate::skim::Skim;
use crate::sniff::blanks;
use crate::value::Value;
use crate::window::Window;
use crate::{ConvertError, Place, Problem};

use long::Long;

/// What helps if lines were taken for objects.
const HINT: &str = "(if these are JSON Lines of which the first is broken, say --from json-lines)";

/// How much is searched for lines behind what is broken.
const LINES_LOOKED_AT: usize = 64 << 10;

/// The reader of objects.
pub(super) struct Document {
    /// What was asked for.
    signal: Option<Signal>,
    state: State,
}

enum State {
    /// In front of an object, or behind the last one.
    Between,
    /// In the rest of an object that was too long to be read whole.
    Passing(Place, Value),
    /// In an object that is taken apart.
    Long(Long),
}

impl Document {
    pub(super) fn new(signal: Option<Signal>) -> Self {
        Self {
            signal,
            state: State::Between,
        }
    }

    pub(super) fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
    ) -> Result<Found, ConvertError> {
        let found = self.find(window, bounds, parts);
        found.map_err(|error| hinted(window, error))
    }

    fn find(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
    ) -> Result<Found, ConvertError> {
        loop {
            match &mut self.state {
                State::Between => {
                    if let Some(found) = self.object(window, bounds)? {
                        return Ok(found);
                    }
                }
                State::Passing(place, value) => {
                    pass_over(window, *place, *value)?;
                    self.state = State::Between;
                }
                State::Long(long) => match long.next(window, bounds, parts)? {
                    Some(found) => return Ok(found),
                    None => self.state = State::Between,
                },
            }
        }
    }

    /// Hands an object out, or begins to take it apart.
    fn object(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
    ) -> Result<Option<Found>, ConvertError> {
        let Some(first) = skip_blanks(window)? else {
            return Ok(Some(Found::End));
        };
        let place = window.place();
        if first != b'{' {
            let message = format!("expected an object, found {:?}", char::from(first));
            return Err(ConvertError::Broken { place, message });
        }
        let mut skim = Skim::default();
        if let Some(len) = object_end(window, &mut skim, 0, bounds.piece)? {
            return Ok(Some(object(len)));
        }
        let begin = &window.bytes()[..bounds.piece];
        if self.signal != Some(Signal::Profiles) && !begins_like_profiles(begin) {
            window.consume(1);
            self.state = State::Long(Long::new(place, self.signal));
            return Ok(None);
        }
        // A dictionary may stand behind what refers to it.
        if let Some(len) = object_end(window, &mut skim, bounds.piece, bounds.record)? {
            return Ok(Some(object(len)));
        }
        window.consume(bounds.record);
        self.state = State::Passing(place, Value::Container(skim));
        let limit = bounds.record;
        Ok(Some(Found::Bad(place, Problem::TooLong { limit })))
    }
}

fn object(len: usize) -> Found {
    Found::Record(Span {
        form: Form::Json,
        len,
        used: len,
        elements_before: 0,
    })
}

/// Finds the end of the object at the begin of the window, of which `from` bytes were looked at,
/// within `to` bytes.
fn object_end(
    window: &mut Window<'_>,
    skim: &mut Skim,
    from: usize,
    to: usize,
) -> Result<Option<usize>, ConvertError> {
    let mut at = from;
    loop {
        let seen = window.bytes().len().min(to);
        if let Some(end) = skim.end(&window.bytes()[at..seen]) {
            return Ok(Some(at + end));
        }
        at = seen;
        if at == to {
            return Ok(None);
        }
        if !window.fill() {
            return Err(ConvertError::Truncated {
                place: window.place(),
                what: "an object",
            });
        }
    }
}

/// Says how JSON Lines are read of which one is broken: they may look like objects then, and
/// brackets are matched across their ends.
fn hinted(window: &mut Window<'_>, error: ConvertError) -> ConvertError {
    // However the input comes.
    window.fill_to(LINES_LOOKED_AT);
    let bytes = window.bytes();
    let bytes = &bytes[..bytes.len().min(LINES_LOOKED_AT)];
    let lines = bytes.split(|&byte| byte == b'\n');
    let begins = lines.filter(|line| line.starts_with(b"{\""));
    // What breaks off is one of them.
    let is_truncated = matches!(error, ConvertError::Truncated { .. });
    if begins.take(2).count() < 1 + usize::from(is_truncated) {
        return error;
    }
    match error {
        ConvertError::Truncated { place, what } => ConvertError::Broken {
            place,
            message: format!("truncated: the input ends in the middle of {what} {HINT}"),
        },
        ConvertError::Broken { place, message } => ConvertError::Broken {
            place,
            message: format!("{message} {HINT}"),
        },
        other => other,
    }
}

/// Uses up white space. The byte behind it, which stays.
fn skip_blanks(window: &mut Window<'_>) -> Result<Option<u8>, ConvertError> {
    loop {
        let bytes = window.bytes();
        if !is_all_blank(bytes) {
            let blank = blanks(bytes);
            let first = bytes[blank];
            window.consume(blank);
            return Ok(Some(first));
        }
        if !window.pass_on() {
            return Ok(None);
        }
    }
}

/// Uses up white space in an object. The byte behind it, which stays.
fn some(window: &mut Window<'_>, object: Place) -> Result<u8, ConvertError> {
    let what = "an object";
    let place = object;
    skip_blanks(window)?.ok_or(ConvertError::Truncated { place, what })
}

/// The end of the value at the begin of the window, if it lies within `most` bytes.
fn held(
    window: &mut Window<'_>,
    value: &mut Value,
    most: usize,
    what: &'static str,
) -> Result<Option<usize>, ConvertError> {
    let mut at = 0;
    loop {
        let seen = window.bytes().len().min(most);
        if let Some(end) = value.end(&window.bytes()[at..seen]) {
            return Ok(Some(at + end));
        }
        at = seen;
        if at == most {
            return Ok(None);
        }
        if !window.fill() {
            let place = window.place();
            return Err(ConvertError::Truncated { place, what });
        }
    }
}

/// Uses up what is left of a value.
fn pass_over(window: &mut Window<'_>, place: Place, mut value: Value) -> Result<(), ConvertError> {
    loop {
        if let Some(end) = value.end(window.bytes()) {
            window.consume(end);
            return Ok(());
        }
        if !window.pass_on() {
            let what = "an object";
            return Err(ConvertError::Truncated { place, what });
        }
    }
}

fn broken(window: &Window<'_>, message: &str) -> ConvertError {
    ConvertError::Broken {
        place: window.place(),
        message: format!("malformed JSON: {message}"),
    }
}
