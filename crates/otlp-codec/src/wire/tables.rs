//! The shape of the generated field tables.

/// The fields of one message that grow a decoded tree.
pub(crate) struct Table {
    /// By field number, ascending.
    pub(crate) elements: &'static [(u32, Element)],
}

/// A field whose every occurrence becomes a value of its own in a tree.
#[derive(Clone, Copy)]
pub(crate) enum Element {
    /// A sub-message, with the place of its table.
    Message(usize),
    /// An element of a repeated string.
    String,
}
