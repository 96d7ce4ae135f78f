//! Strings and bytes as JSON text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::out::{Cx, Out, put};
use crate::walk::{In, Stop};

/// Writes `true` or `false`.
#[inline(always)]
pub(crate) fn boolean<'o>(out: Out<'o>, value: bool, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    if value {
        put(out, b"true", cx)
    } else {
        put(out, b"false", cx)
    }
}

/// Writes the contents of a JSON string, without the quotes. Not UTF-8: the walk stops.
#[inline(always)]
pub(crate) fn string<'o>(out: Out<'o>, text: In<'_>, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    if is_plain(text) {
        copy(out, text, cx)
    } else {
        escaped(out, text, cx)
    }
}

#[inline(always)]
fn copy<'o>(out: Out<'o>, text: In<'_>, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match out.split_at_mut_checked(text.len()) {
        Some((head, rest)) => {
            head.copy_from_slice(text);
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// Whether a text is ASCII that JSON needs no escape for. Eight bytes at a time.
#[inline(always)]
fn is_plain(text: In<'_>) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let mut odd = words
        .iter()
        .fold(0, |odd, word| odd | oddities(u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        // The last bytes, and spaces in the place of those that are missing.
        let mut word = [b' '; 8];
        word[..rest.len()].copy_from_slice(rest);
        odd |= oddities(u64::from_le_bytes(word));
    }
    odd == 0
}

/// Sets the high bit of some byte if one of the eight is a control character, a quote, a
/// backslash or not ASCII.
#[inline(always)]
fn oddities(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // A byte that is 0 borrows, and so gets its high bit set; others may, but only above one.
    let control = word.wrapping_sub(ONES * 0x20);
    let zero = |word: u64| word.wrapping_sub(ONES);
    (control | zero(quote) | zero(backslash) | word) & HIGH
}

/// The slower way, for what has to be escaped or may not be UTF-8.
#[inline(never)]
fn escaped<'o>(mut out: Out<'o>, text: In<'_>, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    if std::str::from_utf8(text).is_err() {
        return Err(Stop);
    }
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        out = copy(out, &rest[..at], cx)?;
        out = escape(out, rest[at], cx)?;
        rest = &rest[at + 1..];
    }
    copy(out, rest, cx)
}

/// One character that must not stand in a JSON string (RFC 8259, section 7).
fn escape<'o>(out: Out<'o>, byte: u8, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match byte {
        b'"' => put(out, b"\\\"", cx),
        b'\\' => put(out, b"\\\\", cx),
        0x08 => put(out, b"\\b", cx),
        0x0c => put(out, b"\\f", cx),
        b'\n' => put(out, b"\\n", cx),
        b'\r' => put(out, b"\\r", cx),
        b'\t' => put(out, b"\\t", cx),
        other => {
            let [high, low] = digits(other);
            put(out, &[b'\\', b'u', b'0', b'0', high, low], cx)
        }
    }
}

/// Writes bytes as hex digits.
#[inline(always)]
pub(crate) fn hex<'o>(out: Out<'o>, bytes: In<'_>, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match out.split_at_mut_checked(bytes.len().saturating_mul(2)) {
        Some((head, rest)) => {
            for (pair, byte) in head.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                *pair = digits(*byte);
            }
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

#[inline(always)]
fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

/// Writes bytes as base64, standard alphabet, padded.
#[inline(never)]
pub(crate) fn base64<'o>(out: Out<'o>, bytes: In<'_>, cx: &mut Cx) -> Result<Out<'o>, Stop> {
    match STANDARD.encode_slice(bytes, &mut *out) {
        Ok(len) => Ok(&mut out[len..]),
        Err(_) => Err(cx.no_room()),
    }
}
