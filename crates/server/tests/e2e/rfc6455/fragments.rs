//! Section 5.4: fragments, and what may come between them.

use super::{Suite, answered, fails, lives};
use crate::support::ws_frame::{
    BINARY, BINARY_BEGIN, CLOSE, END, MORE, PING, PONG, TEXT, TEXT_BEGIN, close, fragments, frame,
};

/// Scenario: messages in fragments, empty ones among them, with pings and pongs between.
/// Guarantees: all are taken; pings are answered before the message has ended.
#[test]
fn control_frames_may_come_between() {
    let begin = |text: &[u8]| frame(TEXT_BEGIN, text);
    let ping = |text: &[u8]| frame(PING, text);
    let two = [begin(b"one"), ping(b"a"), frame(END, b"two")].concat();
    let unfinished = [begin(b"one"), ping(b"a")].concat();
    let many = [
        begin(b"1"),
        frame(MORE, b"2"),
        ping(b"a"),
        frame(MORE, b"3"),
        ping(b"b"),
        frame(PONG, b"c"),
        frame(END, b"4"),
        frame(BINARY, b"whole"),
    ]
    .concat();
    let hundred: Vec<&[u8]> = vec![b"x"; 100];
    Suite::start("fragments").check(&[
        lives("two", fragments(TEXT_BEGIN, [&b"one"[..], b"two"])),
        lives(
            "two, binary",
            fragments(BINARY_BEGIN, [&b"one"[..], b"\xff"]),
        ),
        lives("empty ones", fragments(TEXT_BEGIN, [&b""[..], b"", b""])),
        lives(
            "text between empty ones",
            fragments(TEXT_BEGIN, [&b""[..], b"x", b""]),
        ),
        lives("a hundred", fragments(TEXT_BEGIN, hundred)),
        lives("a ping between", two).pings(&[b"a"]),
        lives("a ping, and no end", unfinished).pings(&[b"a"]),
        lives("pings and a pong", many).pings(&[b"a", b"b"]),
    ]);
}

/// Scenario: control frames without FIN.
/// Guarantees: 1002 (section 5.5).
#[test]
fn control_frames_are_whole() {
    let cases = [("close", CLOSE), ("ping", PING), ("pong", PONG)].map(|(kind, first)| {
        let halves = [frame(first & 0x7f, b""), frame(END, b"")].concat();
        fails(1002, kind, halves)
    });
    Suite::start("whole").check(&cases);
}

/// Scenario: continuations of nothing, messages that begin inside another.
/// Guarantees: 1002.
#[test]
fn order_counts() {
    let after = [fragments(TEXT_BEGIN, [&b"a"[..], b"b"]), frame(END, b"c")].concat();
    let nested = |first| {
        [
            frame(TEXT_BEGIN, b"a"),
            frame(first, b"b"),
            frame(END, b"c"),
        ]
        .concat()
    };
    Suite::start("order").check(&[
        fails(1002, "an end of nothing", frame(END, b"x")),
        fails(1002, "an empty end of nothing", frame(END, b"")),
        fails(1002, "a continuation of nothing", frame(MORE, b"x")),
        fails(
            1002,
            "behind a text",
            [frame(TEXT, b"a"), frame(END, b"b")].concat(),
        ),
        fails(1002, "behind the end", after),
        fails(1002, "a text in a text", nested(TEXT)),
        fails(1002, "a binary message in a text", nested(BINARY)),
        fails(1002, "a second beginning", nested(TEXT_BEGIN)),
        fails(1002, "a second beginning, binary", nested(BINARY_BEGIN)),
    ]);
}

/// Scenario: a Close frame between two fragments.
/// Guarantees: it is answered; the rest is not waited for.
#[test]
fn a_close_needs_no_end() {
    let begun = [frame(TEXT_BEGIN, b"never"), close(1000, b"")].concat();
    Suite::start("unended").check(&[answered(Some(1000), "a Close between", begun)]);
}
