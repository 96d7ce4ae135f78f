//! Texts near OTLP JSON, at random.

use otlp_codec::from_json::JsonReader;
use otlp_codec::{Limits, Signal};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value};

use super::{TEXTS, agree};

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index, usize),
    Insert(Index, &'static str),
    Double(Index, usize),
    /// Puts a piece of another text in.
    Splice(Index, Index, Index, usize),
}

/// Pieces that change what a text means.
const PIECES: [&str; 30] = [
    " ",
    "\n",
    "\t",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0061",
    "\\ud83d",
    "\\n",
    "null",
    "null,",
    "true",
    "0",
    "-",
    "1e2",
    ".5",
    "e",
    "9999999999",
    "{}",
    "[]",
    "\"x\":1,",
    "\"x\":[{\"y\":\"\\ud800\"}],",
    "\"flags\":null,",
    "\u{e9}",
    "\u{1}",
];

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at(), 0_u8..8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (at(), 1_usize..12).prop_map(|(at, len)| Edit::Remove(at, len)),
        (at(), prop::sample::select(PIECES.as_slice()))
            .prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (at(), 1_usize..60).prop_map(|(at, len)| Edit::Double(at, len)),
        (at(), at(), at(), 1_usize..60)
            .prop_map(|(at, other, from, len)| Edit::Splice(at, other, from, len)),
    ]
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    let place = |at: &Index| at.index(text.len() + 1);
    match edit {
        _ if text.is_empty() => {}
        Edit::Set(at, byte) => {
            let at = at.index(text.len());
            text[at] = *byte;
        }
        Edit::Flip(at, bit) => {
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
        }
        Edit::Remove(at, len) => {
            let at = place(at);
            let end = (at + len).min(text.len());
            text.drain(at..end);
        }
        Edit::Insert(at, piece) => {
            let at = place(at);
            text.splice(at..at, piece.bytes());
        }
        Edit::Double(at, len) => {
            let at = place(at);
            let end = (at + len).min(text.len());
            let piece = text[at..end].to_vec();
            text.splice(at..at, piece);
        }
        Edit::Splice(at, other, from, len) => {
            let at = place(at);
            let other = &other.get(&TEXTS).1;
            let from = from.index(other.len() + 1);
            let end = (from + len).min(other.len());
            text.splice(at..at, other[from..end].iter().copied());
        }
    }
}

/// Changes that keep a text JSON, taken one after the other from a source of numbers.
fn reshape(value: &mut Value, numbers: &mut impl FnMut() -> u32) {
    match value {
        Value::Object(members) => {
            for member in members.values_mut() {
                reshape(member, numbers);
            }
            let mut list: Vec<_> = std::mem::take(members).into_iter().collect();
            match numbers() % 8 {
                0 => list.push(("unknown".into(), serde_json::json!([{"a": [null, 1.5]}]))),
                1 => list.push(("".into(), Value::Null)),
                2 => list.push(("flags".into(), Value::Null)),
                3 => list.push(("intValue".into(), Value::String("7".into()))),
                4 => {
                    if let Some((_, value)) = list.first_mut() {
                        *value = Value::Null;
                    }
                }
                _ => {}
            }
            // An order at random: `serde_json` keeps no order of its own but that of the keys.
            if numbers().is_multiple_of(2) {
                list.reverse();
            }
            *members = list.into_iter().collect::<Map<_, _>>();
        }
        Value::Array(elements) => {
            for element in elements.iter_mut() {
                reshape(element, numbers);
            }
            if let (Some(last), 0) = (elements.last().cloned(), numbers() % 4) {
                elements.push(last);
            }
        }
        Value::String(text) => match (text.parse::<i64>(), numbers() % 3) {
            (Ok(number), 0) => *value = number.into(),
            (Err(_), 0) => text.push_str("\n\u{e9}\""),
            _ => {}
        },
        Value::Number(number) => {
            if numbers().is_multiple_of(3) {
                *value = Value::String(number.to_string());
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

/// Writes a value with white space, and the members of objects in an order at random.
fn render(value: &Value, numbers: &mut impl FnMut() -> u32, out: &mut String) {
    let space = |out: &mut String, n: u32| out.push_str(["", "", " ", "\n\t "][n as usize % 4]);
    space(out, numbers());
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if !members.is_empty() {
                let by = numbers() as usize % members.len();
                members.rotate_left(by);
            }
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                space(out, numbers());
                match (numbers() % 8, key.chars().next()) {
                    (0, Some(c)) => {
                        let code = c as u32;
                        out.push_str(&format!("\"\\u{code:04x}{}\"", &key[c.len_utf8()..]));
                    }
                    _ => out.push_str(&Value::String(key.clone()).to_string()),
                }
                space(out, numbers());
                out.push(':');
                render(value, numbers, out);
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                render(element, numbers, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
    space(out, numbers());
}

fn limits() -> impl Strategy<Value = Limits> {
    let some =
        (0_usize..60, 0_u32..30, 0_usize..3000).prop_map(|(elements, depth, input_bytes)| Limits {
            elements,
            depth,
            input_bytes,
            ..Limits::default()
        });
    prop_oneof![Just(Limits::default()), some]
}

/// A reader that has read another text, so that its guesses are off.
fn used(other: &Index) -> JsonReader {
    let mut reader = JsonReader::new();
    let (signal, text) = other.get(&TEXTS);
    let _ = reader.json_to_protobuf(*signal, text, &Limits::default(), &mut Vec::new());
    reader
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8192, ..ProptestConfig::default() })]

    /// Scenario: texts near OTLP JSON, mostly broken, with limits that they may reach.
    /// Guarantees: both doors accept the same, give the same message, and the same error.
    #[test]
    fn broken_texts_agree(
        text in any::<Index>(),
        other in any::<Index>(),
        edits in prop::collection::vec(edit(), 0..5),
        limits in limits(),
    ) {
        let (signal, mut json) = text.get(&TEXTS).clone();
        for edit in &edits {
            apply(&mut json, edit);
        }
        for before in [&text, &other] {
            let mut reader = used(before);
            agree(&mut reader, signal, &json, &limits);
            agree(&mut reader, signal, &json, &Limits::default());
        }
    }

    /// Scenario: OTLP JSON in other words: members in another order, unknown ones and `null`
    /// between them, escaped keys, white space, numbers as strings and strings as numbers; with
    /// limits that they may reach, as requests of this or another signal.
    /// Guarantees: as above.
    #[test]
    fn other_words_agree(
        text in any::<Index>(),
        other in any::<Index>(),
        seed in prop::collection::vec(any::<u32>(), 1..64),
        limits in limits(),
        wrong in any::<Index>(),
    ) {
        let (signal, json) = text.get(&TEXTS);
        let Ok(mut value) = serde_json::from_slice::<Value>(json) else {
            return Ok(());
        };
        let mut numbers = seed.iter().copied().cycle();
        let mut numbers = || numbers.next().unwrap_or_default();
        reshape(&mut value, &mut numbers);
        let mut json = String::new();
        render(&value, &mut numbers, &mut json);
        let mut reader = used(&other);
        for signal in [*signal, *wrong.get(&Signal::ALL)] {
            agree(&mut reader, signal, json.as_bytes(), &limits);
            agree(&mut reader, signal, json.as_bytes(), &Limits::default());
        }
    }
}
