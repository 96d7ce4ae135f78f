//! Strings and bytes as JSON text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::int32;
use super::out::{Cx, Out, copy, put};
use crate::walk::{In, Stop};

/// Writes `true` or `false`.
#[inline(always)]
pub(crate) fn boolean<'o>(out: Out<'o>, value: bool, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if value {
        put(out, b"true", cx)
    } else {
        put(out, b"false", cx)
    }
}

/// Writes the contents of a JSON string, without the quotes. Not UTF-8: the walk stops.
///
/// ASCII that needs no escape is judged and copied in the same loop, eight bytes at a time.
#[inline(always)]
pub(crate) fn string<'o>(out: Out<'o>, text: In<'_>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let Some((head, _)) = out.split_at_mut_checked(text.len()) else {
        return Err(cx.no_room());
    };
    let mut odd = 0;
    if let Some(from_last) = text.last_chunk::<8>() {
        for (to, from) in head
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(text.as_chunks::<8>().0)
        {
            odd |= oddities(u64::from_le_bytes(*from));
            *to = *from;
        }
        // What is left, and some bytes before it once more.
        odd |= oddities(u64::from_le_bytes(*from_last));
        if let Some(to_last) = head.last_chunk_mut::<8>() {
            *to_last = *from_last;
        }
    } else {
        let mut word = [b' '; 8];
        for ((to, from), byte) in head.iter_mut().zip(text).zip(&mut word) {
            *to = *from;
            *byte = *from;
        }
        odd = oddities(u64::from_le_bytes(word));
    }
    if odd == 0 {
        Ok(&mut out[text.len()..])
    } else {
        escaped(out, text, cx)
    }
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
fn escaped<'o>(mut out: Out<'o>, text: In<'_>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
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
fn escape<'o>(out: Out<'o>, byte: u8, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
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
pub(crate) fn hex<'o>(out: Out<'o>, bytes: In<'_>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    match out.split_at_mut_checked(bytes.len().saturating_mul(2)) {
        Some((head, rest)) => {
            for (pair, byte) in head.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                *pair = HEX[usize::from(*byte)];
            }
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// Writes a trace or span id: hex in OTLP JSON, base64 in protobuf's own mapping.
#[inline(always)]
pub(crate) fn id<'o, const PROTOJSON: bool>(
    out: Out<'o>,
    bytes: In<'_>,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    match PROTOJSON {
        true => base64(out, bytes, cx),
        false => hex(out, bytes, cx),
    }
}

/// Writes the id of a profile: as other ids, but base64 if it is not 16 bytes long.
pub(crate) fn profile_id<'o, const PROTOJSON: bool>(
    out: Out<'o>,
    bytes: In<'_>,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    const BYTES: usize = 16;
    match bytes.len() {
        BYTES => id::<PROTOJSON>(out, bytes, cx),
        _ => base64(out, bytes, cx),
    }
}

/// Writes the number of an enum; in protobuf's own mapping its name, if it has one. `names` come
/// with their quotes.
#[inline(always)]
pub(crate) fn enumeration<'o, const PROTOJSON: bool>(
    out: Out<'o>,
    number: i32,
    names: &[&[u8]],
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    if PROTOJSON
        && let Ok(at) = usize::try_from(number)
        && let Some(name) = names.get(at)
    {
        return copy(out, name, cx);
    }
    int32(out, number, cx)
}

/// Every byte as two digits.
static HEX: [[u8; 2]; 256] = {
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < hex.len() {
        hex[byte] = digits(byte as u8);
        byte += 1;
    }
    hex
};

const fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// Writes bytes as base64, standard alphabet, padded.
#[inline(never)]
pub(crate) fn base64<'o>(out: Out<'o>, bytes: In<'_>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    match STANDARD.encode_slice(bytes, &mut *out) {
        Ok(len) => Ok(&mut out[len..]),
        Err(_) => Err(cx.no_room()),
    }
}
