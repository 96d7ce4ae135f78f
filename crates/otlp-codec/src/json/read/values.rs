//! Values that are no messages: numbers, enums, text, bytes, ids, and what is unknown.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use pbjson::private::BytesDeserialize;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use super::Kind;
use super::context::Context;
use crate::json::number;

/// The longest piece of a bad value that an error shows, in characters.
const MAX_EXCERPT: usize = 32;

/// Any value as the text that it was sent as. That keeps every digit of a number.
fn raw<'de, D: Deserializer<'de>>(
    deserializer: D,
    context: Context<'_>,
) -> Result<Cow<'de, str>, D::Error> {
    if context.is_borrowed() {
        <&RawValue>::deserialize(deserializer).map(|raw| Cow::Borrowed(raw.get()))
    } else {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Cow::Owned(raw.get().to_owned()))
    }
}

/// What is wrong, with a short piece of the value.
fn invalid<E: Error>(expected: &str, raw: &str) -> E {
    let excerpt: String = raw.chars().take(MAX_EXCERPT).collect();
    let more = if excerpt.len() < raw.len() { "…" } else { "" };
    E::custom(format_args!(
        "expected {expected}, found `{}{more}`",
        excerpt.escape_debug()
    ))
}

/// The contents of a quoted value; `None` if it isn't quoted.
fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The text of a number, whether it was quoted or not.
fn number_text(raw: &str) -> Option<Cow<'_, str>> {
    if raw.starts_with('"') {
        unquoted(raw)
    } else {
        Some(Cow::Borrowed(raw))
    }
}

/// Integers: a number or a string (ProtoJSON), exact, within the range of the type.
macro_rules! integers {
    ($($kind:ident: $value:ty, $expected:literal;)*) => {$(
        #[doc = concat!("Reads ", $expected, ".")]
        pub(crate) struct $kind;

        impl Kind for $kind {
            type Value = $value;

            fn read<'de, D: Deserializer<'de>>(
                deserializer: D,
                context: Context<'_>,
            ) -> Result<Option<$value>, D::Error> {
                let raw = raw(deserializer, context)?;
                if raw == "null" {
                    return Ok(None);
                }
                number_text(&raw)
                    .and_then(|text| number::integer(&text))
                    .and_then(|value| <$value>::try_from(value).ok())
                    .map(Some)
                    .ok_or_else(|| invalid($expected, &raw))
            }
        }
    )*};
}

integers! {
    Int64: i64, "a signed 64-bit integer";
    Uint64: u64, "an unsigned 64-bit integer";
    Int32: i32, "a signed 32-bit integer";
    Uint32: u32, "an unsigned 32-bit integer";
}

/// A double: a number, or a string that holds one or names what JSON has no number for.
pub(crate) struct Double;

impl Kind for Double {
    type Value = f64;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<f64>, D::Error> {
        let raw = raw(deserializer, context)?;
        let value = match number_text(&raw).as_deref() {
            Some("null") if raw == "null" => return Ok(None),
            Some("NaN") => Some(f64::NAN),
            Some("Infinity") => Some(f64::INFINITY),
            Some("-Infinity") => Some(f64::NEG_INFINITY),
            Some(text) => number::double(text),
            None => None,
        };
        value.map(Some).ok_or_else(|| invalid("a double", &raw))
    }
}

/// The numbers of an enum's names.
pub(crate) trait EnumNames {
    /// The number that the proto file gives to `name`.
    fn number_of(name: &str) -> Option<i32>;
}

/// An enum: any integer, known or not, or a known name.
pub(crate) struct Enum<E>(PhantomData<E>);

impl<E: EnumNames> Kind for Enum<E> {
    type Value = i32;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<i32>, D::Error> {
        let raw = raw(deserializer, context)?;
        if raw == "null" {
            return Ok(None);
        }
        let value = match unquoted(&raw) {
            Some(name) => E::number_of(&name),
            None => number::integer(&raw).and_then(|value| i32::try_from(value).ok()),
        };
        value
            .map(Some)
            .ok_or_else(|| invalid("the number or a known name of an enum", &raw))
    }
}

/// A bool: `true` or `false`, nothing else.
pub(crate) struct Bool;

impl Kind for Bool {
    type Value = bool;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        _: Context<'_>,
    ) -> Result<Option<bool>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// A string.
pub(crate) struct Text;

impl Kind for Text {
    type Value = String;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        _: Context<'_>,
    ) -> Result<Option<String>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// An element of a repeated string, which counts, as it is larger in memory than on the wire.
pub(crate) struct CountedText;

impl Kind for CountedText {
    type Value = String;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<String>, D::Error> {
        context.count_element()?;
        Text::read(deserializer, context)
    }
}

/// Bytes in base64, standard or URL-safe, padded or not.
pub(crate) struct Base64;

impl Kind for Base64 {
    type Value = Vec<u8>;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        _: Context<'_>,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let bytes = Option::<BytesDeserialize<Vec<u8>>>::deserialize(deserializer)?;
        Ok(bytes.map(|BytesDeserialize(bytes)| bytes))
    }
}

/// An id in hex, of either case. Its length is not looked at here.
pub(crate) struct HexId;

impl Kind for HexId {
    type Value = Vec<u8>;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        _: Context<'_>,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        deserializer.deserialize_any(HexVisitor)
    }
}

/// A profile id: 32 hex digits, as the Collector writes it, else base64, as the letter of the
/// specification has it, which names only `traceId` and `spanId`.
pub(crate) struct ProfileId;

impl Kind for ProfileId {
    type Value = Vec<u8>;

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        const HEX_DIGITS: usize = 32;
        let Some(text) = Text::read(deserializer, context)? else {
            return Ok(None);
        };
        if text.len() == HEX_DIGITS
            && let Some(id) = hex(&text)
        {
            return Ok(Some(id));
        }
        let text = serde::de::value::StrDeserializer::new(&text);
        BytesDeserialize::deserialize(text).map(|BytesDeserialize(id)| Some(id))
    }
}

struct HexVisitor;

impl<'de> Visitor<'de> for HexVisitor {
    type Value = Option<Vec<u8>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id as a string of hex digits")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        hex(text).map(Some).ok_or_else(|| {
            let base64 = text.len().is_multiple_of(4) && text.ends_with('=');
            let hint = if base64 {
                " (this looks like base64)"
            } else {
                ""
            };
            invalid(
                &format!("an id as an even number of hex digits{hint}"),
                text,
            )
        })
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

/// A value of a member that no field is known for. Only its depth is looked at.
pub(crate) struct Unknown;

impl Kind for Unknown {
    type Value = ();

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        context: Context<'_>,
    ) -> Result<Option<()>, D::Error> {
        let raw = raw(deserializer, context)?;
        if depth(&raw) > context.depth_left() {
            return Err(context.too_deep());
        }
        Ok(None)
    }
}

/// How many objects and lists of a JSON text lie one in another, at the most.
fn depth(json: &str) -> u32 {
    let (mut now, mut most) = (0_u32, 0);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    most
}
