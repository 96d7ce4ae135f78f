//! Single frames and their faults, then any stream in any pieces against a slow twin.

use proptest::prelude::*;

use super::*;

mod compressed;

/// The longest message in these tests, in bytes.
const MAX: u64 = 300;

type Seen = (Vec<ClientEvent>, Option<Violation>);

/// A client's frame, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
    }
    let mask = [0x11, 0x52, 0xa3, 0xf4];
    frame.extend(mask);
    frame.extend(
        payload
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ mask[i % 4]),
    );
    frame
}

/// What the parser makes of a stream that comes in these pieces.
fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    parse_with(ClientParser::new(MAX, false), pieces)
}

fn parse_with<'a>(mut parser: ClientParser, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut events = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            match parser.read(&mut piece) {
                Ok(event) => events.extend(event),
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}

/// A stream in pieces of these lengths, again and again.
fn cut<'a>(mut rest: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The slow twin: the whole stream at once, every message kept. The flag says that the stream
/// ended inside a frame, of which the twin then judges nothing.
fn twin(mut rest: &[u8]) -> (Vec<ClientEvent>, Option<CloseCode>, bool) {
    let mut events = Vec::new();
    let mut message: Option<(u8, Vec<u8>)> = None;
    loop {
        let Some((frame, after)) = split(rest) else {
            return (events, None, !rest.is_empty());
        };
        rest = after;
        match judge(frame, &mut message) {
            Ok(event) => events.extend(event),
            Err(code) => return (events, Some(code), false),
        }
        if let Some(ClientEvent::Close(_)) = events.last() {
            return (events, None, false);
        }
    }
}

struct Whole<'a> {
    first: u8,
    second: u8,
    len: u64,
    minimal: bool,
    mask: &'a [u8],
    payload: &'a [u8],
}

fn split(bytes: &[u8]) -> Option<(Whole<'_>, &[u8])> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (len, header) = match second & 0x7f {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        len => (u64::from(len), 2),
    };
    let minimal = match header {
        4 => len > 125,
        10 => len > 65_535,
        _ => true,
    };
    let mask = bytes.get(header..header + 4)?;
    let end = (header + 4).checked_add(usize::try_from(len).ok()?)?;
    let payload = bytes.get(header + 4..end)?;
    Some((
        Whole {
            first,
            second,
            len,
            minimal,
            mask,
            payload,
        },
        &bytes[end..],
    ))
}

fn judge(
    frame: Whole<'_>,
    message: &mut Option<(u8, Vec<u8>)>,
) -> Result<Option<ClientEvent>, CloseCode> {
    let (fin, opcode) = (frame.first & 0x80 != 0, frame.first & 0x0f);
    let control = opcode >= 8;
    if frame.first & 0x70 != 0
        || !matches!(opcode, 0..=2 | 8..=10)
        || (control && !fin)
        || (opcode == 0 && message.is_none())
        || ((opcode == 1 || opcode == 2) && message.is_some())
        || frame.second & 0x80 == 0
        || (control && frame.len > 125)
        || frame.len >= 1 << 63
        || !frame.minimal
    {
        return Err(CloseCode::PROTOCOL);
    }
    let payload: Vec<u8> = frame
        .payload
        .iter()
        .enumerate()
        .map(|(i, byte)| byte ^ frame.mask[i % 4])
        .collect();
    if control {
        let mut kept = ControlPayload {
            bytes: [0; MAX_CONTROL],
            len: payload.len() as u8,
        };
        kept.bytes[..payload.len()].copy_from_slice(&payload);
        return match opcode {
            9 => Ok(Some(ClientEvent::Ping(kept))),
            10 => Ok(Some(ClientEvent::Pong(kept))),
            _ => close(&payload)
                .map(|c| Some(ClientEvent::Close(c)))
                .map_err(|v| v.code),
        };
    }
    let (kind, mut whole) = message.take().unwrap_or((opcode, Vec::new()));
    whole.extend(payload);
    if whole.len() as u64 > MAX {
        return Err(CloseCode::TOO_BIG);
    }
    if kind == 1
        && let Err(error) = std::str::from_utf8(&whole)
        && (fin || error.error_len().is_some())
    {
        return Err(CloseCode::INVALID_DATA);
    }
    *message = (!fin).then_some((kind, whole));
    Ok(None)
}

/// A stream of frames, most of them in order.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        "[a-zé€😀]{0,40}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..200),
    ];
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a]),
        1 => Just(0x88),
        1 => any::<u8>(),
    ];
    let close = prop::sample::select(vec![
        &b""[..],
        b"x",
        b"\x03\xe8",
        b"\x03\xed",
        b"\x0b\xb8ok",
    ]);
    let one = (first, text, close).prop_map(|(first, text, close)| match first {
        0x88 => frame(first, close),
        0x89 | 0x8a => frame(first, &text[..text.len().min(125)]),
        first => frame(first, &text),
    });
    let change = proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (proptest::collection::vec(one, 0..8), change).prop_map(|(frames, change)| {
        let mut bytes = frames.concat();
        if let Some((at, byte)) = change
            && !bytes.is_empty()
        {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    /// Scenario: streams of frames, right and wrong, cut into pieces anywhere.
    /// Guarantees: the events and the violation do not depend on the cuts, and are those of
    /// the slow twin; inside an unfinished frame the parser may see a violation earlier.
    #[test]
    fn pieces_change_nothing(
        bytes in stream(),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        let whole = parse([&bytes[..]]);
        prop_assert_eq!(&parse(cut(&bytes, &cuts)), &whole);
        prop_assert_eq!(&parse(bytes.chunks(1)), &whole);

        let (events, code, unfinished) = twin(&bytes);
        prop_assert_eq!(&whole.0, &events);
        match whole.1 {
            Some(_) if unfinished => {}
            violation => prop_assert_eq!(violation.map(|v| v.code), code),
        }
    }
}

/// Scenario: one fault each, at the start of a stream or behind a good frame.
/// Guarantees: the close code that RFC 6455 names for it.
#[test]
fn each_fault_has_its_code() {
    let long_control = [&[0x89, 0x80 | 126, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("reserved bit", frame(0xC1, b""), 1002),
        ("reserved data opcode", frame(0x83, b""), 1002),
        ("reserved control opcode", frame(0x8B, b""), 1002),
        ("not masked", vec![0x81, 0x01, b'a'], 1002),
        ("fragmented ping", frame(0x09, b""), 1002),
        ("long ping", long_control, 1002),
        ("continuation of nothing", frame(0x80, b"x"), 1002),
        (
            "message in a message",
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            1002,
        ),
        (
            "top bit of the length",
            vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
            1002,
        ),
        ("length 5 in two bytes", vec![0x82, 0xfe, 0, 5], 1002),
        (
            "length 126 in eight bytes",
            vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 126],
            1002,
        ),
        ("bad text", frame(0x81, b"a\xff"), 1007),
        (
            "text cut in a character",
            frame(0x81, "€".as_bytes().split_last().unwrap().1),
            1007,
        ),
        (
            "surrogate over two frames",
            [frame(1, b"\xed"), frame(0x80, b"\xa0\x80")].concat(),
            1007,
        ),
        ("too long", frame(0x82, &[0; 301]), 1009),
        (
            "too long in parts",
            [frame(2, &[0; 200]), frame(0x80, &[0; 101])].concat(),
            1009,
        ),
        ("half a close code", frame(0x88, b"\x03"), 1002),
        ("close code 999", frame(0x88, &999_u16.to_be_bytes()), 1002),
        (
            "close code 1005",
            frame(0x88, &1005_u16.to_be_bytes()),
            1002,
        ),
        (
            "close code 5000",
            frame(0x88, &5000_u16.to_be_bytes()),
            1002,
        ),
        ("close reason", frame(0x88, b"\x03\xe8\xff"), 1007),
    ];
    for (name, bytes, code) in cases {
        for bytes in [bytes.clone(), [frame(0x81, b"fine"), bytes].concat()] {
            let (events, violation) = parse([&bytes[..]]);
            assert_eq!(events, [], "{name}");
            assert_eq!(violation.unwrap().code.0, code, "{name}");
        }
    }
}

/// Scenario: a text in three fragments that cut a character, with a ping and a pong between,
/// then a Close, then rubbish.
/// Guarantees: the control frames come out as they are, and nothing is read after the Close.
#[test]
fn control_frames_may_stand_between_fragments() {
    let bytes = [
        frame(0x01, b"\xe2"),
        frame(0x89, b"ping"),
        frame(0x00, b"\x82"),
        frame(0x8a, b""),
        frame(0x80, b"\xac"),
        frame(0x88, b"\x0f\xa0bye"),
        vec![0xff; 40],
    ]
    .concat();
    let (events, violation) = parse([&bytes[..]]);
    assert_eq!(violation, None);
    let [ClientEvent::Ping(ping), ClientEvent::Pong(pong), close] = events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((ping.as_slice(), pong.as_slice()), (&b"ping"[..], &b""[..]));
    assert_eq!(close, ClientEvent::Close(Some(CloseCode(4000))));
}

/// Scenario: an empty Close frame; a message of exactly the limit; empty messages.
/// Guarantees: none of them is a fault.
#[test]
fn the_edges_are_inside() {
    let bytes = [
        frame(0x82, &[7; MAX as usize]),
        frame(0x81, b""),
        frame(0x01, b""),
        frame(0x80, b""),
        frame(0x89, &[1; 125]),
        frame(0x88, b""),
    ]
    .concat();
    let (events, violation) = parse([&bytes[..]]);
    assert_eq!(violation, None);
    assert_eq!(events.len(), 2);
    assert_eq!(events[1], ClientEvent::Close(None));
}
