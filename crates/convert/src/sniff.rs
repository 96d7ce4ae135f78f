//! What an input is, by its first bytes.

/// The byte order mark of UTF-8, which some editors put in front.
pub(crate) const BOM: &[u8] = &[0xef, 0xbb, 0xbf];
/// The longest run of white space in front of JSON that is looked through.
const MOST_BLANKS: usize = 64 << 10;
/// The longest first key that is looked at.
const MOST_KEY: usize = 256;
/// Tags of a request's fields: number 1, the list, or 2, the dictionary of profiles.
const TAGS: [u8; 2] = [0x0a, 0x12];
/// The first byte of a big-endian length below 80 MiB. No field of protobuf has number 0, so no
/// message begins so.
const MOST_LENGTH: u8 = 0x04;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// White space or nothing.
    Blank,
    Json,
    Protobuf,
    Delimited,
    Unknown,
}

/// What JSON takes for white space (RFC 8259, section 2).
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// How many bytes of white space there are at the begin.
pub(crate) fn blanks(bytes: &[u8]) -> usize {
    let first = bytes.iter().position(|&byte| !is_blank(byte));
    first.unwrap_or(bytes.len())
}

/// Tells what begins with these bytes; nothing if it takes more of them to tell.
pub(crate) fn sniff(bytes: &[u8], is_all: bool) -> Option<Sniffed> {
    let Some(&first) = bytes.first() else {
        return is_all.then_some(Sniffed::Blank);
    };
    if first <= MOST_LENGTH {
        return Some(Sniffed::Delimited);
    }
    let inked = blanks(bytes);
    match bytes.get(inked) {
        None if is_all => Some(Sniffed::Blank),
        None => (inked >= MOST_BLANKS).then_some(Sniffed::Json),
        // A line feed is also the tag of field 1, and a brace a length.
        Some(b'{') if first == TAGS[0] => match is_json(&bytes[inked + 1..]) {
            None if !is_all => None,
            Some(false) => Some(Sniffed::Protobuf),
            Some(true) | None => Some(Sniffed::Json),
        },
        Some(b'{') => Some(Sniffed::Json),
        Some(_) if TAGS.contains(&first) => Some(Sniffed::Protobuf),
        Some(_) => Some(Sniffed::Unknown),
    }
}

/// Whether an object of JSON goes on so. Protobuf would have the tag of a field of a resource
/// here, a control character.
fn is_json(bytes: &[u8]) -> Option<bool> {
    let bytes = &bytes[blanks(bytes)..];
    match bytes.split_first()? {
        (b'}', _) => Some(true),
        (b'"', key) => {
            let end = key.iter().position(|&byte| byte == b'"' || byte < b' ');
            match end {
                Some(end) => Some(key[end] == b'"'),
                None => (key.len() > MOST_KEY).then_some(true),
            }
        }
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sniffed, sniff};

    /// Scenario: the begins of every form, of a line feed that is white space and of one that is
    /// a tag, of neither.
    /// Guarantees: each is told, and told the same when the bytes come one at a time.
    #[test]
    fn begins() {
        let cases: [(&[u8], Sniffed); 20] = [
            (b"", Sniffed::Blank),
            (b" \r\n\n", Sniffed::Blank),
            (b"{", Sniffed::Json),
            (b"{}", Sniffed::Json),
            (b"\n\n{}", Sniffed::Json),
            (b"\n{\n \"resourceLogs\":[]}", Sniffed::Json),
            (b"\n{ ", Sniffed::Json),
            (b"\r\n{", Sniffed::Json),
            (b"  {\"a\"", Sniffed::Json),
            (b"\n{\n\"\n\x20\n", Sniffed::Protobuf),
            (b"\n{\x12\x10", Sniffed::Protobuf),
            (b"\n\0", Sniffed::Protobuf),
            (b"\n\x10abc", Sniffed::Protobuf),
            (b"\x12\0", Sniffed::Protobuf),
            (b"\0\0\0\0", Sniffed::Delimited),
            (b"\x04\0\0\0", Sniffed::Delimited),
            (b"\x05\0\0\0", Sniffed::Unknown),
            (b" x", Sniffed::Unknown),
            (b"[]", Sniffed::Unknown),
            (b"\xff\xfe{\0", Sniffed::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes, true), Some(expected), "{bytes:?}");
            let told = (0..=bytes.len()).find_map(|len| sniff(&bytes[..len], len == bytes.len()));
            assert_eq!(told, Some(expected), "{bytes:?}");
        }
    }
}
