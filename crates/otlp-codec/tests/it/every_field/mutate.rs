//! One thing wrong with a request that was right.

use proptest::prelude::*;
use proptest::sample::Index;

use super::records::Encoded;
use super::shrink::Case;

/// What to change, and where.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
    /// A length, by so much.
    Length(Index, i8),
    /// A tag: its wire type, and the lower bits of its number.
    Tag(Index, u8),
}

/// Each kind of change as often as any other.
pub(super) fn mutations() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        at().prop_map(Mutation::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        at().prop_map(Mutation::Remove),
        (at(), -3_i8..4).prop_map(|(at, by)| Mutation::Length(at, by)),
        (at(), 1_u8..64).prop_map(|(at, bits)| Mutation::Tag(at, bits)),
    ]
}

impl Mutation {
    /// The bytes of a request, changed.
    pub(super) fn apply(self, case: &Case) -> Vec<u8> {
        let Encoded {
            mut bytes,
            tags,
            lengths,
        } = Encoded::of(&case.records);
        let length = bytes.len();
        if length == 0 {
            return bytes;
        }
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Insert(at, byte) => bytes.insert(at.index(length + 1), byte),
            Self::Remove(at) => drop(bytes.remove(at.index(length))),
            Self::Length(_, _) if lengths.is_empty() => {}
            Self::Length(at, by) => {
                let at = *at.get(&lengths);
                bytes[at] = bytes[at].wrapping_add_signed(by);
            }
            Self::Tag(at, bits) => bytes[*at.get(&tags)] ^= bits,
        }
        bytes
    }
}
