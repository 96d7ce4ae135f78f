//! One protobuf message, in runs of its fields.
//!
//! Each field of a message is a message by itself, and joining messages merges them (protobuf
//! encoding, "Last One Wins"): so a file of one message, or of several that were joined, can be
//! converted a few fields at a time.

use std::ops::Range;

use otlp_codec::Signal;

use super::{Bounds, Form, Found, Span};
use crate::window::Window;
use crate::{ConvertError, Problem};

/// The reader of a message.
pub(super) struct Message {
    /// Profiles refer to a dictionary, which is a field that may come last.
    is_read_whole: bool,
    /// Of a field that was too long.
    still_to_come: u64,
    /// How many fields were handed out.
    fields: u64,
}

/// What stands in front of a field's value, and how long the value is.
enum Head {
    Field { head: usize, body: u64 },
    Incomplete,
    Broken(&'static str),
}

/// The longest tag and length, a varint each.
const LONGEST_HEAD: usize = 20;

impl Message {
    pub(super) fn new(signal: Option<Signal>) -> Self {
        Self {
            is_read_whole: signal == Some(Signal::Profiles),
            still_to_come: 0,
            fields: 0,
        }
    }

    pub(super) fn read_whole(&mut self) {
        self.is_read_whole = true;
    }

    pub(super) fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
        parts: &mut Vec<Range<usize>>,
    ) -> Result<Found, ConvertError> {
        let place = window.place();
        if !window.pass_over(std::mem::take(&mut self.still_to_come)) {
            let what = "a field";
            return Err(ConvertError::Truncated { place, what });
        }
        if self.is_read_whole {
            return whole(window, bounds);
        }
        let mut end = 0;
        loop {
            window.fill_to(end + LONGEST_HEAD);
            let field = match head(&window.bytes()[end..]) {
                Head::Field { head, body } => body.saturating_add(head as u64),
                Head::Incomplete if end == window.bytes().len() => break,
                // What is whole comes first.
                Head::Incomplete | Head::Broken(_) if end > 0 => break,
                Head::Incomplete => {
                    let (place, what) = (window.place(), "a field");
                    return Err(ConvertError::Truncated { place, what });
                }
                Head::Broken(message) => {
                    return Err(ConvertError::Broken {
                        place: window.place(),
                        message: format!("malformed protobuf: {message}"),
                    });
                }
            };
            let len = usize::try_from(field).unwrap_or(usize::MAX);
            let fits = len <= bounds.piece.saturating_sub(end);
            if !fits && end > 0 {
                break;
            }
            if len > bounds.record {
                self.still_to_come = field;
                self.fields += 1;
                let limit = bounds.record;
                return Ok(Found::Bad(window.place(), Problem::TooLong { limit }));
            }
            if !window.fill_to(end + len) {
                if end > 0 {
                    break;
                }
                let (place, what) = (window.place(), "a field");
                return Err(ConvertError::Truncated { place, what });
            }
            parts.push(end..end + len);
            end += len;
        }
        let fields_before = self.fields;
        self.fields += parts.len() as u64;
        Ok(match end {
            0 => Found::End,
            _ => run(end, fields_before),
        })
    }
}

/// All there is.
fn whole(window: &mut Window<'_>, bounds: Bounds) -> Result<Found, ConvertError> {
    while window.bytes().len() <= bounds.record {
        if !window.fill() {
            let len = window.bytes().len();
            let is_nothing = len == 0 || window.has_failed();
            return Ok(if is_nothing { Found::End } else { run(len, 0) });
        }
    }
    Err(ConvertError::Broken {
        place: window.place(),
        message: format!(
            "profiles in one message are read whole, and this one is over the limit of {} bytes",
            bounds.record
        ),
    })
}

fn run(len: usize, elements_before: u64) -> Found {
    Found::Record(Span {
        form: Form::Protobuf,
        len,
        used: len,
        elements_before,
    })
}

/// Reads a tag, and the length where there is one.
fn head(bytes: &[u8]) -> Head {
    let (tag, at) = match varint(bytes) {
        Ok(Some(read)) => read,
        Ok(None) => return Head::Incomplete,
        Err(message) => return Head::Broken(message),
    };
    if tag >> 3 == 0 || tag > u64::from(u32::MAX) {
        return Head::Broken("a tag without a field's number");
    }
    match tag & 7 {
        0 => match varint(&bytes[at..]) {
            Ok(Some((_, len))) => Head::Field {
                head: at + len,
                body: 0,
            },
            Ok(None) => Head::Incomplete,
            Err(message) => Head::Broken(message),
        },
        1 => Head::Field { head: at, body: 8 },
        2 => match varint(&bytes[at..]) {
            Ok(Some((body, len))) => Head::Field {
                head: at + len,
                body,
            },
            Ok(None) => Head::Incomplete,
            Err(message) => Head::Broken(message),
        },
        5 => Head::Field { head: at, body: 4 },
        3 | 4 => Head::Broken("a group, which OTLP doesn't have"),
        _ => Head::Broken("a wire type that doesn't exist"),
    }
}

/// A varint and how long it is; nothing if it isn't here to its end.
fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, &'static str> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 10 {
        Ok(None)
    } else {
        Err("a varint of more than 10 bytes")
    }
}
