//! Numbers, as JSON numbers or in quotes, every digit exact.
//!
//! The usual ones are read here; the rest (exponents, many digits) by [`crate::json::number`].

use super::tokens::{plain_string, unescape};
use crate::json::number;
use crate::walk::{In, Stop};

/// A value, and what is left to read behind it.
type Read<'a, T> = Result<(T, In<'a>), Stop>;

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// As many digits as a `u64` holds, whichever they are.
const SAFE_DIGITS: usize = 19;

const POWERS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Reads the digits that come next onto the end of `value`. Gives how many there are; if they are
/// more than [`SAFE_DIGITS`] in all, the value means nothing.
#[inline(always)]
fn digits(json: In<'_>, value: u64) -> (u64, usize) {
    // Most numbers end within eight bytes.
    if let Some((word, _)) = json.split_first_chunk::<8>()
        && let Err((last, count)) = word_of_digits(word)
    {
        return (value.wrapping_mul(POWERS[count]).wrapping_add(last), count);
    }
    many_digits(json, value)
}

#[inline(always)]
fn many_digits(json: In<'_>, mut value: u64) -> (u64, usize) {
    let mut rest = json;
    while let Some((word, next)) = rest.split_first_chunk::<8>() {
        match word_of_digits(word) {
            Ok(word) => value = value.wrapping_mul(POWERS[8]).wrapping_add(word),
            Err((last, count)) => {
                value = value.wrapping_mul(POWERS[count]).wrapping_add(last);
                return (value, json.len() - rest.len() + count);
            }
        }
        rest = next;
    }
    for byte in rest {
        match byte.wrapping_sub(b'0') {
            digit @ 0..10 => value = value.wrapping_mul(10).wrapping_add(u64::from(digit)),
            _ => break,
        }
        rest = &rest[1..];
    }
    (value, json.len() - rest.len())
}

/// The value of eight bytes that are all digits, or else that of those that come first, and how
/// many these are.
#[inline(always)]
fn word_of_digits(bytes: &[u8; 8]) -> Result<u64, (u64, usize)> {
    // Digits are their values now, and everything else is more than 9.
    let word = u64::from_le_bytes(*bytes) ^ (ONES * b'0' as u64);
    let others = (word.wrapping_add(ONES * 0x76) | word) & HIGH;
    if others == 0 {
        return Ok(eight(word));
    }
    // Exact for the first: no carry comes from a digit.
    let count = others.trailing_zeros() as usize / 8;
    Err((eight(word << 8 << (56 - 8 * count)), count))
}

/// The value of eight digits, the first of them in the lowest byte.
#[inline(always)]
fn eight(word: u64) -> u64 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    const FOURTH: u64 = 0x0000_ffff_0000_ffff;
    let word = (word & EVEN) * 10 + (word >> 8 & EVEN);
    let word = (word & FOURTH) * 100 + (word >> 16 & FOURTH);
    (word & 0xffff_ffff) * 10_000 + (word >> 32)
}

/// Whether a number that began behind a quote, or without, is at its end; what follows.
#[inline(always)]
fn end(json: In<'_>, quoted: bool) -> Option<In<'_>> {
    match (json, quoted) {
        ([b'"', rest @ ..], true) => Some(rest),
        ([b'.' | b'e' | b'E' | b'0'..=b'9', ..], false) => None,
        // Something else behind a number is no separator, and found out by those who look for one.
        (_, false) => Some(json),
        _ => None,
    }
}

/// Opens the quote of a number, if it has one.
#[inline(always)]
fn unquote(json: In<'_>) -> (bool, In<'_>) {
    match json {
        [b'"', rest @ ..] => (true, rest),
        _ => (false, json),
    }
}

/// Whether digits are those of an integer that fits, without a zero in front.
#[inline(always)]
fn is_plain(json: In<'_>, count: usize) -> bool {
    matches!(count, 1..=SAFE_DIGITS) && (count == 1 || !matches!(json, [b'0', ..]))
}

/// Reads the value of a number from its text, quoted or not.
fn from_text<T>(json: In<'_>, read: impl FnOnce(&str) -> Option<T>) -> Read<'_, T> {
    if let [b'"', json @ ..] = json {
        return from_string(json, read);
    }
    let len = json
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let (text, rest) = json.split_at(len.unwrap_or(json.len()));
    Ok((str(text).and_then(read).ok_or(Stop)?, rest))
}

/// Reads a value from what a string says, behind its first quote.
pub(super) fn from_string<T>(json: In<'_>, read: impl FnOnce(&str) -> Option<T>) -> Read<'_, T> {
    if let Some((text, rest)) = plain_string(json) {
        return Ok((str(text).and_then(read).ok_or(Stop)?, rest));
    }
    // Nobody writes numbers with escapes.
    let mut text = Vec::new();
    let rest = unescape(json, &mut text)?;
    Ok((str(&text).and_then(read).ok_or(Stop)?, rest))
}

fn str(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

#[cold]
#[inline(never)]
fn any_integer(json: In<'_>) -> Read<'_, i128> {
    from_text(json, number::integer)
}

#[inline(always)]
pub(super) fn uint64(json: In<'_>) -> Read<'_, u64> {
    let (quoted, text) = unquote(json);
    let (value, count) = digits(text, 0);
    if is_plain(text, count)
        && let Some(rest) = text.get(count..).and_then(|rest| end(rest, quoted))
    {
        return Ok((value, rest));
    }
    let (value, rest) = any_integer(json)?;
    Ok((u64::try_from(value).map_err(|_| Stop)?, rest))
}

#[inline(always)]
pub(super) fn int64(json: In<'_>) -> Read<'_, i64> {
    let (quoted, text) = unquote(json);
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (value, count) = digits(text, 0);
    if is_plain(text, count)
        && let Ok(value) = i64::try_from(value)
        && let Some(rest) = text.get(count..).and_then(|rest| end(rest, quoted))
    {
        return Ok((if negative { -value } else { value }, rest));
    }
    let (value, rest) = any_integer(json)?;
    Ok((i64::try_from(value).map_err(|_| Stop)?, rest))
}

#[inline(always)]
pub(super) fn uint32(json: In<'_>) -> Read<'_, u32> {
    let (value, rest) = uint64(json)?;
    Ok((u32::try_from(value).map_err(|_| Stop)?, rest))
}

#[inline(always)]
pub(super) fn int32(json: In<'_>) -> Read<'_, i32> {
    let (value, rest) = int64(json)?;
    Ok((i32::try_from(value).map_err(|_| Stop)?, rest))
}

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Whether one division rounds only once: not where an FPU computes with more digits.
const ROUNDS_ONCE: bool = cfg!(not(all(target_arch = "x86", not(target_feature = "sse2"))));

#[inline(always)]
pub(super) fn double(json: In<'_>) -> Read<'_, f64> {
    let (quoted, signed) = unquote(json);
    let (negative, text) = match signed {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, signed),
    };
    let (value, whole) = digits(text, 0);
    if whole == 0 || whole > 1 && text[0] == b'0' {
        return other_double(json);
    }
    let (value, len, places) = match text.get(whole..) {
        Some([b'.', fraction @ ..]) => {
            let (value, places) = digits(fraction, value);
            if places == 0 {
                return other_double(json);
            }
            (value, whole + 1 + places, places)
        }
        _ => (value, whole, 0),
    };
    let Some(rest) = text.get(len..).and_then(|rest| end(rest, quoted)) else {
        return other_double(json);
    };
    // Both are exact, so that one division rounds as it must (Clinger's fast path).
    if ROUNDS_ONCE && whole + places <= SAFE_DIGITS && value <= 1 << f64::MANTISSA_DIGITS {
        let value = value as f64 / EXACT_POWERS[places];
        return Ok((if negative { -value } else { value }, rest));
    }
    let text = signed.get(..len + usize::from(negative)).ok_or(Stop)?;
    Ok((parse(text)?, rest))
}

/// The text of a JSON number without an exponent.
#[inline(never)]
fn parse(text: &[u8]) -> Result<f64, Stop> {
    let text = std::str::from_utf8(text).map_err(|_| Stop)?;
    let value = text.parse::<f64>().map_err(|_| Stop)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Stop)
    }
}

#[cold]
#[inline(never)]
fn other_double(json: In<'_>) -> Read<'_, f64> {
    let [b'"', text @ ..] = json else {
        return from_text(json, number::double);
    };
    from_string(text, |text| match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => number::double(text),
    })
}
