//! Section 8.1: text is UTF-8, judged as it comes.

use super::{Case, Suite, fails, lives};
use crate::support::ws_frame::{END, TEXT, TEXT_BEGIN, fragments, frame, header, masked};

/// What is UTF-8: the edges of each length, of the surrogates and of what is assigned.
const GOOD: &[&[u8]] = &[
    b"",
    "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
    "κόσμε".as_bytes(),
    b"\x00",
    b"\x7f",
    b"\xc2\x80",
    b"\xdf\xbf",
    b"\xe0\xa0\x80",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
    b"\xf0\x90\x80\x80",
    b"\xf4\x8f\xbf\xbf",
];

/// What is not: stray and missing continuations, overlong forms, surrogates, and what is beyond
/// U+10FFFF.
const BAD: &[&[u8]] = &[
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80\xbf\x80\xbf\x80",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xc0\x80",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xaf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xfe",
    b"\xff",
    b"\xc3\x28",
    b"\xe2\x82\x28",
    b"\xf0\x9f\x28\x80",
    "κόσμε".as_bytes().split_at(10).0.split_at(1).1,
];

/// What ends too early, and may go on.
const CUT: &[&[u8]] = &[
    b"\xc2",
    b"\xe2",
    b"\xe2\x82",
    b"\xf0",
    b"\xf0\x9f\x98",
    b"\xce\xba\xe1",
];

/// A text in fragments of one byte each, an empty one before and behind.
fn bytewise(text: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = [&b""[..]]
        .into_iter()
        .chain(text.chunks(1))
        .chain([&b""[..]])
        .collect();
    fragments(TEXT_BEGIN, pieces)
}

/// Scenario: good texts, whole and in fragments that cut characters.
/// Guarantees: they are taken.
#[test]
fn utf8_is_taken() {
    let cases: Vec<_> = GOOD
        .iter()
        .flat_map(|text| {
            let name = format!("{text:x?}");
            let bytewise = lives(format!("{name} bytewise"), bytewise(text));
            [lives(name, frame(TEXT, text)), bytewise]
        })
        .collect();
    Suite::start("utf8").check(&cases);
}

/// Scenario: bad texts behind a good beginning, whole and in fragments; binary messages of the
/// same bytes.
/// Guarantees: 1007; binary messages may hold anything.
#[test]
fn anything_else_fails() {
    let mut cases = Vec::new();
    for text in BAD.iter().chain(CUT) {
        let name = format!("{text:x?}");
        let whole = [b"good", *text].concat();
        cases.push(fails(1007, &name, frame(TEXT, &whole)));
        cases.push(fails(1007, format!("{name} bytewise"), bytewise(&whole)));
    }
    cases.push(lives("binary", frame(0x82, &BAD.concat())));
    Suite::start("notutf8").check(&cases);
}

/// Scenario: a bad byte in a fragment, and in a frame, that never end.
/// Guarantees: 1007 at once: what comes could not mend it.
#[test]
fn it_fails_at_the_first_bad_byte() {
    let mut cases: Vec<Case> = Vec::new();
    for text in BAD {
        let name = format!("{text:x?}");
        let unended = frame(TEXT_BEGIN, text);
        cases.push(fails(
            1007,
            format!("{name}, and no last fragment"),
            unended,
        ));
        let mut cut = header(TEXT, 1000);
        cut.extend(masked(text));
        cases.push(fails(1007, format!("{name}, and no end of the frame"), cut));
    }
    // What may become a character is none of these.
    for text in CUT {
        let name = format!("{text:x?}, which may go on");
        cases.push(lives(name, frame(TEXT_BEGIN, text)));
    }
    let late = [frame(TEXT_BEGIN, b"\xe2\x82"), frame(END, b"\x28")].concat();
    cases.push(fails(
        1007,
        "a character that breaks off in the next fragment",
        late,
    ));
    Suite::start("failfast").check(&cases);
}
