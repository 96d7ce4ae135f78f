//! An object that is longer than a piece, taken apart.
//!
//! Its list is handed out in runs of elements. What else it holds is handed out, too, one key or
//! value at a time, so that it is judged as in a short object; but it is only passed over, by its
//! brackets and quotes, if it is longer than a record may be.

use std::ops::Range;

use otlp_codec::Signal;

use super::list::List;
use super::{broken, held, pass_over, some};
use crate::members::{list_of, signal_of_key};
use crate::source::{Bounds, Form, Found, Span};
use crate::value::Value;
use crate::window::Window;
use crate::{ConvertError, Place, Problem};

/// Where in the object the window begins.
pub(super) struct Long {
    place: Place,
    asked: Option<Signal>,
    /// The signals whose lists have come.
    seen: Vec<Signal>,
    has_members: bool,
    state: State,
}

enum State {
    /// In front of a key, behind `{` or a value.
    Member,
    /// Behind a key, which may be the name of a list.
    Colon(Option<Signal>),
    /// In front of a value that nobody wants.
    Unwanted,
    /// In a key or a value of which nothing is judged any more.
    Passing { value: Value, is_key: bool },
    /// In the list of a signal.
    List(List),
    /// Behind the object.
    Done,
}

impl Long {
    /// In front of the first member.
    pub(super) fn new(place: Place, asked: Option<Signal>) -> Self {
        Self {
            place,
            asked,
            seen: Vec::new(),
            has_members: false,
            state: State::Member,
        }
    }

    /// The next record; nothing once the object is used up.
    pub(super) fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
    ) -> Result<Option<Found>, ConvertError> {
        loop {
            let found = match &mut self.state {
                State::Member => self.member(window, bounds)?,
                State::Colon(signal) => {
                    let signal = *signal;
                    self.value(window, signal)?
                }
                State::Unwanted => self.unwanted(window, bounds)?,
                State::Passing { value, is_key } => {
                    pass_over(window, self.place, *value)?;
                    self.state = match *is_key {
                        true => State::Colon(None),
                        false => State::Member,
                    };
                    None
                }
                State::Done => return Ok(None),
                State::List(list) => {
                    let found = list.next(window, bounds, parts, self.place)?;
                    if found.is_none() {
                        self.state = State::Member;
                    }
                    found
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Uses up a key, or the end of the object.
    fn member(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
    ) -> Result<Option<Found>, ConvertError> {
        match some(window, self.place)? {
            b'}' => {
                window.consume(1);
                self.state = State::Done;
                let is_foreign = self.has_members && self.seen.is_empty();
                return Ok(is_foreign.then_some(Found::Bad(self.place, Problem::NoSignal)));
            }
            b',' if self.has_members => {
                window.consume(1);
                some(window, self.place)?;
            }
            _ if !self.has_members => {}
            _ => return Err(broken(window, "expected `,` or `}`")),
        }
        self.has_members = true;
        if some(window, self.place)? != b'"' {
            return Err(broken(window, "expected a key in quotes"));
        }
        let mut value = Value::default();
        let Some(end) = held(window, &mut value, bounds.record, "an object")? else {
            return Ok(self.pass(window, bounds, value, true));
        };
        let key = &window.bytes()[1..end - 1];
        let signal = signal_of_key(key);
        let is_plain = |&byte: &u8| (b' '..0x80).contains(&byte) && byte != b'\\';
        let is_judged = signal.is_some() || key.iter().all(is_plain);
        self.state = State::Colon(signal);
        if is_judged {
            window.consume(end);
            return Ok(None);
        }
        Ok(Some(beside(Form::Key, end)))
    }

    /// Uses up a colon, and of a list that is wanted the bracket.
    fn value(
        &mut self,
        window: &mut Window<'_>,
        signal: Option<Signal>,
    ) -> Result<Option<Found>, ConvertError> {
        if some(window, self.place)? != b':' {
            return Err(broken(window, "expected `:`"));
        }
        window.consume(1);
        let first = some(window, self.place)?;
        let Some(signal) = signal else {
            self.state = State::Unwanted;
            return Ok(None);
        };
        if signal == Signal::Profiles && self.seen.is_empty() {
            let message = "`resourceProfiles` so late in a long object that it can't be read whole";
            return Err(broken(window, message));
        }
        let name = list_of(signal);
        let problem = match (self.seen.first(), self.asked) {
            (Some(&before), _) if before == signal => Problem::MemberTwice(name),
            (Some(&before), _) => Problem::TwoSignals(list_of(before), name),
            (None, Some(asked)) if asked != signal => Problem::OtherSignal { found: name, asked },
            (None, _) => {
                self.seen.push(signal);
                match first {
                    b'[' => {
                        window.consume(1);
                        self.state = State::List(List::new(signal));
                        return Ok(None);
                    }
                    // It may be `null`.
                    b'n' => {
                        self.state = State::Unwanted;
                        return Ok(None);
                    }
                    _ => Problem::NotAList(name),
                }
            }
        };
        if self.seen.is_empty() {
            self.seen.push(signal);
        }
        self.state = State::Passing {
            value: Value::default(),
            is_key: false,
        };
        Ok(Some(Found::Bad(window.place(), problem)))
    }

    /// Hands out a value that only is to be judged.
    fn unwanted(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
    ) -> Result<Option<Found>, ConvertError> {
        let mut value = Value::default();
        match held(window, &mut value, bounds.record, "an object")? {
            Some(0) => Err(broken(window, "expected a value")),
            Some(end) => {
                self.state = State::Member;
                Ok(Some(beside(Form::Value, end)))
            }
            None => Ok(self.pass(window, bounds, value, false)),
        }
    }

    /// Goes on in what is longer than a record.
    fn pass(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        value: Value,
        is_key: bool,
    ) -> Option<Found> {
        window.consume(bounds.record);
        self.state = State::Passing { value, is_key };
        None
    }
}

fn beside(form: Form, len: usize) -> Found {
    Found::Record(Span {
        form,
        len,
        used: len,
        elements_before: 0,
    })
}
