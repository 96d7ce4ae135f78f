//! The usual form of a message: each field in one place, ascending, and what was sent in pieces
//! put together, as a decoder would (Protocol Buffers, "Last One Wins", "Packed Repeated Fields").
//!
//! It says what the message said, to the bit; unknown fields are left out. A walk that can't go
//! on, in a message that is [valid](super::validate), can do so in its usual form. It is for such
//! walks alone: lengths are padded, so that nothing has to be moved when they become known.

use std::ops::Range;

use super::reader::{Malformed, Reader, WireType};
use super::tables::{Kind, Shape};
use crate::DecodeError;
use crate::error::ProtobufError;
use crate::proto::tables::TABLES;

/// The bytes of a padded length.
const LENGTH: usize = 5;

/// The usual form of a message that is valid.
///
/// # Errors
///
/// That it isn't, without the place.
pub(crate) fn normalized(root: usize, wire: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut writer = Writer {
        out: Vec::with_capacity(wire.len()),
        occurrences: vec![Occurrence {
            field: 0,
            value: Value::Bytes(wire),
        }],
    };
    match writer.message(root, 0..1) {
        Ok(()) => Ok(writer.out),
        Err(Malformed { what, .. }) => Err(DecodeError::Protobuf(ProtobufError {
            path: ".".to_owned(),
            message: what.to_owned(),
            offset: wire.len(),
        })),
    }
}

/// A value that a field was sent with.
#[derive(Clone, Copy)]
struct Occurrence<'w> {
    /// The place of the field in the table of its message.
    field: usize,
    value: Value<'w>,
}

#[derive(Clone, Copy)]
enum Value<'w> {
    Varint(u64),
    Fixed64(&'w [u8]),
    Fixed32(&'w [u8]),
    /// A text, bytes, a packed list or a piece of a sub-message.
    Bytes(&'w [u8]),
}

struct Writer<'w> {
    out: Vec<u8>,
    /// A stack: what the messages that are being written were sent with.
    occurrences: Vec<Occurrence<'w>>,
}

impl<'w> Writer<'w> {
    /// Writes the message that was sent in these pieces. Recursion ends where the message's does,
    /// after [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH) levels.
    fn message(&mut self, table: usize, pieces: Range<usize>) -> Result<(), Malformed> {
        let base = self.occurrences.len();
        for piece in pieces {
            if let Value::Bytes(wire) = self.occurrences[piece].value {
                self.collect(table, wire)?;
            }
        }
        self.drop_unchosen(table, base);
        self.occurrences[base..].sort_by_key(|occurrence| occurrence.field);
        let mut at = base;
        while let Some(Occurrence { field, .. }) = self.occurrences.get(at).copied() {
            let same = |occurrence: &&Occurrence<'_>| occurrence.field == field;
            let count = self.occurrences[at..].iter().take_while(same).count();
            self.field(table, field, at..at + count)?;
            at += count;
        }
        self.occurrences.truncate(base);
        Ok(())
    }

    /// Pushes what a piece of a message holds.
    fn collect(&mut self, table: usize, wire: &'w [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(wire);
        while !reader.is_empty() {
            let (number, wire_type) = reader.tag()?;
            let Some((field, _)) = TABLES[table].field(number) else {
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
            self.occurrences.push(Occurrence { field, value });
        }
        Ok(())
    }

    /// Of a oneof, keeps the last choice, back to where another was sent.
    fn drop_unchosen(&mut self, table: usize, base: usize) {
        let fields = TABLES[table].fields;
        let is_choice =
            |occurrence: &Occurrence<'_>| fields[occurrence.field].shape == Shape::Choice;
        let all = base..self.occurrences.len();
        let choices = all.clone().rev();
        let mut choices = choices.filter(|at| is_choice(&self.occurrences[*at]));
        let Some(last) = choices.next().map(|at| self.occurrences[at].field) else {
            return;
        };
        let Some(other) = choices.find(|at| self.occurrences[*at].field != last) else {
            return;
        };
        let mut kept = base;
        for at in all {
            let occurrence = self.occurrences[at];
            if at > other || !is_choice(&occurrence) {
                self.occurrences[kept] = occurrence;
                kept += 1;
            }
        }
        self.occurrences.truncate(kept);
    }

    /// Writes a field that was sent with these values.
    fn field(&mut self, table: usize, field: usize, sent: Range<usize>) -> Result<(), Malformed> {
        let field = &TABLES[table].fields[field];
        match (field.shape, field.kind) {
            (Shape::List, Kind::Message(inner)) => {
                for one in sent {
                    self.tag(field.number, 2);
                    self.delimited(|writer| writer.message(inner, one..one + 1))?;
                }
            }
            (Shape::Single | Shape::Choice, Kind::Message(inner)) => {
                self.tag(field.number, 2);
                self.delimited(|writer| writer.message(inner, sent))?;
            }
            (Shape::List, kind) if kind.is_packable() => {
                self.tag(field.number, 2);
                self.delimited(|writer| {
                    for at in sent {
                        writer.bare(writer.occurrences[at].value);
                    }
                    Ok(())
                })?;
            }
            (Shape::List, _) => {
                for at in sent {
                    self.value(field.number, self.occurrences[at].value);
                }
            }
            (Shape::Single | Shape::Choice, _) => {
                if let Some(last) = self.occurrences[sent].last() {
                    self.value(field.number, last.value);
                }
            }
        }
        Ok(())
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
