//! The list of a signal in an object that is taken apart.

use std::ops::Range;

use otlp_codec::Signal;

use super::{broken, held, pass_over, some};
use crate::sniff::is_blank;
use crate::source::{Bounds, Form, Found, Span};
use crate::value::Value;
use crate::window::Window;
use crate::{ConvertError, Place, Problem};

/// A list in the middle of which the window begins.
pub(super) struct List {
    signal: Signal,
    elements: u64,
    before: Before,
    /// Of an element that is too long.
    passing: Option<Value>,
}

/// What was in front of the window, white space apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Bracket,
    Element,
    Comma,
}

impl List {
    /// Behind the bracket.
    pub(super) fn new(signal: Signal) -> Self {
        Self {
            signal,
            elements: 0,
            before: Before::Bracket,
            passing: None,
        }
    }

    /// The next run of elements; nothing behind the last one. An element is any value: the codec
    /// says what is wrong with one that is no object.
    pub(super) fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
        object: Place,
    ) -> Result<Option<Found>, ConvertError> {
        if let Some(value) = self.passing.take() {
            pass_over(window, object, value)?;
        }
        if !self.go_to_element(window, object)? {
            return Ok(None);
        }
        let place = window.place();
        self.before = Before::Element;
        let mut value = Value::default();
        let what = "an element of a list";
        let Some(mut end) = held(window, &mut value, bounds.record, what)? else {
            window.consume(bounds.record);
            self.passing = Some(value);
            self.elements += 1;
            let limit = bounds.record;
            return Ok(Some(Found::Bad(place, Problem::TooLong { limit })));
        };
        parts.push(0..end);
        while let Some(start) = start_behind(window, end, bounds.piece) {
            let Some(behind) = end_behind(window, start, bounds.piece) else {
                break;
            };
            parts.push(start..behind);
            end = behind;
        }
        let elements_before = self.elements;
        self.elements += parts.len() as u64;
        Ok(Some(Found::Record(Span {
            form: Form::Elements(self.signal),
            len: end,
            used: end,
            elements_before,
        })))
    }

    /// Uses up what is in front of the next element, white space as it comes; or the end of the
    /// list. Whether there is an element.
    fn go_to_element(
        &mut self,
        window: &mut Window<'_>,
        object: Place,
    ) -> Result<bool, ConvertError> {
        loop {
            match (some(window, object)?, self.before) {
                (b']', Before::Bracket | Before::Element) => {
                    window.consume(1);
                    return Ok(false);
                }
                (b',', Before::Element) => {
                    window.consume(1);
                    self.before = Before::Comma;
                }
                (byte, Before::Bracket | Before::Comma) if begins_value(byte) => return Ok(true),
                _ => {
                    let message = "expected objects with `,` between in the list";
                    return Err(broken(window, message));
                }
            }
        }
    }
}

fn begins_value(byte: u8) -> bool {
    !matches!(byte, b',' | b':' | b']' | b'}')
}

/// Where the element begins that comes behind a comma behind `at`, within so many bytes. What is
/// none is for the next run to find.
fn start_behind(window: &mut Window<'_>, at: usize, most: usize) -> Option<usize> {
    let mut has_comma = false;
    for at in at..most {
        if at == window.bytes().len() && !window.fill() {
            return None;
        }
        match window.bytes()[at] {
            byte if is_blank(byte) => {}
            b',' if !has_comma => has_comma = true,
            byte => return (has_comma && begins_value(byte)).then_some(at),
        }
    }
    None
}

/// Where the element ends that begins at `start`, within so many bytes.
fn end_behind(window: &mut Window<'_>, start: usize, most: usize) -> Option<usize> {
    let mut value = Value::default();
    let mut at = start;
    loop {
        let seen = window.bytes().len().min(most);
        if let Some(end) = value.end(&window.bytes()[at..seen]) {
            return Some(at + end);
        }
        at = seen;
        if at >= most || !window.fill() {
            return None;
        }
    }
}
