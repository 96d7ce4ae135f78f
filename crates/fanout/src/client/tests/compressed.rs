//! Compressed messages of clients (RFC 7692), made by flate2 alone.

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::*;

/// What marks the first frame of a compressed message.
const TEXT: u8 = 0xc1;

fn parse_compressed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    parse_with(ClientParser::new(MAX, true), pieces)
}

/// A text as the payload of a compressed message.
fn compress(text: &[u8], level: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * text.len() + 100);
    let mut stream = Compress::new(Compression::new(level), false);
    stream
        .compress_vec(text, &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

/// A message in two frames.
fn halves(first: u8, payload: &[u8]) -> Vec<u8> {
    let (one, two) = payload.split_at(payload.len() / 2);
    [
        frame(first & 0x7f, one),
        frame(0x89, b"between"),
        frame(0x80, two),
    ]
    .concat()
}

/// Scenario: compressed texts and binary messages, whole and in fragments, plain ones between
/// them, up to the limit.
/// Guarantees: they are taken.
#[test]
fn good_ones_are_taken() {
    let longest = "x".repeat(MAX as usize);
    for text in ["", "hello", "κόσμε 😀", &longest] {
        for level in 0..=9 {
            let payload = compress(text.as_bytes(), level);
            if payload.len() as u64 > MAX {
                continue;
            }
            let stream = [
                frame(TEXT, &payload),
                frame(0x81, b"plain"),
                halves(TEXT, &payload),
                frame(0xc2, &compress(&[0xff; 300], 1)),
                halves(0x81, b"plain"),
            ]
            .concat();
            let (events, violation) = parse_compressed([&stream[..]]);
            assert_eq!(violation, None, "{text}");
            assert_eq!(events.len(), 2);
        }
    }
}

/// Scenario: RSV1 without the extension, on control frames, on continuations; other reserved
/// bits; bad text, too long a text, garbage and half a message behind RSV1.
/// Guarantees: the code for each; what is too long is so by the length of the text.
#[test]
fn each_fault_has_its_code() {
    let hello = compress(b"hello", 1);
    let (_, without) = parse([&frame(TEXT, &hello)[..]]);
    assert_eq!(without.map(|v| v.code.0), Some(1002));
    let long = compress(&vec![b'x'; MAX as usize + 1], 9);
    let bad = compress(b"bad \xff text", 1);
    let cut = compress("cut €".as_bytes().split_last().unwrap().1, 1);
    let bomb = compress(&vec![b'x'; 100_000], 9);
    assert!(bomb.len() < MAX as usize);
    for (name, bytes, code) in [
        ("on a ping", frame(0xc9, b""), 1002),
        ("on a Close", frame(0xc8, b""), 1002),
        (
            "on a continuation",
            [frame(0x41, &hello), frame(0xc0, b"")].concat(),
            1002,
        ),
        ("RSV2", frame(0xa1, &hello), 1002),
        ("RSV1 and RSV3", frame(0xd1, &hello), 1002),
        ("too long inflated", frame(TEXT, &long), 1009),
        ("too long inflated, in parts", halves(TEXT, &long), 1009),
        ("a bomb that never ends", frame(0x41, &bomb), 1009),
        (
            "too long compressed",
            frame(0xc2, &[0; MAX as usize + 1]),
            1009,
        ),
        ("no UTF-8", frame(TEXT, &bad), 1007),
        ("no UTF-8, in parts", halves(TEXT, &bad), 1007),
        ("no end of the text", frame(0x41, &bad), 1007),
        ("cut in a character", frame(TEXT, &cut), 1007),
        ("garbage", frame(TEXT, b"not compressed"), 1007),
        ("nothing", frame(TEXT, b""), 1007),
        ("half a block", frame(TEXT, &hello[..3]), 1007),
        (
            "a distance beyond the beginning",
            frame(0xc2, &[0xf2, 0x00, 0x11, 0x00]),
            1007,
        ),
    ] {
        let (_, violation) = parse_compressed([&bytes[..]]);
        assert_eq!(violation.map(|v| v.code.0), Some(code), "{name}");
    }
}

/// Scenario: a message that ends, one that is broken, one that is cut off by a Close.
/// Guarantees: no inflater is left; what was inflated is counted, once.
#[test]
fn nothing_is_left_of_a_message() {
    let mut parser = ClientParser::new(MAX, true);
    let text = frame(TEXT, &compress(&[b'x'; 200], 1));
    for _ in 0..3 {
        let mut input = &text[..];
        assert_eq!(parser.read(&mut input), Ok(None));
        assert!(parser.message.is_none());
        assert_eq!((parser.take_inflated(), parser.take_inflated()), (200, 0));
    }
    for end in [frame(0x88, b""), frame(0xff, b"")] {
        let mut parser = ClientParser::new(MAX, true);
        let mut input = &frame(0x41, &[])[..];
        assert_eq!(parser.read(&mut input), Ok(None));
        assert!(parser.message.is_some());
        let _ = parser.read(&mut &end[..]);
        assert!(parser.message.is_none());
    }
}

/// A compressed text, one byte of it changed perhaps.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        "[a-zé€😀]{0,60}".prop_map(String::into_bytes),
        "[ab]{0,900}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..300),
    ];
    let change = any::<Option<(prop::sample::Index, u8)>>();
    (text, 0..10_u32, change).prop_map(|(text, level, change)| {
        let mut payload = compress(&text, level);
        if let Some((at, byte)) = change {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        payload
    })
}

/// What becomes of a message, inflated at once by flate2 and then judged. Only for payload
/// without a final block before its end, behind which the inflater begins anew.
fn judge_payload(payload: &[u8], text: bool) -> Option<Result<(), u16>> {
    let mut out = Vec::with_capacity(1 << 20);
    let mut stream = flate2::Decompress::new(false);
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    let status = stream.decompress_vec(&whole, &mut out, flate2::FlushDecompress::None);
    if matches!(status, Ok(flate2::Status::StreamEnd)) {
        return None;
    }
    // Behind the end of a block, an empty final one says nothing.
    let mut more = Vec::with_capacity(1000);
    let end = stream.decompress_vec(&[3, 0], &mut more, flate2::FlushDecompress::None);
    let ended = matches!(end, Ok(flate2::Status::StreamEnd)) && more.is_empty();
    let sound = status.is_ok() && ended;
    let kept = &out[..out.len().min(MAX as usize)];
    let readable = match str::from_utf8(kept) {
        _ if !text => true,
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && kept.len() < out.len(),
    };
    Some(if !readable {
        Err(1007)
    } else if out.len() > kept.len() {
        Err(1009)
    } else if !sound {
        Err(1007)
    } else {
        Ok(())
    })
}

proptest! {
    /// Scenario: compressed messages, some of them damaged, in any pieces.
    /// Guarantees: the same verdict for all cuts, and that of inflating all of it first.
    #[test]
    fn pieces_change_nothing(
        payload in payload(),
        first in prop::sample::select(vec![TEXT, 0xc2]),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        prop_assume!(payload.len() as u64 <= MAX);
        let bytes = [frame(first, &payload), frame(0x89, b"behind")].concat();
        let whole = parse_compressed([&bytes[..]]);
        prop_assert_eq!(&parse_compressed(cut(&bytes, &cuts)), &whole);
        prop_assert_eq!(&parse_compressed(bytes.chunks(1)), &whole);
        if let Some(verdict) = judge_payload(&payload, first == TEXT) {
            prop_assert_eq!(whole.1.map_or(Ok(()), |v| Err(v.code.0)), verdict);
        }
    }
}
