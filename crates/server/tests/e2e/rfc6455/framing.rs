//! Sections 5.2 and 5.3: lengths, masks, and frames that are none.

use super::{Suite, fails, lives};
use crate::support::ws_frame::{BINARY, PING, TEXT, frame};

/// Scenario: texts and binary messages on either side of the lengths where the header grows.
/// Guarantees: each is taken, and the session goes on.
#[test]
fn lengths_where_the_header_grows() {
    let lengths = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537];
    let cases: Vec<_> = [("text", TEXT), ("binary", BINARY)]
        .into_iter()
        .flat_map(|(kind, first)| {
            lengths.map(|length| {
                lives(
                    format!("{kind} of {length}"),
                    frame(first, &vec![b'*'; length]),
                )
            })
        })
        .collect();
    Suite::start("lengths").check(&cases);
}

/// Scenario: lengths in more bytes than they need, and with the top bit set.
/// Guarantees: 1002, from the header alone.
#[test]
fn lengths_in_another_form() {
    let mut cases = Vec::new();
    for first in [TEXT, BINARY] {
        for length in [0_u8, 1, 125] {
            let header = vec![first, 0x80 | 126, 0, length];
            cases.push(fails(1002, format!("{length} in two bytes"), header));
        }
        for length in [0_u64, 125, 126, 65_535] {
            let header = [&[first, 0x80 | 127], &length.to_be_bytes()[..]].concat();
            cases.push(fails(1002, format!("{length} in eight bytes"), header));
        }
        for length in [1 << 63, u64::MAX] {
            let header = [&[first, 0x80 | 127], &length.to_be_bytes()[..]].concat();
            cases.push(fails(1002, format!("top bit: {length:x}"), header));
        }
    }
    Suite::start("forms").check(&cases);
}

/// Scenario: frames of every kind without a mask (section 5.1); masks of zeros and of ones.
/// Guarantees: 1002 without; any key will do.
#[test]
fn masks() {
    let mut cases: Vec<_> = [0x81, 0x82, 0x01, 0x88, 0x89, 0x8a]
        .into_iter()
        .map(|first| {
            fails(
                1002,
                format!("{first:x} without a mask"),
                [first, 2, b'h', b'i'],
            )
        })
        .collect();
    let text = [&[TEXT, 0x82, 0, 0, 0, 0][..], b"hi"].concat();
    cases.push(lives("a key of zeros", text));
    let ping = [PING, 0x81, 0xff, 0xff, 0xff, 0xff, !b'x'];
    cases.push(lives("a key of ones", ping).pings(&[b"x"]));
    Suite::start("masks").check(&cases);
}

/// Scenario: what is not WebSocket at all.
/// Guarantees: 1002.
#[test]
fn other_protocols() {
    Suite::start("others").check(&[
        fails(1002, "HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        fails(1002, "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        fails(1002, "TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        fails(1002, "lines", b"hello\r\nhello\r\n"),
    ]);
}
