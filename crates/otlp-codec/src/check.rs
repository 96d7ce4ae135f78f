//! The check door: is this an acceptable request, and how many items does it hold?
//!
//! One walk over the bytes, without a tree. Where the walk can't tell (an error, a limit, a
//! oneof that is sent twice, a group) the [typed door](crate::typed) does.

use crate::proto::check as generated;
use crate::typed::Request;
use crate::walk::{In, Stop, bytes, fixed64, varint};
use crate::{DecodeError, Limits, Signal};

/// What was found out about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many items it holds, as [`Request::items`] counts them.
    pub items: usize,
    /// Whether it refers to strings of a table that its signal doesn't have: a `keyStrindex` or
    /// a `stringValueStrindex` outside profiles. That is no error; a receiver treats the string
    /// as absent and says so in its log (comments of `common.proto`). Not looked for where the
    /// typed door had to do the work.
    pub string_indices: bool,
}

/// Checks a request: accepts what [`Request::decode_protobuf`] and [`Request::check_ids`] accept.
///
/// # Errors
///
/// Those of the two.
pub fn check(signal: Signal, wire: &[u8], limits: &Limits) -> Result<Checked, DecodeError> {
    if wire.len() <= limits.input_bytes {
        let mut cx = Cx::new(limits);
        let depth = limits.depth.min(Limits::MAX_DEPTH);
        let walked = match signal {
            Signal::Metrics => generated::metrics(wire, &mut cx, depth),
            Signal::Traces => generated::traces(wire, &mut cx, depth),
            Signal::Logs => generated::logs(wire, &mut cx, depth),
            Signal::Profiles => generated::profiles(wire, &mut cx, depth),
        };
        if let Ok(()) = walked {
            let string_indices = cx.string_indices && signal != Signal::Profiles;
            return Ok(Checked {
                items: cx.items,
                string_indices,
            });
        }
    }
    let request = Request::decode_protobuf(signal, wire, limits)?;
    request.check_ids()?;
    Ok(Checked {
        items: request.items(),
        string_indices: false,
    })
}

/// The state of one walk.
pub(crate) struct Cx {
    elements_left: usize,
    items: usize,
    string_indices: bool,
}

impl Cx {
    fn new(limits: &Limits) -> Self {
        Self {
            elements_left: limits.elements,
            items: 0,
            string_indices: false,
        }
    }

    /// Counts a sub-message or an element of a repeated string.
    #[inline(always)]
    pub(crate) fn count(&mut self) -> Result<(), Stop> {
        self.elements_left = self.elements_left.checked_sub(1).ok_or(Stop)?;
        Ok(())
    }

    /// Counts an item.
    #[inline(always)]
    pub(crate) fn item(&mut self) {
        self.items += 1;
    }

    /// Passes over an index into a table of strings.
    pub(crate) fn index<'a>(&mut self, wire: In<'a>) -> Result<In<'a>, Stop> {
        self.string_indices = true;
        varint(wire).map(|(_, rest)| rest)
    }
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

/// Passes over an id of a length, or an empty one.
#[inline(always)]
pub(crate) fn id(wire: In<'_>, expected: usize) -> Result<In<'_>, Stop> {
    let (id, rest) = bytes(wire)?;
    match id.len() == expected || id.is_empty() {
        true => Ok(rest),
        false => Err(Stop),
    }
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
