//! Messages with parts taken out: what stays is copied, the lengths of what encloses it mended.

use std::ops::Range;

use crate::walk::{In, bytes, next_tag, pass};

/// A message without the fields at `cut`: ranges that ascend, each of a whole field at any depth.
/// The message can be walked.
pub(crate) fn without(message: In<'_>, cut: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    copy_without(message, 0, cut, &mut out);
    out
}

/// Copies a message that begins at `at`, but for what is cut out of it.
fn copy_without(message: In<'_>, at: usize, mut cut: &[Range<usize>], out: &mut Vec<u8>) {
    let mut wire = message;
    // What was passed over and is to be copied begins here.
    let mut kept = message;
    while let Some(first) = cut.first()
        && let Ok(Some((tag, behind_tag))) = next_tag(wire)
        && let Ok(rest) = pass(tag, behind_tag)
    {
        let begin = at + message.len() - wire.len();
        let end = at + message.len() - rest.len();
        if end <= first.start {
            wire = rest;
            continue;
        }
        out.extend_from_slice(&kept[..kept.len() - wire.len()]);
        if begin == first.start {
            cut = &cut[1..];
        } else if let Ok((inner, _)) = bytes(behind_tag) {
            let within = cut.partition_point(|range| range.end <= end);
            out.extend_from_slice(&wire[..wire.len() - behind_tag.len()]);
            let envelope = Envelope::begin(inner.len(), out);
            copy_without(inner, end - inner.len(), &cut[..within], out);
            envelope.end(out);
            cut = &cut[within..];
        }
        wire = rest;
        kept = rest;
    }
    out.extend_from_slice(kept);
}

/// A sub-message that is being written, whose length isn't known yet.
pub(crate) struct Envelope {
    /// Where its contents begin.
    begin: usize,
    /// How many bytes are kept free for its length.
    room: usize,
}

impl Envelope {
    /// Keeps room for the length of contents of `most` bytes at most.
    pub(crate) fn begin(most: usize, out: &mut Vec<u8>) -> Self {
        let room = varint_len(most);
        out.resize(out.len() + room, 0);
        let begin = out.len();
        Self { begin, room }
    }

    /// Writes the length. A shorter one than there is room for moves the contents.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        let mut length = out.len() - self.begin;
        let needed = varint_len(length);
        if needed < self.room {
            let gap = self.room - needed;
            out.copy_within(self.begin.., self.begin - gap);
            out.truncate(out.len() - gap);
        }
        let at = self.begin - self.room;
        for byte in &mut out[at..at + needed] {
            *byte = length as u8 | 0x80;
            length >>= 7;
        }
        out[at + needed - 1] &= 0x7f;
    }
}

/// How many bytes a varint takes.
fn varint_len(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    (bits as usize).div_ceil(7).max(1)
}
