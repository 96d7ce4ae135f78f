//! A checked cursor over protobuf bytes (Protocol Buffers, "Encoding").

/// Bytes that are no protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// What is wrong.
    pub(super) what: &'static str,
    /// How many bytes of the message were left.
    pub(super) left: usize,
}

/// How a value is laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Bytes,
    GroupStart,
    GroupEnd,
    Fixed32,
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(wire: &'a [u8]) -> Self {
        Self { rest: wire }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The error that what comes next is `what`.
    pub(super) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed {
            what,
            left: self.rest.len(),
        }
    }

    /// The number of a field, which is not 0, and the layout of its value.
    pub(super) fn tag(&mut self) -> Result<(u32, WireType), Malformed> {
        let begin = self.malformed("a tag of more than 32 bits");
        let tag = u32::try_from(self.varint()?).map_err(|_| begin)?;
        let wire_type = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            3 => WireType::GroupStart,
            4 => WireType::GroupEnd,
            5 => WireType::Fixed32,
            _ => {
                return Err(Malformed {
                    what: "an unknown wire type",
                    ..begin
                });
            }
        };
        match tag >> 3 {
            0 => Err(Malformed {
                what: "field number 0",
                ..begin
            }),
            number => Ok((number, wire_type)),
        }
    }

    /// At most ten bytes; what goes beyond 64 bits is malformed, overlong forms are not.
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (at, byte) in self.rest.iter().enumerate().take(10) {
            if at == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(self.malformed("a varint that doesn't end"))
    }

    /// A length and that many bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let begin = self.malformed("a length beyond the end of the message");
        let len = usize::try_from(self.varint()?).map_err(|_| begin)?;
        self.take(len).map_err(|_| begin)
    }

    /// Passes over a value that is no group.
    pub(super) fn skip(&mut self, wire_type: WireType) -> Result<(), Malformed> {
        match wire_type {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.take(8).map(drop),
            WireType::Bytes => self.bytes().map(drop),
            WireType::Fixed32 => self.take(4).map(drop),
            WireType::GroupStart | WireType::GroupEnd => {
                Err(self.malformed("the end of a group that didn't begin"))
            }
        }
    }

    /// Passes over a value of any wire type, of a tag that was taken; groups were checked before.
    pub(super) fn pass(&mut self, number: u32, wire_type: WireType) -> Result<(), Malformed> {
        let mut open = Vec::new();
        let (mut number, mut wire_type) = (number, wire_type);
        loop {
            match wire_type {
                WireType::GroupStart => open.push(number),
                WireType::GroupEnd if open.last() == Some(&number) => drop(open.pop()),
                other => self.skip(other)?,
            }
            if open.is_empty() {
                return Ok(());
            }
            (number, wire_type) = self.tag()?;
        }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let cut = self.malformed("a value that is cut off");
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(cut)?;
        self.rest = rest;
        Ok(taken)
    }
}
