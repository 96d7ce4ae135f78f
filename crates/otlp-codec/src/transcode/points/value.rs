//! Values and attributes as plain JSON.

use super::members::elements;
use super::parts::{once, run, take};
use crate::proto::fields::{
    common_v1_any_value as any_value, common_v1_array_value as array_value,
    common_v1_key_value as key_value, common_v1_key_value_list as key_value_list,
};
use crate::transcode::memo::member as remembered;
use crate::transcode::out::{Cx, Out, put};
use crate::transcode::{base64, boolean, double, int64, string};
use crate::walk::{In, Stop, bytes, deeper, fixed64, next_tag, pass, varint};

/// Writes a list of `KeyValue`, tags too, as an object.
pub(super) fn object<'o>(
    mut list: In<'_>,
    mut out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    out = put(out, b"{", cx)?;
    let mut first = true;
    while let Some((_, rest)) = next_tag(list)? {
        let (attribute, rest) = bytes(rest)?;
        list = rest;
        if !first {
            out = put(out, b",", cx)?;
        }
        first = false;
        out = remembered(attribute, out, cx, deeper(depth)?, member)?;
    }
    put(out, b"}", cx)
}

/// Writes a `KeyValue` as a member.
fn member<'o>(
    mut wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    let (mut name, mut value): (In<'_>, _) = (&[], None);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            key_value::KEY => take(&mut name, rest)?,
            key_value::VALUE => once(&mut value, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let out = put(out, b"\"", cx)?;
    let out = string(out, name, cx)?;
    let out = put(out, b"\":", cx)?;
    match value {
        Some(value) => any(value, out, cx, deeper(depth)?),
        None => put(out, b"null", cx),
    }
}

/// Writes an `AnyValue`.
pub(super) fn any<'o>(
    mut wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    cx.count()?;
    let mut chosen = None;
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = pass(tag, rest)?;
        if is_choice(tag) && chosen.replace((tag, rest)).is_some() {
            return Err(Stop);
        }
    }
    let Some((tag, rest)) = chosen else {
        return put(out, b"null", cx);
    };
    match tag {
        any_value::STRING_VALUE => {
            let out = put(out, b"\"", cx)?;
            let out = string(out, bytes(rest)?.0, cx)?;
            put(out, b"\"", cx)
        }
        any_value::BOOL_VALUE => boolean(out, varint(rest)?.0 != 0, cx),
        any_value::INT_VALUE => int64(out, varint(rest)?.0 as i64, cx),
        any_value::DOUBLE_VALUE => double(out, f64::from_bits(fixed64(rest)?.0), cx),
        any_value::ARRAY_VALUE => {
            cx.count()?;
            let list = only_list(bytes(rest)?.0, array_value::VALUES)?;
            elements(list, out, cx, deeper(depth)?, any)
        }
        any_value::KVLIST_VALUE => {
            cx.count()?;
            let list = only_list(bytes(rest)?.0, key_value_list::VALUES)?;
            object(list, out, cx, deeper(depth)?)
        }
        any_value::BYTES_VALUE => {
            let out = put(out, b"\"", cx)?;
            let out = base64(out, bytes(rest)?.0, cx)?;
            put(out, b"\"", cx)
        }
        // An index into a table that these signals don't have.
        _ => put(out, b"null", cx),
    }
}

/// Whether a tag is one of the oneof.
fn is_choice(tag: u32) -> bool {
    any_value::NUMBERS.contains(&(tag >> 3))
}

/// The list that is all of a message.
fn only_list(mut wire: In<'_>, expected: u32) -> Result<In<'_>, Stop> {
    let mut list: In<'_> = &[];
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag == expected {
            true => run(&mut list, wire, tag)?,
            false => pass(tag, rest)?,
        };
    }
    Ok(list)
}
