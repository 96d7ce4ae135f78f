//! Sections 5.5.1, 7.1 and 7.4: closing handshakes.

use super::{Suite, answered, fails};
use crate::support::ws_frame::{CLOSE, PING, TEXT, TEXT_BEGIN, close, frame, header};

/// Scenario: Close frames without a code, with a code, with reasons of up to 123 bytes.
/// Guarantees: an answer with the same code and without a reason, then the end; nothing that
/// comes behind is answered.
#[test]
fn a_close_is_answered() {
    let behind = |more: &[u8]| [close(1000, b"bye"), more.to_vec()].concat();
    Suite::start("close").check(&[
        answered(None, "no payload", frame(CLOSE, b"")),
        answered(Some(1000), "a code", close(1000, b"")),
        answered(Some(1000), "a reason", close(1000, b"Hello World!")),
        answered(Some(1000), "a long reason", close(1000, &[b'*'; 123])),
        answered(
            Some(1000),
            "a reason in UTF-8",
            close(1000, "κόσμε 😀".as_bytes()),
        ),
        answered(Some(1000), "twice", behind(&close(1001, b""))),
        answered(Some(1000), "a text behind", behind(&frame(TEXT, b"late"))),
        answered(
            Some(1000),
            "a fragment behind",
            behind(&frame(TEXT_BEGIN, b"late")),
        ),
        answered(Some(1000), "a fault behind", behind(&frame(0xff, b""))),
    ]);
}

/// Scenario: every code that may be sent, and the first and last of each free range.
/// Guarantees: it comes back.
#[test]
fn codes_that_may_be_sent() {
    let registered = (1000..=1003).chain(1007..=1014);
    let free = [3000, 3999, 4000, 4999];
    let cases: Vec<_> = registered
        .chain(free)
        .map(|code| answered(Some(code), format!("code {code}"), close(code, b"")))
        .collect();
    Suite::start("codes").check(&cases);
}

/// Scenario: codes that are reserved, unassigned, or out of range, with a reason and without.
/// Guarantees: 1002.
#[test]
fn codes_that_may_not() {
    let mut cases = Vec::new();
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        cases.push(fails(1002, format!("code {code}"), close(code, b"")));
        cases.push(fails(
            1002,
            format!("code {code}, reason"),
            close(code, b"why"),
        ));
    }
    Suite::start("nocodes").check(&cases);
}

/// Scenario: half a code, more than 125 bytes, a reason that is not UTF-8 or is cut.
/// Guarantees: 1002, 1002, 1007.
#[test]
fn bad_payloads() {
    let ping = [frame(PING, b"a"), close(1000, b"\xce\xba\xff")].concat();
    Suite::start("badclose").check(&[
        fails(1002, "one byte", frame(CLOSE, b"\x03")),
        fails(1002, "126 bytes", header(CLOSE, 126)),
        fails(1002, "70,000 bytes", header(CLOSE, 70_000)),
        fails(
            1007,
            "no UTF-8",
            close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"),
        ),
        fails(1007, "cut in a character", close(1000, b"abc\xe2\x82")),
        fails(1007, "behind a ping", ping).pings(&[b"a"]),
    ]);
}
