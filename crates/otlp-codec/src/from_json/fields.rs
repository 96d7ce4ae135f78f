//! Fields of every kind but strings: the value of a member, to a field of protobuf.
//!
//! `always` is set for fields that are written even at their default: those with presence, and
//! elements of lists.

use super::numbers;
use super::tokens::{Rest, absent, is_null, list};
use super::writer::Cx;
use crate::walk::{In, Stop, deeper};

/// Reads a message behind its `{`, with the depth that is left inside.
pub(crate) trait Message<'a, 'o>: Fn(In<'a>, &mut Cx<'o>, u32) -> Rest<'a> {}

impl<'a, 'o, F: Fn(In<'a>, &mut Cx<'o>, u32) -> Rest<'a>> Message<'a, 'o> for F {}

/// Notes that a member of a oneof comes, unless it is `null`. A second one is an error.
#[inline(always)]
pub(crate) fn choose(json: In<'_>, chosen: &mut u32, bit: u32) -> Result<(), Stop> {
    if is_null(json) {
        return Ok(());
    }
    crate::walk::first(chosen, bit)
}

/// A sub-message. `null` counts as one too.
#[inline(always)]
pub(crate) fn message<'a, 'o, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'o>,
    tag: [u8; N],
    slot: usize,
    depth: u32,
    read: impl Message<'a, 'o>,
) -> Rest<'a> {
    cx.count()?;
    let depth = deeper(depth)?;
    let [b'{', json @ ..] = json else {
        return absent(json);
    };
    let open = cx.open(&tag, slot)?;
    let rest = read(json, cx, depth)?;
    cx.close(open)?;
    Ok(rest)
}

/// A list of sub-messages.
#[inline(always)]
pub(crate) fn messages<'a, 'o, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'o>,
    tag: [u8; N],
    slot: usize,
    depth: u32,
    read: impl Message<'a, 'o>,
) -> Rest<'a> {
    list(json, cx, |json, cx| {
        message(json, cx, tag, slot, depth, &read)
    })
}

/// A list of strings, which count.
#[inline(never)]
pub(crate) fn strings<'a, const N: usize>(json: In<'a>, cx: &mut Cx<'_>, tag: [u8; N]) -> Rest<'a> {
    list(json, cx, |json, cx| {
        cx.count()?;
        super::strings::string(json, cx, tag, true)
    })
}

/// `true` or `false`.
#[inline(always)]
pub(crate) fn boolean<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    let (value, rest) = match json {
        [b't', b'r', b'u', b'e', rest @ ..] => (true, rest),
        [b'f', b'a', b'l', b's', b'e', rest @ ..] => (false, rest),
        _ => return absent(json),
    };
    if always || value {
        cx.put_tagged(tag, [u8::from(value)])?;
    }
    Ok(rest)
}

/// An enum: a number, known or not, or a known name.
#[inline(always)]
pub(crate) fn enumeration<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
    number_of: fn(&str) -> Option<i32>,
) -> Rest<'a> {
    if is_null(json) {
        return absent(json);
    }
    let (value, rest) = match json {
        [b'"', json @ ..] => named(json, number_of)?,
        _ => numbers::int32(json)?,
    };
    if always || value != 0 {
        cx.put(tag)?;
        cx.put_varint(i64::from(value) as u64)?;
    }
    Ok(rest)
}

#[cold]
#[inline(never)]
fn named(json: In<'_>, number_of: fn(&str) -> Option<i32>) -> Result<(i32, In<'_>), Stop> {
    numbers::from_string(json, number_of)
}

/// Numbers whose values take the same room, whatever they are.
macro_rules! fixed {
    ($($name:ident: $read:ident, $what:literal;)*) => {$(
        #[doc = concat!("A ", $what, ".")]
        #[inline(always)]
        pub(crate) fn $name<'a, const N: usize>(
            json: In<'a>,
            cx: &mut Cx<'_>,
            tag: [u8; N],
            always: bool,
        ) -> Rest<'a> {
            if is_null(json) {
                return absent(json);
            }
            let (value, rest) = numbers::$read(json)?;
            let bytes = value.to_le_bytes();
            // By its bytes: -0.0 is not the default.
            if always || bytes != [0; _] {
                cx.put_tagged(tag, bytes)?;
            }
            Ok(rest)
        }
    )*};
}

fixed! {
    double: double, "double";
    fixed64: uint64, "fixed64";
    sfixed64: int64, "sfixed64";
    fixed32: uint32, "fixed32";
}

/// Numbers that are varints.
macro_rules! varints {
    ($($name:ident: $read:ident, $what:literal, $varint:expr;)*) => {$(
        #[doc = concat!("An ", $what, ".")]
        #[inline(always)]
        pub(crate) fn $name<'a, const N: usize>(
            json: In<'a>,
            cx: &mut Cx<'_>,
            tag: [u8; N],
            always: bool,
        ) -> Rest<'a> {
            if is_null(json) {
                return absent(json);
            }
            let (value, rest) = numbers::$read(json)?;
            if always || value != 0 {
                cx.put(tag)?;
                cx.put_varint($varint(value))?;
            }
            Ok(rest)
        }
    )*};
}

varints! {
    int64: int64, "int64", |value: i64| value as u64;
    uint64: uint64, "uint64", |value: u64| value;
    int32: int32, "int32", |value: i32| i64::from(value) as u64;
    uint32: uint32, "uint32", |value: u32| u64::from(value);
    sint32: int32, "sint32", |value: i32| u64::from((value << 1 ^ value >> 31) as u32);
}

/// Packed lists of numbers.
macro_rules! packed {
    ($($name:ident: $what:literal, $read:ident, $put:expr;)*) => {$(
        #[doc = concat!("A packed list of ", $what, ".")]
        #[inline(never)]
        pub(crate) fn $name<'a, const N: usize>(
            json: In<'a>,
            cx: &mut Cx<'_>,
            tag: [u8; N],
            slot: usize,
        ) -> Rest<'a> {
            let open = cx.open(&tag, slot)?;
            let rest = list(json, cx, |json, cx| {
                let (value, rest) = numbers::$read(json)?;
                $put(cx, value)?;
                Ok(rest)
            })?;
            cx.close_unless_empty(open)?;
            Ok(rest)
        }
    )*};
}

/// A packed list of doubles. The bounds of histograms come over and over: where the text is that
/// of the list before, so is the protobuf.
#[inline(never)]
pub(crate) fn doubles<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    slot: usize,
) -> Rest<'a> {
    let open = cx.open(&tag, slot)?;
    let rest = match cx.repeated(json)? {
        Some(rest) => rest,
        None => {
            let rest = list(json, cx, |json, cx| {
                let (value, rest) = numbers::double(json)?;
                cx.put(value.to_le_bytes())?;
                Ok(rest)
            })?;
            cx.remember(&json[..json.len() - rest.len()], open);
            rest
        }
    };
    cx.close_unless_empty(open)?;
    Ok(rest)
}

packed! {
    fixed64s: "fixed64s", uint64, |cx: &mut Cx<'_>, value: u64| cx.put(value.to_le_bytes());
    int64s: "int64s", int64, |cx: &mut Cx<'_>, value: i64| cx.put_varint(value as u64);
    uint64s: "uint64s", uint64, |cx: &mut Cx<'_>, value: u64| cx.put_varint(value);
    int32s: "int32s", int32, |cx: &mut Cx<'_>, value: i32| cx.put_varint(i64::from(value) as u64);
}
