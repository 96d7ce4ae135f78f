//! Section 5.2: reserved bits, where no extension was negotiated.

use super::{Suite, fails};
use crate::support::ws_frame::{BINARY, CLOSE, END, PING, PONG, TEXT, TEXT_BEGIN, frame};

/// Scenario: every combination of reserved bits on frames of every kind, first and behind others.
/// Guarantees: 1002; what came before counts.
#[test]
fn reserved_bits_fail() {
    let kinds = [
        ("text", TEXT),
        ("binary", BINARY),
        ("close", CLOSE),
        ("ping", PING),
        ("pong", PONG),
    ];
    let mut cases = Vec::new();
    for bits in 1..8_u8 {
        for (kind, first) in kinds {
            let name = format!("bits {bits:03b} on {kind}");
            cases.push(fails(1002, &name, frame(first | bits << 4, b"")));
            if first == TEXT {
                let behind = [frame(PING, b"a"), frame(first | bits << 4, b"hello")].concat();
                cases.push(fails(1002, name + ", behind a ping", behind).pings(&[b"a"]));
            }
        }
        let middle = [frame(TEXT_BEGIN, b"a"), frame(END | bits << 4, b"b")].concat();
        cases.push(fails(
            1002,
            format!("bits {bits:03b} on a continuation"),
            middle,
        ));
    }
    Suite::start("reserved").check(&cases);
}
