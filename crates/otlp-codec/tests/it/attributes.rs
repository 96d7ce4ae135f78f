//! Attributes as most of them are, a key and a short text: the check passes over them in one
//! step, beside the typed door, which knows no such step.

use otlp_codec::check::check;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};
use prost::encoding::{WireType, encode_key, encode_varint};

/// A length-delimited field.
fn field(number: u32, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(contents.len() as u64, &mut out);
    out.extend_from_slice(contents);
    out
}

/// A `KeyValue` with a string.
fn attribute(key: &str, text: &str) -> Vec<u8> {
    let value = field(1, text.as_bytes());
    [field(1, key.as_bytes()), field(2, &value)].concat()
}

/// A request: one log record with such an attribute.
fn request(attribute: &[u8]) -> Vec<u8> {
    let record = field(2, &field(6, attribute));
    field(1, &field(2, &record))
}

/// A field that nobody knows: an attribute that ends in it is no short text.
const UNKNOWN: [u8; 2] = [0x78, 1];

/// Holds the check of a request with an attribute to what the typed door says of it, and to the
/// check of one that takes the long way.
fn compare(attribute: &[u8], limits: &Limits) {
    let wire = request(attribute);
    let typed = Request::decode_protobuf(Signal::Logs, &wire, limits).map(|_| 1);
    let checked = check(Signal::Logs, &wire, limits);
    let items = checked.as_ref().map(|checked| checked.items);
    assert_eq!(items, typed.as_ref().copied(), "{attribute:02x?}");
    if let Ok(checked) = checked {
        let twin = request(&[attribute, &UNKNOWN].concat());
        let twin = check(Signal::Logs, &twin, limits).unwrap();
        assert_eq!(checked.string_indices, twin.string_indices);
        assert_eq!(checked.refused().len(), twin.refused().len());
    }
}

/// Scenario: short attributes with each byte replaced by every other, and cut or prolonged at
/// every place.
/// Guarantees: accepted and refused as the typed door does, with the same error.
#[test]
fn no_byte_is_passed_over_unseen() {
    let limits = Limits::default();
    for whole in [attribute("k", "value"), attribute("", "")] {
        for at in 0..whole.len() {
            for byte in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[at] = byte;
                compare(&changed, &limits);
                changed.insert(at, whole[at]);
                compare(&changed, &limits);
            }
            compare(&whole[..at], &limits);
            compare(&[&whole[..at], &whole[at + 1..]].concat(), &limits);
        }
    }
}

/// Scenario: keys and texts of lengths on either side of what one byte can say, in ASCII and not.
/// Guarantees: all are accepted; with a byte that is no UTF-8 none is.
#[test]
fn lengths_and_letters_make_no_difference() {
    let limits = Limits::default();
    for length in [0, 1, 15, 16, 124, 125, 126, 127, 128, 129, 300] {
        let ascii = "x".repeat(length);
        for text in [ascii.clone(), format!("{ascii}é")] {
            compare(&attribute(&text, "v"), &limits);
            compare(&attribute("k", &text), &limits);
            compare(&attribute(&text, &text), &limits);
            let mut broken = attribute("k", &text);
            broken.pop();
            broken.push(0xff);
            compare(&broken, &limits);
        }
    }
}

/// Scenario: one attribute under every small limit of depth and of elements.
/// Guarantees: the step costs what the messages cost that it passes over.
#[test]
fn limits_hold_in_one_step() {
    let attribute = attribute("key", "value");
    for limit in 0..10 {
        compare(
            &attribute,
            &Limits {
                depth: limit,
                ..Limits::default()
            },
        );
        compare(
            &attribute,
            &Limits {
                elements: limit as usize,
                ..Limits::default()
            },
        );
    }
}
