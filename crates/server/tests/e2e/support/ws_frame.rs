//! Frames of a WebSocket client as bytes (RFC 6455 section 5.2), right or wrong.

/// A whole message.
pub(crate) const TEXT: u8 = 0x81;
/// A whole binary message.
pub(crate) const BINARY: u8 = 0x82;
/// The first fragment of a text.
pub(crate) const TEXT_BEGIN: u8 = 0x01;
/// The first fragment of a binary message.
pub(crate) const BINARY_BEGIN: u8 = 0x02;
/// A fragment that is neither the first nor the last.
pub(crate) const MORE: u8 = 0x00;
/// The last fragment.
pub(crate) const END: u8 = 0x80;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
/// Marks the first frame of a compressed message (RFC 7692 section 6).
pub(crate) const RSV1: u8 = 0x40;

/// The key that payloads are masked with.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame with this first byte, its length in the shortest form.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(masked(payload));
    frame
}

/// The header of a frame that may never come, with the key.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first];
    if length < 126 {
        header.push(0x80 | length as u8);
    } else if let Ok(length) = u16::try_from(length) {
        header.push(0x80 | 126);
        header.extend(length.to_be_bytes());
    } else {
        header.push(0x80 | 127);
        header.extend(length.to_be_bytes());
    }
    header.extend(MASK);
    header
}

/// A payload as it is sent.
pub(crate) fn masked(payload: &[u8]) -> impl Iterator<Item = u8> {
    payload
        .iter()
        .zip(MASK.iter().cycle())
        .map(|(byte, key)| byte ^ key)
}

/// A Close frame.
pub(crate) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A message in fragments.
pub(crate) fn fragments<'a>(
    begin: u8,
    pieces: impl IntoIterator<Item = &'a [u8], IntoIter: ExactSizeIterator>,
) -> Vec<u8> {
    let pieces = pieces.into_iter();
    let last = pieces.len() - 1;
    let fragment = |(number, piece)| {
        let opcode = if number == 0 { begin } else { MORE };
        let fin = if number == last { END } else { 0 };
        frame(fin | opcode, piece)
    };
    pieces.enumerate().flat_map(fragment).collect()
}
