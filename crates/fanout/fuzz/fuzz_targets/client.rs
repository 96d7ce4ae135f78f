//! What a WebSocket client sends, with and without compression.
//!
//! Whatever comes: no panic; the same events and the same verdict, reason included, whether it
//! comes at once, byte by byte, or in other pieces; nothing behind a Close or a fault. And the
//! verdict of an oracle that has each frame and each message whole, inflates with flate2 in one
//! go, and judges then. Of a frame that has not ended, and of compressed messages that are broken
//! or in parts, only the parser says anything.
//!
//! The first byte says how to read the rest: see [`Input`].

#![no_main]

use fanout::client::{ClientEvent, ClientParser, Violation};
use fanout::frame::CloseCode;
use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;

/// The longest message.
const MAX: u64 = 2000;

/// The inflated bytes of a message that the oracle looks at.
const LOOK: usize = 1 << 20;

struct Input {
    deflate: bool,
    /// The lengths of pieces, again and again.
    piece: usize,
    stream: Vec<u8>,
}

impl Input {
    /// Byte 0: bit 0 compression, bit 1 whether the rest is the stream itself or a list of frames,
    /// the others the length of pieces. A frame of the list is its first byte, the length of its
    /// payload, and that; it is masked and put into its shortest form here.
    fn read(input: &[u8]) -> Option<Self> {
        let (how, rest) = input.split_first()?;
        let stream = match how & 2 {
            0 => rest.to_vec(),
            _ => frames(rest),
        };
        Some(Self {
            deflate: how & 1 != 0,
            piece: usize::from(how >> 2) + 1,
            stream,
        })
    }
}

fn frames(mut list: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let [first, length, rest @ ..] = list {
        let (payload, after) = rest.split_at(usize::from(*length).min(rest.len()));
        stream.push(*first);
        match payload.len() {
            short @ ..126 => stream.push(0x80 | short as u8),
            long => stream.extend([0x80 | 126, 0, long as u8]),
        }
        let key = [*first, *length, 0x5a, 0xa5];
        stream.extend(key);
        stream.extend(
            payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        list = after;
    }
    stream
}

type Seen = (Vec<ClientEvent>, Option<Violation>);

fn parse<'a>(deflate: bool, pieces: impl Iterator<Item = &'a [u8]>) -> Seen {
    let mut parser = ClientParser::new(MAX, deflate);
    let (mut events, mut violation) = (Vec::new(), None);
    for mut piece in pieces {
        let length = piece.len() as u64;
        while !piece.is_empty() {
            match parser.read(&mut piece) {
                Ok(event) => {
                    assert!(
                        event.is_none() || !over(&events, violation),
                        "an event behind the end"
                    );
                    events.extend(event);
                }
                Err(error) => {
                    assert!(!over(&events, violation), "a fault behind the end");
                    violation = Some(error);
                }
            }
        }
        let inflated = parser.take_inflated();
        assert!(
            inflated <= (MAX + 4096) * length,
            "inflated far beyond the limit"
        );
    }
    (events, violation)
}

fn over(events: &[ClientEvent], violation: Option<Violation>) -> bool {
    violation.is_some() || matches!(events.last(), Some(ClientEvent::Close(_)))
}

/// One frame, unmasked.
struct Frame {
    first: u8,
    masked: bool,
    minimal: bool,
    length: u64,
    payload: Vec<u8>,
}

/// The next frame, if it is whole.
fn split(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, header, least) = match second & 0x7f {
        126 => (
            u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(),
            4,
            126,
        ),
        127 => (
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?),
            10,
            65_536,
        ),
        short => (short.into(), 2, 0),
    };
    let key = bytes.get(header..header + 4)?;
    let end = (header + 4).checked_add(usize::try_from(length).ok()?)?;
    let payload = bytes.get(header + 4..end)?.iter().zip(key.iter().cycle());
    let frame = Frame {
        first,
        masked: second & 0x80 != 0,
        minimal: length >= least,
        length,
        payload: payload.map(|(byte, key)| byte ^ key).collect(),
    };
    Some((frame, &bytes[end..]))
}

/// A message so far: what its first frame said, and its payload.
type Message = Option<(u8, Vec<u8>)>;

/// How many events there are, and the code of the fault; none if the stream ends inside a frame,
/// or in a way that the oracle can't judge.
fn oracle(deflate: bool, mut rest: &[u8]) -> Option<(usize, Option<CloseCode>)> {
    let (mut events, mut message) = (0, None);
    while !rest.is_empty() {
        let (frame, after) = split(rest)?;
        rest = after;
        let opcode = frame.first & 0x0f;
        match judge(deflate, frame, &mut message)? {
            Err(code) => return Some((events, Some(code))),
            Ok(()) if opcode == 8 => return Some((events + 1, None)),
            Ok(()) => events += usize::from(opcode > 8),
        }
    }
    Some((events, None))
}

fn judge(deflate: bool, frame: Frame, message: &mut Message) -> Option<Result<(), CloseCode>> {
    let (fin, opcode) = (frame.first & 0x80 != 0, frame.first & 0x0f);
    let begins = matches!(opcode, 1 | 2);
    let reserved = frame.first & if deflate && begins { 0x30 } else { 0x70 };
    let control = opcode >= 8;
    if reserved != 0
        || !matches!(opcode, 0..=2 | 8..=10)
        || control && (!fin || frame.length > 125)
        || opcode == 0 && message.is_none()
        || begins && message.is_some()
        || !frame.masked
        || !frame.minimal
    {
        return Some(Err(CloseCode::PROTOCOL));
    }
    if opcode == 8 {
        return Some(judge_close(&frame.payload));
    }
    if control {
        return Some(Ok(()));
    }
    let (first, mut payload) = message.take().unwrap_or((frame.first, Vec::new()));
    payload.extend(frame.payload);
    if payload.len() as u64 > MAX {
        return Some(Err(CloseCode::TOO_BIG));
    }
    let verdict = judge_message(first, &payload, fin)?;
    *message = (!fin).then_some((first, payload));
    Some(verdict)
}

fn judge_close(payload: &[u8]) -> Result<(), CloseCode> {
    match payload {
        [] => Ok(()),
        [high, low, reason @ ..] if CloseCode(u16::from_be_bytes([*high, *low])).may_be_sent() => {
            let reason = std::str::from_utf8(reason);
            reason.map(drop).map_err(|_| CloseCode::INVALID_DATA)
        }
        _ => Err(CloseCode::PROTOCOL),
    }
}

fn judge_message(first: u8, payload: &[u8], fin: bool) -> Option<Result<(), CloseCode>> {
    if first & 0x40 == 0 {
        return Some(judge_text(first, payload, fin));
    }
    // Whether a message that has not ended is broken, only the parser knows.
    if !fin {
        return None;
    }
    let mut text = Vec::with_capacity(LOOK);
    let mut stream = Decompress::new(false);
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    let status = stream.decompress_vec(&whole, &mut text, FlushDecompress::None);
    if !matches!(status, Ok(Status::Ok)) || stream.total_in() < whole.len() as u64 {
        // Broken, or a final block before the end, or more than the oracle looks at.
        return None;
    }
    // Behind the end of a block, an empty final one says nothing.
    let mut more = Vec::with_capacity(LOOK);
    let ended = stream.decompress_vec(&[3, 0], &mut more, FlushDecompress::None);
    let sound = matches!(ended, Ok(Status::StreamEnd)) && more.is_empty();
    let kept = &text[..text.len().min(MAX as usize)];
    let longer = text.len() > kept.len();
    let verdict = judge_text(first, kept, !longer);
    Some(verdict.and(match (longer, sound) {
        (true, _) => Err(CloseCode::TOO_BIG),
        (false, false) => Err(CloseCode::INVALID_DATA),
        (false, true) => Ok(()),
    }))
}

fn judge_text(first: u8, text: &[u8], ended: bool) -> Result<(), CloseCode> {
    match std::str::from_utf8(text) {
        Err(error) if first & 0x0f == 1 && (ended || error.error_len().is_some()) => {
            Err(CloseCode::INVALID_DATA)
        }
        _ => Ok(()),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(input) = Input::read(input) else {
        return;
    };
    let stream = &input.stream[..];
    let whole = parse(input.deflate, std::iter::once(stream));
    assert_eq!(
        parse(input.deflate, stream.chunks(1)),
        whole,
        "byte by byte"
    );
    let pieces = parse(input.deflate, stream.chunks(input.piece));
    assert_eq!(pieces, whole, "in pieces");
    if let Some((events, code)) = oracle(input.deflate, stream) {
        assert_eq!(whole.1.map(|violation| violation.code), code);
        assert_eq!(whole.0.len(), events);
    }
});
