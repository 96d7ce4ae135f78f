//! Texts that come again: times, attributes and bounds repeat from point to point.
//!
//! What is remembered is held against the very bytes that come, so a memo can only save work.

mod time;

pub(super) use time::rfc3339;
pub(crate) use time::time;

use time::Times;

use super::out::{Cx, Out, copy, put};
use super::{double, string};
use crate::walk::{In, Stop, deeper, fixed64};

/// How many attributes are remembered.
const SLOTS: usize = 128;
/// The longest attribute that is, in bytes of protobuf and of text.
const MAX_RAW: usize = 96;
const MAX_TEXT: usize = 192;
/// Attributes up to this length are compared in chunks of 16 bytes, which costs least.
const CHUNKED_RAW: usize = 48;
/// Texts up to this length are copied whole, with what lies behind them.
const CHUNKED_TEXT: usize = 96;
/// The longest list of bounds that is remembered, in bytes of protobuf.
const MAX_BOUNDS: usize = 1024;

/// What a walk remembers, and the next one of the same transcoder too.
#[derive(Debug)]
pub(crate) struct Memo {
    times: Times,
    attributes: Box<[Attribute]>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
struct Attribute {
    /// The hash of the last attribute that had this slot and was not found in it. Only one that
    /// comes again is remembered: those that come once would push out the others.
    candidate: u64,
    raw_len: usize,
    text_len: usize,
    /// A short one is followed by zeros, up to [`CHUNKED_RAW`].
    raw: [u8; MAX_RAW],
    text: [u8; MAX_TEXT],
}

#[derive(Debug, Default)]
struct Bounds {
    raw: Vec<u8>,
    text: Vec<u8>,
}

impl Default for Memo {
    fn default() -> Self {
        let empty = Attribute {
            candidate: 0,
            // No attribute has this length.
            raw_len: usize::MAX,
            text_len: 0,
            raw: [0; MAX_RAW],
            text: [0; MAX_TEXT],
        };
        Self {
            times: Times::default(),
            attributes: vec![empty; SLOTS].into_boxed_slice(),
            bounds: Bounds::default(),
        }
    }
}

/// Writes the numbers of a packed list of doubles, with commas between them.
pub(crate) fn bounds<'o>(list: In<'_>, out: Out<'o>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if cx.memo.bounds.raw == list {
        let text = std::mem::take(&mut cx.memo.bounds.text);
        let result = copy(out, &text, cx);
        cx.memo.bounds.text = text;
        return result;
    }
    let room = out.len();
    let rest = doubles(list, &mut *out, cx)?.len();
    let (text, rest) = out.split_at_mut(room - rest);
    if list.len() <= MAX_BOUNDS {
        let memo = &mut cx.memo.bounds;
        memo.raw.clear();
        memo.raw.extend_from_slice(list);
        memo.text.clear();
        memo.text.extend_from_slice(text);
    }
    Ok(rest)
}

fn doubles<'o>(mut list: In<'_>, mut out: Out<'o>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    loop {
        let (value, rest) = fixed64(list)?;
        list = rest;
        out = double(out, f64::from_bits(value), cx)?;
        if list.is_empty() {
            return Ok(out);
        }
        out = put(out, b",", cx)?;
    }
}

/// Writes a `KeyValue`; `other` writes those that are not a key and a string.
#[inline(always)]
pub(crate) fn attribute<'o>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<Out<'o>, Stop> {
    either::<false>(wire, out, cx, depth, other)
}

/// Writes a `KeyValue` as a member of an object, likewise. Needs a memo of its own.
#[inline(always)]
pub(super) fn member<'o>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<Out<'o>, Stop> {
    either::<true>(wire, out, cx, depth, other)
}

#[inline(always)]
fn either<'o, const MEMBER: bool>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<Out<'o>, Stop> {
    let Some(fingerprint) = Fingerprint::of(wire, cx.request) else {
        return long_attribute::<MEMBER>(wire, out, cx, depth, other);
    };
    let hash = fingerprint.hash();
    let slot = slot_of(hash);
    let memo = &cx.memo.attributes[slot];
    if memo.raw_len == wire.len() && fingerprint.is(&memo.raw) {
        // It holds one flat value: one message, one level further down.
        deeper(depth)?;
        if let (Some(text), Some(head)) = (
            memo.text.first_chunk::<CHUNKED_TEXT>(),
            out.first_chunk_mut::<CHUNKED_TEXT>(),
        ) && memo.text_len <= CHUNKED_TEXT
        {
            // What lies behind the text will be overwritten.
            *head = *text;
            let len = memo.text_len;
            cx.count()?;
            return Ok(&mut out[len..]);
        }
        return remembered(out, slot, cx);
    }
    new_attribute::<MEMBER>(wire, out, cx, depth, hash, other)
}

/// What writes any `KeyValue`.
type Other = for<'a> fn(In<'_>, Out<'a>, &mut Cx<'_>, u32) -> Result<Out<'a>, Stop>;

/// Writes what a slot remembers.
#[inline(never)]
fn remembered<'o>(out: Out<'o>, slot: usize, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    cx.count()?;
    let memo = &cx.memo.attributes[slot];
    match out.split_at_mut_checked(memo.text_len) {
        Some((head, rest)) => {
            head.copy_from_slice(&memo.text[..memo.text_len]);
            Ok(rest)
        }
        None => Err(cx.no_room()),
    }
}

/// Writes an attribute that is too long for a fingerprint, or at the very end of the request.
#[inline(never)]
fn long_attribute<'o, const MEMBER: bool>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<Out<'o>, Stop> {
    if wire.len() > MAX_RAW || wire.len() <= CHUNKED_RAW {
        return any_attribute::<MEMBER>(wire, out, cx, depth, other);
    }
    let last = wire
        .last_chunk()
        .map_or(0, |last| u64::from_le_bytes(*last));
    let hash = mixed(last);
    let slot = slot_of(hash);
    let memo = &cx.memo.attributes[slot];
    if memo.raw.get(..memo.raw_len) == Some(wire) {
        deeper(depth)?;
        return remembered(out, slot, cx);
    }
    new_attribute::<MEMBER>(wire, out, cx, depth, hash, other)
}

/// Writes an attribute, and remembers it if it comes again and its value is flat.
#[inline(never)]
fn new_attribute<'o, const MEMBER: bool>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    hash: u64,
    other: Other,
) -> Result<Out<'o>, Stop> {
    let memo = &mut cx.memo.attributes[slot_of(hash)];
    if memo.candidate != hash {
        memo.candidate = hash;
        return any_attribute::<MEMBER>(wire, out, cx, depth, other);
    }
    let (room, elements) = (out.len(), cx.elements_left);
    let left = any_attribute::<MEMBER>(wire, &mut *out, cx, depth, other)?.len();
    let (text, rest) = out.split_at_mut(room - left);
    if elements - cx.elements_left == 1 && text.len() <= MAX_TEXT {
        let memo = &mut cx.memo.attributes[slot_of(hash)];
        if wire.len() < CHUNKED_RAW {
            memo.raw[..CHUNKED_RAW].fill(0);
        }
        memo.raw_len = wire.len();
        memo.raw[..wire.len()].copy_from_slice(wire);
        memo.text_len = text.len();
        memo.text[..text.len()].copy_from_slice(text);
    }
    Ok(rest)
}

#[inline(always)]
fn any_attribute<'o, const MEMBER: bool>(
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
    other: Other,
) -> Result<Out<'o>, Stop> {
    match text_attribute::<MEMBER>(wire, &mut *out, cx, depth)? {
        Some(left) => {
            let written = out.len() - left;
            Ok(&mut out[written..])
        }
        None => other(wire, out, cx, depth),
    }
}

/// The bytes of a short attribute, followed by zeros.
struct Fingerprint([u128; CHUNKED_RAW / 16]);

impl Fingerprint {
    /// Reads whole chunks out of the request, and blanks what lies behind the attribute.
    #[inline(always)]
    fn of(wire: In<'_>, request: In<'_>) -> Option<Self> {
        let len = wire.len();
        if len > CHUNKED_RAW {
            return None;
        }
        let begin = (wire.as_ptr() as usize).wrapping_sub(request.as_ptr() as usize);
        let bytes: &[u8; CHUNKED_RAW] = request.get(begin..)?.first_chunk()?;
        let (chunks, _) = bytes.as_chunks::<16>();
        let chunk = |at: usize| {
            let kept = len.saturating_sub(16 * at).min(16);
            u128::from_le_bytes(chunks[at]) & MASKS[kept]
        };
        Some(Self([chunk(0), chunk(1), chunk(2)]))
    }

    #[inline(always)]
    fn is(&self, raw: &[u8; MAX_RAW]) -> bool {
        let (chunks, _) = raw.as_chunks::<16>();
        let differs = |at: usize| self.0[at] ^ u128::from_le_bytes(chunks[at]);
        differs(0) | differs(1) | differs(2) == 0
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        let folded = self.0[0] ^ self.0[1].rotate_left(29) ^ self.0[2].rotate_left(53);
        mixed(folded as u64 ^ ((folded >> 64) as u64).rotate_left(31))
    }
}

/// The lowest bytes of a chunk, by their number.
static MASKS: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut bytes = 0;
    while bytes < 16 {
        masks[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    masks
};

/// Spreads what differs over all bits.
#[inline(always)]
fn mixed(bits: u64) -> u64 {
    bits.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where something with a hash is remembered.
#[inline(always)]
fn slot_of(hash: u64) -> usize {
    (hash >> 32) as usize % SLOTS
}

/// Writes a `KeyValue` that is a key and a string, in this order and nothing else. The room that
/// is left, or nothing if it is another.
#[inline(always)]
fn text_attribute<const MEMBER: bool>(
    wire: In<'_>,
    out: Out<'_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Option<usize>, Stop> {
    let [0x0a, key_len, rest @ ..] = wire else {
        return Ok(None);
    };
    let Some((name, rest)) = rest.split_at_checked(usize::from(*key_len)) else {
        return Ok(None);
    };
    let [0x12, value_len, 0x0a, text_len, text @ ..] = rest else {
        return Ok(None);
    };
    let lengths = *key_len < 0x80 && *key_len > 0 && *value_len < 0x80 && *text_len < 0x80;
    if !lengths || text.len() != usize::from(*text_len) || *value_len != *text_len + 2 {
        return Ok(None);
    }
    deeper(depth)?;
    cx.count()?;
    if MEMBER {
        let out = put(out, b"\"", cx)?;
        let out = string(out, name, cx)?;
        let out = put(out, b"\":\"", cx)?;
        let out = string(out, text, cx)?;
        return Ok(Some(put(out, b"\"", cx)?.len()));
    }
    let out = put(out, b"{\"key\":\"", cx)?;
    let out = string(out, name, cx)?;
    let out = put(out, b"\",\"value\":{\"stringValue\":\"", cx)?;
    let out = string(out, text, cx)?;
    let out = put(out, b"\"}}", cx)?;
    Ok(Some(out.len()))
}
