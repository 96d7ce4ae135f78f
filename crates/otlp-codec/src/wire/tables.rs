//! The shape of the generated field tables.

/// The fields of one message.
pub(crate) struct Table {
    /// By field number, ascending.
    pub(crate) fields: &'static [Field],
}

impl Table {
    /// The field of a number, and its place in the table.
    pub(super) fn field(&self, number: u32) -> Option<(usize, &'static Field)> {
        let fields: &'static [Field] = self.fields;
        fields
            .iter()
            .enumerate()
            .find(|(_, field)| field.number == number)
    }
}

/// A field.
pub(crate) struct Field {
    pub(crate) number: u32,
    /// Its name in JSON.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A varint, whatever number it stands for.
    Varint,
    Fixed64,
    Fixed32,
    String,
    Bytes,
    /// An id that is this many bytes long, or empty.
    Id(usize),
    /// A sub-message, with the place of its table.
    Message(usize),
}

impl Kind {
    /// Whether a list of it may be packed.
    pub(super) fn is_packable(self) -> bool {
        matches!(self, Self::Varint | Self::Fixed64 | Self::Fixed32)
    }
}

/// How often a field may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Once: the last one counts, and sub-messages are merged.
    Single,
    /// Once, and none of the message's other choices beside it; no message has two oneofs.
    Choice,
    /// Any number of times.
    List,
}
