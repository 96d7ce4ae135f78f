//! Is it within limits, and is it protobuf of its message? Says where it isn't.
//!
//! The walk counts what a decoded tree would hold, before one is built. Of a length that reaches
//! beyond its own message, prost takes note only after the tree.

use super::below;
use super::reader::{Malformed, Reader, WireType};
use super::tables::{Field, Kind, Shape};
use crate::error::ProtobufError;
use crate::proto::tables::TABLES;
use crate::{DecodeError, Limits};

/// Refuses a message that is too long, nested too deep, of too many elements, or whose outline
/// is broken. Texts and packed lists are left to the decoder; but of what is refused, the first
/// error is told, a bad text too.
#[cfg(feature = "typed")]
pub(crate) fn check_outline(root: usize, wire: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    walk(root, wire, limits, false).or_else(|error| {
        validate(root, wire, limits)?;
        Err(error)
    })
}

/// Refuses what prost refuses, and what is over a limit.
pub(crate) fn validate(root: usize, wire: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    walk(root, wire, limits, true)
}

fn walk(root: usize, wire: &[u8], limits: &Limits, values: bool) -> Result<(), DecodeError> {
    if wire.len() > limits.input_bytes {
        return Err(DecodeError::TooLong {
            limit: limits.input_bytes,
        });
    }
    let mut walk = Walk {
        limits,
        elements_left: limits.elements,
        values,
    };
    let depth_left = limits.depth.min(Limits::MAX_DEPTH);
    walk.message(root, wire, depth_left)
        .map_err(|stop| match stop {
            Stop::Limit(error) => error,
            Stop::Broken(Broken { what, left, path }) => DecodeError::Protobuf(ProtobufError {
                path: if path.is_empty() {
                    ".".to_owned()
                } else {
                    path
                },
                message: what.to_owned(),
                offset: wire.len() - left,
            }),
        })
}

/// Why the walk ended early.
enum Stop {
    Limit(DecodeError),
    Broken(Broken),
}

/// Not protobuf of the message.
struct Broken {
    what: &'static str,
    /// How far from the end of the message it is, in bytes.
    left: usize,
    /// Where in the message it is, empty for the message itself.
    path: String,
}

impl From<Malformed> for Stop {
    fn from(Malformed { what, left }: Malformed) -> Self {
        let path = String::new();
        Self::Broken(Broken { what, left, path })
    }
}

impl Stop {
    /// The same, seen from a message that goes on for `behind` bytes behind this one.
    fn within(self, behind: usize) -> Self {
        match self {
            Self::Limit(_) => self,
            Self::Broken(broken) => Self::Broken(Broken {
                left: broken.left + behind,
                ..broken
            }),
        }
    }

    /// The same, in a field that `before` stands before in its message.
    fn inside(mut self, field: &Field, before: &[u8]) -> Self {
        if let Self::Broken(broken) = &mut self {
            let index = (field.shape == Shape::List).then(|| occurrences(field, before));
            below(&mut broken.path, field.name, index);
        }
        self
    }
}

/// How often a field occurs in a piece of a message; a packed list counts as one.
fn occurrences(field: &Field, wire: &[u8]) -> usize {
    let mut reader = Reader::new(wire);
    let mut count = 0;
    while let Ok((number, wire_type)) = reader.tag()
        && reader.pass(number, wire_type).is_ok()
    {
        count += usize::from(number == field.number);
    }
    count
}

struct Walk<'a> {
    limits: &'a Limits,
    elements_left: usize,
    /// Whether to look into texts and packed lists.
    values: bool,
}

impl Walk<'_> {
    /// Recursion ends after [`Limits::MAX_DEPTH`] levels.
    fn message(&mut self, table: usize, wire: &[u8], depth_left: u32) -> Result<(), Stop> {
        let table = &TABLES[table];
        let mut reader = Reader::new(wire);
        while !reader.is_empty() {
            let begin = wire.len() - reader.left();
            let misfit = reader.malformed("a field of another wire type");
            let (number, wire_type) = reader.tag()?;
            match table.field(number) {
                Some((_, field)) => self
                    .field(field, wire_type, &mut reader, misfit, depth_left)
                    .map_err(|stop| stop.inside(field, &wire[..begin]))?,
                None if wire_type == WireType::GroupStart => {
                    self.group(&mut reader, number, depth_left)?;
                }
                None => reader.skip(wire_type)?,
            }
        }
        Ok(())
    }

    /// Passes over a value; `misfit` is the error if its wire type is not one of the field's.
    fn field(
        &mut self,
        field: &Field,
        wire_type: WireType,
        reader: &mut Reader<'_>,
        misfit: Malformed,
        depth_left: u32,
    ) -> Result<(), Stop> {
        let list = field.shape == Shape::List;
        match (field.kind, wire_type) {
            (Kind::Varint, WireType::Varint)
            | (Kind::Fixed64, WireType::Fixed64)
            | (Kind::Fixed32, WireType::Fixed32)
            | (Kind::Bytes | Kind::Id(_), WireType::Bytes) => reader.skip(wire_type)?,
            (kind, WireType::Bytes) if list && kind.is_packable() => {
                let packed = reader.bytes()?;
                if self.values {
                    values(kind, packed).map_err(|stop| stop.within(reader.left()))?;
                }
            }
            (Kind::String, WireType::Bytes) => {
                if list {
                    self.count()?;
                }
                let text = reader.bytes()?;
                if self.values
                    && let Err(error) = std::str::from_utf8(text)
                {
                    let left = text.len() - error.valid_up_to();
                    let malformed = Malformed {
                        what: "a string that is not UTF-8",
                        left: left + reader.left(),
                    };
                    return Err(malformed.into());
                }
            }
            (Kind::Message(table), WireType::Bytes) => {
                self.count()?;
                let wire = reader.bytes()?;
                self.message(table, wire, self.deeper(depth_left)?)
                    .map_err(|stop| stop.within(reader.left()))?;
            }
            _ => return Err(misfit.into()),
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

/// Passes over the values of a packed list.
fn values(kind: Kind, packed: &[u8]) -> Result<(), Stop> {
    let wire_type = match kind {
        Kind::Fixed64 => WireType::Fixed64,
        Kind::Fixed32 => WireType::Fixed32,
        _ => WireType::Varint,
    };
    let mut reader = Reader::new(packed);
    while !reader.is_empty() {
        reader.skip(wire_type)?;
    }
    Ok(())
}
