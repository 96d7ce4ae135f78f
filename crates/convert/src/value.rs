//! Finds where a JSON value of any kind ends, without reading it.

use crate::skim::Skim;
use crate::sniff::is_blank;

/// The state of one pass over the bytes of a value, which may come in parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Value {
    /// Nothing has come.
    #[default]
    Begin,
    Container(Skim),
    Text {
        is_escaped: bool,
    },
    /// A number, `true`, or what may be none of them.
    Word,
}

impl Value {
    /// Goes on with more bytes, of which the very first is the value's first. Gives the index
    /// behind its last one.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let &first = bytes.first()?;
        let from = match (&self, first) {
            (Self::Begin, b'{' | b'[') => {
                *self = Self::Container(Skim::default());
                0
            }
            (Self::Begin, b'"') => {
                *self = Self::Text { is_escaped: false };
                1
            }
            (Self::Begin, _) => {
                *self = Self::Word;
                0
            }
            _ => 0,
        };
        match self {
            Self::Begin => None,
            Self::Container(skim) => skim.end(bytes),
            Self::Text { is_escaped } => text_end(is_escaped, bytes, from),
            Self::Word => bytes.iter().position(|&byte| ends_word(byte)),
        }
    }
}

fn ends_word(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b']' | b'}')
}

/// The index behind the quote that ends a text.
fn text_end(is_escaped: &mut bool, bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + usize::from(std::mem::take(is_escaped));
    while at < bytes.len() {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
    *is_escaped = at > bytes.len();
    None
}

#[cfg(test)]
mod tests {
    use super::Value;

    /// Scenario: values of every kind with something behind, at once and cut in two at each byte;
    /// values that don't end.
    /// Guarantees: each ends where it should.
    #[test]
    fn ends() {
        for (value, rest) in [
            (r#"{"a":["}"]}"#, "}"),
            ("[]", ""),
            (r#""a\"b\\""#, "\""),
            (r#""""#, ""),
            ("-1.5e3", "}"),
            ("null", " "),
            ("nonsense", ","),
            ("", "]"),
        ] {
            let text = format!("{value}{rest}");
            let bytes = text.as_bytes();
            assert_eq!(Value::default().end(bytes), Some(value.len()), "{text}");
            for cut in 0..value.len() {
                let mut one = Value::default();
                assert_eq!(one.end(&bytes[..cut]), None, "{text} at {cut}");
                let end = one.end(&bytes[cut..]).map(|end| cut + end);
                assert_eq!(end, Some(value.len()), "{text} at {cut}");
            }
        }
        for text in ["", "12", "[", "\"a", "\"a\\\"", "{\"a\":\"}"] {
            assert_eq!(Value::default().end(text.as_bytes()), None, "{text}");
        }
    }
}
