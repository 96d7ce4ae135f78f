//! Finds where a JSON object or list ends, without reading it.
//!
//! Brackets outside strings are counted, 64 bytes at a time where no backslash and no end is
//! near. What is between them is the codec's to judge.

/// The state of one pass over the bytes of one object or list, which may come in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skim {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

/// As many bytes as a mask has bits.
const BLOCK: usize = 64;

impl Skim {
    /// Goes on with more bytes, of which the very first opens the object or the list. Gives the
    /// index behind the byte that closes it.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (index, block) in blocks.iter().enumerate() {
            if self.whole(block) {
                continue;
            }
            if let Some(end) = self.one_by_one(block) {
                return Some(index * BLOCK + end);
            }
        }
        let end = self.one_by_one(rest)?;
        Some(blocks.len() * BLOCK + end)
    }

    /// Whether the last byte lay in a string.
    pub(crate) fn is_in_string(&self) -> bool {
        self.in_string
    }

    /// Takes a block in which nothing can end. Whether it is one.
    fn whole(&mut self, block: &[u8; BLOCK]) -> bool {
        let masks = Masks::of(block);
        if self.is_escaped || masks.has_backslash {
            return false;
        }
        let outside = inside_strings(masks.quotes) ^ if self.in_string { 0 } else { !0 };
        let opened = (masks.open & outside).count_ones() as usize;
        let closed = (masks.close & outside).count_ones() as usize;
        if self.depth <= closed {
            return false;
        }
        self.depth = self.depth + opened - closed;
        self.in_string ^= masks.quotes.count_ones() % 2 == 1;
        true
    }

    fn one_by_one(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.in_string {
                match byte {
                    b'"' => self.in_string = false,
                    b'\\' => self.is_escaped = true,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(index + 1);
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

/// One bit for each byte of a block.
struct Masks {
    quotes: u64,
    open: u64,
    close: u64,
    has_backslash: bool,
}

/// Eight times the same byte.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

impl Masks {
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self {
            quotes: 0,
            open: 0,
            close: 0,
            has_backslash: false,
        };
        let mut backslashes = 0;
        for (index, word) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            // [ and {, ] and } differ in this bit alone.
            let bracket = word | each(0x20);
            masks.quotes |= bits(equal(word, b'"')) << (index * 8);
            masks.open |= bits(equal(bracket, b'{')) << (index * 8);
            masks.close |= bits(equal(bracket, b'}')) << (index * 8);
            backslashes |= equal(word, b'\\');
        }
        masks.has_backslash = backslashes != 0;
        masks
    }
}

/// The high bit of each byte that is this one.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ each(byte);
    // Exact for each byte: no carry leaves the low seven bits.
    !(((other & each(0x7f)) + each(0x7f)) | other | each(0x7f))
}

/// The high bits of eight bytes, side by side.
#[inline(always)]
fn bits(high: u64) -> u64 {
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// For each bit whether the number of quotes up to it is odd.
fn inside_strings(quotes: u64) -> u64 {
    let mut mask = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        mask ^= mask << shift;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::Skim;
    use proptest::prelude::*;

    /// Byte by byte: what the masks are held to.
    fn slowly(bytes: &[u8]) -> (Option<usize>, Skim) {
        let mut skim = Skim::default();
        (skim.one_by_one(bytes), skim)
    }

    /// Scenario: objects and lists with brackets, quotes and backslashes in strings.
    /// Guarantees: the end is that of the outermost bracket.
    #[test]
    fn ends() {
        for text in [
            r#"{}"#,
            r#"[]"#,
            r#"{"a":"}","b":["]",{"c":"\"}"}]}"#,
            r#"{"a":"\\"}"#,
            r#"{"{":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#,
        ] {
            let with_more = format!("{text} }}]}}");
            let end = Skim::default().end(with_more.as_bytes());
            assert_eq!(end, Some(text.len()), "{text}");
            let open = &text.as_bytes()[..text.len() - 1];
            assert_eq!(Skim::default().end(open), None, "{text}");
        }
    }

    proptest! {
        /// Scenario: random texts of the bytes that matter, and others of any value, cut in two.
        /// Guarantees: blocks and parts give what going byte by byte gives.
        #[test]
        fn blocks_are_as_bytes(
            bytes in proptest::collection::vec(
                prop_oneof![
                    6 => proptest::sample::select(b"{[".to_vec()),
                    4 => proptest::sample::select(b"}]\"".to_vec()),
                    1 => Just(b'\\'),
                    20 => any::<u8>(),
                ],
                0..400,
            ),
            cut in any::<proptest::sample::Index>(),
        ) {
            let bytes = [b"{{{{".as_slice(), &bytes].concat();
            let cut = cut.index(bytes.len());
            let mut skim = Skim::default();
            let end = skim.end(&bytes[..cut]);
            let end = end.or_else(|| skim.end(&bytes[cut..]).map(|end| cut + end));
            let (expected, state) = slowly(&bytes);
            prop_assert_eq!(end, expected);
            if end.is_none() {
                prop_assert_eq!(skim, state);
            }
        }
    }
}
