//! Compression (RFC 7692), against a running relay over bare sockets, plain and with TLS, in the
//! spirit of categories 12 and 13 of Autobahn's testsuite. What is compressed here is so by
//! flate2, level by level.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::rfc6455::{Suite, fails, lives};
use crate::support::ws_frame::{
    BINARY, BINARY_BEGIN, CLOSE, END, MORE, PING, PONG, RSV1, TEXT, TEXT_BEGIN, fragments, frame,
};
use crate::support::{Http, RawWatcher, Relay, bulky, gauge, handshake, post};

/// The longest message of a client, as it comes and inflated.
const LIMIT: usize = 1 << 20;

/// A text as the payload of a compressed message (section 7.2.1).
fn deflate(text: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text).unwrap();
    encoder.flush().unwrap();
    let mut payload = encoder.get_ref().clone();
    assert!(payload.ends_with(&[0, 0, 0xff, 0xff]));
    payload.truncate(payload.len() - 4);
    payload
}

/// A text of so many bytes that is not all the same.
fn text(length: usize) -> Vec<u8> {
    let words = (0_u64..)
        .flat_map(|number| format!("{:x} ", number.wrapping_mul(0x9e37_79b9)).into_bytes());
    words.take(length).collect()
}

/// Scenario: compressed messages of many lengths and levels, texts and binary, whole and in
/// fragments with pings between them; plain ones among them.
/// Guarantees: they are taken, up to the limit.
#[test]
fn compressed_messages_are_taken() {
    let mut cases = Vec::new();
    for length in [
        0,
        1,
        16,
        64,
        256,
        1024,
        4096,
        16 << 10,
        64 << 10,
        LIMIT - 4096,
    ] {
        for level in [0, 1, 6, 9] {
            let payload = deflate(&text(length), level);
            let name = format!("{length} at level {level}");
            cases.push(lives(&name, frame(RSV1 | TEXT, &payload)));
            let pieces = payload.chunks(payload.len() / 10 + 1);
            cases.push(lives(
                format!("{name}, in ten"),
                fragments(RSV1 | TEXT_BEGIN, pieces),
            ));
        }
    }
    let all = deflate(&[b'x'; LIMIT], 9);
    cases.push(lives("the limit inflated", frame(RSV1 | BINARY, &all)));
    let hello = deflate("héllo".as_bytes(), 6);
    let (one, two) = hello.split_at(3);
    let between = [
        frame(RSV1 | TEXT_BEGIN, one),
        frame(PING, b"a"),
        frame(END, two),
        frame(TEXT, b"plain"),
        frame(RSV1 | BINARY_BEGIN, b""),
        frame(MORE, one),
        frame(END, two),
        fragments(TEXT_BEGIN, [&b"plain"[..], b""]),
    ]
    .concat();
    cases.push(lives("between others", between).pings(&[b"a"]));
    let many = frame(RSV1 | TEXT, &hello).repeat(1000);
    cases.push(lives("a thousand", many));
    Suite::start("compressed").deflating().check(&cases);
}

/// Scenario: the messages of section 7.2.3: a fixed block, a stored one, a final one, two blocks,
/// an empty message; one that needs the window of the message before.
/// Guarantees: they are taken; the last fails, for the answer said to forget that window.
#[test]
fn the_examples_of_the_rfc_are_taken() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let messages: [&[u8]; 5] = [
        hello,
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        b"\x00",
    ];
    let mut cases: Vec<_> = messages
        .iter()
        .map(|message| lives(format!("{message:x?}"), frame(RSV1 | TEXT, message)))
        .collect();
    let again = b"\xf2\x00\x11\x00\x00";
    let two = [frame(RSV1 | TEXT, hello), frame(RSV1 | TEXT, again)].concat();
    cases.push(fails(1007, "a window of before", two));
    Suite::start("examples").deflating().check(&cases);
}

/// Scenario: RSV1 where it may not be; compressed text that is too long, not UTF-8, or cut;
/// garbage.
/// Guarantees: 1002, 1009, 1007, as soon as it can be known.
#[test]
fn faults_have_their_code() {
    let hello = deflate(b"hello", 6);
    let bad = deflate(b"bad \xff text", 6);
    let cut = deflate(b"cut \xe2\x82", 6);
    let longer = deflate(&[b'x'; LIMIT + 1], 9);
    let bomb = deflate(&vec![0; 100 << 20], 9);
    let begun = |payload: &[u8]| frame(RSV1 | TEXT_BEGIN, payload);
    Suite::start("faults").deflating().check(&[
        fails(1002, "RSV1 on a ping", frame(RSV1 | PING, b"")),
        fails(1002, "RSV1 on a pong", frame(RSV1 | PONG, b"")),
        fails(1002, "RSV1 on a Close", frame(RSV1 | CLOSE, b"")),
        fails(
            1002,
            "RSV1 on an end",
            [begun(b""), frame(RSV1 | END, &hello)].concat(),
        ),
        fails(
            1002,
            "RSV1 on a fragment",
            [begun(b""), frame(RSV1 | MORE, &hello)].concat(),
        ),
        fails(1002, "RSV2", frame(0x20 | RSV1 | TEXT, &hello)),
        fails(1002, "RSV3", frame(0x10 | TEXT, b"hello")),
        fails(
            1009,
            "one byte more inflated",
            frame(RSV1 | BINARY, &longer),
        ),
        fails(1009, "a bomb", frame(RSV1 | BINARY, &bomb)),
        fails(1009, "a bomb that never ends", begun(&bomb)),
        fails(1007, "not UTF-8", frame(RSV1 | TEXT, &bad)),
        fails(1007, "not UTF-8, and no end", begun(&bad)),
        fails(1007, "half a character", frame(RSV1 | TEXT, &cut)),
        fails(1007, "garbage", frame(RSV1 | TEXT, b"not compressed")),
        fails(1007, "garbage, and no end", begun(b"not compressed")),
        fails(1007, "half a message", frame(RSV1 | TEXT, &hello[..3])),
        fails(1007, "nothing", frame(RSV1 | TEXT, b"")),
        lives("binary of the same bytes", frame(RSV1 | BINARY, &bad)),
    ]);
}

/// Scenario: subscribers with compression and without; exports short, long, and long ones that
/// don't get shorter; pings between them.
/// Guarantees: all read the same text; long frames are compressed for who agreed, and much
/// shorter; short ones are not.
#[test]
fn frames_are_compressed_for_who_agreed() {
    let mut suite = Suite::start("shared");
    for door in &mut suite.0 {
        let mut plain = RawWatcher::over(door.connect());
        let mut first = RawWatcher::deflating(door.connect());
        let mut second = RawWatcher::deflating(door.connect());
        for round in 0..20 {
            for (points, compressed) in [(0, false), (1, true), (100, true), (2000, true)] {
                let name = format!("{round} {points}");
                match points {
                    0 => door.send(&gauge(&name, 1)),
                    _ => door.send(&bulky(&name, points)),
                }
                let expected = plain.frame().unwrap();
                assert_eq!((expected.opcode, expected.compressed), (1, false));
                let expected = expected.into_message();
                for watcher in [&mut first, &mut second] {
                    let frame = watcher.frame().unwrap();
                    assert_eq!((frame.opcode, frame.compressed), (1, compressed), "{name}");
                    assert!(!compressed || frame.payload.len() < expected.len() / 5);
                    assert!(frame.into_message() == expected, "{name}");
                }
            }
            second.send(&frame(PING, b"between"));
            assert_eq!(second.frame().unwrap().payload, b"between");
        }
    }
}

/// The answer to offers: a status, and the extension that was agreed on.
fn negotiate(relay: &Relay, offers: &[&str]) -> (u16, Option<String>) {
    let headers: Vec<_> = offers
        .iter()
        .map(|offer| ("Sec-WebSocket-Extensions", *offer))
        .collect();
    let mut http = Http::connect(relay.address());
    http.send(&handshake("/ws/metrics", &headers));
    let answer = http.answer_head();
    let agreed = answer.header("sec-websocket-extensions");
    (answer.status, agreed.map(str::to_owned))
}

/// Scenario: offers that can be accepted, that can't, several of them, in several headers;
/// malformed ones; any where compression is off.
/// Guarantees: the first that can be is accepted, without context takeover; if there is none, a
/// session without compression; 400 for what is malformed, with compression on.
#[test]
fn offers_are_answered() {
    let relay = Relay::start();
    let off = Relay::with(&["--compression", "off"]);
    let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let window = format!("{plain}; server_max_window_bits=15");
    let agreed: [(&[&str], &str); 6] = [
        (&["permessage-deflate"], plain),
        (&["permessage-deflate; client_max_window_bits"], plain),
        (
            &["permessage-deflate; server_max_window_bits=\"15\""],
            &window,
        ),
        (
            &["permessage-deflate; server_max_window_bits=10, permessage-deflate"],
            plain,
        ),
        (
            &[
                "x-webkit-deflate-frame",
                "permessage-deflate; y, permessage-deflate",
            ],
            plain,
        ),
        (
            &["permessage-deflate; client_no_context_takeover; server_no_context_takeover"],
            plain,
        ),
    ];
    for (offers, expected) in agreed {
        let answer = (101, Some(expected.to_owned()));
        assert_eq!(negotiate(&relay, offers), answer, "{offers:?}");
        assert_eq!(negotiate(&off, offers), (101, None), "{offers:?}");
    }
    for offer in [
        "permessage-deflate; server_max_window_bits=8",
        "permessage-bzip2",
        "",
    ] {
        assert_eq!(negotiate(&relay, &[offer]), (101, None), "{offer}");
    }
    for offer in [
        "permessage-deflate; =",
        "permessage-deflate;;",
        "\"permessage-deflate\"",
    ] {
        let mut http = Http::connect(relay.address());
        http.send(&handshake(
            "/ws/metrics",
            &[("Sec-WebSocket-Extensions", offer)],
        ));
        let answer = http.answer();
        assert_eq!((answer.status, answer.status_code()), (400, 3), "{offer}");
        assert_eq!(negotiate(&off, &[offer]), (101, None), "{offer}");
    }
}

/// Scenario: many subscribers in the middle of a compressed message, and after it.
/// Guarantees: exports come to all of them meanwhile.
#[test]
fn half_messages_hold_up_nobody() {
    let relay = Relay::with(&["--ping-interval", "1h"]);
    let hello = deflate(&text(1000), 6);
    let mut watchers: Vec<_> = (0..50)
        .map(|_| RawWatcher::deflating(Http::any(relay.address(), None)))
        .collect();
    let (one, two) = hello.split_at(100);
    for (piece, name) in [
        (frame(RSV1 | TEXT_BEGIN, one), "half"),
        (frame(END, two), "whole"),
    ] {
        for watcher in &mut watchers {
            watcher.send(&[&piece[..], &frame(PING, b"seen")].concat());
            assert_eq!(watcher.frame().unwrap().payload, b"seen");
        }
        post(relay.address(), &gauge(name, 1));
        let frames: Vec<_> = watchers.iter_mut().map(RawWatcher::text).collect();
        assert!(frames.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
