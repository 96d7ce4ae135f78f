//! Attributes: which of the clauses about them a list of `KeyValue` satisfies.

use std::io::Write;

use super::pattern::Pattern;
use crate::proto::fields::{common_v1_any_value as any_value, common_v1_key_value as key_value};
use crate::walk::{In, Stop, bytes, first, fixed64, next_tag, pass, varint};

/// The strings of a profile's dictionary, to which its attributes may refer by index; none in
/// other signals.
#[derive(Debug, Default)]
pub(super) struct Strings<'w>(pub(super) Vec<In<'w>>);

impl<'w> Strings<'w> {
    fn get(&self, index: u64) -> In<'w> {
        let index = usize::try_from(index as i32).ok();
        let text = index.and_then(|index| self.0.get(index));
        text.copied().unwrap_or_default()
    }
}

/// Which clauses are satisfied so far.
pub(super) struct Attributes<'s> {
    clauses: &'s [(String, Pattern)],
    /// A bit for each that is not.
    missing: u64,
}

impl<'s> Attributes<'s> {
    /// There are at most 64 clauses.
    pub(super) fn new(clauses: &'s [(String, Pattern)]) -> Self {
        let missing = match clauses.len() {
            0 => 0,
            len => u64::MAX >> (64 - len.min(64)),
        };
        Self { clauses, missing }
    }

    pub(super) fn are_met(&self) -> bool {
        self.missing == 0
    }

    /// Takes note of a `KeyValue`.
    pub(super) fn note(&mut self, wire: In<'_>, strings: &Strings<'_>) -> Result<(), Stop> {
        if self.are_met() {
            return Ok(());
        }
        let (key, value) = parts(wire, strings)?;
        for (at, (wanted, pattern)) in self.clauses.iter().enumerate() {
            let bit = 1 << at;
            if self.missing & bit != 0
                && wanted.as_bytes() == key
                && matches(pattern, value, strings)?
            {
                self.missing &= !bit;
            }
        }
        Ok(())
    }
}

/// The key of a `KeyValue`, and the message that is its value.
fn parts<'w>(mut wire: In<'w>, strings: &Strings<'w>) -> Result<(In<'w>, In<'w>), Stop> {
    let (mut key, mut value): (In<'w>, In<'w>) = (&[], &[]);
    let mut index = 0;
    let mut seen = 0;
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            key_value::KEY => {
                first(&mut seen, 0)?;
                let (text, rest) = bytes(rest)?;
                key = text;
                rest
            }
            key_value::VALUE => {
                first(&mut seen, 1)?;
                let (message, rest) = bytes(rest)?;
                value = message;
                rest
            }
            key_value::KEY_STRINDEX => {
                first(&mut seen, 2)?;
                let (number, rest) = varint(rest)?;
                index = number;
                rest
            }
            _ => pass(tag, rest)?,
        };
    }
    if key.is_empty() {
        key = strings.get(index);
    }
    Ok((key, value))
}

/// Whether the text of an `AnyValue` matches. Lists, maps and bytes have none.
fn matches(pattern: &Pattern, mut wire: In<'_>, strings: &Strings<'_>) -> Result<bool, Stop> {
    if pattern.is_any() {
        return Ok(true);
    }
    let mut matched = false;
    let mut seen = 0;
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            any_value::STRING_VALUE => {
                first(&mut seen, 0)?;
                let (text, rest) = bytes(rest)?;
                matched = pattern.matches(text);
                rest
            }
            any_value::BOOL_VALUE => {
                first(&mut seen, 0)?;
                let (value, rest) = varint(rest)?;
                matched = pattern.matches(if value != 0 { b"true" } else { b"false" });
                rest
            }
            any_value::INT_VALUE => {
                first(&mut seen, 0)?;
                let (value, rest) = varint(rest)?;
                let mut buffer = [0; 20];
                let mut free = &mut buffer[..];
                // The longest, `i64::MIN`, takes all of it.
                write!(free, "{}", value as i64).map_err(|_| Stop)?;
                let len = 20 - free.len();
                matched = pattern.matches(&buffer[..len]);
                rest
            }
            any_value::DOUBLE_VALUE => {
                first(&mut seen, 0)?;
                let (value, rest) = fixed64(rest)?;
                let mut buffer = zmij::Buffer::new();
                matched = pattern.matches(match f64::from_bits(value) {
                    f64::INFINITY => b"Infinity",
                    f64::NEG_INFINITY => b"-Infinity",
                    value if value.is_nan() => b"NaN",
                    value => buffer.format_finite(value).as_bytes(),
                });
                rest
            }
            any_value::STRING_VALUE_STRINDEX => {
                first(&mut seen, 0)?;
                let (index, rest) = varint(rest)?;
                matched = !strings.0.is_empty() && pattern.matches(strings.get(index));
                rest
            }
            any_value::ARRAY_VALUE | any_value::KVLIST_VALUE | any_value::BYTES_VALUE => {
                first(&mut seen, 0)?;
                pass(tag, rest)?
            }
            _ => pass(tag, rest)?,
        };
    }
    Ok(matched)
}
