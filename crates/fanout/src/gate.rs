//! Who may watch: asked of the outside before anything else, and maybe taken back later.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::RequestHead;

use crate::refusal::Refusal;

/// The query parameter that belongs to the gate (RFC 6750, section 2.3): a view is read without it,
/// and no answer repeats it.
pub const TOKEN_PARAMETER: &str = "access_token";

/// The one WebSocket subprotocol that is spoken here: what the crate's README says. It changes
/// nothing; clients that offer subprotocols, because a token is one of them, need one that can be
/// chosen.
pub const SUBPROTOCOL: &str = "otlp-relay";

/// Decides who may watch: tokens, allowed origins and hosts. Asked before anything else.
pub trait Gate: Send + Sync {
    /// Judges a request by its head and the address that it came from.
    ///
    /// # Errors
    /// What to answer instead of the upgrade.
    fn admit(&self, head: &RequestHead, peer: Option<IpAddr>) -> Result<Pass, Refusal>;
}

/// Lets everybody watch.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _: &RequestHead, _: Option<IpAddr>) -> Result<Pass, Refusal> {
        Ok(Pass::lasting())
    }
}

/// Leave to watch. A clone is the same pass; each session keeps one, the size of a pointer.
///
/// [`Hub::revoke`](crate::Hub::revoke) takes it back.
#[derive(Clone, Debug)]
pub struct Pass(Option<Arc<AtomicBool>>);

impl Pass {
    /// A pass that nobody takes back.
    #[must_use]
    pub const fn lasting() -> Self {
        Self(None)
    }

    /// A new pass that can be taken back.
    #[must_use]
    pub fn revocable() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether it was taken back.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        let revoked = self.0.as_ref();
        revoked.is_some_and(|revoked| revoked.load(Ordering::Acquire))
    }

    pub(crate) fn revoke(&self) {
        if let Some(revoked) = &self.0 {
            revoked.store(true, Ordering::Release);
        }
    }
}
