//! A walk over protobuf that counts what a decoded tree would hold, before it is built.
//!
//! What it can't follow is refused here and now. prost would refuse it too, but not before it
//! has built a tree: of a length that reaches beyond its own message it takes note at the end.

mod reader;
pub(crate) mod tables;

use crate::proto::tables::TABLES;
use crate::{DecodeError, Limits};
use reader::{Malformed, Reader, WireType};
use tables::Element;

/// Refuses a message that is too long, nested too deep, of too many elements, or whose outline
/// is broken. What may be wrong with values is left to the decoder.
pub(crate) fn check_outline(root: usize, wire: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    if wire.len() > limits.input_bytes {
        return Err(DecodeError::TooLong {
            limit: limits.input_bytes,
        });
    }
    let mut walk = Walk {
        limits,
        elements_left: limits.elements,
    };
    let depth_left = limits.depth.min(Limits::MAX_DEPTH);
    walk.message(root, wire, depth_left)
        .map_err(|stop| match stop {
            Stop::Limit(error) => error,
            Stop::Malformed(Malformed { what, left }) => DecodeError::Protobuf {
                message: what.to_owned(),
                offset: Some(wire.len() - left),
            },
        })
}

/// Why the walk ended early.
enum Stop {
    Limit(DecodeError),
    /// Not protobuf of this message; `left` counts from the end of the innermost one.
    Malformed(Malformed),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Stop {
    /// The same, seen from a message that goes on for `behind` bytes behind this one.
    fn within(self, behind: usize) -> Self {
        match self {
            Self::Limit(_) => self,
            Self::Malformed(inner) => Self::Malformed(Malformed {
                left: inner.left + behind,
                ..inner
            }),
        }
    }
}

struct Walk<'a> {
    limits: &'a Limits,
    elements_left: usize,
}

impl Walk<'_> {
    /// Recursion ends after [`Limits::MAX_DEPTH`] levels.
    fn message(&mut self, table: usize, wire: &[u8], depth_left: u32) -> Result<(), Stop> {
        let elements = TABLES[table].elements;
        let mut reader = Reader::new(wire);
        while !reader.is_empty() {
            let (number, wire_type) = reader.tag()?;
            let element = elements.iter().find(|(known, _)| *known == number);
            match (element, wire_type) {
                (None, WireType::GroupStart) => self.group(&mut reader, number, depth_left)?,
                (None, wire_type) => reader.skip(wire_type)?,
                (Some((_, Element::String)), WireType::Bytes) => {
                    self.count()?;
                    reader.bytes()?;
                }
                (Some((_, Element::Message(table))), WireType::Bytes) => {
                    self.count()?;
                    let wire = reader.bytes()?;
                    self.message(*table, wire, self.deeper(depth_left)?)
                        .map_err(|stop| stop.within(reader.left()))?;
                }
                (Some(_), _) => {
                    return Err(reader.malformed("a field of another wire type").into());
                }
            }
        }
        Ok(())
    }

    /// Skips an unknown group. Groups count as levels, as they do in prost.
    fn group(&self, reader: &mut Reader<'_>, number: u32, depth_left: u32) -> Result<(), Stop> {
        let depth_left = self.deeper(depth_left)?;
        loop {
            match reader.tag()? {
                (end, WireType::GroupEnd) if end == number => return Ok(()),
                (inner, WireType::GroupStart) => self.group(reader, inner, depth_left)?,
                (_, wire_type) => reader.skip(wire_type)?,
            }
        }
    }

    fn deeper(&self, depth_left: u32) -> Result<u32, Stop> {
        let limit = self.limits.depth.min(Limits::MAX_DEPTH);
        depth_left
            .checked_sub(1)
            .ok_or(Stop::Limit(DecodeError::TooDeep { limit }))
    }

    fn count(&mut self) -> Result<(), Stop> {
        let limit = self.limits.elements;
        self.elements_left = self
            .elements_left
            .checked_sub(1)
            .ok_or(Stop::Limit(DecodeError::TooManyElements { limit }))?;
        Ok(())
    }
}
