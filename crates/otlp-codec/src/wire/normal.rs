//! The usual form of a message: each field in one place, ascending, and what was sent in pieces
//! put together, as a decoder would (Protocol Buffers, "Last One Wins", "Packed Repeated Fields").
//!
//! It says what the message said, to the bit. Unknown fields stay, at the end of their message,
//! but for groups, which no walk passes over. A walk that can't go on, in a message that is
//! [valid](super::validate()), can do so in its usual form, which is at most half as long again: a
//! list of one number takes a byte more when it is packed.

use super::reader::{Malformed, Reader, WireType};
use super::tables::{Field, Kind, Shape};
use crate::DecodeError;
use crate::edit::Envelope;
use crate::error::ProtobufError;
use crate::proto::tables::TABLES;

/// The usual form of a message that is valid.
///
/// Each message is read once. What has to be remembered of it is the last value of each field, the
/// places of sub-messages, and a copy of its lists.
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

/// What a field was sent with.
enum Sent<'w> {
    Nothing,
    /// The last value of a field that may come once.
    Value(Value<'w>),
    /// The elements of a list of messages, or the pieces of one message.
    Messages(Vec<&'w [u8]>),
    /// A list of anything else: its numbers packed, or its texts with their tags.
    List(Writer),
}

impl<'w> Reader<'w> {
    fn value(&mut self, wire_type: WireType) -> Result<Value<'w>, Malformed> {
        Ok(match wire_type {
            WireType::Varint => Value::Varint(self.varint()?),
            WireType::Fixed64 => Value::Fixed64(self.take(8)?),
            WireType::Fixed32 => Value::Fixed32(self.take(4)?),
            WireType::Bytes => Value::Bytes(self.bytes()?),
            WireType::GroupStart | WireType::GroupEnd => {
                return Err(self.malformed("a field of another wire type"));
            }
        })
    }
}

impl<'w> Sent<'w> {
    fn add(&mut self, field: &Field, value: Value<'w>) {
        match (field.kind, field.shape, value) {
            (Kind::Message(_), _, Value::Bytes(message)) => match self {
                Self::Messages(messages) => messages.push(message),
                _ => *self = Self::Messages(vec![message]),
            },
            (_, Shape::List, value) => {
                if !matches!(self, Self::List(_)) {
                    *self = Self::List(Writer { out: Vec::new() });
                }
                if let Self::List(list) = self {
                    match field.kind.is_packable() {
                        true => list.bare(value),
                        false => list.value(field.number, value),
                    }
                }
            }
            _ => *self = Self::Value(value),
        }
    }
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Writes the message that was sent in these pieces. Beside what is written it holds 16 bytes
    /// for each element of the lists of messages that it is in. Recursion ends where the message's does,
    /// after [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH) levels.
    fn message(&mut self, table: usize, pieces: &[&[u8]]) -> Result<(), Malformed> {
        let fields = TABLES[table].fields;
        let mut sent: Vec<_> = fields.iter().map(|_| Sent::Nothing).collect();
        // The member of a oneof that came last: of the others, nothing counts.
        let mut chosen = None;
        let mut unknown = Vec::new();
        for piece in pieces {
            let mut reader = Reader::new(piece);
            while !reader.is_empty() {
                let begin = piece.len() - reader.left();
                let (number, wire_type) = reader.tag()?;
                let Some((place, field)) = TABLES[table].field(number) else {
                    reader.pass(number, wire_type)?;
                    if wire_type != WireType::GroupStart {
                        unknown.extend_from_slice(&piece[begin..piece.len() - reader.left()]);
                    }
                    continue;
                };
                if field.shape == Shape::Choice
                    && let Some(other) = chosen.replace(place)
                    && other != place
                {
                    sent[other] = Sent::Nothing;
                }
                sent[place].add(field, reader.value(wire_type)?);
            }
        }
        for (field, sent) in fields.iter().zip(sent) {
            self.field(field, sent)?;
        }
        self.out.extend_from_slice(&unknown);
        Ok(())
    }

    fn field(&mut self, field: &Field, sent: Sent<'_>) -> Result<(), Malformed> {
        match (sent, field.kind) {
            (Sent::Nothing, _) => {}
            (Sent::Value(value), _) => self.value(field.number, value),
            (Sent::Messages(elements), Kind::Message(inner)) if field.shape == Shape::List => {
                for element in elements {
                    self.tag(field.number, 2);
                    self.nested(inner, &[element])?;
                }
            }
            (Sent::Messages(pieces), Kind::Message(inner)) => {
                self.tag(field.number, 2);
                self.nested(inner, &pieces)?;
            }
            // Nothing else has messages.
            (Sent::Messages(_), _) => {}
            (Sent::List(list), kind) => {
                if kind.is_packable() {
                    self.tag(field.number, 2);
                    self.varint(list.out.len() as u64);
                }
                self.out.extend_from_slice(&list.out);
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

    /// Writes a sub-message with its length before it.
    fn nested(&mut self, table: usize, pieces: &[&[u8]]) -> Result<(), Malformed> {
        let sent: usize = pieces.iter().map(|piece| piece.len()).sum();
        let envelope = Envelope::begin(sent + sent / 2, &mut self.out);
        self.message(table, pieces)?;
        envelope.end(&mut self.out);
        Ok(())
    }
}
