//! Reading messages: the walk over objects and lists. [`values`] reads what they hold.
//!
//! The generated code says which member of an object goes to which field; everything else, from
//! `null` to limits, happens here once for all messages.

mod context;
mod values;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Names;
use crate::{DecodeError, JsonError, Limits};
use context::{Context, Segment, Shared};
pub(crate) use values::{
    Base64, Bool, CountedText, Double, Enum, EnumNames, HexId, Int32, Int64, ProfileId, Text,
    Uint32, Uint64,
};

/// A message that can be read from OTLP JSON. Implemented for every message of
/// [`crate::proto`] by the generated code.
pub trait JsonMessage: Default {
    /// Reads the value of the member `key` into the field of that name, or skips it.
    #[doc(hidden)]
    fn read_member<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        member: Member<'_, '_, A>,
    ) -> Result<(), A::Error>;
}

/// See [`super::decode`].
pub(super) fn decode<M: JsonMessage>(
    json: &[u8],
    limits: &Limits,
    names: Names,
) -> Result<M, DecodeError> {
    read(json, limits, |limits| Shared::new(limits, names, true))
}

/// As [`super::decode`], but without the message: what is in lists is dropped as soon as it is
/// read. So it takes no more memory than `json`, whatever that holds.
pub(super) fn examine<M: JsonMessage>(json: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let shared = |limits: &Limits| Shared::new(limits, Names::Lenient, true).without_lists();
    read::<M>(json, limits, shared).map(drop)
}

fn read<M: JsonMessage>(
    json: &[u8],
    limits: &Limits,
    shared: impl FnOnce(&Limits) -> Shared,
) -> Result<M, DecodeError> {
    if json.len() > limits.input_bytes {
        return Err(DecodeError::TooLong {
            limit: limits.input_bytes,
        });
    }
    // serde_json checks only the strings that it hands out; RFC 8259, section 8.1, asks all of
    // the text to be UTF-8.
    let text = std::str::from_utf8(json).map_err(|error| not_utf8(json, error.valid_up_to()))?;
    let shared = shared(limits);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Depth is counted in messages, as protobuf does, by `Context`.
    deserializer.disable_recursion_limit();
    let seed = MessageSeed {
        context: Context::root(&shared),
        message: PhantomData,
    };
    seed.deserialize(&mut deserializer)
        .and_then(|message| deserializer.end().map(|()| message))
        .map_err(|error| shared.into_error(&error, text))
}

fn not_utf8(json: &[u8], at: usize) -> DecodeError {
    let before = &json[..at];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    DecodeError::Json(JsonError {
        path: ".".to_owned(),
        message: "the text is not UTF-8".to_owned(),
        line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + at - line_start,
        offset: at,
    })
}

/// What the generated `Deserialize` implementations do: a message with the default limits, from
/// any deserializer.
pub(crate) fn deserialize<'de, M: JsonMessage, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M, D::Error> {
    let shared = Shared::new(&Limits::default(), Names::Lenient, false);
    MessageSeed {
        context: Context::root(&shared),
        message: PhantomData,
    }
    .deserialize(deserializer)
}

/// A type of value that a field can have.
pub(crate) trait Kind {
    /// What the field holds.
    type Value;

    /// Reads a value; `None` stands for `null`.
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<Self::Value>, D::Error>;
}

/// A message inside another.
pub(crate) struct Nested<M>(PhantomData<M>);

impl<M: JsonMessage> Kind for Nested<M> {
    type Value = M;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<M>, D::Error> {
        let context = context.enter()?;
        deserializer.deserialize_any(NullableMessage {
            context,
            message: PhantomData,
        })
    }
}

/// The value of one member of an object, not read yet.
#[doc(hidden)]
pub struct Member<'a, 'c, A> {
    map: &'a mut A,
    /// The fields that were seen, a bit each.
    seen: &'a mut u64,
    context: Context<'c>,
}

impl<'de, A: MapAccess<'de>> Member<'_, '_, A> {
    /// Marks the field with the number `bit` as seen, which it must not be yet.
    fn first(&mut self, bit: u32) -> Result<(), A::Error> {
        let mask = 1 << bit;
        if *self.seen & mask != 0 {
            return Err(A::Error::custom("the field occurs twice"));
        }
        *self.seen |= mask;
        Ok(())
    }

    fn value<K: Kind>(&mut self) -> Result<Option<K::Value>, A::Error> {
        self.map.next_value_seed(Seed::<K> {
            context: self.context,
            kind: PhantomData,
        })
    }

    /// A field without presence.
    pub(crate) fn one<K: Kind>(mut self, bit: u32, field: &mut K::Value) -> Result<(), A::Error> {
        self.first(bit)?;
        if let Some(value) = self.value::<K>()? {
            *field = value;
        }
        Ok(())
    }

    /// A message, or a scalar with presence.
    pub(crate) fn optional<K: Kind>(
        mut self,
        bit: u32,
        field: &mut Option<K::Value>,
    ) -> Result<(), A::Error> {
        self.first(bit)?;
        *field = self.value::<K>()?;
        Ok(())
    }

    /// A repeated field.
    pub(crate) fn many<K: Kind>(
        mut self,
        bit: u32,
        field: &mut Vec<K::Value>,
    ) -> Result<(), A::Error> {
        self.first(bit)?;
        if let Some(values) = self.value::<List<K>>()? {
            *field = values;
        }
        Ok(())
    }

    /// A member of a oneof; `null` neither sets nor clears it.
    pub(crate) fn oneof<K: Kind, T>(
        mut self,
        bit: u32,
        field: &mut Option<T>,
        variant: impl FnOnce(K::Value) -> T,
    ) -> Result<(), A::Error> {
        self.first(bit)?;
        if let Some(value) = self.value::<K>()? {
            if field.is_some() {
                return Err(A::Error::custom("a second member of the same oneof"));
            }
            *field = Some(variant(value));
        }
        Ok(())
    }

    /// A member that the message has no field for.
    pub(crate) fn skip(mut self) -> Result<(), A::Error> {
        self.value::<values::Unknown>().map(drop)
    }
}

/// A repeated field of some kind. `null` is an absent list, but no element of one.
struct List<K>(PhantomData<K>);

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<Self::Value>, D::Error> {
        deserializer.deserialize_any(ListVisitor::<K> {
            context,
            kind: PhantomData,
        })
    }
}

/// [`Kind::read`] as serde calls it.
struct Seed<'c, K> {
    context: Context<'c>,
    kind: PhantomData<K>,
}

impl<'de, K: Kind> DeserializeSeed<'de> for Seed<'_, K> {
    type Value = Option<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        K::read(deserializer, self.context)
    }
}

struct ListVisitor<'c, K> {
    context: Context<'c>,
    kind: PhantomData<K>,
}

impl<'de, K: Kind> Visitor<'de> for ListVisitor<'_, K> {
    type Value = Option<Vec<K::Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let keeps = self.context.keeps_lists();
        let mut values = Vec::new();
        for index in 0.. {
            let seed = Seed::<K> {
                context: self.context,
                kind: PhantomData,
            };
            let element = list
                .next_element_seed(seed)
                .and_then(|element| match element {
                    Some(None) => Err(A::Error::custom("null is no element of a list")),
                    Some(Some(value)) => Ok(Some(value)),
                    None => Ok(None),
                });
            match element.map_err(|error| self.context.at(Segment::Index(index), error))? {
                Some(value) if keeps => values.push(value),
                Some(_) => {}
                None => break,
            }
        }
        Ok(Some(values))
    }
}

/// The outermost message, which must not be `null`.
struct MessageSeed<'c, M> {
    context: Context<'c>,
    message: PhantomData<M>,
}

impl<'de, M: JsonMessage> DeserializeSeed<'de> for MessageSeed<'_, M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: JsonMessage> Visitor<'de> for MessageSeed<'_, M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut message = M::default();
        let mut seen = 0;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let context = self.context;
            let member = Member {
                map: &mut map,
                seen: &mut seen,
                context,
            };
            let read = match context.is_name(&key) {
                true => message.read_member(&key, member),
                false => member.skip(),
            };
            read.map_err(|error| context.at(Segment::key(&key), error))?;
        }
        Ok(message)
    }
}

struct NullableMessage<'c, M> {
    context: Context<'c>,
    message: PhantomData<M>,
}

impl<'de, M: JsonMessage> Visitor<'de> for NullableMessage<'_, M> {
    type Value = Option<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        MessageSeed {
            context: self.context,
            message: self.message,
        }
        .visit_map(map)
        .map(Some)
    }
}

/// A key, unescaped.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
