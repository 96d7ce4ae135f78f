//! Who may send. Asked before a request's body is read.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// What a request shows of its sender.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The value of the `Authorization` header (gRPC: of the metadata of that name). `None`
    /// when there is none, and also when there are several: which of them a proxy has looked at
    /// is anybody's guess.
    pub authorization: Option<&'a [u8]>,
    /// The address at the other end of the connection, or the one that a trusted proxy there has
    /// named.
    pub peer: Option<IpAddr>,
}

impl fmt::Debug for Credentials<'_> {
    /// Never shows the secret, only whether there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("authorization", &self.authorization.map(|_| "***"))
            .field("peer", &self.peer)
            .finish()
    }
}

/// Decides who may send. Must not block; comparing secrets in constant time is its business.
pub trait Authorize: Send + Sync {
    /// Lets a request pass, or not.
    ///
    /// # Errors
    ///
    /// [`AuthError`], which decides between 401 and 403.
    fn check(&self, credentials: Credentials<'_>) -> Result<(), AuthError>;
}

/// A request without the right to be here. Clients do not retry either (OTLP spec, "Retryable
/// Response Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthError {
    /// No credentials, or wrong ones: HTTP 401 with `WWW-Authenticate` (RFC 9110, 15.5.2), gRPC
    /// `UNAUTHENTICATED`.
    #[error("credentials are missing or wrong")]
    Unauthenticated,
    /// Known, but not allowed: HTTP 403, gRPC `PERMISSION_DENIED`.
    #[error("these credentials do not allow this")]
    Forbidden,
}

/// Lets everybody pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Authorize for AllowAll {
    fn check(&self, _credentials: Credentials<'_>) -> Result<(), AuthError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: credentials are printed for debugging.
    /// Guarantees: the secret is not in the text.
    #[test]
    fn debug_hides_the_secret() {
        let credentials = Credentials {
            authorization: Some(b"Bearer s3cret"),
            peer: None,
        };
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
}
