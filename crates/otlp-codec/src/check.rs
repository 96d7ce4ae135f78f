//! The check door: is this an acceptable request, how many items does it hold, and which of them
//! does policy refuse?
//!
//! One walk over the bytes, without a tree. Where the walk can't tell (an error, a limit, a
//! oneof that is sent twice, a group) the request is validated with field tables, and brought to
//! its usual form, which can be walked.
//!
//! ```
//! use otlp_codec::{Limits, Signal, check::check};
//!
//! // Two spans; the trace id of the first is one byte long.
//! let wire = [10, 11, 18, 9, 18, 3, 10, 1, 7, 18, 2, 48, 1];
//! let checked = check(Signal::Traces, &wire, &Limits::default())?;
//! assert_eq!(checked.items, 2);
//! assert_eq!(checked.refused(), [4..9]);
//! assert_eq!(*checked.retain(), [10, 6, 18, 4, 18, 2, 48, 1]);
//! # Ok::<(), otlp_codec::DecodeError>(())
//! ```

use std::borrow::Cow;
use std::ops::Range;

use crate::edit::without;
use crate::proto::check as generated;
use crate::walk::{In, Stop, bytes, deeper, fixed64, varint};
use crate::{DecodeError, Limits, Signal, wire};

/// What was found out about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<'w> {
    /// How many items it holds, refused ones too: data points, spans, log records or profiles.
    pub items: usize,
    /// Whether it refers to strings of a table that its signal doesn't have: a `keyStrindex` or
    /// a `stringValueStrindex` outside profiles. That is no error; a receiver treats the string
    /// as absent and says so in its log (comments of `common.proto`).
    pub string_indices: bool,
    refused: Vec<Range<usize>>,
    /// The request, in the form that was walked.
    wire: Cow<'w, [u8]>,
    signal: Signal,
}

impl<'w> Checked<'w> {
    /// The request: the bytes that were given, or, where their order is so unusual that they
    /// can't be walked, the same request in its usual form, without unknown groups. That is at
    /// most half as long again.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Where in [`Checked::wire`] the items stand that policy refuses, ascending, each as a
    /// whole field with its tag and length: spans and log records with an id of a wrong length,
    /// spans with such a link, data points with such an exemplar. A trace id is 16 bytes long and
    /// a span id 8, or either is empty (comments of the `.proto` files).
    #[must_use]
    pub fn refused(&self) -> &[Range<usize>] {
        &self.refused
    }

    /// The request without the items that are refused, the lengths of what encloses them mended.
    /// Nothing refused: nothing is copied. Envelopes stay, even if all of their items are gone.
    #[must_use]
    pub fn retain(self) -> Cow<'w, [u8]> {
        match self.refused.as_slice() {
            [] => self.wire,
            refused => Cow::Owned(without(&self.wire, refused)),
        }
    }

    /// The error that says what is wrong with the first item that is refused.
    #[must_use]
    pub fn refusal(&self) -> Option<DecodeError> {
        match self.refused.as_slice() {
            [] => None,
            _ => wire::first_wrong_id(wire::root(self.signal), &self.wire),
        }
    }
}

/// Checks a request: accepts what prost accepts within the limits.
///
/// # Errors
///
/// Those of `Request::decode_protobuf`, and [`DecodeError::IdLength`] for an id of a wrong length
/// that belongs to no item: in the table of links of a profile.
pub fn check<'w>(
    signal: Signal,
    wire: &'w [u8],
    limits: &Limits,
) -> Result<Checked<'w>, DecodeError> {
    let checked = walk_or_normalize(signal, wire, limits)?;
    if checked.cx.items > limits.items {
        return Err(DecodeError::TooManyItems {
            limit: limits.items,
        });
    }
    if checked.cx.wrong_id {
        // What it is in may have been sent in pieces, and paths count over all of them.
        let root = wire::root(signal);
        let normal = wire::normalized(root, &checked.wire)?;
        if let Some(error) = wire::first_wrong_id(root, &normal) {
            return Err(error);
        }
    }
    Ok(Checked {
        items: checked.cx.items,
        refused: checked.cx.refused,
        string_indices: checked.cx.string_indices && signal != Signal::Profiles,
        wire: checked.wire,
        signal,
    })
}

/// Refuses a request that is malformed or over a limit; ids may have any length.
pub(crate) fn check_items(signal: Signal, wire: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let limit = limits.items;
    match walk_or_normalize(signal, wire, limits)?.cx.items > limit {
        true => Err(DecodeError::TooManyItems { limit }),
        false => Ok(()),
    }
}

/// What a walk found, over the bytes that were given or another form of them.
struct Walked<'w> {
    cx: Found,
    wire: Cow<'w, [u8]>,
}

fn walk_or_normalize<'w>(
    signal: Signal,
    wire: &'w [u8],
    limits: &Limits,
) -> Result<Walked<'w>, DecodeError> {
    if wire.len() <= limits.input_bytes
        && let Ok(cx) = walk(signal, wire, limits)
    {
        let wire = Cow::Borrowed(wire);
        return Ok(Walked { cx, wire });
    }
    let root = wire::root(signal);
    wire::validate(root, wire, limits)?;
    let normal = wire::normalized(root, wire)?;
    match walk(signal, &normal, limits) {
        Ok(cx) => Ok(Walked {
            cx,
            wire: Cow::Owned(normal),
        }),
        Err(Stop) => Err(wire::not_walked(&normal)),
    }
}

fn walk(signal: Signal, wire: &[u8], limits: &Limits) -> Result<Found, Stop> {
    let mut cx = Cx::new(limits, wire);
    let depth = limits.depth.min(Limits::MAX_DEPTH);
    match signal {
        Signal::Metrics => generated::metrics(wire, &mut cx, depth),
        Signal::Traces => generated::traces(wire, &mut cx, depth),
        Signal::Logs => generated::logs(wire, &mut cx, depth),
        Signal::Profiles => generated::profiles(wire, &mut cx, depth),
    }?;
    Ok(cx.found())
}

/// What a walk found.
struct Found {
    items: usize,
    refused: Vec<Range<usize>>,
    /// An id of a wrong length outside of items.
    wrong_id: bool,
    string_indices: bool,
}

/// The state of one walk.
pub(crate) struct Cx<'w> {
    /// All of the request.
    request: In<'w>,
    elements_left: usize,
    items: usize,
    refused: Vec<Range<usize>>,
    /// Whether an id of a wrong length came, in the item that is read or outside of items.
    pub(crate) wrong_id: bool,
    string_indices: bool,
}

impl<'w> Cx<'w> {
    fn new(limits: &Limits, request: In<'w>) -> Self {
        Self {
            request,
            elements_left: limits.elements,
            items: 0,
            refused: Vec::new(),
            wrong_id: false,
            string_indices: false,
        }
    }

    fn found(self) -> Found {
        Found {
            items: self.items,
            refused: self.refused,
            wrong_id: self.wrong_id,
            string_indices: self.string_indices,
        }
    }

    /// Counts a sub-message or an element of a repeated string.
    #[inline(always)]
    pub(crate) fn count(&mut self) -> Result<(), Stop> {
        self.elements_left = self.elements_left.checked_sub(1).ok_or(Stop)?;
        Ok(())
    }

    /// An item begins. Gives what is to be remembered of what is outside of it.
    #[inline(always)]
    pub(crate) fn enter_item(&mut self) -> bool {
        std::mem::take(&mut self.wrong_id)
    }

    /// Counts an item, which stood between what was left `before` and what is `behind` it.
    #[inline(always)]
    pub(crate) fn leave_item(&mut self, before: In<'_>, behind: In<'_>, outside: bool) {
        self.items += 1;
        if self.wrong_id {
            self.refuse(before, behind);
        }
        self.wrong_id = outside;
    }

    #[cold]
    fn refuse(&mut self, before: In<'_>, behind: In<'_>) {
        // Both are parts of the request.
        let begin = (before.as_ptr() as usize).wrapping_sub(self.request.as_ptr() as usize);
        self.refused
            .push(begin..begin + before.len() - behind.len());
    }

    /// Passes over an index into a table of strings.
    pub(crate) fn index<'a>(&mut self, wire: In<'a>) -> Result<In<'a>, Stop> {
        self.string_indices = true;
        varint(wire).map(|(_, rest)| rest)
    }
}

/// Passes over a `KeyValue`; `other` over those that are not a [short text](is_short_text).
#[inline(always)]
pub(crate) fn attribute(
    wire: In<'_>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<(), Stop> {
    if !is_short_text(wire) {
        return other(wire, cx, depth);
    }
    // Its value is a message, one level further down.
    deeper(depth)?;
    cx.count()
}

/// What passes over any `KeyValue`.
type Other = for<'a> fn(In<'_>, &mut Cx<'a>, u32) -> Result<(), Stop>;

/// Whether a `KeyValue` is a key and a string of less than 128 bytes each, in this order and
/// nothing else, all of it ASCII. Most attributes are.
#[inline(always)]
fn is_short_text(wire: In<'_>) -> bool {
    let [0x0a, key_len, rest @ ..] = wire else {
        return false;
    };
    let Some([0x12, value_len, 0x0a, text_len, text @ ..]) = rest.get(usize::from(*key_len)..)
    else {
        return false;
    };
    // Lengths that are ASCII are one byte long, and so are the texts that they are next to.
    usize::from(*text_len) == text.len()
        && usize::from(*value_len) == text.len() + 2
        && wire.is_ascii()
}

/// Passes over a string.
#[inline(always)]
pub(crate) fn text(wire: In<'_>) -> Result<In<'_>, Stop> {
    let (text, rest) = bytes(wire)?;
    match text.is_ascii() || std::str::from_utf8(text).is_ok() {
        true => Ok(rest),
        false => Err(Stop),
    }
}

/// Passes over an id, and notes in its bit whether it has a length other than `expected` and 0.
#[inline(always)]
pub(crate) fn id<'a>(
    wire: In<'a>,
    expected: usize,
    wrong: &mut u32,
    bit: u32,
) -> Result<In<'a>, Stop> {
    let (id, rest) = bytes(wire)?;
    *wrong &= !bit;
    if id.len() != expected && !id.is_empty() {
        *wrong |= bit;
    }
    Ok(rest)
}

/// Passes over a packed list of 64-bit values.
#[inline(always)]
pub(crate) fn packed_fixed64(wire: In<'_>) -> Result<In<'_>, Stop> {
    let (mut list, rest) = bytes(wire)?;
    while !list.is_empty() {
        list = fixed64(list)?.1;
    }
    Ok(rest)
}

/// Passes over a packed list of varints.
#[inline(always)]
pub(crate) fn packed_varint(wire: In<'_>) -> Result<In<'_>, Stop> {
    let (mut list, rest) = bytes(wire)?;
    while !list.is_empty() {
        list = varint(list)?.1;
    }
    Ok(rest)
}
