//! Exports that are longer than a client takes at once: parted until each part fits.

use std::borrow::Cow;

use otlp_codec::{DecodeError, split};

use super::message::Message;
use super::{Failure, Recipe, malformed};
use crate::observer::Loss;
use crate::publication::Publication;
use crate::slot::{Frames, Outcome};

/// How many bytes may be looked at to part an export, as a multiple of its length. Halving takes
/// one length for each doubling of the number of parts, and more where what stands around items
/// is long beside them, for each part repeats it.
pub(super) const MAX_WORK: usize = 32;

/// How many bytes may be looked at anyway.
pub(super) const FREE_WORK: usize = 1 << 20;

/// How many times shorter JSON can be than its protobuf: a double of a list takes 8 bytes there
/// and may be a digit and a comma here.
const MAX_SHRINKING: usize = 4;

/// The messages of an export that are written so far.
#[derive(Default)]
struct Written {
    messages: Vec<Message>,
    bytes: usize,
    incomplete: bool,
}

impl Recipe {
    /// The frames of a request that may take several. An item that is too long alone is left out,
    /// and so is what is too much in all; then they are incomplete.
    pub(super) fn parts(&self, publication: &Publication, wire: &[u8]) -> Outcome {
        let written = match self.write_parts(publication, wire) {
            Ok(written) => written,
            Err(error) => return malformed(publication, &error),
        };
        let parts = written.messages.len();
        let frames = written.messages.into_iter().enumerate();
        let frames: Vec<_> = frames
            .map(|(at, mut message)| {
                self.close(&mut message, (parts > 1).then_some((at + 1, parts)));
                self.frame(message)
            })
            .collect();
        match (frames.is_empty(), written.incomplete) {
            (true, true) => Outcome::Lost(Loss::TooBig),
            (true, false) => Outcome::Nothing,
            (false, incomplete) => Outcome::Frames(Frames::new(frames, incomplete)),
        }
    }

    fn write_parts(&self, publication: &Publication, wire: &[u8]) -> Result<Written, DecodeError> {
        let mut written = Written::default();
        let mut work_left = wire.len().saturating_mul(MAX_WORK).max(FREE_WORK);
        let mut left = vec![Cow::Borrowed(wire)];
        while let Some(piece) = left.pop() {
            match self.try_piece(publication, &piece) {
                Ok(None) => continue,
                Ok(Some(message)) => {
                    written.bytes += message.len();
                    if written.bytes > self.parts_bytes {
                        written.incomplete = true;
                        break;
                    }
                    // It waits for the others.
                    written.messages.push(self.fitted(message));
                    continue;
                }
                Err(Failure::TooBig) => {}
                Err(Failure::Malformed(error)) => return Err(error),
            }
            let Some(rest) = work_left.checked_sub(piece.len()) else {
                written.incomplete = true;
                break;
            };
            work_left = rest;
            match split::halves(publication.signal, &piece)? {
                Some([one, other]) => left.extend([Cow::Owned(other), Cow::Owned(one)]),
                None => written.incomplete = true,
            }
        }
        Ok(written)
    }

    /// The message of a piece, if it fits. What is clearly too long is not tried.
    fn try_piece(
        &self,
        publication: &Publication,
        piece: &[u8],
    ) -> Result<Option<Message>, Failure> {
        if piece.len() / MAX_SHRINKING > self.frame_bytes {
            return Err(Failure::TooBig);
        }
        self.message(publication, piece)
    }
}
