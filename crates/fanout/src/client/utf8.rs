//! UTF-8 checked byte by byte (RFC 3629), across any cuts.

/// The state of a check between two bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Utf8 {
    /// How many continuation bytes are still to come.
    left: u8,
    /// The range of the next one.
    low: u8,
    high: u8,
}

impl Default for Utf8 {
    fn default() -> Self {
        Self {
            left: 0,
            low: 0x80,
            high: 0xBF,
        }
    }
}

impl Utf8 {
    /// Takes more bytes. False at the first that cannot follow; the state is of no use then.
    pub(super) fn take(&mut self, bytes: impl Iterator<Item = u8>) -> bool {
        for byte in bytes {
            if self.left > 0 {
                if !(self.low..=self.high).contains(&byte) {
                    return false;
                }
                *self = Self {
                    left: self.left - 1,
                    ..Self::default()
                };
                continue;
            }
            // Table 3-7 of the Unicode standard, and RFC 3629 section 4.
            let (left, low, high) = match byte {
                0x00..=0x7F => continue,
                0xC2..=0xDF => (1, 0x80, 0xBF),
                0xE0 => (2, 0xA0, 0xBF),
                0xED => (2, 0x80, 0x9F),
                0xE1..=0xEF => (2, 0x80, 0xBF),
                0xF0 => (3, 0x90, 0xBF),
                0xF1..=0xF3 => (3, 0x80, 0xBF),
                0xF4 => (3, 0x80, 0x8F),
                _ => return false,
            };
            *self = Self { left, low, high };
        }
        true
    }

    /// Whether the text may end here.
    pub(super) fn is_whole(self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Utf8;

    proptest! {
        /// Scenario: any bytes, and texts with one byte changed.
        /// Guarantees: the verdict of the standard library, which is the slow twin here.
        #[test]
        fn it_agrees_with_the_standard_library(
            mut bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..8),
                "[\\PC]{0,6}".prop_map(String::into_bytes),
            ],
            change in any::<Option<(prop::sample::Index, u8)>>(),
        ) {
            if let Some((at, byte)) = change && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let mut check = Utf8::default();
            let ok = check.take(bytes.iter().copied()) && check.is_whole();
            prop_assert_eq!(ok, std::str::from_utf8(&bytes).is_ok());
        }
    }

    /// Scenario: every pair of a lead byte and a second byte, completed with 0x80s.
    /// Guarantees: surrogates, overlong forms and what is past U+10FFFF are refused, and
    /// nothing else.
    #[test]
    fn every_beginning_is_judged_right() {
        for lead in 0..=255 {
            for second in 0..=255 {
                for len in 1..=4 {
                    let bytes = &[lead, second, 0x80, 0x80][..len];
                    let mut check = Utf8::default();
                    let ok = check.take(bytes.iter().copied()) && check.is_whole();
                    assert_eq!(ok, std::str::from_utf8(bytes).is_ok(), "{bytes:x?}");
                }
            }
        }
    }
}
