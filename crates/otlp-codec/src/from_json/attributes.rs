//! `KeyValue` as most of them are: `{"key":"…","value":{"stringValue":"…"}}` or with an
//! `intValue`, without white space, escapes, or anything long.
//!
//! They make up most of most requests, and are written in one go here. Whatever differs in any
//! way is left to the function that reads every `KeyValue`.

use super::fields::{Message, message};
use super::numbers;
use super::strings::copy_short;
use super::tokens::{Rest, list};
use super::writer::{Cx, varint};
use crate::walk::In;

/// A `KeyValue` and the `AnyValue` in it.
const ELEMENTS: usize = 2;
const LEVELS: u32 = 2;

const KEY: u8 = 1 << 3 | 2;
const VALUE: u8 = 2 << 3 | 2;
const STRING_VALUE: u8 = 1 << 3 | 2;
const INT_VALUE: u8 = 3 << 3;

/// A list of `KeyValue`.
#[inline(always)]
pub(crate) fn key_values<'a, 'o, const N: usize>(
    json: In<'a>,
    cx: &mut Cx<'o>,
    tag: [u8; N],
    slot: usize,
    depth: u32,
    read: impl Message<'a, 'o>,
) -> Rest<'a> {
    list(json, cx, |json, cx| {
        if depth >= LEVELS
            && let Some(rest) = usual(json, cx, tag)
        {
            return Ok(rest);
        }
        message(json, cx, tag, slot, depth, &read)
    })
}

/// Reads a usual `KeyValue`. Until it is certain to be one, nothing counts as written.
#[inline(never)]
fn usual<'a, const N: usize>(json: In<'a>, cx: &mut Cx<'_>, tag: [u8; N]) -> Option<In<'a>> {
    let json = json.strip_prefix(b"{\"key\":\"")?;
    let elements_left = cx.elements_left.checked_sub(ELEMENTS)?;
    let (tag_to, to) = cx.room().split_first_chunk_mut::<N>()?;
    let (head, to) = to.split_first_chunk_mut::<3>()?;
    let (key, rest) = copy_short(json, to)?;
    let to = to.get_mut(key..)?;
    let json = rest.strip_prefix(b",\"value\":{\"")?;
    let (value, json) = if let Some(json) = json.strip_prefix(b"stringValue\":\"") {
        let (value_head, to) = to.split_first_chunk_mut::<4>()?;
        let (len, rest) = copy_short(json, to)?;
        *value_head = [VALUE, len as u8 + 2, STRING_VALUE, len as u8];
        (4 + len, rest)
    } else {
        let json = json.strip_prefix(b"intValue\":")?;
        let (value, rest) = numbers::int64(json).ok()?;
        let (value_head, to) = to.split_first_chunk_mut::<3>()?;
        let (bytes, len) = varint(value as u64);
        *to.first_chunk_mut()? = bytes;
        *value_head = [VALUE, len as u8 + 1, INT_VALUE];
        (3 + len, rest)
    };
    let json = json.strip_prefix(b"}}")?;
    // An empty key is left out.
    let len = 2 + key + value;
    if key == 0 || len >= 0x80 {
        return None;
    }
    *tag_to = tag;
    *head = [len as u8, KEY, key as u8];
    cx.advance(N + 1 + len);
    cx.elements_left = elements_left;
    Some(json)
}
