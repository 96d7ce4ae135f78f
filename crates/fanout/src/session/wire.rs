//! How the frames of a session go over its wire: as they are, or as lines in the body of an HTTP
//! answer. The frames are the same, and so are those who share them.

use std::io::Write;

use crate::frame::{self, Opcode};

/// What a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// WebSocket, both ways.
    WebSocket,
    /// NDJSON, one way: the text of a frame is a line, or several that each end already; a ping
    /// is an empty line; after a Close nothing follows.
    Lines {
        /// Whether the body has the chunked coding (RFC 9112, section 7.1), in which its end is
        /// said; else it ends with the connection, as HTTP/1.0 has it.
        chunked: bool,
    },
}

/// Room for what stands in front of a line: the size of its chunk, in hexadecimal, and CRLF.
pub(super) type Head = [u8; MAX_HEAD];

/// The longest head of a chunk, in bytes.
const MAX_HEAD: usize = 2 * size_of::<usize>() + 2;

impl Wire {
    /// Whether the client has nothing to say.
    pub(super) fn is_one_way(self) -> bool {
        matches!(self, Self::Lines { .. })
    }

    /// Whether there is a word for the end.
    pub(super) fn has_goodbye(self) -> bool {
        self != Self::Lines { chunked: false }
    }

    /// What goes out for a frame, in pieces; `head` is room for the first.
    pub(super) fn pieces<'a>(self, frame: &'a [u8], head: &'a mut Head) -> [&'a [u8]; 3] {
        let Self::Lines { chunked } = self else {
            return [frame, b"", b""];
        };
        let (line, end) = match Opcode::of(frame) {
            Some(Opcode::Text) => line(frame::payload(frame)),
            Some(Opcode::Ping) => line(b""),
            // The last chunk, which is empty.
            Some(Opcode::Close) if chunked => return [b"0\r\n\r\n", b"", b""],
            // There is no view of binary frames here, and nobody asks for a pong.
            Some(Opcode::Close | Opcode::Binary | Opcode::Pong) | None => return [b""; 3],
        };
        if !chunked {
            return [line, end, b""];
        }
        let mut left = &mut head[..];
        // There is room for the longest.
        let _ = write!(left, "{:x}\r\n", line.len() + end.len());
        let used = MAX_HEAD - left.len();
        let end: &[u8] = match end {
            b"" => b"\r\n",
            _ => b"\n\r\n",
        };
        [&head[..used], line, end]
    }

    /// How many bytes go out for a frame.
    pub(super) fn length(self, frame: &[u8]) -> usize {
        match self {
            Self::WebSocket => frame.len(),
            Self::Lines { .. } => {
                let mut head = Head::default();
                let pieces = self.pieces(frame, &mut head);
                pieces.iter().map(|piece| piece.len()).sum()
            }
        }
    }
}

/// A line, and the newline that it may lack.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.ends_with(b"\n") {
        true => (text, b""),
        false => (text, b"\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{MAX_HEADER, close, control, data};

    fn text(text: &str) -> bytes::Bytes {
        let buffer = [&[0; MAX_HEADER], text.as_bytes()].concat();
        data(Opcode::Text, buffer)
    }

    fn on(wire: Wire, frame: &[u8]) -> String {
        let pieces = wire.pieces(frame, &mut Head::default()).concat();
        assert_eq!(pieces.len(), wire.length(frame));
        String::from_utf8(pieces).unwrap()
    }

    /// Scenario: texts of one line and of several, a ping and a Close, with the chunked coding and
    /// without.
    /// Guarantees: lines that end, chunks that say their length, an empty line, and an end where
    /// there is one.
    #[test]
    fn frames_become_lines() {
        let [chunked, bare] = [true, false].map(|chunked| Wire::Lines { chunked });
        let long = "x".repeat(70_000);
        for (frame, in_chunks, alone) in [
            (text("{}"), "3\r\n{}\n\r\n".to_owned(), "{}\n".to_owned()),
            (
                text("{}\n{}\n"),
                "6\r\n{}\n{}\n\r\n".to_owned(),
                "{}\n{}\n".to_owned(),
            ),
            (
                text(&long),
                format!("11171\r\n{long}\n\r\n"),
                format!("{long}\n"),
            ),
            (
                control(Opcode::Ping, b"12345678"),
                "1\r\n\n\r\n".to_owned(),
                "\n".to_owned(),
            ),
            (close(None, ""), "0\r\n\r\n".to_owned(), String::new()),
        ] {
            assert_eq!(on(chunked, &frame), in_chunks);
            assert_eq!(on(bare, &frame), alone);
            assert_eq!(Wire::WebSocket.length(&frame), frame.len());
        }
        assert!(chunked.has_goodbye() && !bare.has_goodbye());
    }
}
