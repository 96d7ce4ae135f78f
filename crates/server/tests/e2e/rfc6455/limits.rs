//! Section 10.4: messages up to the limit and beyond, in one frame, in many, in many pieces.

use super::{Suite, fails, lives};
use crate::support::ws_frame::{
    BINARY, BINARY_BEGIN, END, MORE, PING, TEXT, TEXT_BEGIN, fragments, frame, header,
};

/// The longest message of a client: `FanoutConfig::client_message_bytes`.
const LIMIT: usize = 1 << 20;

/// Scenario: messages of up to the limit: in one frame, in fragments long and short.
/// Guarantees: they are taken.
#[test]
fn long_messages_are_taken() {
    let text = vec![b'*'; LIMIT];
    let mut cases = Vec::new();
    for length in [64 << 10, 256 << 10, LIMIT] {
        let text = &text[..length];
        cases.push(lives(format!("{length}, text"), frame(TEXT, text)));
        cases.push(lives(format!("{length}, binary"), frame(BINARY, text)));
    }
    for length in [256, 4096, 64 << 10] {
        let name = format!("fragments of {length}");
        cases.push(lives(name, fragments(TEXT_BEGIN, text.chunks(length))));
    }
    Suite::start("longest").check(&cases);
}

/// Scenario: messages of one byte more, announced in a header or reached by fragments; lengths
/// that no machine has.
/// Guarantees: 1009, from the header alone.
#[test]
fn longer_ones_fail() {
    let limit = LIMIT as u64;
    let full = vec![0; LIMIT];
    let two = [frame(BINARY_BEGIN, &full), header(END, 1)].concat();
    let halves = [frame(BINARY_BEGIN, &full[1..]), header(MORE, 2)].concat();
    let empty = [
        frame(BINARY_BEGIN, &full),
        frame(MORE, b""),
        frame(END, b""),
    ]
    .concat();
    Suite::start("longer").check(&[
        fails(1009, "one byte more", header(BINARY, limit + 1)),
        fails(1009, "one byte more, text", header(TEXT, limit + 1)),
        fails(
            1009,
            "one byte more, begun",
            header(BINARY_BEGIN, limit + 1),
        ),
        fails(1009, "16 EiB", header(BINARY, u64::MAX >> 1)),
        fails(1009, "in the second frame", two),
        fails(1009, "over the edge", halves),
        lives("empty frames at the limit", empty),
    ]);
}

/// Scenario: thousands of short messages, and of pings between them, in one piece.
/// Guarantees: they are taken; the last ping is answered.
#[test]
fn many_short_ones_are_taken() {
    let texts = frame(TEXT, b"0123456789abcdef").repeat(5000);
    let numbers: Vec<[u8; 2]> = (0..2000_u16).map(u16::to_be_bytes).collect();
    let pings: Vec<&[u8]> = numbers.iter().map(|number| &number[..]).collect();
    let mixed = pings
        .iter()
        .flat_map(|ping| [frame(TEXT, b"x"), frame(PING, ping)].concat());
    let mixed: Vec<u8> = mixed.collect();
    let empty = frame(BINARY, b"").repeat(10_000);
    Suite::start("many").check(&[
        lives("texts", texts),
        lives("empty messages", empty),
        lives("between pings", mixed).pings(&pings),
    ]);
}
