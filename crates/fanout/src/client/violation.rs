//! What is wrong with what a client sent, and the code that says so.

use crate::deflate::Broken;
use crate::frame::CloseCode;

/// What a client did wrong. Nothing is read after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Violation {
    /// The code to close with.
    pub code: CloseCode,
    /// What was wrong, short enough for a Close frame.
    pub reason: &'static str,
}

pub(super) fn protocol(reason: &'static str) -> Violation {
    Violation {
        code: CloseCode::PROTOCOL,
        reason,
    }
}

pub(super) fn too_long() -> Violation {
    Violation {
        code: CloseCode::TOO_BIG,
        reason: "a message is longer than this server takes",
    }
}

pub(super) fn not_utf8() -> Violation {
    Violation {
        code: CloseCode::INVALID_DATA,
        reason: "text that is not UTF-8",
    }
}

impl From<Broken> for Violation {
    /// RFC 7692 names no code. The data is not what its frame says that it is, which is what
    /// RFC 6455 section 7.4.1 has 1007 for.
    fn from(_: Broken) -> Self {
        Self {
            code: CloseCode::INVALID_DATA,
            reason: "a message that cannot be inflated",
        }
    }
}
