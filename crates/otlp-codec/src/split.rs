//! The split door: a request that is too long becomes two, each a request of its own.
//!
//! It is parted where it branches first: between resources, else between scopes, else between
//! metrics, spans, log records or profiles, else between the data points of its one metric. What
//! stands around the parting goes into both: the resource, the scope, the metric, a profile's
//! dictionary, and unknown fields beside them.
//!
//! ```
//! use otlp_codec::{Signal, split};
//!
//! // Two spans, "a" and "b", in one scope.
//! let wire = b"\x0a\x0c\x12\x0a\x12\x03\x2a\x01a\x12\x03\x2a\x01b";
//! let [one, other] = split::halves(Signal::Traces, wire)?.ok_or("one span")?;
//! assert_eq!(one, b"\x0a\x07\x12\x05\x12\x03\x2a\x01a");
//! assert_eq!(split::halves(Signal::Traces, &other)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::edit::Envelope;
use crate::tags::{DATA, Tags};
use crate::walk::{In, Stop, bytes, next_tag, pass};
use crate::{DecodeError, Signal, wire};

/// Parts the request `wire` in two, of about half its bytes each as far as that goes; `None` if
/// it holds one item at most. Items keep their order, and are all there.
///
/// The request is one that [`crate::check`] accepts. Groups are lost where the request is in an
/// unusual order.
///
/// # Errors
///
/// [`DecodeError::Protobuf`] for a malformed request, where it is noticed.
pub fn halves(signal: Signal, wire: &[u8]) -> Result<Option<[Vec<u8>; 2]>, DecodeError> {
    if let Ok(halves) = request(signal, wire) {
        return Ok(halves);
    }
    let normal = wire::normalized(wire::root(signal), wire)?;
    request(signal, &normal).map_err(|Stop| wire::not_walked(&normal))
}

fn request(signal: Signal, wire: In<'_>) -> Result<Option<[Vec<u8>; 2]>, Stop> {
    let tags = Tags::of(signal);
    let mut out = [
        Vec::with_capacity(wire.len() / 2),
        Vec::with_capacity(wire.len() / 2),
    ];
    let levels: &[u32] = match signal {
        Signal::Metrics => &[tags.resources, tags.scopes, tags.items, METRIC_DATA],
        _ => &[tags.resources, tags.scopes, tags.items],
    };
    Ok(part(wire, levels, &mut out)?.then_some(out))
}

/// Stands for the data of a metric, whose tag is one of several; no field has this tag.
const METRIC_DATA: u32 = 0;

/// Appends a half of `message` to each of `out`. False if it can't be parted; then what was
/// appended means nothing.
fn part(message: In<'_>, levels: &[u32], out: &mut [Vec<u8>; 2]) -> Result<bool, Stop> {
    let Some((&list, below)) = levels.split_first() else {
        return Ok(false);
    };
    if list == METRIC_DATA {
        return match data(message)? {
            Some((data, points)) => descend(message, data, &[points], out),
            None => Ok(false),
        };
    }
    let elements = Elements::of(list, message)?;
    match elements.count {
        0 => Ok(false),
        1 => descend(message, list, below, out),
        _ => {
            elements.share_out(message, out)?;
            Ok(true)
        }
    }
}

/// Parts the one element of a list, and copies what stands around it.
fn descend(
    message: In<'_>,
    list: u32,
    below: &[u32],
    out: &mut [Vec<u8>; 2],
) -> Result<bool, Stop> {
    let mut parted = false;
    each_field(message, |tag, field, behind_tag| {
        if tag != list {
            out.iter_mut().for_each(|out| out.extend_from_slice(field));
            return Ok(());
        }
        let (element, _) = bytes(behind_tag)?;
        let tag = &field[..field.len() - behind_tag.len()];
        let envelopes = out.each_mut().map(|out| {
            out.extend_from_slice(tag);
            Envelope::begin(element.len(), out)
        });
        parted = part(element, below, out)?;
        for (envelope, out) in envelopes.into_iter().zip(out.iter_mut()) {
            envelope.end(out);
        }
        Ok(())
    })?;
    Ok(parted)
}

/// The tags of a metric's data and of its points, if it has any.
fn data(metric: In<'_>) -> Result<Option<(u32, u32)>, Stop> {
    let mut found = None;
    each_field(metric, |tag, _, _| {
        if let Some((data, points, _)) = DATA.iter().find(|(data, _, _)| *data == tag)
            && found.replace((*data, *points)).is_some()
        {
            // Two pieces of one: only together do they say what it is.
            return Err(Stop);
        }
        Ok(())
    })?;
    Ok(found)
}

/// The elements of a list in a message.
struct Elements {
    list: u32,
    count: usize,
    bytes: usize,
}

impl Elements {
    fn of(list: u32, message: In<'_>) -> Result<Self, Stop> {
        let mut elements = Self {
            list,
            count: 0,
            bytes: 0,
        };
        each_field(message, |tag, field, _| {
            if tag == list {
                elements.count += 1;
                elements.bytes += field.len();
            }
            Ok(())
        })?;
        Ok(elements)
    }

    /// Copies the first of two or more elements into one half, up to half of their bytes, and the
    /// others into the other half; everything else into both.
    fn share_out(&self, message: In<'_>, out: &mut [Vec<u8>; 2]) -> Result<(), Stop> {
        let (mut shared_out, mut given) = (0, 0);
        each_field(message, |tag, field, _| {
            if tag != self.list {
                out.iter_mut().for_each(|out| out.extend_from_slice(field));
                return Ok(());
            }
            shared_out += 1;
            // Each gets one at least.
            let first = shared_out == 1
                || (shared_out < self.count && given + field.len() <= self.bytes / 2);
            given = if first {
                given + field.len()
            } else {
                self.bytes
            };
            out[usize::from(!first)].extend_from_slice(field);
            Ok(())
        })
    }
}

/// Calls `see` with each field: its tag, all its bytes, and all bytes behind its tag that belong
/// to it.
fn each_field<'w>(
    mut message: In<'w>,
    mut see: impl FnMut(u32, In<'w>, In<'w>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    while let Some((tag, behind_tag)) = next_tag(message)? {
        let rest = pass(tag, behind_tag)?;
        let field = &message[..message.len() - rest.len()];
        see(tag, field, &behind_tag[..behind_tag.len() - rest.len()])?;
        message = rest;
    }
    Ok(())
}
