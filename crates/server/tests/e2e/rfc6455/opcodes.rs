//! Section 5.2: opcodes without a meaning.

use super::{Suite, fails};
use crate::support::ws_frame::{PING, TEXT, TEXT_BEGIN, frame};

/// Scenario: opcodes 3 to 7 and 11 to 15, empty and not, first, behind a ping and a text, and
/// inside a fragmented message.
/// Guarantees: 1002.
#[test]
fn unknown_opcodes_fail() {
    let mut cases = Vec::new();
    for opcode in (3..8).chain(11..16) {
        let first = 0x80 | opcode;
        let name = format!("opcode {opcode}");
        cases.push(fails(1002, &name, frame(first, b"")));
        cases.push(fails(
            1002,
            format!("{name} with a payload"),
            frame(first, b"payload"),
        ));
        cases.push(fails(
            1002,
            format!("{name} not final"),
            frame(opcode, b"payload"),
        ));
        let behind = [frame(TEXT, b"text"), frame(PING, b"a"), frame(first, b"b")].concat();
        cases.push(fails(1002, format!("{name} behind others"), behind).pings(&[b"a"]));
        let inside = [frame(TEXT_BEGIN, b"text"), frame(first, b"")].concat();
        cases.push(fails(1002, format!("{name} inside a message"), inside));
    }
    Suite::start("opcodes").check(&cases);
}
