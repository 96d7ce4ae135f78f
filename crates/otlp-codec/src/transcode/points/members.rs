//! Members of an object, each left out if there is nothing to say. The first byte of their keys
//! is the separator's, as in [`key`].

use super::value::object;
use crate::transcode::memo::rfc3339;
use crate::transcode::out::{Cx, Out, copy, key, put};
use crate::transcode::text::hex;
use crate::transcode::{double, int32, string, uint64};
use crate::walk::{In, Stop, bytes, deeper, next_tag};

/// A text; the key ends in its first quote.
#[inline(always)]
pub(super) fn text<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    text: In<'_>,
    separator: &mut u8,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if text.is_empty() {
        return Ok(out);
    }
    let out = key(out, literal, separator, cx)?;
    let out = string(out, text, cx)?;
    put(out, b"\"", cx)
}

/// An id; the key ends in its first quote.
#[inline(always)]
pub(super) fn id<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    id: In<'_>,
    separator: &mut u8,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if id.is_empty() {
        return Ok(out);
    }
    let out = key(out, literal, separator, cx)?;
    let out = hex(out, id, cx)?;
    put(out, b"\"", cx)
}

/// A time, of a kind that tends to repeat.
#[inline(always)]
pub(super) fn time<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    nanos: u64,
    kind: usize,
    separator: &mut u8,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if nanos == 0 {
        return Ok(out);
    }
    let out = key(out, literal, separator, cx)?;
    rfc3339(out, nanos, kind, cx)
}

/// A number, if it isn't 0.
#[inline(always)]
pub(super) fn unless_zero<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    number: u64,
    separator: &mut u8,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if number == 0 {
        return Ok(out);
    }
    let out = key(out, literal, separator, cx)?;
    uint64(out, number, cx)
}

/// A number, even 0.
#[inline(always)]
pub(super) fn count<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    number: u64,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    let out = put(out, literal, cx)?;
    uint64(out, number, cx)
}

/// A double, if there is one.
#[inline(always)]
pub(super) fn optional<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    number: Option<f64>,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    let Some(number) = number else {
        return Ok(out);
    };
    let out = put(out, literal, cx)?;
    double(out, number, cx)
}

/// The name of a value of an enum, its number if it has none, nothing for 0. Names come with
/// quotes, from 1 on.
#[inline(always)]
pub(super) fn name<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    number: i32,
    names: &[&[u8]],
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if number == 0 {
        return Ok(out);
    }
    let out = put(out, literal, cx)?;
    let at = usize::try_from(number)
        .ok()
        .and_then(|at| at.checked_sub(1));
    match at.and_then(|at| names.get(at)) {
        Some(name) => copy(out, name, cx),
        None => int32(out, number, cx),
    }
}

/// The number that a oneof of a double and an integer holds.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Double(f64),
    Int(i64),
}

/// The value of a point or an exemplar, if it has one.
#[inline(always)]
pub(super) fn value<'o>(
    out: Out<'o>,
    value: Option<Number>,
    separator: &mut u8,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    let Some(value) = value else {
        return Ok(out);
    };
    let out = key(out, b",\"value\":", separator, cx)?;
    match value {
        Number::Double(number) => double(out, number, cx),
        Number::Int(number) => crate::transcode::int64(out, number, cx),
    }
}

/// Attributes as an object: a list of `KeyValue`, tags too.
#[inline(always)]
pub(super) fn attributes<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    list: In<'_>,
    separator: &mut u8,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    if list.is_empty() {
        return Ok(out);
    }
    let out = key(out, literal, separator, cx)?;
    object(list, out, cx, depth)
}

/// What writes a sub-message.
type Element = for<'a> fn(In<'_>, Out<'a>, &mut Cx<'_>, u32) -> Result<Out<'a>, Stop>;

/// A list of sub-messages, tags too.
#[inline(always)]
pub(super) fn list<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    list: In<'_>,
    cx: &mut Cx<'_>,
    depth: u32,
    element: Element,
) -> Result<Out<'o>, Stop> {
    if list.is_empty() {
        return Ok(out);
    }
    let out = put(out, literal, cx)?;
    elements(list, out, cx, depth, element)
}

/// Writes an array of sub-messages.
pub(super) fn elements<'o>(
    mut list: In<'_>,
    mut out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    element: Element,
) -> Result<Out<'o>, Stop> {
    out = put(out, b"[", cx)?;
    let mut first = true;
    while let Some((_, rest)) = next_tag(list)? {
        let (message, rest) = bytes(rest)?;
        list = rest;
        if !first {
            out = put(out, b",", cx)?;
        }
        first = false;
        out = element(message, out, cx, deeper(depth)?)?;
    }
    put(out, b"]", cx)
}

/// A packed list of numbers, each as `read` takes it off; the key ends in the bracket.
#[inline(always)]
pub(super) fn numbers<'o, const N: usize>(
    mut out: Out<'o>,
    literal: &[u8; N],
    mut list: In<'_>,
    cx: &mut Cx<'_>,
    read: impl for<'w> Fn(In<'w>) -> Result<(u64, In<'w>), Stop>,
) -> Result<Out<'o>, Stop> {
    if list.is_empty() {
        return Ok(out);
    }
    out = put(out, literal, cx)?;
    loop {
        let (value, rest) = read(list)?;
        list = rest;
        out = uint64(out, value, cx)?;
        if list.is_empty() {
            return put(out, b"]", cx);
        }
        out = put(out, b",", cx)?;
    }
}
