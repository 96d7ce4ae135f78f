//! Frames that a client sends (RFC 6455 section 5): checked as they arrive, and not kept.
//!
//! Nothing is buffered but the payload of a control frame, at most 125 bytes, and the window of a
//! compressed message while it arrives. Messages of a client are checked (masking, reserved bits,
//! opcodes, fragmentation, length, compression, UTF-8) and ignored. However the bytes are cut into
//! pieces, the events are the same.

mod message;
mod utf8;
mod violation;

use crate::frame::{CloseCode, MAX_CONTROL, RSV1};

use self::message::Message;
use self::violation::{not_utf8, protocol, too_long};

pub use self::violation::Violation;

/// The payload of a control frame.
#[derive(Clone, Copy)]
pub struct ControlPayload {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

/// What a client said that a session has to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// A ping, to be answered with its payload.
    Ping(ControlPayload),
    /// A pong, asked for or not.
    Pong(ControlPayload),
    /// A Close frame, with its code if it had one. Nothing is read after it.
    Close(Option<CloseCode>),
}

/// Reads a client's frames from whatever pieces they come in.
#[derive(Debug)]
pub struct ClientParser {
    max_message: u64,
    /// Whether permessage-deflate was negotiated.
    deflate: bool,
    /// How much was inflated since that was asked last, in bytes.
    inflated: u64,
    state: State,
    /// The message whose fragments are arriving. Boxed, for most of the time there is none.
    message: Option<Box<Message>>,
    control: ControlPayload,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In a header, of which `have` bytes are known.
    Header { bytes: [u8; MAX_HEADER], have: u8 },
    /// In a payload.
    Payload {
        kind: Kind,
        fin: bool,
        left: u64,
        mask: [u8; 4],
        at: u8,
    },
    /// After a Close frame or a violation.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Data,
    Close,
    Ping,
    Pong,
}

/// The longest header of a client's frame: two bytes, eight of length, four of mask.
const MAX_HEADER: usize = 14;

const FRESH: State = State::Header {
    bytes: [0; MAX_HEADER],
    have: 0,
};

impl ClientParser {
    /// A parser at the start of a stream, for messages of at most `max_message` bytes, as they
    /// come and inflated. `deflate` says that permessage-deflate (RFC 7692) was negotiated,
    /// without context takeover.
    #[must_use]
    pub fn new(max_message: u64, deflate: bool) -> Self {
        let control = ControlPayload {
            bytes: [0; MAX_CONTROL],
            len: 0,
        };
        Self {
            max_message,
            deflate,
            inflated: 0,
            state: FRESH,
            message: None,
            control,
        }
    }

    /// Reads from the front of `input` up to the next event, or all of it if there is none.
    /// Call it again until `input` is empty; after a Close frame or a violation it swallows
    /// everything.
    ///
    /// # Errors
    /// At the first byte that shows a violation, with the close code of RFC 6455 section 7.4.1:
    /// 1002, 1007 or 1009.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, Violation> {
        let result = self.advance(input);
        if matches!(result, Err(_) | Ok(Some(ClientEvent::Close(_)))) {
            self.state = State::Done;
            self.message = None;
            *input = &[];
        }
        result
    }

    /// How many bytes were inflated since this was asked last: up to a thousand times what came
    /// in.
    pub fn take_inflated(&mut self) -> u64 {
        std::mem::take(&mut self.inflated)
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, Violation> {
        loop {
            match self.state {
                State::Done => {
                    *input = &[];
                    return Ok(None);
                }
                State::Header {
                    mut bytes,
                    mut have,
                } => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    bytes[usize::from(have)] = byte;
                    have += 1;
                    self.state = State::Header { bytes, have };
                    self.check_header(&bytes[..usize::from(have)])?;
                    // An empty frame is complete with its header.
                    if let Some(event) = self.finish_frame()? {
                        return Ok(Some(event));
                    }
                }
                State::Payload {
                    kind,
                    fin,
                    left,
                    mask,
                    at,
                } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let (piece, rest) = input.split_at(take);
                    *input = rest;
                    self.take_payload(kind, piece, mask, at)?;
                    let at = (usize::from(at) + take) as u8 % 4;
                    let left = left - take as u64;
                    self.state = State::Payload {
                        kind,
                        fin,
                        left,
                        mask,
                        at,
                    };
                    if let Some(event) = self.finish_frame()? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    /// Checks the header as far as it is known, and goes on to the payload once it is whole.
    fn check_header(&mut self, known: &[u8]) -> Result<(), Violation> {
        let first = known[0];
        let opcode = first & 0x0f;
        if known.len() == 1 {
            return self.check_first(first);
        }
        let short = known[1] & 0x7f;
        if known.len() == 2 {
            if known[1] & 0x80 == 0 {
                return Err(protocol("a frame is not masked"));
            }
            if opcode & 0x08 != 0 && usize::from(short) > MAX_CONTROL {
                return Err(protocol("a control frame is longer than 125 bytes"));
            }
        }
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if known.len() < 2 + extended {
            return Ok(());
        }
        let len = match short {
            126 | 127 => known[2..2 + extended]
                .iter()
                .fold(0, |len, &b| len << 8 | u64::from(b)),
            short => u64::from(short),
        };
        if known.len() == 2 + extended {
            self.check_len(short, len, opcode)?;
        }
        if let Ok(mask) = <[u8; 4]>::try_from(&known[2 + extended..]) {
            self.start_payload(first, len, mask);
        }
        Ok(())
    }

    /// RFC 6455 sections 5.2, 5.4 and 5.5, and RFC 7692 section 6, as far as the first byte goes.
    fn check_first(&self, first: u8) -> Result<(), Violation> {
        let opcode = first & 0x0f;
        let begins_message = matches!(opcode, 0x1 | 0x2);
        let allowed = if self.deflate && begins_message {
            RSV1
        } else {
            0
        };
        if first & 0x70 & !allowed != 0 {
            return Err(protocol("a reserved bit is set"));
        }
        match opcode {
            0x0 if self.message.is_none() => Err(protocol("a continuation of nothing")),
            0x1 | 0x2 if self.message.is_some() => {
                Err(protocol("a new message inside a fragmented one"))
            }
            0x0..=0x2 => Ok(()),
            0x8..=0xA if first & 0x80 == 0 => Err(protocol("a control frame is fragmented")),
            0x8..=0xA => Ok(()),
            _ => Err(protocol("a reserved opcode")),
        }
    }

    fn check_len(&self, short: u8, len: u64, opcode: u8) -> Result<(), Violation> {
        if len >> 63 != 0 {
            return Err(protocol("a length with its top bit set"));
        }
        // RFC 6455 section 5.2: the minimal number of bytes must be used.
        if (short == 126 && len < 126) || (short == 127 && len <= u64::from(u16::MAX)) {
            return Err(protocol("a length that is not in its shortest form"));
        }
        let before = self.message.as_ref().map_or(0, |message| message.len());
        if opcode & 0x08 == 0 && before.saturating_add(len) > self.max_message {
            return Err(too_long());
        }
        Ok(())
    }

    fn start_payload(&mut self, first: u8, left: u64, mask: [u8; 4]) {
        let kind = match first & 0x0f {
            0x8 => Kind::Close,
            0x9 => Kind::Ping,
            0xA => Kind::Pong,
            opcode => {
                let message = self
                    .message
                    .get_or_insert_with(|| Message::new(opcode == 0x1, first & RSV1 != 0).into());
                message.announce(left);
                Kind::Data
            }
        };
        self.control.len = 0;
        self.state = State::Payload {
            kind,
            fin: first & 0x80 != 0,
            left,
            mask,
            at: 0,
        };
    }

    fn take_payload(
        &mut self,
        kind: Kind,
        piece: &[u8],
        mask: [u8; 4],
        at: u8,
    ) -> Result<(), Violation> {
        let at = usize::from(at);
        let unmasked = piece
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ mask[(at + i) % 4]);
        if kind == Kind::Data {
            let Some(message) = &mut self.message else {
                return Ok(());
            };
            let taken = message.take(unmasked, self.max_message);
            self.inflated += message.take_inflated();
            return taken;
        }
        let have = usize::from(self.control.len);
        for (to, byte) in self.control.bytes[have..].iter_mut().zip(unmasked) {
            *to = byte;
            self.control.len += 1;
        }
        Ok(())
    }

    /// Ends a frame whose payload is complete.
    fn finish_frame(&mut self) -> Result<Option<ClientEvent>, Violation> {
        let State::Payload {
            kind, fin, left: 0, ..
        } = self.state
        else {
            return Ok(None);
        };
        self.state = FRESH;
        match kind {
            Kind::Data if fin => match self.message.take() {
                Some(message) => message.finish(self.max_message).map(|()| None),
                None => Ok(None),
            },
            Kind::Data => Ok(None),
            Kind::Ping => Ok(Some(ClientEvent::Ping(self.control))),
            Kind::Pong => Ok(Some(ClientEvent::Pong(self.control))),
            Kind::Close => {
                close(self.control.as_slice()).map(|code| Some(ClientEvent::Close(code)))
            }
        }
    }
}

impl ControlPayload {
    /// The payload.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for ControlPayload {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for ControlPayload {}

impl std::fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// Reads the payload of a Close frame (RFC 6455 section 5.5.1).
fn close(payload: &[u8]) -> Result<Option<CloseCode>, Violation> {
    match payload {
        [] => Ok(None),
        [_] => Err(protocol("half a close code")),
        [high, low, reason @ ..] => {
            let code = CloseCode(u16::from_be_bytes([*high, *low]));
            if !code.may_be_sent() {
                return Err(protocol("a close code that may not be sent"));
            }
            if std::str::from_utf8(reason).is_err() {
                return Err(not_utf8());
            }
            Ok(Some(code))
        }
    }
}

#[cfg(test)]
mod tests;
