//! Rendering: from the protobuf of an export to the frames of a view, outside every lock.

mod codec;
mod envelope;
mod message;
mod parts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use otlp_codec::select::{Selected, Selector};
use otlp_codec::{DecodeError, EncodeError, Limits, Signal};

use crate::config::FanoutConfig;
use crate::frame::{self, MAX_HEADER, Opcode};
use crate::held::Held;
use crate::observer::Loss;
use crate::publication::Publication;
use crate::slot::{Frames, Outcome};
use crate::view::{Format, ViewKey};

use self::envelope::Envelope;
use self::message::{Lengths, Message};

pub(crate) use self::codec::codec;

/// Appends a request in a format to a message, at most so many bytes of it. A test may put another
/// in the place of the codec.
pub(crate) type Writer = Arc<
    dyn Fn(Format, Signal, &[u8], usize, &mut Message) -> Result<(), EncodeError> + Send + Sync,
>;

/// How a view renders: made once, when it is first watched.
pub(crate) struct Recipe {
    key: ViewKey,
    /// What is left of each export; `None` for all of it.
    selector: Option<Selector>,
    envelope: Option<Envelope>,
    writer: Writer,
    /// Counts the frames.
    held: Arc<Held>,
    limits: Limits,
    /// The longest message.
    frame_bytes: usize,
    /// How long the parts of one export may be together.
    parts_bytes: usize,
    lengths: Lengths,
}

/// Why there is no message.
enum Failure {
    TooBig,
    Malformed(DecodeError),
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        match error {
            // Profiles, which have no points, are passed over before.
            EncodeError::TooLong { .. } | EncodeError::NoPoints { .. } => Self::TooBig,
            EncodeError::Decode(error) => Self::Malformed(error),
        }
    }
}

impl Recipe {
    pub(crate) fn new(
        key: &ViewKey,
        config: &FanoutConfig,
        epoch: &str,
        writer: Writer,
        held: Arc<Held>,
    ) -> Self {
        Self {
            key: key.clone(),
            selector: (!key.filter.is_empty()).then(|| key.filter.compile()),
            envelope: key.envelope.then(|| Envelope::new(epoch, key.format)),
            writer,
            held,
            limits: config.codec,
            frame_bytes: key.max_frame.unwrap_or(usize::MAX).min(config.frame_bytes),
            parts_bytes: config.lag_bytes,
            lengths: Lengths::new(),
        }
    }

    /// The frames of an export.
    pub(crate) fn render(&self, publication: &Publication) -> Outcome {
        let (signal, wire) = (publication.signal, &publication.wire);
        if self.key.format == Format::Points && signal == Signal::Profiles {
            return Outcome::Nothing;
        }
        let mut left = Vec::new();
        let selected = self
            .selector
            .as_ref()
            .map_or(Ok(Selected::Whole), |selector| {
                selector.select(signal, wire, &self.limits, &mut left)
            });
        let wire: &[u8] = match selected {
            Ok(Selected::Whole) => wire,
            Ok(Selected::Part) => &left,
            Ok(Selected::Nothing) => return Outcome::Nothing,
            Err(error) => return malformed(publication, &error),
        };
        if self.key.max_frame.is_some() {
            return self.parts(publication, wire);
        }
        match self.message(publication, wire) {
            Ok(Some(mut message)) => {
                self.close(&mut message, None);
                Outcome::Frames(Frames::new(vec![self.frame(message)], false))
            }
            Ok(None) => Outcome::Nothing,
            Err(Failure::TooBig) => Outcome::Lost(Loss::TooBig),
            Err(Failure::Malformed(error)) => malformed(publication, &error),
        }
    }

    /// A message but for its [end](Self::close), behind room for the header of its frame; `None`
    /// if there is nothing to show.
    fn message(&self, publication: &Publication, wire: &[u8]) -> Result<Option<Message>, Failure> {
        let signal = publication.signal;
        let most = self.frame_bytes.saturating_add(MAX_HEADER);
        let guess = self.lengths.guess(signal, wire.len()).min(most);
        let mut message = Message::over(self.held.page(guess));
        message.extend_from_slice(&[0; MAX_HEADER]);
        let shows = self.write(publication, wire, &mut message);
        if let Ok(true) = shows {
            self.lengths.learn(signal, wire.len(), message.len());
            return Ok(Some(message));
        }
        self.held.keep(message.into_page().0);
        shows.map(|_| None)
    }

    /// Writes the message; false if there is nothing to show.
    fn write(
        &self,
        publication: &Publication,
        wire: &[u8],
        message: &mut Message,
    ) -> Result<bool, Failure> {
        let mut room = self.frame_bytes;
        if let Some(envelope) = &self.envelope {
            envelope.open(publication, message);
            let around = message.len() - MAX_HEADER + envelope::MAX_END;
            room = room.checked_sub(around).ok_or(Failure::TooBig)?;
        }
        let begin = message.len();
        let (format, signal) = (self.key.format, publication.signal);
        (self.writer)(format, signal, wire, room, message)?;
        // An empty request has empty protobuf, and is a request still.
        let shows = message.len() > begin || format == Format::Protobuf;
        if self.envelope.is_some() && format == Format::Points {
            envelope::join_lines(begin, message);
        }
        Ok(shows)
    }

    /// Ends a message, which is the part of an export if it has a number and is one of several.
    fn close(&self, message: &mut Message, part: Option<(usize, usize)>) {
        if let Some(envelope) = &self.envelope {
            envelope.close(part, message);
        }
    }

    /// The message over a page that is not much longer: the log counts lengths.
    fn fitted(&self, message: Message) -> Message {
        if message.spare() <= message.len() / 8 {
            return message;
        }
        let (page, len) = message.into_page();
        let mut fitted = Message::default();
        fitted.extend_from_slice(&page[..len]);
        self.held.keep(page);
        fitted
    }

    /// The frame of a message that has ended.
    fn frame(&self, message: Message) -> Bytes {
        let mut message = self.fitted(message);
        let opcode = match self.key.format {
            Format::Otlp | Format::ProtoJson | Format::Points => Opcode::Text,
            Format::Protobuf => Opcode::Binary,
        };
        let start = frame::begin(opcode, message.as_mut_slice());
        let (page, end) = message.into_page();
        self.held.hold(page).slice(start..end)
    }
}

/// What the codec refuses of an export that was checked: nothing that should happen.
fn malformed(publication: &Publication, error: &DecodeError) -> Outcome {
    let (seq, signal) = (publication.seq, publication.signal);
    tracing::warn!(seq, %signal, %error, "an export cannot be rendered");
    Outcome::Lost(Loss::Failed)
}
