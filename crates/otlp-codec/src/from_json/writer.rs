//! The writing half: protobuf into a buffer of fixed length, forwards.
//!
//! The length of a sub-message stands before its contents, and is known after them. The room for
//! it is guessed from the length that the same field had before; if the guess was wrong, the
//! contents move by a byte or two, at most once for each message that they lie in. So every length
//! is as short as it can be.

use crate::Limits;
use crate::walk::{In, Stop};

/// The longest varint.
const MAX_VARINT: usize = 10;

/// The longest text of a list that is remembered.
const MAX_MEMO: usize = 4096;

/// The state of one reading.
pub(crate) struct Cx<'o> {
    out: &'o mut [u8],
    /// How much of `out` is written.
    pos: usize,
    full: bool,
    pub(super) elements_left: usize,
    /// For each slot, how many bytes its length took the last time.
    widths: &'o mut [u8],
    /// Where text with escapes is brought into its own form, if it isn't written out.
    pub(super) unescaped: &'o mut Vec<u8>,
    memo: &'o mut Memo,
}

/// A list of numbers that was read before.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Its text, from bracket to bracket.
    json: Vec<u8>,
    /// The contents of its field.
    wire: Vec<u8>,
}

impl Memo {
    pub(super) const fn new() -> Self {
        Self {
            json: Vec::new(),
            wire: Vec::new(),
        }
    }
}

/// A length-delimited field that is being written.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// Where its tag begins.
    tag: usize,
    /// Where its contents begin.
    start: usize,
    width: usize,
    slot: usize,
}

impl<'o> Cx<'o> {
    pub(super) fn new(
        out: &'o mut [u8],
        limits: &Limits,
        widths: &'o mut [u8],
        unescaped: &'o mut Vec<u8>,
        memo: &'o mut Memo,
    ) -> Self {
        Self {
            out,
            pos: 0,
            full: false,
            elements_left: limits.elements,
            widths,
            unescaped,
            memo,
        }
    }

    /// Whether the reading stopped because there was no room.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// How much was written.
    pub(super) fn written(&self) -> usize {
        self.pos
    }

    /// Counts a sub-message or an element of a repeated string.
    #[inline(always)]
    pub(super) fn count(&mut self) -> Result<(), Stop> {
        self.elements_left = self.elements_left.checked_sub(1).ok_or(Stop)?;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    pub(super) fn no_room(&mut self) -> Stop {
        self.full = true;
        Stop
    }

    /// What can be written to yet.
    #[inline(always)]
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.out.get_mut(self.pos..).unwrap_or_default()
    }

    /// Keeps `len` bytes that were written to [`Self::room`].
    #[inline(always)]
    pub(super) fn advance(&mut self, len: usize) {
        self.pos += len;
    }

    /// Writes some bytes.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), Stop> {
        match self.room().first_chunk_mut::<N>() {
            Some(head) => *head = bytes,
            None => return Err(self.no_room()),
        }
        self.pos += N;
        Ok(())
    }

    /// Writes a tag and a value of a fixed length.
    #[inline(always)]
    pub(super) fn put_tagged<const N: usize, const M: usize>(
        &mut self,
        tag: [u8; N],
        value: [u8; M],
    ) -> Result<(), Stop> {
        match self.room().split_first_chunk_mut::<N>() {
            Some((head, rest)) if rest.len() >= M => {
                *head = tag;
                if let Some(head) = rest.first_chunk_mut::<M>() {
                    *head = value;
                }
            }
            _ => return Err(self.no_room()),
        }
        self.pos += N + M;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn put_slice(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.room().get_mut(..bytes.len()) {
            Some(head) => head.copy_from_slice(bytes),
            None => return Err(self.no_room()),
        }
        self.pos += bytes.len();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn put_varint(&mut self, value: u64) -> Result<(), Stop> {
        match value {
            0..0x80 => self.put([value as u8]),
            0x80..0x4000 => self.put([value as u8 | 0x80, (value >> 7) as u8]),
            _ => self.put_long_varint(value),
        }
    }

    #[inline(never)]
    fn put_long_varint(&mut self, value: u64) -> Result<(), Stop> {
        let (bytes, len) = varint(value);
        self.put_slice(&bytes[..len])
    }

    /// Begins a length-delimited field. Fields of one `slot` are expected to be of about the
    /// same length.
    #[inline(always)]
    pub(super) fn open(&mut self, tag: &[u8], slot: usize) -> Result<Open, Stop> {
        let begin = self.pos;
        self.put_slice(tag)?;
        let width = self.widths.get(slot).map_or(1, |width| usize::from(*width));
        self.pos += width;
        Ok(Open {
            tag: begin,
            start: self.pos,
            width,
            slot,
        })
    }

    /// Ends a length-delimited field: writes its length.
    #[inline(always)]
    pub(super) fn close(&mut self, open: Open) -> Result<(), Stop> {
        let len = self.pos - open.start;
        if open.width == 1
            && len < 0x80
            && let Some(byte) = self.out.get_mut(open.start - 1)
        {
            *byte = len as u8;
            return Ok(());
        }
        self.close_long(open, len)
    }

    /// Ends a length-delimited field; leaves it out, if it is empty.
    #[inline(always)]
    pub(super) fn close_unless_empty(&mut self, open: Open) -> Result<(), Stop> {
        if self.pos == open.start {
            self.pos = open.tag;
            return Ok(());
        }
        self.close(open)
    }

    /// Writes the contents of the remembered list, if that comes next; gives what follows.
    #[inline(always)]
    pub(super) fn repeated<'a>(&mut self, json: In<'a>) -> Result<Option<In<'a>>, Stop> {
        let wire = std::mem::take(&mut self.memo.wire);
        let rest = json
            .strip_prefix(self.memo.json.as_slice())
            .filter(|_| !wire.is_empty());
        let put = rest.map_or(Ok(()), |_| self.put_slice(&wire));
        self.memo.wire = wire;
        put.map(|()| rest)
    }

    /// Remembers a list by its text, and the contents of its field, which was written last.
    pub(super) fn remember(&mut self, json: In<'_>, open: Open) {
        let wire = self.out.get(open.start..self.pos).unwrap_or_default();
        if json.len() <= MAX_MEMO {
            self.memo.json.clear();
            self.memo.json.extend_from_slice(json);
            self.memo.wire.clear();
            self.memo.wire.extend_from_slice(wire);
        }
    }

    #[inline(never)]
    fn close_long(&mut self, open: Open, len: usize) -> Result<(), Stop> {
        let needed = width(len);
        let begin = open.start - open.width;
        if needed != open.width {
            let end = begin + needed + len;
            // The room may end before the length that `open` only made room for.
            if end > self.out.len() || self.pos > self.out.len() {
                return Err(self.no_room());
            }
            self.out.copy_within(open.start..self.pos, begin + needed);
            if let Some(width) = self.widths.get_mut(open.slot) {
                *width = needed as u8;
            }
        }
        self.pos = begin;
        self.put_varint(len as u64)?;
        self.pos += len;
        Ok(())
    }
}

/// A varint, and how many of the bytes it takes.
pub(super) fn varint(mut value: u64) -> ([u8; MAX_VARINT], usize) {
    let mut bytes = [0; MAX_VARINT];
    let mut len = 0;
    for byte in &mut bytes {
        len += 1;
        *byte = value as u8 & 0x7f;
        value >>= 7;
        if value == 0 {
            break;
        }
        *byte |= 0x80;
    }
    (bytes, len)
}

/// How many bytes the varint of a length takes.
fn width(len: usize) -> usize {
    let bits = usize::BITS - (len | 1).leading_zeros();
    bits.div_ceil(7) as usize
}
