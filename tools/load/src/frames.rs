//! Counts WebSocket messages in a stream of bytes (RFC 6455, section 5) and keeps none of them.

use thiserror::Error;

/// The longest head of a frame that a server may send: two bytes and eight of length.
const HEAD: usize = 10;
/// The longest payload of a control frame (RFC 6455, 5.5).
const CONTROL: u64 = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// What a client has to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text or binary message has ended; so long was its payload, in bytes.
    Message(u64),
    /// A pong with this payload is due.
    Ping(&'a [u8]),
    /// The server says goodbye.
    Close,
}

/// A stream that is not WebSocket from a server, without extensions but the one agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a frame that no server may send begins {0:02x} {1:02x}")]
pub struct BadFrame(u8, u8);

/// Counts messages in pieces of a stream that may be cut anywhere.
#[derive(Debug, Default)]
pub struct FrameCounter {
    head: [u8; HEAD],
    head_len: usize,
    /// The frame whose head is complete.
    frame: Option<Frame>,
    /// Payload of the message under way, in the frames before this one.
    message_bytes: u64,
    /// Payload of the ping under way.
    ping: Vec<u8>,
    /// Whether messages may be compressed.
    deflate: bool,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    last: bool,
    opcode: u8,
    length: u64,
    left: u64,
}

impl FrameCounter {
    /// At the start of a stream; `deflate` says that permessage-deflate was agreed on (RFC 7692).
    /// Compressed messages count as they come.
    #[must_use]
    pub fn new(deflate: bool) -> Self {
        Self {
            deflate,
            ..Self::default()
        }
    }

    /// Takes the next bytes of the stream and tells `on` what they complete.
    ///
    /// # Errors
    ///
    /// [`BadFrame`] for a head with a reserved bit or opcode, a mask, or a control frame that is
    /// long or in pieces. The stream makes no sense from there on.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        mut on: impl FnMut(Event<'_>),
    ) -> Result<(), BadFrame> {
        loop {
            let Some(frame) = &mut self.frame else {
                if bytes.is_empty() {
                    return Ok(());
                }
                bytes = self.head(bytes)?;
                continue;
            };
            let most = usize::try_from(frame.left).unwrap_or(usize::MAX);
            let (payload, rest) = bytes.split_at(most.min(bytes.len()));
            frame.left -= payload.len() as u64;
            if frame.opcode == PING {
                self.ping.extend_from_slice(payload);
            }
            if frame.left > 0 {
                return Ok(());
            }
            let frame = *frame;
            self.end(frame, &mut on);
            bytes = rest;
        }
    }

    /// Takes what belongs to the head of a frame; what is behind that.
    fn head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadFrame> {
        let needed = match (self.head_len, self.head[1]) {
            (0 | 1, _) => 2,
            (_, 126) => 4,
            (_, _) => HEAD,
        };
        let (more, rest) = bytes.split_at((needed - self.head_len).min(bytes.len()));
        self.head[self.head_len..self.head_len + more.len()].copy_from_slice(more);
        self.head_len += more.len();
        if self.head_len < needed {
            return Ok(rest);
        }
        let [first, second, extended @ ..] = self.head;
        let length = match (second, self.head_len) {
            (126 | 127, 2) => return Ok(rest),
            (126, _) => u64::from(u16::from_be_bytes([extended[0], extended[1]])),
            (127, _) => u64::from_be_bytes(extended),
            (length, _) => u64::from(length),
        };
        let frame = Frame {
            last: first & 0x80 != 0,
            opcode: first & 0x0f,
            length,
            left: length,
        };
        let known = match frame.opcode {
            CONTINUATION | TEXT | BINARY => true,
            CLOSE | PING | PONG => frame.last && length <= CONTROL,
            _ => false,
        };
        // RFC 7692, section 6: on the first frame of a message.
        let compressed = self.deflate && matches!(frame.opcode, TEXT | BINARY);
        let reserved = if compressed { 0x30 } else { 0x70 };
        if !known || first & reserved != 0 || second & 0x80 != 0 {
            return Err(BadFrame(first, second));
        }
        self.head_len = 0;
        self.frame = Some(frame);
        Ok(rest)
    }

    fn end(&mut self, frame: Frame, on: &mut impl FnMut(Event<'_>)) {
        self.frame = None;
        match frame.opcode {
            PING => {
                on(Event::Ping(&self.ping));
                self.ping.clear();
            }
            CLOSE => on(Event::Close),
            CONTINUATION | TEXT | BINARY => {
                self.message_bytes += frame.length;
                if frame.last {
                    on(Event::Message(std::mem::take(&mut self.message_bytes)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..126 => bytes.push(length as u8),
            126..65_536 => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend((0..length).map(|at| at as u8));
        bytes
    }

    /// What a stream in pieces of `size` bytes gives, in words.
    fn seen(stream: &[u8], size: usize) -> Result<Vec<String>, BadFrame> {
        let mut counter = FrameCounter::default();
        let mut seen = Vec::new();
        for piece in stream.chunks(size) {
            counter.feed(piece, |event| seen.push(format!("{event:?}")))?;
        }
        Ok(seen)
    }

    /// Scenario: text and binary messages of every form of length, one in three frames with a
    /// ping between them, an empty one, and a close, in pieces of one byte up to all at once.
    /// Guarantees: each is seen once, with its length, wherever the stream is cut.
    #[test]
    fn messages_are_counted_however_the_stream_is_cut() {
        let stream = [
            frame(0x81, 5),
            frame(0x82, 126),
            frame(0x81, 65_535),
            frame(0x81, 65_536),
            frame(0x01, 10),
            frame(0x00, 200),
            frame(0x89, 3),
            frame(0x80, 1),
            frame(0x8a, 2),
            frame(0x81, 0),
            frame(0x88, 2),
        ]
        .concat();
        let expected = [
            "Message(5)",
            "Message(126)",
            "Message(65535)",
            "Message(65536)",
            "Ping([0, 1, 2])",
            "Message(211)",
            "Message(0)",
            "Close",
        ];
        for size in [1, 2, 3, 7, 127, 4096, stream.len()] {
            assert_eq!(seen(&stream, size).unwrap(), expected, "pieces of {size}");
        }
    }

    /// Scenario: with permessage-deflate agreed on, a compressed message in two frames and a plain
    /// one; then each reserved bit where it may not be.
    /// Guarantees: both are counted as they come, and the rest is an error.
    #[test]
    fn compressed_messages_are_counted_as_they_come() {
        let stream = [frame(0x41, 5), frame(0x80, 2), frame(0x81, 3)].concat();
        let mut counter = FrameCounter::new(true);
        let mut seen = Vec::new();
        counter
            .feed(&stream, |event| seen.push(format!("{event:?}")))
            .unwrap();
        assert_eq!(seen, ["Message(7)", "Message(3)"]);
        for first in [0xa1, 0x91, 0xc0, 0xc9] {
            let fed = FrameCounter::new(true).feed(&frame(first, 1), |_| {});
            assert!(fed.is_err(), "{first:02x}");
        }
    }

    /// Scenario: frames with a reserved bit, a reserved opcode, a mask, a control frame that is
    /// too long and one in pieces.
    /// Guarantees: each is an error, and nothing is counted.
    #[test]
    fn what_no_server_may_send_is_an_error() {
        let bad = [
            vec![0xc1, 1, 0],
            vec![0x83, 0],
            vec![0x81, 0x81, 0, 0, 0, 0, 0],
            frame(0x89, 126),
            frame(0x09, 1),
        ];
        for stream in bad {
            assert!(seen(&stream, stream.len()).is_err(), "{stream:02x?}");
        }
    }
}
