//! Small files that are read again while the relay runs.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file's contents. It may be named by a link.
///
/// # Errors
///
/// What the system says; [`ErrorKind::FileTooLarge`] beyond `limit` bytes;
/// [`ErrorKind::InvalidInput`] for a pipe, say, which is not opened: it would be waited for.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        let why = "it is no regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    /// Scenario: a file, links to it as Kubernetes makes them of a secret, a pipe that nobody
    /// writes to, a link to that, and a folder.
    /// Guarantees: what the file holds is read through the links; the pipe is refused at once, and
    /// the folder with what to do about it.
    #[test]
    fn regular_files_alone_are_read() {
        let folder = format!("otlp-relay-files-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(folder.join("..data-1")).unwrap();
        std::fs::write(folder.join("..data-1/tokens"), "a").unwrap();
        symlink("..data-1", folder.join("..data")).unwrap();
        symlink("..data/tokens", folder.join("tokens")).unwrap();
        assert_eq!(read(&folder.join("tokens"), 1).unwrap(), b"a");
        let pipe = folder.join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        symlink("pipe", folder.join("link")).unwrap();
        for name in ["pipe", "link"] {
            let error = read(&folder.join(name), 1).unwrap_err();
            assert_eq!(error.to_string(), "it is no regular file");
        }
        let error = read(&folder, 1).unwrap_err();
        assert_eq!(hint(&error), "; name a file in it");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
