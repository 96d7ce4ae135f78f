//! Fields that JSON has as strings: text, ids, other bytes.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::tokens::{Rest, absent, escaped, plain, plain_string, specials, unescape};
use super::writer::{Cx, Open};
use crate::proto::from_json::SLOTS;
use crate::walk::{In, Stop};

/// The slot of text with escapes.
pub(super) const TEXT_SLOT: usize = SLOTS;
/// The slot of bytes in base64.
const BYTES_SLOT: usize = SLOTS + 1;
/// How many slots there are.
pub(super) const ALL_SLOTS: usize = SLOTS + 2;

/// Text that is longer is copied in one go, since its length takes more than a byte.
const SHORT_WORDS: usize = 15;

/// A string. Left out if it is empty, unless `always`.
#[inline(always)]
pub(crate) fn string<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    let [b'"', json @ ..] = json else {
        return absent(json);
    };
    if let Some((head, to)) = cx.room().split_first_chunk_mut::<N>()
        && let Some((len_byte, to)) = to.split_first_mut()
        && let Some((len, rest)) = copy_short(json, to)
    {
        if len > 0 || always {
            *head = tag;
            *len_byte = len as u8;
            cx.advance(N + 1 + len);
        }
        return Ok(rest);
    }
    any_string(json, cx, tag, always)
}

/// Copies text up to its quote, eight bytes at a time, while looking for that. Gives its length,
/// of less than 128, and what follows the quote. Nothing for text that is longer, or holds
/// escapes, or stands at the very end of the input or the room.
#[inline(always)]
pub(super) fn copy_short<'a>(json: In<'a>, to: &mut [u8]) -> Option<(usize, In<'a>)> {
    let (mut from, mut to) = (json, to);
    for at in 0..SHORT_WORDS {
        let (word, from_rest) = from.split_first_chunk::<8>()?;
        let (to_word, to_rest) = to.split_first_chunk_mut::<8>()?;
        *to_word = *word;
        let specials = specials(u64::from_le_bytes(*word));
        if specials != 0 {
            let more = specials.trailing_zeros() as usize / 8;
            return match from.get(more..) {
                Some([b'"', rest @ ..]) => Some((8 * at + more, rest)),
                _ => None,
            };
        }
        from = from_rest;
        to = to_rest;
    }
    None
}

#[inline(never)]
fn any_string<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    let (text, rest) = json.split_at_checked(plain(json)).ok_or(Stop)?;
    match rest {
        [b'"', rest @ ..] => {
            if always || !text.is_empty() {
                cx.put(tag)?;
                cx.put_varint(text.len() as u64)?;
                cx.put_slice(text)?;
            }
            Ok(rest)
        }
        [b'\\', ..] => escaped_string(json, cx, &tag),
        _ => Err(Stop),
    }
}

/// A string with escapes, which is therefore not empty.
fn escaped_string<'a>(json: In<'a>, cx: &mut Cx<'_>, tag: &[u8]) -> Rest<'a> {
    let open = cx.open(tag, TEXT_SLOT)?;
    let mut json = json;
    loop {
        let (text, special) = json.split_at_checked(plain(json)).ok_or(Stop)?;
        cx.put_slice(text)?;
        match special {
            [b'"', rest @ ..] => {
                cx.close(open)?;
                return Ok(rest);
            }
            [b'\\', escape @ ..] => {
                let (c, rest) = escaped(escape)?;
                cx.put_slice(c.encode_utf8(&mut [0; 4]).as_bytes())?;
                json = rest;
            }
            _ => return Err(Stop),
        }
    }
}

/// The value of each hex digit, of either case; of every other byte, [`NO_DIGIT`].
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        digits[digit as usize] = value as u8;
        digits[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0xff;

/// An id in hex, of any length. Left out if it is empty, unless `always`.
#[inline(always)]
pub(crate) fn hex<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    bytes(json, cx, |text, cx| hex_digits(text, cx, tag, always))
}

#[inline(never)]
fn hex_digits<const N: usize>(
    text: &[u8],
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Result<(), Stop> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Stop);
    }
    if pairs.is_empty() && !always {
        return Ok(());
    }
    cx.put(tag)?;
    cx.put_varint(pairs.len() as u64)?;
    let Some(to) = cx.room().get_mut(..pairs.len()) else {
        return Err(cx.no_room());
    };
    let mut all = 0;
    for (byte, [high, low]) in to.iter_mut().zip(pairs) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    if all > 0xf {
        return Err(Stop);
    }
    cx.advance(pairs.len());
    Ok(())
}

const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, INDIFFERENT);
const URL_SAFE_BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, INDIFFERENT);

/// Bytes in base64, of either alphabet, padded or not. Left out if empty, unless `always`.
#[inline(never)]
pub(crate) fn base64<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    bytes(json, cx, |text, cx| {
        let open = cx.open(&tag, BYTES_SLOT)?;
        base64_digits(text, cx)?;
        close(open, cx, always)
    })
}

/// A profile id: 32 hex digits, else base64. Left out if empty, unless `always`.
#[inline(never)]
pub(crate) fn profile_id<'a, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    tag: [u8; N],
    always: bool,
) -> Rest<'a> {
    const HEX_DIGITS: usize = 32;
    bytes(json, cx, |text, cx| {
        if text.len() == HEX_DIGITS && text.iter().all(u8::is_ascii_hexdigit) {
            return hex_digits(text, cx, tag, always);
        }
        let open = cx.open(&tag, BYTES_SLOT)?;
        base64_digits(text, cx)?;
        close(open, cx, always)
    })
}

fn close(open: Open, cx: &mut Cx<'_>, always: bool) -> Result<(), Stop> {
    if always {
        cx.close(open)
    } else {
        cx.close_unless_empty(open)
    }
}

/// Gives the text of a string to `read`.
#[inline(always)]
fn bytes<'a>(
    json: In<'a>,
    cx: &mut Cx<'_>,
    read: impl Fn(&[u8], &mut Cx<'_>) -> Result<(), Stop>,
) -> Rest<'a> {
    let [b'"', json @ ..] = json else {
        return absent(json);
    };
    if let Some((text, rest)) = plain_string(json) {
        read(text, cx)?;
        return Ok(rest);
    }
    let rest = unescape(json, cx.unescaped)?;
    let text = std::mem::take(cx.unescaped);
    read(&text, cx)?;
    *cx.unescaped = text;
    Ok(rest)
}

/// As pbjson reads base64: the URL-safe alphabet is tried where the standard one stumbles over
/// one of its digits.
fn base64_digits(text: &[u8], cx: &mut Cx<'_>) -> Result<(), Stop> {
    let room = cx.room();
    // What is asked for is up to two bytes more than what there will be.
    if room.len() < base64::decoded_len_estimate(text.len()) {
        return Err(cx.no_room());
    }
    let len = match STANDARD_BASE64.decode_slice(text, room) {
        Err(base64::DecodeSliceError::DecodeError(base64::DecodeError::InvalidByte(
            _,
            b'-' | b'_',
        ))) => URL_SAFE_BASE64.decode_slice(text, room),
        result => result,
    };
    cx.advance(len.map_err(|_| Stop)?);
    Ok(())
}
