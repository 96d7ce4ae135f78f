//! An object that is longer than a piece, taken apart.

use std::ops::Range;

use otlp_codec::Signal;

use super::{pass_over_container, skip_blanks};
use crate::members::{list_of, scalar_end, signal_of_key, string_end};
use crate::skim::Skim;
use crate::sniff::is_blank;
use crate::source::{Bounds, Form, Found, Span};
use crate::window::Window;
use crate::{ConvertError, Place, Problem};

/// The longest key that is read. OTLP's are below 32 bytes.
const LONGEST_KEY: usize = 64 << 10;

/// Where in the object the window begins.
pub(super) struct Long {
    place: Place,
    asked: Option<Signal>,
    /// The signals whose lists have come.
    seen: Vec<Signal>,
    state: State,
}

enum State {
    /// In front of a key, behind `{` or a value.
    Member { is_first: bool },
    /// In front of a value that nobody wants.
    Unwanted,
    /// In the list of a signal.
    List(List),
    /// Behind the object.
    Done,
}

/// A list in the middle of which the window begins.
struct List {
    signal: Signal,
    elements: u64,
    /// Whether the window begins right behind an element.
    is_behind_element: bool,
    /// Of an element that is too long.
    passing: Option<Skim>,
}

impl Long {
    /// In front of the first member.
    pub(super) fn new(place: Place, asked: Option<Signal>) -> Self {
        Self {
            place,
            asked,
            seen: Vec::new(),
            state: State::Member { is_first: true },
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
            match &mut self.state {
                State::Member { is_first } => {
                    let is_first = *is_first;
                    match self.member(window, is_first)? {
                        Next::State(state) => self.state = state,
                        Next::Bad(problem) => {
                            self.state = State::Unwanted;
                            return Ok(Some(Found::Bad(window.place(), problem)));
                        }
                        Next::End if self.seen.is_empty() && self.asked.is_none() => {
                            self.state = State::Done;
                            return Ok(Some(Found::Bad(self.place, Problem::NoSignal)));
                        }
                        Next::End => return Ok(None),
                    }
                }
                State::Unwanted => {
                    pass_over_value(window, self.place)?;
                    self.state = State::Member { is_first: false };
                }
                State::Done => return Ok(None),
                State::List(list) => match list.next(window, bounds, parts, self.place)? {
                    Some(found) => return Ok(Some(found)),
                    None => self.state = State::Member { is_first: false },
                },
            }
        }
    }

    /// Reads a key, up to its value.
    fn member(&mut self, window: &mut Window<'_>, is_first: bool) -> Result<Next, ConvertError> {
        match some(window, self.place)? {
            b'}' => {
                window.consume(1);
                return Ok(Next::End);
            }
            b',' if !is_first => {
                window.consume(1);
                some(window, self.place)?;
            }
            _ if is_first => {}
            _ => return Err(broken(window, "expected `,` or `}`")),
        }
        let signal = self.key(window)?;
        if some(window, self.place)? != b':' {
            return Err(broken(window, "expected `:`"));
        }
        window.consume(1);
        let value = some(window, self.place)?;
        let Some(signal) = signal else {
            return Ok(Next::State(State::Unwanted));
        };
        if signal == Signal::Profiles && self.seen.is_empty() {
            let message = "`resourceProfiles` so late in a long object that it can't be read whole";
            return Err(broken(window, message));
        }
        let name = list_of(signal);
        if let Some(&before) = self.seen.first() {
            return Ok(Next::Bad(if before == signal {
                Problem::MemberTwice(name)
            } else {
                Problem::TwoSignals(list_of(before), name)
            }));
        }
        self.seen.push(signal);
        Ok(match (value, self.asked) {
            (_, Some(asked)) if asked != signal => {
                Next::Bad(Problem::OtherSignal { found: name, asked })
            }
            (b'n', _) => Next::State(State::Unwanted),
            (b'[', _) => {
                window.consume(1);
                Next::State(State::List(List {
                    signal,
                    elements: 0,
                    is_behind_element: false,
                    passing: None,
                }))
            }
            _ => Next::Bad(Problem::NotAList(name)),
        })
    }

    /// Uses up a key. The signal whose list it names.
    fn key(&self, window: &mut Window<'_>) -> Result<Option<Signal>, ConvertError> {
        if some(window, self.place)? != b'"' {
            return Err(broken(window, "expected a key in quotes"));
        }
        loop {
            let seen = window.bytes().len().min(LONGEST_KEY);
            let text = &window.bytes()[1..seen];
            if let Some(end) = string_end(text) {
                let signal = signal_of_key(&text[..end - 1]);
                window.consume(1 + end);
                return Ok(signal);
            }
            if seen == LONGEST_KEY {
                return Err(broken(window, "a key of more than 64 KiB"));
            }
            if !window.fill() {
                return Err(truncated(self.place));
            }
        }
    }
}

/// What comes behind a key.
enum Next {
    State(State),
    Bad(Problem),
    End,
}

impl List {
    /// The next run of elements; nothing behind the last one.
    fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
        object: Place,
    ) -> Result<Option<Found>, ConvertError> {
        if let Some(skim) = self.passing.take() {
            pass_over_container(window, window.place(), skim)?;
        }
        let mut end = 0;
        loop {
            let start = match self.element(window, end, object) {
                Ok(Some(start)) => start,
                Ok(None) => break,
                // What is whole comes first: the next call finds this again.
                Err(_) if end > 0 => break,
                Err(error) => return Err(error),
            };
            let start = if end == 0 {
                window.consume(start);
                0
            } else {
                start
            };
            let most = if end == 0 {
                bounds.record
            } else {
                bounds.piece
            };
            let mut skim = Skim::default();
            match element_end(window, &mut skim, start, most)? {
                Some(new_end) => end = new_end,
                None if end > 0 => break,
                None => {
                    let place = window.place();
                    window.consume(most);
                    self.passing = Some(skim);
                    self.is_behind_element = true;
                    self.elements += 1;
                    let limit = bounds.record;
                    return Ok(Some(Found::Bad(place, Problem::TooLong { limit })));
                }
            }
            parts.push(start..end);
            self.is_behind_element = true;
        }
        if end == 0 {
            return Ok(None);
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

    /// Where the element begins that comes behind `at`; at the end of the list nothing, and the
    /// list is used up if nothing was in front.
    fn element(
        &self,
        window: &mut Window<'_>,
        at: usize,
        object: Place,
    ) -> Result<Option<usize>, ConvertError> {
        let inked = ink(window, at, object)?;
        match window.bytes()[inked] {
            b']' => {
                if at == 0 {
                    window.consume(inked + 1);
                }
                Ok(None)
            }
            b',' if self.is_behind_element => {
                let start = ink(window, inked + 1, object)?;
                match window.bytes()[start] {
                    b'{' => Ok(Some(start)),
                    _ => Err(broken(window, "expected an object behind `,` in the list")),
                }
            }
            b'{' if !self.is_behind_element => Ok(Some(inked)),
            _ => Err(broken(
                window,
                "expected objects with `,` between in the list",
            )),
        }
    }
}

/// The index of the first byte from `at` on that is not white space.
fn ink(window: &mut Window<'_>, at: usize, object: Place) -> Result<usize, ConvertError> {
    let mut at = at;
    loop {
        match window.bytes().get(at).copied() {
            Some(byte) if is_blank(byte) => at += 1,
            Some(_) => return Ok(at),
            None if window.fill() => {}
            None => return Err(truncated(object)),
        }
    }
}

/// The end of the element at `start`, if that lies within `most` bytes of the window.
fn element_end(
    window: &mut Window<'_>,
    skim: &mut Skim,
    start: usize,
    most: usize,
) -> Result<Option<usize>, ConvertError> {
    let mut at = start;
    loop {
        let seen = window.bytes().len().min(most.max(start));
        if let Some(end) = skim.end(&window.bytes()[at..seen]) {
            return Ok(Some(at + end));
        }
        at = seen;
        if at >= most {
            return Ok(None);
        }
        if !window.fill() {
            return match start {
                0 => Err(ConvertError::Truncated {
                    place: window.place(),
                    what: "an element of a list",
                }),
                _ => Ok(None),
            };
        }
    }
}

/// Uses up white space. The byte behind it, which stays.
fn some(window: &mut Window<'_>, object: Place) -> Result<u8, ConvertError> {
    skip_blanks(window)?.ok_or_else(|| truncated(object))
}

/// Uses up a value of any kind.
fn pass_over_value(window: &mut Window<'_>, object: Place) -> Result<(), ConvertError> {
    match some(window, object)? {
        b'{' | b'[' => return pass_over_container(window, object, Skim::default()),
        b'"' => window.consume(1),
        _ => {
            return loop {
                if let Some(end) = scalar_end(window.bytes()) {
                    window.consume(end);
                    break Ok(());
                }
                if !window.pass_on() {
                    break Err(truncated(object));
                }
            };
        }
    }
    loop {
        if let Some(end) = string_end(window.bytes()) {
            window.consume(end);
            return Ok(());
        }
        // A backslash at the end belongs to what comes next.
        let bytes = window.bytes();
        let slashes = bytes
            .iter()
            .rev()
            .take_while(|&&byte| byte == b'\\')
            .count();
        window.consume(bytes.len() - slashes % 2);
        if !window.fill() {
            return Err(truncated(object));
        }
    }
}

fn truncated(place: Place) -> ConvertError {
    ConvertError::Truncated {
        place,
        what: "an object",
    }
}

fn broken(window: &Window<'_>, message: &str) -> ConvertError {
    ConvertError::Broken {
        place: window.place(),
        message: format!("malformed JSON: {message}"),
    }
}
