//! Messages that clients compress: inflated as they come, piece by piece, and not kept.

use flate2::{Decompress, FlushDecompress, Status};

use super::TAIL;

/// How much is inflated at a time, in bytes. On the stack.
const PIECE: usize = 4096;

/// An empty final block (RFC 1951 section 3.2.6): DEFLATE must be able to end behind a message.
const END: [u8; 2] = [0x03, 0x00];

/// Inflates one message. Its window takes about 40 KiB, so it lives no longer than that.
pub(crate) struct Inflater {
    stream: Decompress,
    /// How much came out, in bytes, since that was asked last.
    inflated: u64,
}

/// The data is not DEFLATE, or ends in the middle of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            stream: Decompress::new(false),
            inflated: 0,
        }
    }

    /// Inflates more of a message: gives `take` each piece, of a few KiB at most, until it
    /// returns an error.
    pub(crate) fn inflate<E: From<Broken>>(
        &mut self,
        input: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.run(input, &mut take).map(drop)
    }

    /// Inflates what the end of a message stands for (RFC 7692 section 7.2.2).
    pub(crate) fn finish<E: From<Broken>>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.run(&TAIL, &mut take)?;
        match self.run(&END, &mut |_| Err(Broken))? {
            true => Ok(()),
            false => Err(Broken.into()),
        }
    }

    /// How many bytes were inflated since this was asked last.
    pub(crate) fn take_inflated(&mut self) -> u64 {
        std::mem::take(&mut self.inflated)
    }

    /// Inflates all of `input`. Whether its end was that of a final block, behind which another
    /// may begin (RFC 7692 section 7.2.1).
    fn run<E: From<Broken>>(
        &mut self,
        mut input: &[u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut ended = false;
        let mut piece = [0; PIECE];
        loop {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(input, &mut piece, FlushDecompress::None);
            let read = self.stream.total_in() - read;
            let written = self.stream.total_out() - written;
            self.inflated += written;
            // Neither is more than what was given.
            input = &input[usize::try_from(read).unwrap_or(0)..];
            let piece = &piece[..usize::try_from(written).unwrap_or(0)];
            // What came out before a fault counts.
            if !piece.is_empty() {
                take(piece)?;
            }
            if status.map_err(|_| Broken)? == Status::StreamEnd {
                self.stream.reset(false);
                ended = true;
            } else if read > 0 || written > 0 {
                ended = false;
            }
            // A full piece may have left more behind.
            if input.is_empty() && piece.len() < PIECE {
                return Ok(ended);
            }
            if read == 0 && written == 0 {
                return Err(Broken.into());
            }
        }
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::deflate::compress;
    use crate::frame::{self, Opcode};

    /// What a message inflates to, cut into pieces of so many bytes.
    fn inflate(message: &[u8], cut: usize) -> Result<Vec<u8>, Broken> {
        let mut inflater = Inflater::new();
        let mut all = Vec::new();
        let mut take = |piece: &[u8]| {
            all.extend_from_slice(piece);
            Ok::<_, Broken>(())
        };
        for piece in message.chunks(cut) {
            inflater.inflate(piece, &mut take)?;
        }
        inflater.finish(&mut take)?;
        Ok(all)
    }

    /// Scenario: the examples of RFC 7692 section 7.2.3, in pieces of every length.
    /// Guarantees: all of them are what the RFC says.
    #[test]
    fn the_examples_of_the_rfc() {
        let fixed = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let stored = [
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ];
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        let two = [
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ];
        for message in [&fixed[..], &stored, &last, &two] {
            for cut in 1..=message.len() {
                assert_eq!(
                    inflate(message, cut).as_deref(),
                    Ok(&b"Hello"[..]),
                    "{message:x?}"
                );
            }
        }
        assert_eq!(inflate(&[0x00], 1), Ok(Vec::new()));
    }

    /// Scenario: a message cut at every byte, a block of the reserved kind, a distance beyond the
    /// beginning, a window of the message before, final blocks with something else behind.
    /// Guarantees: broken, however it is cut.
    #[test]
    fn what_is_broken() {
        let text = "the quick brown fox ".repeat(100);
        let buffer = [&[0; frame::MAX_HEADER], text.as_bytes()].concat();
        let frame = compress(&frame::data(Opcode::Text, buffer), &Arc::default()).unwrap();
        let message = frame::payload(&frame);
        assert_eq!(inflate(message, 3), Ok(text.into_bytes()));
        let cuts = (0..message.len()).map(|end| message[..end].to_vec());
        let others = [
            vec![0x07],
            vec![0xf2, 0x00, 0x11, 0x00],
            b"not compressed".to_vec(),
        ];
        for message in cuts.chain(others) {
            for cut in [1, message.len().max(1)] {
                assert_eq!(inflate(&message, cut), Err(Broken), "{message:x?}");
            }
        }
    }

    proptest! {
        /// Scenario: any bytes.
        /// Guarantees: the same verdict and text, however they are cut.
        #[test]
        fn cuts_change_nothing(
            message in proptest::collection::vec(any::<u8>(), 1..60),
            cut in 1_usize..20,
        ) {
            let whole = inflate(&message, message.len());
            prop_assert_eq!(inflate(&message, cut), whole);
        }
    }
}
