//! What one reading knows of itself: how deep it is, what it has left, where it failed.

use std::cell::{Cell, RefCell};
use std::fmt::Write;

use serde::de::Error;

use crate::json::Names;
use crate::{DecodeError, JsonError, Limits};

/// The longest message text of an error, in characters.
const MAX_MESSAGE: usize = 200;
/// The longest piece of an unknown key in a path, in characters.
const MAX_KEY: usize = 64;

/// The state of one reading.
pub(super) struct Shared {
    limits: Limits,
    /// Whether the text outlives the reading, so that serde_json can lend pieces of it.
    borrowed: bool,
    names: Names,
    /// Whether lists are kept, or only read.
    keeps_lists: bool,
    elements_left: Cell<usize>,
    /// The limit that was reached, if one was.
    reached: RefCell<Option<DecodeError>>,
    /// Where the reading failed, innermost first.
    path: RefCell<Vec<Segment>>,
}

/// A place in the text: cheap to copy, one for each level.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c> {
    shared: &'c Shared,
    /// How many messages may still be entered from here.
    depth_left: u32,
}

/// A step of the path to a value.
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

impl Segment {
    pub(super) fn key(key: &str) -> Self {
        Self::Key(shorten(key, MAX_KEY))
    }
}

impl Shared {
    pub(super) fn new(limits: &Limits, names: Names, borrowed: bool) -> Self {
        Self {
            limits: *limits,
            borrowed,
            names,
            keeps_lists: true,
            elements_left: Cell::new(limits.elements),
            reached: RefCell::new(None),
            path: RefCell::new(Vec::new()),
        }
    }

    /// The elements of lists are only read.
    pub(super) fn without_lists(self) -> Self {
        Self {
            keeps_lists: false,
            ..self
        }
    }

    /// Turns serde_json's error, and what is known besides, into ours.
    pub(super) fn into_error(self, error: &serde_json::Error, json: &str) -> DecodeError {
        if let Some(reached) = self.reached.into_inner() {
            return reached;
        }
        let mut path = String::new();
        for segment in self.path.into_inner().iter().rev() {
            // Writing to a string doesn't fail.
            let _ = match segment {
                Segment::Key(key) if path.is_empty() => write!(path, "{key}"),
                Segment::Key(key) => write!(path, ".{key}"),
                Segment::Index(index) => write!(path, "[{index}]"),
            };
        }
        if path.is_empty() {
            path.push('.');
        }
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        DecodeError::Json(JsonError {
            path,
            message: shorten(
                message.strip_suffix(&position).unwrap_or(&message),
                MAX_MESSAGE,
            ),
            line: error.line(),
            column: error.column(),
            offset: offset(json, error.line(), error.column()),
        })
    }
}

/// The place of a line and a column, both from 1.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let breaks = json.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    let line_start = match line {
        0 | 1 => 0,
        line => breaks.map(|(at, _)| at + 1).nth(line - 2).unwrap_or(0),
    };
    (line_start + column.saturating_sub(1)).min(json.len())
}

impl<'c> Context<'c> {
    pub(super) fn root(shared: &'c Shared) -> Self {
        Self {
            shared,
            depth_left: shared.limits.depth.min(Limits::MAX_DEPTH),
        }
    }

    pub(super) fn is_borrowed(&self) -> bool {
        self.shared.borrowed
    }

    pub(super) fn keeps_lists(&self) -> bool {
        self.shared.keeps_lists
    }

    /// Whether a key may name a field. Only original names hold an underscore.
    pub(super) fn is_name(&self, key: &str) -> bool {
        match self.shared.names {
            Names::Lenient => true,
            Names::Strict => !key.contains('_'),
        }
    }

    pub(super) fn depth_left(&self) -> u32 {
        self.depth_left
    }

    /// Counts a message, and gives the context of what it holds.
    pub(super) fn enter<E: Error>(self) -> Result<Self, E> {
        self.count_element()?;
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.too_deep()),
        }
    }

    /// Counts a sub-message or an element of a repeated string.
    pub(super) fn count_element<E: Error>(&self) -> Result<(), E> {
        let limit = self.shared.limits.elements;
        match self.shared.elements_left.get().checked_sub(1) {
            Some(left) => {
                self.shared.elements_left.set(left);
                Ok(())
            }
            None => Err(self.reach(DecodeError::TooManyElements { limit })),
        }
    }

    pub(super) fn too_deep<E: Error>(&self) -> E {
        let limit = self.shared.limits.depth.min(Limits::MAX_DEPTH);
        self.reach(DecodeError::TooDeep { limit })
    }

    fn reach<E: Error>(&self, limit: DecodeError) -> E {
        let error = E::custom(&limit);
        *self.shared.reached.borrow_mut() = Some(limit);
        error
    }

    /// Notes where an error came from, on its way out.
    pub(super) fn at<E>(&self, segment: Segment, error: E) -> E {
        self.shared.path.borrow_mut().push(segment);
        error
    }
}

/// At most `limit` characters, control characters escaped.
fn shorten(text: &str, limit: usize) -> String {
    let mut short: String = text.chars().take(limit).flat_map(escape_control).collect();
    if text.chars().nth(limit).is_some() {
        short.push('…');
    }
    short
}

fn escape_control(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}
