//! Bearer tokens (RFC 6750) from files: who may send, and who may watch.
//!
//! The file holds a token a line; empty lines and those that begin with `#` are passed over. It
//! is read at the start, on SIGHUP and when it changes; a file that can't be used then leaves the
//! tokens as they were. Tokens are never logged. Each has a [`Pass`], which is taken back when the
//! token leaves the file.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use fanout::Pass;
use ingest::{AuthError, Authorize, Credentials};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::files::{self, Digest, Seen};

/// The longest file, in bytes.
const MAX_FILE: u64 = 64 << 10;
/// The shortest token, in characters: shorter ones can be guessed.
const MIN_TOKEN: usize = 16;
/// The longest token, in characters: clients send it in a header.
const MAX_TOKEN: usize = 4096;

/// A file of tokens that can't be used.
#[derive(Debug, Error)]
pub enum TokenError {
    /// It can't be read.
    #[error(
        "the file of tokens {path} can't be read: {source}{}",
        files::hint(source)
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no token.
    #[error(
        "line {line} of the file of tokens {path} is no token: those are {MIN_TOKEN} to \
         {MAX_TOKEN} letters, digits or -._~+/ and at the end maybe = (RFC 6750, section 2.1)"
    )]
    NotAToken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// There is none, so that nobody could get in.
    #[error("the file of tokens {path} holds no token: `openssl rand -base64 32` makes one")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The tokens that are asked for.
#[derive(Clone, Default)]
pub struct Asked {
    /// Of senders; `None` if everybody may send.
    pub senders: Option<Arc<Tokens>>,
    /// Of watchers; `None` if everybody may watch.
    pub watchers: Option<Arc<Tokens>>,
}

/// The tokens of a file. Whoever shows one of them gets in.
pub struct Tokens {
    path: RwLock<PathBuf>,
    seen: Seen,
    known: RwLock<Known>,
}

/// The tokens of a file that was read again and not put into force yet.
pub(crate) struct Prepared {
    path: PathBuf,
    seen: Digest,
    tokens: Vec<Box<[u8]>>,
}

/// Tokens with their passes.
type Known = HashMap<Box<[u8]>, Pass>;

/// What came of reading a file again.
#[derive(Debug)]
pub struct Reloaded {
    /// How many tokens it holds now.
    pub count: usize,
    /// The passes of those that it holds no longer.
    pub gone: Vec<Pass>,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn read(path: PathBuf) -> Result<Self, TokenError> {
        let Prepared { path, seen, tokens } = prepare(path).1?;
        Ok(Self {
            known: RwLock::new(with_passes(tokens, &Known::new())),
            seen: Seen::new(seen),
            path: RwLock::new(path),
        })
    }

    /// Reads the file again.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; the tokens are as they were.
    pub fn reload(&self) -> Result<Reloaded, TokenError> {
        let prepared = self.prepare(self.path())?;
        Ok(self.put_into_force(prepared))
    }

    /// Reads the file again if it changed. A change that can't be used is told once.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; the tokens are as they were.
    pub fn reload_if_changed(&self) -> Option<Result<Reloaded, TokenError>> {
        let (seen, prepared) = prepare(self.path());
        let changes = self.seen.changes(seen);
        changes.then(|| Ok(self.put_into_force(prepared?)))
    }

    /// Reads the file at `path`, which may be another than before; nothing changes yet. What is
    /// good counts as seen once it is in force: until then it may be that another file is not,
    /// and this one is left to the next look.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub(crate) fn prepare(&self, path: PathBuf) -> Result<Prepared, TokenError> {
        let is_ours = path == self.path();
        let (seen, prepared) = prepare(path);
        if is_ours && prepared.is_err() {
            self.seen.changes(seen);
        }
        prepared
    }

    /// Lets in whom a file names that was read before.
    pub(crate) fn put_into_force(&self, prepared: Prepared) -> Reloaded {
        let Prepared { path, seen, tokens } = prepared;
        self.seen.changes(seen);
        *self.path.write().unwrap_or_else(PoisonError::into_inner) = path;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let now = with_passes(tokens, &known);
        let before = std::mem::replace(&mut *known, now);
        let gone = before
            .into_iter()
            .filter(|(token, _)| !known.contains_key(token));
        Reloaded {
            gone: gone.map(|(_, pass)| pass).collect(),
            count: known.len(),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        let path = self.path.read().unwrap_or_else(PoisonError::into_inner);
        path.clone()
    }

    /// The pass of a token, if it is one of ours. Takes as long for one that nearly is as for one
    /// that isn't at all.
    pub(crate) fn find(&self, token: &[u8]) -> Option<Pass> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for (one, pass) in &*known {
            if one.ct_eq(token).into() {
                found = Some(pass);
            }
        }
        found.cloned()
    }
}

/// Reads a file: what is there, and its tokens if they can be used.
fn prepare(path: PathBuf) -> (Digest, Result<Prepared, TokenError>) {
    let contents = contents(&path);
    let seen = Digest::of(&contents);
    let prepared = contents.and_then(|contents| {
        let tokens = parse(&path, &contents)?;
        Ok(Prepared { path, seen, tokens })
    });
    (seen, prepared)
}

/// Gives tokens their passes: those that were known keep theirs.
fn with_passes(tokens: Vec<Box<[u8]>>, before: &Known) -> Known {
    let with_pass = |token: Box<[u8]>| {
        let pass = before.get(&token).cloned();
        (token, pass.unwrap_or_else(Pass::revocable))
    };
    tokens.into_iter().map(with_pass).collect()
}

impl Authorize for Tokens {
    fn check(&self, credentials: Credentials<'_>) -> Result<(), AuthError> {
        let token = credentials.authorization.and_then(bearer);
        match token.and_then(|token| self.find(token)) {
            Some(_) => Ok(()),
            None => Err(AuthError::Unauthenticated),
        }
    }
}

/// The token of an `Authorization` header (RFC 6750, section 2.1; RFC 9110, section 11.1: the
/// name of the scheme in any case).
pub(crate) fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

fn contents(path: &Path) -> Result<Vec<u8>, TokenError> {
    files::read(path, MAX_FILE).map_err(|source| TokenError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The tokens of a file. Bytes that are no UTF-8 are no part of one.
fn parse(path: &Path, contents: &[u8]) -> Result<Vec<Box<[u8]>>, TokenError> {
    let text = String::from_utf8_lossy(contents);
    let mut tokens = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !is_token(line) {
            return Err(TokenError::NotAToken {
                path: path.to_owned(),
                line: at + 1,
            });
        }
        tokens.push(line.as_bytes().into());
    }
    match tokens.is_empty() {
        true => Err(TokenError::Empty {
            path: path.to_owned(),
        }),
        false => Ok(tokens),
    }
}

/// Whether it is a `b64token`, of a length that makes sense.
pub(crate) fn is_token(line: &str) -> bool {
    let body = line.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (MIN_TOKEN..=MAX_TOKEN).contains(&line.len()) && !body.is_empty() && body.bytes().all(allowed)
}

#[cfg(test)]
mod tests;
