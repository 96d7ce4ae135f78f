//! Collecting the fields of a message that was checked before.
//!
//! Of what comes twice the last one counts; where it is not as simple as that, the walk stops.

use crate::walk::{In, Stop, bytes, fixed32, fixed64, next_tag, varint};

/// Takes all of a list of sub-messages, tags too, which begins `wire`.
#[inline(always)]
pub(super) fn run<'w>(list: &mut In<'w>, wire: In<'w>, tag: u32) -> Result<In<'w>, Stop> {
    if !list.is_empty() {
        return Err(Stop);
    }
    let mut left = wire;
    while let Some((next, rest)) = next_tag(left)?
        && next == tag
    {
        left = bytes(rest)?.1;
    }
    *list = &wire[..wire.len() - left.len()];
    Ok(left)
}

/// Takes a sub-message, of which there must be no other: the two would have to be merged.
#[inline(always)]
pub(super) fn once<'w>(message: &mut Option<In<'w>>, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = bytes(rest)?;
    match message.replace(value) {
        None => Ok(rest),
        Some(_) => Err(Stop),
    }
}

/// Takes a packed list, of which there must be no other piece.
#[inline(always)]
pub(super) fn packed<'w>(list: &mut In<'w>, rest: In<'w>) -> Result<In<'w>, Stop> {
    match list {
        [] => take(list, rest),
        _ => Err(Stop),
    }
}

/// Takes a text or bytes.
#[inline(always)]
pub(super) fn take<'w>(text: &mut In<'w>, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = bytes(rest)?;
    *text = value;
    Ok(rest)
}

/// Takes 64 bits.
#[inline(always)]
pub(super) fn fixed<'w>(bits: &mut u64, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = fixed64(rest)?;
    *bits = value;
    Ok(rest)
}

/// Takes a double.
#[inline(always)]
pub(super) fn double<'w>(number: &mut f64, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = fixed64(rest)?;
    *number = f64::from_bits(value);
    Ok(rest)
}

/// Takes a double whose absence means something.
#[inline(always)]
pub(super) fn optional<'w>(number: &mut Option<f64>, rest: In<'w>) -> Result<In<'w>, Stop> {
    double(number.insert(0.0), rest)
}

/// Takes 32 bits.
#[inline(always)]
pub(super) fn flags32<'w>(bits: &mut u32, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = fixed32(rest)?;
    *bits = value;
    Ok(rest)
}

/// Takes a varint.
#[inline(always)]
pub(super) fn number<'w>(number: &mut u64, rest: In<'w>) -> Result<In<'w>, Stop> {
    let (value, rest) = varint(rest)?;
    *number = value;
    Ok(rest)
}
