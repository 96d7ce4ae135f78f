//! Numbers as JSON text.

use super::out::{Cx, Out, put};
use crate::walk::Stop;

/// Integers of fewer digits than an `f64` holds exactly are written as integers, with `.0`.
const EXACT: f64 = 1e15;

#[inline(always)]
fn text<'o>(out: Out<'o>, text: &[u8], cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match out.split_at_mut_checked(text.len()) {
        Some((head, rest)) => {
            head.copy_from_slice(text);
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

macro_rules! integers {
    ($($name:ident: $value:ty;)*) => {$(
        /// Writes an integer, without quotes.
        #[inline(always)]
        pub(crate) fn $name<'o>(
            out: Out<'o>,
            value: $value,
            cx: &mut Cx,
        ) -> Result<Out<'o>, Stop> {
            text(out, itoa::Buffer::new().format(value).as_bytes(), cx)
        }
    )*};
}

integers! {
    int32: i32;
    uint32: u32;
    int64: i64;
    uint64: u64;
}

/// The value of a `sint32` (Protocol Buffers, "Signed Integers").
#[inline(always)]
pub(crate) fn sint32(value: u64) -> i32 {
    let value = value as u32;
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Writes a double; as a string, if JSON has no number for it.
#[inline(always)]
pub(crate) fn double<'o>(out: Out<'o>, value: f64, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    let integer = value as i64;
    if value.abs() < EXACT && integer as f64 == value && (integer != 0 || value.to_bits() == 0) {
        let out = int64(out, integer, cx)?;
        return put(out, b".0", cx);
    }
    other_double(out, value, cx)
}

#[inline(never)]
fn other_double<'o>(out: Out<'o>, value: f64, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    if value.is_finite() {
        text(out, zmij::Buffer::new().format_finite(value).as_bytes(), cx)
    } else if value.is_nan() {
        put(out, b"\"NaN\"", cx)
    } else if value > 0.0 {
        put(out, b"\"Infinity\"", cx)
    } else {
        put(out, b"\"-Infinity\"", cx)
    }
}
