//! The reading half: the tokens of JSON, from text that is known to be UTF-8.
//!
//! Everything here keeps to RFC 8259 as `serde_json` does, and ends in [`Stop`] where that has an
//! error, which is not worded here.

use super::writer::Cx;
use crate::walk::{In, Stop};

/// What is left to read behind something.
pub(crate) type Rest<'a> = Result<In<'a>, Stop>;

/// The field of a key that names none.
pub(crate) const UNKNOWN: u32 = u32::MAX;

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Passes over white space.
#[inline(always)]
pub(crate) fn ws(json: In<'_>) -> In<'_> {
    match json {
        [byte, ..] if *byte > b' ' => json,
        _ => some_ws(json),
    }
}

#[inline(never)]
fn some_ws(json: In<'_>) -> In<'_> {
    let len = json
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    &json[len.unwrap_or(json.len())..]
}

/// Where a field has no value: `null`.
#[cold]
#[inline(never)]
pub(crate) fn absent(json: In<'_>) -> Rest<'_> {
    json.strip_prefix(b"null").ok_or(Stop)
}

/// Whether `null` comes next, unless it is an error.
#[inline(always)]
pub(crate) fn is_null(json: In<'_>) -> bool {
    matches!(json, [b'n', ..])
}

/// Sets the high bit of the first byte, and maybe of later ones, that ends a run of plain text:
/// a quote, a backslash, a control character.
#[inline(always)]
pub(super) fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // A byte that is 0 borrows, and so gets its high bit set; others may, but only behind one.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | zero(quote) | zero(backslash)) & HIGH
}

/// How many bytes of plain text come next.
#[inline(always)]
pub(super) fn plain(text: In<'_>) -> usize {
    let mut rest = text;
    while let Some((word, next)) = rest.split_first_chunk::<8>() {
        let specials = specials(u64::from_le_bytes(*word));
        if specials != 0 {
            return text.len() - rest.len() + specials.trailing_zeros() as usize / 8;
        }
        rest = next;
    }
    let tail = rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    text.len() - rest.len() + tail.unwrap_or(rest.len())
}

/// Splits a string without escapes, behind its first quote, off what follows.
#[inline(always)]
pub(super) fn plain_string(json: In<'_>) -> Option<(In<'_>, In<'_>)> {
    let (text, rest) = json.split_at_checked(plain(json))?;
    match rest {
        [b'"', rest @ ..] => Some((text, rest)),
        _ => None,
    }
}

/// Reads a key and the colon. Gives what `field` makes of the key, and what follows.
#[inline(always)]
pub(crate) fn key<'a>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    field: impl Fn(&[u8]) -> u32,
) -> Result<(u32, In<'a>), Stop> {
    let [b'"', json @ ..] = json else {
        return Err(Stop);
    };
    let (field, rest) = match plain_string(json) {
        Some((key, rest)) => (field(key), rest),
        None => {
            let rest = unescape(json, cx.unescaped)?;
            (field(cx.unescaped), rest)
        }
    };
    Ok((field, colon(rest)?))
}

/// Passes over a key, its colon and white space, if that comes next. Gives the key's field, too.
#[inline(always)]
pub(crate) fn literal<'a, const N: usize>(
    json: In<'a>,
    key: &[u8; N],
    field: u32,
) -> Option<(u32, In<'a>)> {
    match json.split_first_chunk::<N>() {
        Some((next, rest)) if next == key => Some((field, ws(rest))),
        _ => None,
    }
}

#[inline(always)]
fn colon(json: In<'_>) -> Rest<'_> {
    match ws(json) {
        [b':', rest @ ..] => Ok(ws(rest)),
        _ => Err(Stop),
    }
}

/// Behind a `{`: what follows, if the object is empty.
#[inline(always)]
pub(crate) fn empty(json: In<'_>) -> Option<In<'_>> {
    match json {
        [b'}', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Behind a member of an object.
pub(crate) enum After<'a> {
    /// Another key comes.
    Key(In<'a>),
    /// The object is at its end.
    End(In<'a>),
}

/// What comes behind a member.
#[inline(always)]
pub(crate) fn after(json: In<'_>) -> Result<After<'_>, Stop> {
    match ws(json) {
        [b',', rest @ ..] => Ok(After::Key(ws(rest))),
        [b'}', rest @ ..] => Ok(After::End(rest)),
        _ => Err(Stop),
    }
}

/// Reads a list, element by element. `null` is no list, and no element.
#[inline(always)]
pub(super) fn list<'a, 'o>(
    json: In<'a>,
    cx: &mut Cx<'o>,
    mut element: impl FnMut(In<'a>, &mut Cx<'o>) -> Rest<'a>,
) -> Rest<'a> {
    let [b'[', json @ ..] = json else {
        return absent(json);
    };
    let mut json = ws(json);
    if let [b']', rest @ ..] = json {
        return Ok(rest);
    }
    loop {
        if is_null(json) {
            return Err(Stop);
        }
        json = match ws(element(json, cx)?) {
            [b',', rest @ ..] => ws(rest),
            [b']', rest @ ..] => return Ok(rest),
            _ => return Err(Stop),
        }
    }
}

/// Puts a string, behind its first quote, into `out`, without escapes.
#[inline(never)]
pub(super) fn unescape<'a>(json: In<'a>, out: &mut Vec<u8>) -> Rest<'a> {
    out.clear();
    let mut rest = json;
    loop {
        let (text, special) = rest.split_at_checked(plain(rest)).ok_or(Stop)?;
        out.extend_from_slice(text);
        match special {
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', escape @ ..] => {
                let (c, next) = escaped(escape)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = next;
            }
            _ => return Err(Stop),
        }
    }
}

/// Reads what stands behind a backslash. A lone surrogate is no character.
pub(super) fn escaped(json: In<'_>) -> Result<(char, In<'_>), Stop> {
    let (kind, rest) = json.split_first().ok_or(Stop)?;
    let c = match kind {
        b'"' | b'\\' | b'/' => char::from(*kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(rest),
        _ => return Err(Stop),
    };
    Ok((c, rest))
}

fn code_point(json: In<'_>) -> Result<(char, In<'_>), Stop> {
    let (high, rest) = code_unit(json)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Ok((char::from_u32(high).ok_or(Stop)?, rest));
    }
    let [b'\\', b'u', rest @ ..] = rest else {
        return Err(Stop);
    };
    let (low, rest) = code_unit(rest)?;
    if !(0xdc00..0xe000).contains(&low) {
        return Err(Stop);
    }
    let c = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
    Ok((char::from_u32(c).ok_or(Stop)?, rest))
}

/// Four hex digits.
fn code_unit(json: In<'_>) -> Result<(u32, In<'_>), Stop> {
    let (digits, rest) = json.split_first_chunk::<4>().ok_or(Stop)?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | char::from(*digit).to_digit(16).ok_or(Stop)?;
    }
    Ok((unit, rest))
}

/// Passes over a value that no field is known for: objects and lists may lie in it, one in
/// another, up to `depth` of them.
#[inline(never)]
pub(crate) fn unknown(mut json: In<'_>, depth: u32) -> Rest<'_> {
    // A bit for each level, the innermost last: whether it is an object. `depth` is at most 100.
    let mut objects = 0_u128;
    let mut level = 0;
    loop {
        json = match json {
            [b'"', rest @ ..] => skip_string(rest)?,
            [open @ (b'{' | b'['), rest @ ..] => {
                if level == depth {
                    return Err(Stop);
                }
                let is_object = *open == b'{';
                let rest = ws(rest);
                match rest {
                    [b'}', rest @ ..] if is_object => rest,
                    [b']', rest @ ..] if !is_object => rest,
                    _ => {
                        level += 1;
                        objects = objects << 1 | u128::from(is_object);
                        json = if is_object { skip_key(rest)? } else { rest };
                        continue;
                    }
                }
            }
            [b't', rest @ ..] => rest.strip_prefix(b"rue").ok_or(Stop)?,
            [b'f', rest @ ..] => rest.strip_prefix(b"alse").ok_or(Stop)?,
            [b'n', rest @ ..] => rest.strip_prefix(b"ull").ok_or(Stop)?,
            _ => skip_number(json)?,
        };
        // Behind a value: out of what it was the last of.
        loop {
            if level == 0 {
                return Ok(json);
            }
            let is_object = objects & 1 == 1;
            match ws(json) {
                [b',', rest @ ..] => {
                    let rest = ws(rest);
                    json = if is_object { skip_key(rest)? } else { rest };
                    break;
                }
                [close @ (b'}' | b']'), rest @ ..] if (*close == b'}') == is_object => {
                    level -= 1;
                    objects >>= 1;
                    json = rest;
                }
                _ => return Err(Stop),
            }
        }
    }
}

fn skip_key(json: In<'_>) -> Rest<'_> {
    let [b'"', rest @ ..] = json else {
        return Err(Stop);
    };
    colon(skip_string(rest)?)
}

/// Passes over a string, behind its first quote. Escapes are looked at, surrogates aren't paired.
fn skip_string(mut json: In<'_>) -> Rest<'_> {
    loop {
        match json.get(plain(json)..).ok_or(Stop)? {
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'u', rest @ ..] => json = code_unit(rest)?.1,
            [b'\\', rest @ ..] => json = escaped(rest)?.1,
            _ => return Err(Stop),
        }
    }
}

fn skip_number(json: In<'_>) -> Rest<'_> {
    let json = json.strip_prefix(b"-").unwrap_or(json);
    let json = match json {
        [b'0', b'0'..=b'9', ..] => return Err(Stop),
        _ => skip_digits(json)?,
    };
    let json = match json {
        [b'.', rest @ ..] => skip_digits(rest)?,
        _ => json,
    };
    match json {
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => skip_digits(rest),
        _ => Ok(json),
    }
}

/// Passes over a digit or more.
fn skip_digits(json: In<'_>) -> Rest<'_> {
    let len = json.iter().position(|byte| !byte.is_ascii_digit());
    match len.unwrap_or(json.len()) {
        0 => Err(Stop),
        len => Ok(&json[len..]),
    }
}
