//! Small files that are read again while the relay runs.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file's contents.
///
/// # Errors
///
/// What the system says, or [`ErrorKind::FileTooLarge`] beyond `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it is longer than {limit} bytes"),
        ));
    }
    Ok(contents)
}

/// What to do about a file that can't be read; empty where there is nothing to say.
pub(crate) fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "; is the path right?",
        ErrorKind::PermissionDenied => "; the user that the relay runs as must be able to read it",
        ErrorKind::IsADirectory => "; name a file in it",
        _ => "",
    }
}

/// What was last seen of files, so that a change is noticed, and one that can't be used is
/// complained of once. It holds no contents, which may be secret.
#[derive(Debug)]
pub(crate) struct Seen(Mutex<Digest>);

/// What files hold, or why they can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u64);

impl Seen {
    /// What is there now.
    pub(crate) fn new(now: Digest) -> Self {
        Self(Mutex::new(now))
    }

    /// Notes what is there now. Whether it is something else than before.
    pub(crate) fn changes(&self, now: Digest) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now) != now
    }
}

impl Digest {
    /// Of contents, or of the message that tells why there are none.
    pub(crate) fn of<T: Hash, E: ToString>(contents: &Result<T, E>) -> Self {
        let mut hasher = DefaultHasher::new();
        let contents = contents.as_ref().map_err(ToString::to_string);
        contents.hash(&mut hasher);
        Self(hasher.finish())
    }
}
