//! The usual form of a message: each field in one place, ascending, and what was sent in pieces
//! put together, as a decoder would (Protocol Buffers, "Last One Wins", "Packed Repeated Fields").
//!
//! It says what the message said, to the bit; unknown fields are left out. A walk that can't go
//! on, in a message that is [valid](super::validate), can do so in its usual form. It is for such
//! walks alone: lengths are padded, so that nothing has to be moved when they become known.

use super::reader::{Malformed, Reader, WireType};
use super::tables::{Field, Kind, Shape};
use crate::DecodeError;
use crate::error::ProtobufError;
use crate::proto::tables::TABLES;

/// The bytes of a padded length.
const LENGTH: usize = 5;

/// The usual form of a message that is valid.
///
/// A message is read once for each of its fields, so that nothing has to be remembered but the
/// pieces of sub-messages.
///
/// # Errors
///
/// That it isn't, without the place.
pub(crate) fn normalized(root: usize, wire: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut writer = Writer {
        out: Vec::with_capacity(wire.len()),
    };
    match writer.message(root, &[wire]) {
        Ok(()) => Ok(writer.out),
        Err(Malformed { what, .. }) => Err(DecodeError::Protobuf(ProtobufError {
            path: ".".to_owned(),
            message: what.to_owned(),
            offset: wire.len(),
        })),
    }
}

#[derive(Clone, Copy)]
enum Value<'w> {
    Varint(u64),
    Fixed64(&'w [u8]),
    Fixed32(&'w [u8]),
    /// A text, bytes, a packed list or a piece of a sub-message.
    Bytes(&'w [u8]),
}

/// Calls `visit` with each known field of the pieces of a message: its place in the table, how
/// many came before it, and its value.
fn each<'w>(
    table: usize,
    pieces: &[&'w [u8]],
    mut visit: impl FnMut(usize, usize, Value<'w>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut count = 0;
    for piece in pieces {
        let mut reader = Reader::new(piece);
        while !reader.is_empty() {
            let (number, wire_type) = reader.tag()?;
            let Some((place, _)) = TABLES[table].field(number) else {
                reader.pass(number, wire_type)?;
                continue;
            };
            let value = match wire_type {
                WireType::Varint => Value::Varint(reader.varint()?),
                WireType::Fixed64 => Value::Fixed64(reader.take(8)?),
                WireType::Fixed32 => Value::Fixed32(reader.take(4)?),
                WireType::Bytes => Value::Bytes(reader.bytes()?),
                WireType::GroupStart | WireType::GroupEnd => {
                    return Err(reader.malformed("a field of another wire type"));
                }
            };
            visit(place, count, value)?;
            count += 1;
        }
    }
    Ok(())
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Writes the message that was sent in these pieces. Recursion ends where the message's does,
    /// after [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH) levels.
    fn message(&mut self, table: usize, pieces: &[&[u8]]) -> Result<(), Malformed> {
        let fields = TABLES[table].fields;
        let mut present = vec![false; fields.len()];
        // The choice that came last in a oneof, and where it began to be the last.
        let mut choice = None;
        each(table, pieces, |place, count, _| {
            present[place] = true;
            if fields[place].shape == Shape::Choice
                && choice.is_none_or(|(chosen, _)| chosen != place)
            {
                choice = Some((place, count));
            }
            Ok(())
        })?;
        for (place, field) in fields.iter().enumerate() {
            let since = match (field.shape, choice) {
                (Shape::Choice, Some((chosen, since))) if chosen == place => since,
                (Shape::Choice, _) => continue,
                _ => 0,
            };
            if present[place] {
                self.field(table, place, field, pieces, since)?;
            }
        }
        Ok(())
    }

    /// Writes a field, of which occurrences count from `since` on.
    fn field(
        &mut self,
        table: usize,
        place: usize,
        field: &Field,
        pieces: &[&[u8]],
        since: usize,
    ) -> Result<(), Malformed> {
        let is_it = |at, count| at == place && count >= since;
        match (field.shape, field.kind) {
            (Shape::List, Kind::Message(inner)) => each(table, pieces, |at, count, value| {
                if let Value::Bytes(element) = value
                    && is_it(at, count)
                {
                    self.tag(field.number, 2);
                    self.delimited(|writer| writer.message(inner, &[element]))?;
                }
                Ok(())
            }),
            (Shape::Single | Shape::Choice, Kind::Message(inner)) => {
                let mut parts = Vec::new();
                each(table, pieces, |at, count, value| {
                    if let Value::Bytes(part) = value
                        && is_it(at, count)
                    {
                        parts.push(part);
                    }
                    Ok(())
                })?;
                self.tag(field.number, 2);
                self.delimited(|writer| writer.message(inner, &parts))
            }
            (Shape::List, kind) if kind.is_packable() => {
                self.tag(field.number, 2);
                self.delimited(|writer| {
                    each(table, pieces, |at, count, value| {
                        if is_it(at, count) {
                            writer.bare(value);
                        }
                        Ok(())
                    })
                })
            }
            (Shape::List, _) => each(table, pieces, |at, count, value| {
                if is_it(at, count) {
                    self.value(field.number, value);
                }
                Ok(())
            }),
            (Shape::Single | Shape::Choice, _) => {
                let mut last = None;
                each(table, pieces, |at, count, value| {
                    if is_it(at, count) {
                        last = Some(value);
                    }
                    Ok(())
                })?;
                if let Some(value) = last {
                    self.value(field.number, value);
                }
                Ok(())
            }
        }
    }

    fn value(&mut self, number: u32, value: Value<'_>) {
        let wire_type = match value {
            Value::Varint(_) => 0,
            Value::Fixed64(_) => 1,
            Value::Bytes(bytes) => {
                self.tag(number, 2);
                self.varint(bytes.len() as u64);
                self.out.extend_from_slice(bytes);
                return;
            }
            Value::Fixed32(_) => 5,
        };
        self.tag(number, wire_type);
        self.bare(value);
    }

    /// Writes a value without a tag; a packed list without its length.
    fn bare(&mut self, value: Value<'_>) {
        match value {
            Value::Varint(value) => self.varint(value),
            Value::Fixed64(bytes) | Value::Fixed32(bytes) | Value::Bytes(bytes) => {
                self.out.extend_from_slice(bytes);
            }
        }
    }

    fn tag(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// Writes what `write` does, and its length before it.
    fn delimited(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let begin = self.out.len();
        self.out.extend([0; LENGTH]);
        write(self)?;
        let mut length = self.out.len() - begin - LENGTH;
        for byte in &mut self.out[begin..begin + LENGTH] {
            *byte = length as u8 | 0x80;
            length >>= 7;
        }
        self.out[begin + LENGTH - 1] &= 0x7f;
        Ok(())
    }
}
