//! The writing half of a walk: the room that is yet to be written to, as a slice that is passed
//! by value and comes back shorter. Why a walk stopped is in [`Cx`].

use super::memo::Memo;
use crate::Limits;
use crate::walk::{In, Stop};

/// What is left to write to.
pub(crate) type Out<'o> = &'o mut [u8];

/// The state of one walk.
#[derive(Debug)]
pub(crate) struct Cx<'w> {
    full: bool,
    pub(super) elements_left: usize,
    /// All of the request.
    pub(super) request: In<'w>,
    pub(super) memo: &'w mut Memo,
}

impl<'w> Cx<'w> {
    pub(super) fn new(limits: &Limits, request: In<'w>, memo: &'w mut Memo) -> Self {
        Self {
            full: false,
            elements_left: limits.elements,
            request,
            memo,
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

/// Writes bytes as they are.
#[inline(always)]
pub(crate) fn copy<'o>(out: Out<'o>, bytes: In<'_>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    match out.split_at_mut_checked(bytes.len()) {
        Some((head, rest)) => {
            head.copy_from_slice(bytes);
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// Writes the text of a number: a few bytes, mostly over a dozen.
#[inline(always)]
pub(crate) fn copy_number<'o>(
    out: Out<'o>,
    text: In<'_>,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    const HALF: usize = 16;
    let Some((head, rest)) = out.split_at_mut_checked(text.len()) else {
        return Err(cx.no_room());
    };
    // Two halves that overlap are two moves, and no call.
    match (text.first_chunk::<HALF>(), text.last_chunk::<HALF>()) {
        (Some(first), Some(last)) if text.len() <= 2 * HALF => {
            if let Some(to) = head.first_chunk_mut() {
                *to = *first;
            }
            if let Some(to) = head.last_chunk_mut() {
                *to = *last;
            }
        }
        _ => head.copy_from_slice(text),
    }
    Ok(rest)
}

/// Writes a literal.
#[inline(always)]
pub(crate) fn put<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    cx: &mut Cx<'_>,
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
    cx: &mut Cx<'_>,
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
pub(crate) fn end<'o>(out: Out<'o>, separator: u8, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    match separator {
        b'{' => put(out, b"{}", cx),
        _ => put(out, b"}", cx),
    }
}
