//! Protobuf as a tree of records, before it is bytes: every way to write a field is a value here.

use std::fmt;

use prost::encoding::{WireType, encode_key, encode_varint};

/// A field on the wire.
#[derive(Clone, PartialEq)]
pub(super) struct Record {
    pub(super) number: u32,
    /// How many bytes longer than necessary the tag is.
    pub(super) tag_padding: usize,
    /// Likewise, of the length or the varint that follows.
    pub(super) padding: usize,
    pub(super) payload: Payload,
}

/// What a field holds.
#[derive(Clone, PartialEq)]
pub(super) enum Payload {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// A string or bytes.
    Bytes(Vec<u8>),
    Message(Vec<Record>),
    /// Numbers, each with its padding.
    Packed(Vec<(Payload, usize)>),
    Group(Vec<Record>),
}

impl Record {
    /// As short as can be.
    pub(super) fn new(number: u32, payload: Payload) -> Self {
        Self {
            number,
            tag_padding: 0,
            padding: 0,
            payload,
        }
    }
}

impl Payload {
    /// The records inside.
    pub(super) fn records(&self) -> &[Record] {
        match self {
            Self::Message(records) | Self::Group(records) => records,
            _ => &[],
        }
    }

    /// As [`Self::records`].
    pub(super) fn records_mut(&mut self) -> Option<&mut Vec<Record>> {
        match self {
            Self::Message(records) | Self::Group(records) => Some(records),
            _ => None,
        }
    }

    fn wire_type(&self) -> WireType {
        match self {
            Self::Varint(_) => WireType::Varint,
            Self::Fixed64(_) => WireType::SixtyFourBit,
            Self::Fixed32(_) => WireType::ThirtyTwoBit,
            Self::Bytes(_) | Self::Message(_) | Self::Packed(_) => WireType::LengthDelimited,
            Self::Group(_) => WireType::StartGroup,
        }
    }
}

/// Bytes, and where in them the tags and the lengths begin.
#[derive(Clone, Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) tags: Vec<usize>,
    pub(super) lengths: Vec<usize>,
}

impl Encoded {
    /// Encodes one record after another.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut out = Self::default();
        for record in records {
            out.record(record);
        }
        out
    }

    fn record(&mut self, record: &Record) {
        self.tags.push(self.bytes.len());
        encode_key(record.number, record.payload.wire_type(), &mut self.bytes);
        self.pad(record.tag_padding);
        match &record.payload {
            Payload::Bytes(bytes) => self.delimited(bytes, record.padding),
            Payload::Message(records) => {
                let inner = Self::of(records);
                self.delimited(&inner.bytes, record.padding);
                let begin = self.bytes.len() - inner.bytes.len();
                self.tags.extend(inner.tags.iter().map(|at| begin + at));
                self.lengths
                    .extend(inner.lengths.iter().map(|at| begin + at));
            }
            Payload::Packed(numbers) => {
                let mut inner = Self::default();
                for (number, padding) in numbers {
                    inner.number(number, *padding);
                }
                self.delimited(&inner.bytes, record.padding);
            }
            Payload::Group(records) => {
                for record in records {
                    self.record(record);
                }
                encode_key(record.number, WireType::EndGroup, &mut self.bytes);
            }
            number => self.number(number, record.padding),
        }
    }

    fn delimited(&mut self, contents: &[u8], padding: usize) {
        self.lengths.push(self.bytes.len());
        self.varint(contents.len() as u64, padding);
        self.bytes.extend_from_slice(contents);
    }

    fn number(&mut self, number: &Payload, padding: usize) {
        match number {
            Payload::Varint(value) => self.varint(*value, padding),
            Payload::Fixed64(value) => self.bytes.extend(value.to_le_bytes()),
            Payload::Fixed32(value) => self.bytes.extend(value.to_le_bytes()),
            other => unreachable!("{other:?} is no number"),
        }
    }

    fn varint(&mut self, value: u64, padding: usize) {
        const LONGEST: usize = 10;
        let begin = self.bytes.len();
        encode_varint(value, &mut self.bytes);
        self.pad(padding.min(LONGEST - (self.bytes.len() - begin)));
    }

    /// Makes the varint that ends here longer, with zeros.
    fn pad(&mut self, padding: usize) {
        for _ in 0..padding {
            if let Some(last) = self.bytes.last_mut() {
                *last |= 0x80;
            }
            self.bytes.push(0);
        }
    }
}

/// Short: `2:{5:7 9:"a"}`, with `+n` for padding.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        padding(f, self.tag_padding)?;
        write!(f, ":{:?}", self.payload)?;
        padding(f, self.padding)
    }
}

fn padding(f: &mut fmt::Formatter<'_>, padding: usize) -> fmt::Result {
    match padding {
        0 => Ok(()),
        _ => write!(f, "+{padding}"),
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Varint(value) => write!(f, "{value}"),
            Self::Fixed64(value) => write!(f, "{value:#x}i64"),
            Self::Fixed32(value) => write!(f, "{value:#x}i32"),
            Self::Bytes(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Message(records) => f.debug_set().entries(records).finish(),
            Self::Packed(numbers) => {
                f.write_str("[")?;
                for (number, pad) in numbers {
                    write!(f, "{number:?}")?;
                    padding(f, *pad)?;
                    f.write_str(" ")?;
                }
                f.write_str("]")
            }
            Self::Group(records) => {
                f.write_str("group ")?;
                f.debug_set().entries(records).finish()
            }
        }
    }
}
