//! Compressed messages: permessage-deflate (RFC 7692), without context takeover in either
//! direction, so that a frame is compressed once for all who take it and no session keeps a
//! window.

mod compress;
mod inflate;
mod offer;

pub(crate) use self::compress::compress;
pub(crate) use self::inflate::{Broken, Inflater};
pub(crate) use self::offer::negotiate;

/// What a compressed message ends with, and what is taken off before it is sent (section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
