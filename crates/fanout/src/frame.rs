//! Frames that the server sends (RFC 6455 section 5.2): never masked, never fragmented.

use std::fmt;

use bytes::Bytes;

/// The longest header of a server's frame, in bytes.
pub const MAX_HEADER: usize = 10;

/// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub const MAX_CONTROL: usize = 125;

/// The first reserved bit of a frame's first byte: with permessage-deflate, it marks the first
/// frame of a compressed message (RFC 7692 section 6).
pub const RSV1: u8 = 0x40;

/// What a frame is (RFC 6455 section 11.8), as far as a server sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A text message.
    Text = 0x1,
    /// A binary message.
    Binary = 0x2,
    /// A closing handshake.
    Close = 0x8,
    /// A question for a pong.
    Ping = 0x9,
    /// The answer to a ping.
    Pong = 0xA,
}

impl Opcode {
    /// That of a server's frame, from its first byte.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let opcodes = [
            Self::Text,
            Self::Binary,
            Self::Close,
            Self::Ping,
            Self::Pong,
        ];
        let first = frame.first()?;
        opcodes
            .into_iter()
            .find(|opcode| *opcode as u8 == first & 0x0f)
    }
}

/// A close code (RFC 6455 section 7.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server is going down.
    pub const AWAY: Self = Self(1001);
    /// The client broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// The text of a message is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// A message is too long.
    pub const TOO_BIG: Self = Self(1009);
    /// The client is too slow, and asked not to miss anything in silence; of our own, from the
    /// range that RFC 6455 section 7.4.2 leaves to libraries and applications. Coming again is
    /// welcome.
    pub const SLOW: Self = Self(3008);
    /// No sign of life after a ping; of our own likewise.
    pub const NO_PONG: Self = Self(3012);
    /// The client may watch no longer; of our own. Coming again with what it has is in vain.
    pub const REVOKED: Self = Self(3500);

    /// Whether a Close frame may carry this code: RFC 6455 section 7.4 and the registry of
    /// section 11.7, which has since gained 1012 to 1014, and the free ranges 3000 to 4999.
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The header of a final, unmasked frame with a payload of `len` bytes: the bytes and how many
/// of them count.
#[must_use]
pub fn header(opcode: Opcode, len: usize) -> ([u8; MAX_HEADER], usize) {
    header_of(0x80 | opcode as u8, len)
}

fn header_of(first: u8, len: usize) -> ([u8; MAX_HEADER], usize) {
    let mut header = [0; MAX_HEADER];
    header[0] = first;
    let used = if let Ok(short) = u8::try_from(len)
        && usize::from(short) <= MAX_CONTROL
    {
        header[1] = short;
        2
    } else if let Ok(medium) = u16::try_from(len) {
        header[1] = 126;
        header[2..4].copy_from_slice(&medium.to_be_bytes());
        4
    } else {
        header[1] = 127;
        header[2..].copy_from_slice(&(len as u64).to_be_bytes());
        10
    };
    (header, used)
}

/// Writes the header of a frame into a buffer whose first [`MAX_HEADER`] bytes are room for it and
/// the rest a message. Gives where the frame begins.
///
/// # Panics
/// If the buffer is shorter than [`MAX_HEADER`].
pub fn begin(opcode: Opcode, buffer: &mut [u8]) -> usize {
    let (header, used) = header(opcode, buffer.len() - MAX_HEADER);
    put(&header[..used], buffer)
}

/// Turns such a buffer into one frame, without copying the message.
///
/// # Panics
/// If the buffer is shorter than [`MAX_HEADER`].
#[must_use]
pub fn data(opcode: Opcode, mut buffer: Vec<u8>) -> Bytes {
    let start = begin(opcode, &mut buffer);
    Bytes::from(buffer).slice(start..)
}

/// As [`begin`], for the message of the frame `plain`, compressed (RFC 7692 section 6).
///
/// # Panics
/// If the buffer is shorter than [`MAX_HEADER`].
pub fn begin_compressed(plain: &[u8], buffer: &mut [u8]) -> usize {
    let first = plain.first().copied().unwrap_or_default();
    let (header, used) = header_of(RSV1 | first, buffer.len() - MAX_HEADER);
    put(&header[..used], buffer)
}

/// Whether a data frame is compressed, by its first byte.
#[must_use]
pub fn is_compressed(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & RSV1 != 0)
}

/// Writes a header where its room ends.
fn put(header: &[u8], buffer: &mut [u8]) -> usize {
    let start = MAX_HEADER - header.len();
    buffer[start..MAX_HEADER].copy_from_slice(header);
    start
}

/// What a server's frame carries behind its header: nothing, if it is no frame.
#[must_use]
pub fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(127) => MAX_HEADER,
        Some(126) => 4,
        _ => 2,
    };
    frame.get(header..).unwrap_or_default()
}

/// A control frame. A payload over [`MAX_CONTROL`] bytes is cut there.
#[must_use]
pub fn control(opcode: Opcode, payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(MAX_CONTROL)];
    let (header, used) = header(opcode, payload.len());
    let mut frame = Vec::with_capacity(used + payload.len());
    frame.extend_from_slice(&header[..used]);
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

/// A Close frame with a code and a short ASCII reason, or with neither (RFC 6455 section 5.5.1).
#[must_use]
pub fn close(code: Option<CloseCode>, reason: &str) -> Bytes {
    let mut payload = Vec::with_capacity(2 + reason.len());
    if let Some(code) = code {
        payload.extend_from_slice(&code.0.to_be_bytes());
        payload.extend_from_slice(reason.as_bytes());
    }
    control(Opcode::Close, &payload)
}

/// Whether a frame, by its first byte, is a control frame: the top bit of the opcode.
#[must_use]
pub fn is_control(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 0x08 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: texts on either side of the lengths where the header grows.
    /// Guarantees: the header of RFC 6455 section 5.2 and the text, untouched.
    #[test]
    fn a_data_frame_has_the_shortest_header_that_fits() {
        for (len, header) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut buffer = vec![0; MAX_HEADER];
            buffer.resize(MAX_HEADER + len, b'x');
            let frame = data(Opcode::Text, buffer);
            assert_eq!(frame[..header.len()], header);
            assert_eq!(frame.len(), header.len() + len);
            assert!(frame[header.len()..].iter().all(|&byte| byte == b'x'));
            assert_eq!(payload(&frame), &frame[header.len()..]);
            assert_eq!(Opcode::of(&frame), Some(Opcode::Text));
            assert!(!is_control(&frame));
        }
    }

    /// Scenario: control frames of every kind, one with too long a payload.
    /// Guarantees: opcode and payload in place, never over 125 bytes.
    #[test]
    fn control_frames_are_short_and_final() {
        assert_eq!(control(Opcode::Ping, b"7"), [0x89, 1, b'7'].as_slice());
        assert_eq!(control(Opcode::Pong, b""), [0x8a, 0].as_slice());
        assert_eq!(control(Opcode::Pong, &[0; 200]).len(), 2 + MAX_CONTROL);
        let away = close(Some(CloseCode::AWAY), "bye");
        assert_eq!(away, [0x88, 5, 0x03, 0xe9, b'b', b'y', b'e'].as_slice());
        assert_eq!(close(None, "unsaid"), [0x88, 0].as_slice());
        assert!(is_control(&away));
        assert_eq!(Opcode::of(&away), Some(Opcode::Close));
        assert_eq!((Opcode::of(b""), payload(b"")), (None, &[][..]));
    }
}
