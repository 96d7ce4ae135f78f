//! The reading half of a walk: protobuf that is yet to be read, as a slice that is passed by
//! value and comes back shorter. The error holds nothing, so that a result fits into registers.
//!
//! What a walk can't follow is left to [`crate::wire`], malformed input too.

/// What is left to read.
pub(crate) type In<'a> = &'a [u8];

/// The walk can't go on.
pub(crate) struct Stop;

/// The next tag: number and wire type in one. `None` at the end.
#[inline(always)]
pub(crate) fn next_tag(wire: In<'_>) -> Result<Option<(u32, In<'_>)>, Stop> {
    match wire {
        [] => Ok(None),
        [tag, rest @ ..] if *tag < 0x80 => Ok(Some((u32::from(*tag), rest))),
        [low, high, rest @ ..] if *high < 0x80 => {
            Ok(Some((u32::from(low & 0x7f) | u32::from(*high) << 7, rest)))
        }
        _ => long_tag(wire).map(Some),
    }
}

#[cold]
#[inline(never)]
fn long_tag(wire: In<'_>) -> Result<(u32, In<'_>), Stop> {
    let (tag, rest) = long_varint(wire)?;
    Ok((u32::try_from(tag).map_err(|_| Stop)?, rest))
}

/// A varint of at most ten bytes and 64 bits.
#[inline(always)]
pub(crate) fn varint(wire: In<'_>) -> Result<(u64, In<'_>), Stop> {
    match wire {
        [byte, rest @ ..] if *byte < 0x80 => Ok((u64::from(*byte), rest)),
        [low, high, rest @ ..] if *high < 0x80 => {
            Ok((u64::from(low & 0x7f) | u64::from(*high) << 7, rest))
        }
        _ => long_varint(wire),
    }
}

#[inline(never)]
fn long_varint(wire: In<'_>) -> Result<(u64, In<'_>), Stop> {
    let mut value = 0;
    for (at, byte) in wire.iter().enumerate().take(10) {
        if at == 9 && *byte > 1 {
            return Err(Stop);
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, &wire[at + 1..]));
        }
    }
    Err(Stop)
}

/// A length and that many bytes.
#[inline(always)]
pub(crate) fn bytes(wire: In<'_>) -> Result<(In<'_>, In<'_>), Stop> {
    let (len, rest) = varint(wire)?;
    let len = usize::try_from(len).map_err(|_| Stop)?;
    rest.split_at_checked(len).ok_or(Stop)
}

#[inline(always)]
pub(crate) fn fixed64(wire: In<'_>) -> Result<(u64, In<'_>), Stop> {
    let (bytes, rest) = wire.split_first_chunk().ok_or(Stop)?;
    Ok((u64::from_le_bytes(*bytes), rest))
}

#[inline(always)]
pub(crate) fn fixed32(wire: In<'_>) -> Result<(u32, In<'_>), Stop> {
    let (bytes, rest) = wire.split_first_chunk().ok_or(Stop)?;
    Ok((u32::from_le_bytes(*bytes), rest))
}

/// Passes over the value of a field that isn't known. Groups, and fields that are `known` under
/// another wire type, stop the walk.
#[cold]
#[inline(never)]
pub(crate) fn unknown<'a>(tag: u32, wire: In<'a>, known: &[u32]) -> Result<In<'a>, Stop> {
    let number = tag >> 3;
    if number == 0 || known.contains(&number) {
        return Err(Stop);
    }
    pass(tag, wire)
}

/// Passes over the value of a field that is of no interest, unless it is a group.
#[inline(always)]
pub(crate) fn pass(tag: u32, wire: In<'_>) -> Result<In<'_>, Stop> {
    match tag & 7 {
        0 => varint(wire).map(|(_, rest)| rest),
        1 => fixed64(wire).map(|(_, rest)| rest),
        2 => bytes(wire).map(|(_, rest)| rest),
        5 => fixed32(wire).map(|(_, rest)| rest),
        _ => Err(Stop),
    }
}

/// Whether the same field goes on: takes its tag off, if that comes next.
#[inline(always)]
pub(crate) fn more<'a, const N: usize>(wire: In<'a>, tag: &[u8; N]) -> Option<In<'a>> {
    match wire.split_first_chunk::<N>() {
        Some((next, rest)) if next == tag => Some(rest),
        _ => None,
    }
}

/// Notes that the field of a bit comes, for the first time.
#[inline(always)]
pub(crate) fn first(seen: &mut u32, bit: u32) -> Result<(), Stop> {
    let mask = 1 << bit;
    if *seen & mask != 0 {
        return Err(Stop);
    }
    *seen |= mask;
    Ok(())
}

/// One level further down.
#[inline(always)]
pub(crate) fn deeper(depth: u32) -> Result<u32, Stop> {
    depth.checked_sub(1).ok_or(Stop)
}
