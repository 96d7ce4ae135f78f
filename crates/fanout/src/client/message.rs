//! A client's message while it arrives: checked, and not kept.

use super::utf8::Utf8;
use super::violation::{Violation, not_utf8, too_long};
use crate::deflate::Inflater;

/// How much is unmasked at a time for the inflater, in bytes. On the stack.
const PIECE: usize = 1024;

/// The message whose frames are arriving.
#[derive(Debug)]
pub(super) struct Message {
    /// Bytes of payload, over all frames so far.
    len: u64,
    contents: Contents,
    /// If it is compressed.
    inflater: Option<Inflater>,
}

/// What the payload is, inflated.
#[derive(Clone, Copy, Debug)]
struct Contents {
    len: u64,
    /// The state of the check, for a text message.
    text: Option<Utf8>,
}

impl Message {
    pub(super) fn new(is_text: bool, is_compressed: bool) -> Self {
        let text = is_text.then(Utf8::default);
        Self {
            len: 0,
            contents: Contents { len: 0, text },
            inflater: is_compressed.then(Inflater::new),
        }
    }

    /// How long its payload is, as far as frames have announced it.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// A frame has announced so many bytes.
    pub(super) fn announce(&mut self, len: u64) {
        self.len += len;
    }

    /// Takes unmasked payload, of contents that may be `max` bytes long.
    pub(super) fn take(
        &mut self,
        mut payload: impl Iterator<Item = u8>,
        max: u64,
    ) -> Result<(), Violation> {
        let Some(inflater) = &mut self.inflater else {
            return self.contents.check(payload);
        };
        let mut piece = [0; PIECE];
        loop {
            let mut len = 0;
            for (to, byte) in piece.iter_mut().zip(&mut payload) {
                *to = byte;
                len += 1;
            }
            if len == 0 {
                return Ok(());
            }
            inflater.inflate(&piece[..len], |piece| self.contents.take(piece, max))?;
        }
    }

    /// Checks what can only be seen at the end.
    pub(super) fn finish(mut self, max: u64) -> Result<(), Violation> {
        if let Some(inflater) = &mut self.inflater {
            inflater.finish(|piece| self.contents.take(piece, max))?;
        }
        match self.contents.text {
            Some(text) if !text.is_whole() => Err(not_utf8()),
            _ => Ok(()),
        }
    }

    /// How many bytes were inflated since this was asked last.
    pub(super) fn take_inflated(&mut self) -> u64 {
        self.inflater
            .as_mut()
            .map_or(0, |inflater| inflater.take_inflated())
    }
}

impl Contents {
    /// Takes what was inflated. What fits is judged first, so that the verdict is that of the
    /// first byte that is wrong, however the message is cut.
    fn take(&mut self, piece: &[u8], max: u64) -> Result<(), Violation> {
        let room = usize::try_from(max - self.len).unwrap_or(usize::MAX);
        let fits = piece.len().min(room);
        self.len += fits as u64;
        self.check(piece[..fits].iter().copied())?;
        if fits < piece.len() {
            Err(too_long())
        } else {
            Ok(())
        }
    }

    fn check(&mut self, piece: impl Iterator<Item = u8>) -> Result<(), Violation> {
        let valid = self.text.as_mut().is_none_or(|text| text.take(piece));
        if valid { Ok(()) } else { Err(not_utf8()) }
    }
}
