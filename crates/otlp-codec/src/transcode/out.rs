//! The writing half of a walk: the room that is yet to be written to, as a slice that is passed
//! by value and comes back shorter. Why a walk stopped is in [`Cx`].

use crate::Limits;
use crate::walk::Stop;

/// What is left to write to.
pub(crate) type Out<'o> = &'o mut [u8];

/// The state of one walk.
pub(crate) struct Cx {
    full: bool,
    elements_left: usize,
}

impl Cx {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            full: false,
            elements_left: limits.elements,
        }
    }

    /// Whether the walk stopped because there was no room.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Counts a sub-message or an element of a repeated string.
    #[inline(always)]
    pub(crate) fn count(&mut self) -> Result<(), Stop> {
        self.elements_left = self.elements_left.checked_sub(1).ok_or(Stop)?;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn no_room(&mut self) -> Stop {
        self.full = true;
        Stop
    }
}

/// Writes a literal.
#[inline(always)]
pub(crate) fn put<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    cx: &mut Cx,
) -> Result<Out<'o>, Stop> {
    match out.split_first_chunk_mut::<N>() {
        Some((head, rest)) => {
            *head = *literal;
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// Writes a key with what stands around it. The first byte of the literal is the one that
/// separates it from what was before, and is taken from `separator`.
#[inline(always)]
pub(crate) fn key<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    separator: &mut u8,
    cx: &mut Cx,
) -> Result<Out<'o>, Stop> {
    match out.split_first_chunk_mut::<N>() {
        Some((head, rest)) => {
            *head = *literal;
            head[0] = std::mem::replace(separator, b',');
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// The end of an object, which so far ends in `separator`.
#[inline(always)]
pub(crate) fn end<'o>(out: Out<'o>, separator: u8, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match separator {
        b'{' => put(out, b"{}", cx),
        _ => put(out, b"}", cx),
    }
}
