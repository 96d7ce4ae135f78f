//! Numbers as JSON text.

use super::out::{Cx, Out, copy, copy_number, put};
use crate::walk::Stop;

/// Doubles below this that are integers are written as such, with `.0`.
const EXACT: f64 = 1e15;
/// Integers are written in groups of four digits.
const GROUP: u64 = 10_000;
/// Every group, with leading zeros.
static GROUPS: [[u8; 4]; GROUP as usize] = groups();

const fn groups() -> [[u8; 4]; GROUP as usize] {
    let mut groups = [[b'0'; 4]; GROUP as usize];
    let mut value = 0;
    while value < groups.len() {
        groups[value] = [
            b'0' + (value / 1000) as u8,
            b'0' + (value / 100 % 10) as u8,
            b'0' + (value / 10 % 10) as u8,
            b'0' + (value % 10) as u8,
        ];
        value += 1;
    }
    groups
}

/// Writes the first group of an integer, without leading zeros.
#[inline(always)]
fn first_group<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let len = 1 + usize::from(value >= 10) + usize::from(value >= 100) + usize::from(value >= 1000);
    let digits = u32::from_le_bytes(GROUPS[value as usize % GROUPS.len()]) >> (8 * (4 - len));
    // Four bytes are written, of which those behind the number will be overwritten.
    match out.first_chunk_mut::<4>() {
        Some(head) => {
            *head = digits.to_le_bytes();
            Ok(&mut out[len..])
        }
        None => copy(out, &digits.to_le_bytes()[..len], cx),
    }
}

/// Writes four more digits.
#[inline(always)]
fn group<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    put(out, &GROUPS[(value % GROUP) as usize], cx)
}

/// Writes an integer, without quotes.
#[inline(always)]
pub(crate) fn uint64<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if value < GROUP {
        first_group(out, value, cx)
    } else {
        long(out, value, cx)
    }
}

#[inline(never)]
fn long<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if value < GROUP * GROUP {
        let out = first_group(out, value / GROUP, cx)?;
        return group(out, value, cx);
    }
    let out = long_high(out, value / (GROUP * GROUP), cx)?;
    eight_digits(out, value, cx)
}

/// What comes before the last eight digits.
#[inline(always)]
fn long_high<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if value < GROUP {
        return first_group(out, value, cx);
    }
    let high = value / GROUP;
    let out = if high < GROUP {
        first_group(out, high, cx)?
    } else {
        let out = first_group(out, high / GROUP, cx)?;
        group(out, high, cx)?
    };
    group(out, value, cx)
}

/// Writes the last eight digits of an integer, leading zeros too.
#[inline(always)]
pub(super) fn eight_digits<'o>(out: Out<'o>, value: u64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let out = group(out, value / GROUP, cx)?;
    group(out, value, cx)
}

/// Writes an integer, without quotes.
#[inline(always)]
pub(crate) fn int64<'o>(out: Out<'o>, value: i64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let out = if value < 0 { put(out, b"-", cx)? } else { out };
    uint64(out, value.unsigned_abs(), cx)
}

/// Writes an integer.
#[inline(always)]
pub(crate) fn uint32<'o>(out: Out<'o>, value: u32, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    uint64(out, u64::from(value), cx)
}

/// Writes an integer.
#[inline(always)]
pub(crate) fn int32<'o>(out: Out<'o>, value: i32, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    int64(out, i64::from(value), cx)
}

/// The value of a `sint32` (Protocol Buffers, "Signed Integers").
#[inline(always)]
pub(crate) fn sint32(value: u64) -> i32 {
    let value = value as u32;
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Writes a double; as a string, if JSON has no number for it.
#[inline(always)]
pub(crate) fn double<'o>(out: Out<'o>, value: f64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let integer = value as i64;
    if value.abs() < EXACT && integer as f64 == value && (integer != 0 || value.to_bits() == 0) {
        let out = int64(out, integer, cx)?;
        return put(out, b".0", cx);
    }
    other_double(out, value, cx)
}

#[inline(never)]
fn other_double<'o>(out: Out<'o>, value: f64, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    if value.is_finite() {
        copy_number(out, zmij::Buffer::new().format_finite(value).as_bytes(), cx)
    } else if value.is_nan() {
        put(out, b"\"NaN\"", cx)
    } else if value > 0.0 {
        put(out, b"\"Infinity\"", cx)
    } else {
        put(out, b"\"-Infinity\"", cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::transcode::memo::Memo;

    fn text(
        write: impl FnOnce(Out<'_>, &mut Cx<'_>) -> Result<usize, Stop>,
        room: usize,
    ) -> Option<String> {
        let mut out = vec![b'#'; room];
        let mut memo = Memo::default();
        let left = write(&mut out, &mut Cx::new(&Limits::default(), &[], &mut memo)).ok()?;
        out.truncate(room - left);
        Some(String::from_utf8(out).unwrap())
    }

    /// Scenario: integers around every power of ten, with more room than they need and with
    /// exactly as much and with a byte less.
    /// Guarantees: the digits of `to_string`, and no room is no room.
    #[test]
    fn integers_are_written_digit_by_digit() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let around = powers.flat_map(|power| [power - 1, power, power + 1, power / 2 * 3]);
        for value in around.chain([u64::MAX, 1_581_452_773_000_000_789]) {
            let expected = value.to_string();
            for room in [expected.len(), expected.len() + 1, 64] {
                let got = text(
                    |out, cx| uint64(out, value, cx).map(|rest| rest.len()),
                    room,
                );
                assert_eq!(got.as_deref(), Some(expected.as_str()), "{room}");
            }
            let short = expected.len() - 1;
            assert_eq!(
                text(
                    |out, cx| uint64(out, value, cx).map(|rest| rest.len()),
                    short
                ),
                None
            );
        }
        for value in [i64::MIN, -10_000, -1, 0, 9_999, i64::MAX] {
            let got = text(|out, cx| int64(out, value, cx).map(|rest| rest.len()), 64);
            assert_eq!(got, Some(value.to_string()));
        }
    }
}
