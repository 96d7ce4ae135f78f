//! Times, of two kinds that each tend to repeat or to grow slowly.

use crate::civil::{self, NANOS};
use crate::transcode::number::eight_digits;
use crate::transcode::out::{Cx, Out, put};
use crate::transcode::uint64;
use crate::walk::Stop;

/// How many digits a time has before its last eight: nanoseconds in this century.
const TIME_DIGITS: usize = 11;
/// What the last eight digits count up to.
const TENTH_OF_A_SECOND: u64 = 100_000_000;

/// The begins of the last times of each kind.
#[derive(Debug)]
pub(super) struct Times {
    numbers: [Time; 2],
    seconds: [Second; 2],
}

impl Default for Times {
    fn default() -> Self {
        Self {
            numbers: [Time::default(); 2],
            seconds: [Second::of(0); 2],
        }
    }
}

/// The begin of a time, up to a tenth of a second.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    tenths: u64,
    text: [u8; TIME_DIGITS],
}

/// A time without its fraction of a second, as people read it.
#[derive(Clone, Copy, Debug)]
struct Second {
    number: u64,
    text: [u8; 20],
}

impl Second {
    fn of(nanos: u64) -> Self {
        Self {
            number: nanos / NANOS,
            text: civil::second(nanos),
        }
    }
}

/// Writes a time in nanoseconds, one of two kinds that each tend to repeat or to grow slowly.
#[inline(always)]
pub(crate) fn time<'o>(
    out: Out<'o>,
    value: u64,
    kind: usize,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    let memo = &cx.memo.times.numbers[kind & 1];
    if memo.tenths == value / TENTH_OF_A_SECOND && memo.tenths != 0 {
        let text = memo.text;
        let out = put(out, &text, cx)?;
        return eight_digits(out, value, cx);
    }
    new_time(out, value, kind, cx)
}

#[inline(never)]
fn new_time<'o>(out: Out<'o>, value: u64, kind: usize, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let tenths = value / TENTH_OF_A_SECOND;
    let mut text = [0; 24];
    let left = uint64(&mut text, tenths, cx)?.len();
    if text.len() - left == TIME_DIGITS {
        let text = *text.first_chunk().ok_or(Stop)?;
        cx.memo.times.numbers[kind & 1] = Time { tenths, text };
    }
    uint64(out, value, cx)
}

/// Writes a time in nanoseconds as people read it, with quotes.
#[inline(always)]
pub(in crate::transcode) fn rfc3339<'o>(
    out: Out<'o>,
    value: u64,
    kind: usize,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    let memo = &mut cx.memo.times.seconds[kind & 1];
    if memo.number != value / NANOS {
        *memo = Second::of(value);
    }
    let text = memo.text;
    let out = put(out, b"\"", cx)?;
    let out = put(out, &text, cx)?;
    let fraction = value % NANOS;
    let out = put(out, &[b'0' + (fraction / TENTH_OF_A_SECOND) as u8], cx)?;
    let out = eight_digits(out, fraction, cx)?;
    put(out, b"Z\"", cx)
}
