//! JSON read to the letter: no member twice, no double rounded on the way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// Reads JSON. Fails on an object with a member that comes twice, which serde_json would let
/// pass, and rounds doubles correctly, which it doesn't always.
pub(super) fn parse(text: &str) -> Value {
    match text.as_bytes() {
        [b'{', ..] => {
            let members: Members<'_> = serde_json::from_str(text).unwrap();
            let mut object = serde_json::Map::new();
            for (name, value) in members.0 {
                let before = object.insert(name.clone(), parse(value.get()));
                assert!(before.is_none(), "{name} comes twice in {text}");
            }
            Value::Object(object)
        }
        [b'[', ..] => {
            let list: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            list.into_iter().map(|value| parse(value.get())).collect()
        }
        [b'-' | b'0'..=b'9', ..] if text.contains(['.', 'e', 'E']) => {
            let _: &RawValue = serde_json::from_str(text).unwrap();
            Value::Number(Number::from_f64(text.parse().unwrap()).unwrap())
        }
        _ => serde_json::from_str(text).unwrap(),
    }
}

/// The one text of a value: equal texts are equal values, and those of doubles are equal bits.
/// `Value`'s own `==` takes -0.0 for 0.0.
pub(super) fn canonical(mut value: Value) -> String {
    value.sort_all_objects();
    value.to_string()
}

/// The members of an object, all of them.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
