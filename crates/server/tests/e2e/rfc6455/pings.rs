//! Sections 5.5.2 and 5.5.3: pings and pongs.

use super::{Suite, fails, lives};
use crate::support::ws_frame::{PING, PONG, TEXT, frame, header};

/// Scenario: pings with no payload, text, any bytes, 125 bytes; several in a row.
/// Guarantees: a pong with the same payload; of several the newest at least.
#[test]
fn pings_are_answered() {
    let all: Vec<u8> = (0..=255).collect();
    let (low, high) = all.split_at(125);
    let ten: Vec<Vec<u8>> = (0..10)
        .map(|number| format!("payload-{number}").into())
        .collect();
    let ten: Vec<&[u8]> = ten.iter().map(Vec::as_slice).collect();
    let row: Vec<u8> = ten.iter().flat_map(|ping| frame(PING, ping)).collect();
    let text = [
        frame(PING, b"a"),
        frame(TEXT, b"between"),
        frame(PING, b"b"),
    ]
    .concat();
    Suite::start("pings").check(&[
        lives("no payload", frame(PING, b"")).pings(&[b""]),
        lives("text", frame(PING, b"Hello, world!")).pings(&[b"Hello, world!"]),
        lives("no text", frame(PING, b"\x00\xff\xfe\xfd")).pings(&[b"\x00\xff\xfe\xfd"]),
        lives("125 bytes", frame(PING, low)).pings(&[low]),
        lives("125 others", frame(PING, &high[..125])).pings(&[&high[..125]]),
        lives("ten in a row", row).pings(&ten),
        lives("around a text", text).pings(&[b"a", b"b"]),
    ]);
}

/// Scenario: pings and pongs of 126 bytes and more, whose length takes two bytes or eight.
/// Guarantees: 1002 (section 5.5).
#[test]
fn long_ones_fail() {
    let mut cases = Vec::new();
    for first in [PING, PONG] {
        for length in [126, 65_535, 65_536] {
            cases.push(fails(
                1002,
                format!("{first:x} of {length}"),
                header(first, length),
            ));
        }
    }
    Suite::start("long").check(&cases);
}

/// Scenario: pongs that nobody asked for, before and after pings.
/// Guarantees: no answer, and no harm.
#[test]
fn pongs_are_not_answered() {
    let between = [frame(PONG, b"b"), frame(PING, b"a"), frame(PONG, b"c")].concat();
    Suite::start("pongs").check(&[
        lives("no payload", frame(PONG, b"")),
        lives("a payload", frame(PONG, b"unasked")),
        lives("125 bytes", frame(PONG, &[7; 125])),
        lives("around a ping", between).pings(&[b"a"]),
        lives("a thousand", frame(PONG, b"again").repeat(1000)),
    ]);
}
