//! Exports that are longer than a client takes at once: parted until each part fits.

use std::borrow::Cow;

use otlp_codec::{DecodeError, Signal, split};

use super::message::Message;
use super::{Failure, Recipe, malformed};
use crate::publication::Publication;
use crate::slot::{Frames, Outcome};

/// How many bytes may be looked at to part an export, as a multiple of its length. Halving takes
/// one length for each doubling of the number of parts, and more where what stands around items
/// is long beside them, for each part repeats it.
pub(super) const MAX_WORK: usize = 32;

/// How many bytes may be looked at, and held in pieces, anyway.
pub(super) const FREE_WORK: usize = 1 << 20;

/// How many bytes pieces of an export may hold while it is parted, as a multiple of its length:
/// two halves of all of it, and room for what stands around items and is in each piece.
pub(super) const MAX_PIECES: usize = 3;

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

/// Pieces of an export that wait for their turn, the first last.
pub(super) struct Pieces<'w> {
    waiting: Vec<Cow<'w, [u8]>>,
    most_bytes: usize,
}

impl<'w> Pieces<'w> {
    pub(super) fn of(wire: &'w [u8]) -> Self {
        Self {
            waiting: vec![Cow::Borrowed(wire)],
            most_bytes: wire.len().saturating_mul(MAX_PIECES).max(FREE_WORK),
        }
    }

    pub(super) fn next(&mut self) -> Option<Cow<'w, [u8]>> {
        self.waiting.pop()
    }

    /// How many bytes they hold.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.iter().map(|piece| piece.len()).sum()
    }

    /// Whether there is room for both halves of a piece, which are never longer than it.
    pub(super) fn may_halve(&self, piece: &[u8]) -> bool {
        self.bytes().saturating_add(2 * piece.len()) <= self.most_bytes
    }

    /// Takes the halves of a piece. False if there are none, or no room for them.
    pub(super) fn halve(&mut self, signal: Signal, piece: &[u8]) -> Result<bool, DecodeError> {
        if !self.may_halve(piece) {
            return Ok(false);
        }
        let halves = split::halves(signal, piece)?;
        let parted = halves.is_some();
        let halves = halves.into_iter().flat_map(|[one, other]| [other, one]);
        self.waiting.extend(halves.map(Cow::Owned));
        Ok(parted)
    }
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
            (true, true) => self.too_big(publication),
            (true, false) => Outcome::Nothing,
            (false, incomplete) => Outcome::Frames(Frames::new(frames, incomplete)),
        }
    }

    fn write_parts(&self, publication: &Publication, wire: &[u8]) -> Result<Written, DecodeError> {
        let mut written = Written::default();
        let mut work_left = wire.len().saturating_mul(MAX_WORK).max(FREE_WORK);
        let mut left = Pieces::of(wire);
        while let Some(piece) = left.next() {
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
            written.incomplete |= !left.halve(publication.signal, &piece)?;
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
