//! Who may talk to the relay: the rules for Host and Origin, and the tokens of those who watch.
//!
//! A browser lets any page open a WebSocket to any address and says only, in `Origin`, which
//! page it was; so an Origin that is neither the relay's own nor on the list is refused. And a
//! page can give a name of its own the address 127.0.0.1 (DNS rebinding), which makes the relay
//! its own origin; so while the relay listens on loopback alone, `Host` must be a loopback name,
//! unless both who sends and who watches has to show a token, which such a page hasn't. What tells
//! no more than whether the relay is well is for everybody: probes come by an address of their own.

mod credentials;
mod patterns;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use fanout::{Pass, Refusal};
use ingest::{RequestId, X_REQUEST_ID};

use crate::counters::Counters;
use crate::counters::labels::Rule;
use crate::pages;
use crate::throttle::Throttle;
use crate::tokens::{Asked, Tokens};

use self::credentials::Shown;

pub use patterns::{Authority, HostName, OriginPattern, PatternError};

/// The rules that can be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateConfig {
    /// Origins that may watch besides the relay's own.
    pub allowed_origins: Vec<OriginPattern>,
    /// Names that `Host` may have. On loopback they are allowed besides the loopback names; on
    /// wider addresses, where there is no rule by default, they make one.
    pub allowed_hosts: Vec<HostName>,
}

/// The rules in force.
pub struct Rules {
    lists: RwLock<GateConfig>,
    /// Whether loopback names pass.
    loopback: bool,
    /// Whether there is a rule for Host even without a list.
    hosts_matter: bool,
    /// The tokens of those who may watch, if not all may.
    watchers: Option<Arc<Tokens>>,
    counters: Arc<Counters>,
    host_warnings: Throttle,
    origin_warnings: Throttle,
    token_warnings: Throttle,
}

impl Rules {
    /// The rules for a relay that listens on `addresses` and asks for `tokens`.
    #[must_use]
    pub fn new(
        config: &GateConfig,
        addresses: &[SocketAddr],
        tokens: &Asked,
        counters: Arc<Counters>,
    ) -> Self {
        let only_loopback = addresses.iter().all(|address| is_loopback(address.ip()));
        let open = tokens.senders.is_none() || tokens.watchers.is_none();
        Self {
            lists: RwLock::new(config.clone()),
            loopback: only_loopback,
            hosts_matter: only_loopback && open,
            watchers: tokens.watchers.clone(),
            counters,
            host_warnings: Throttle::default(),
            origin_warnings: Throttle::default(),
            token_warnings: Throttle::default(),
        }
    }

    /// Goes by other lists from the next request on.
    pub(crate) fn change(&self, config: &GateConfig) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.clone_from(config);
    }

    /// The first of the names that `Host` may have.
    pub(crate) fn first_host(&self) -> Option<HostName> {
        self.lists().allowed_hosts.first().cloned()
    }

    fn lists(&self) -> RwLockReadGuard<'_, GateConfig> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the name that a request was sent to. A request without one passes: browsers always
    /// send it.
    ///
    /// # Errors
    ///
    /// What to answer: 400 for a Host that can't be read, 403 for a name that is not allowed.
    pub fn check_host(&self, head: &RequestHead) -> Result<(), Refusal> {
        let mut values = head.headers().get_all(HOST);
        let (host, more) = (values.next(), values.next());
        if more.is_some() {
            return Err(self.bad_host("more than one Host header"));
        }
        // In the absolute form, the target names the host (RFC 9112, section 3.2.2).
        let target = head.uri.authority().map(|authority| authority.as_str());
        for host in [host.map(text), target].into_iter().flatten() {
            let Some(authority) = Authority::parse(host) else {
                return Err(self.bad_host("the Host header is malformed"));
            };
            if !self.host_passes(&authority) && !pages::is_probe(head.uri.path()) {
                self.counters.rule_broken(Rule::Host);
                let id = RequestId::next();
                if let Some(more) = self.host_warnings.pass() {
                    tracing::warn!(
                        request = %id,
                        host = %shorten(host),
                        not_said_before = more,
                        "refused a request for another host; --allowed-hosts adds names"
                    );
                }
                let text = "this Host is not allowed here; --allowed-hosts adds names";
                return Err(named(Refusal::new(StatusCode::FORBIDDEN, text), id));
            }
        }
        Ok(())
    }

    fn bad_host(&self, text: &str) -> Refusal {
        self.counters.rule_broken(Rule::Host);
        Refusal::new(StatusCode::BAD_REQUEST, text)
    }

    fn host_passes(&self, authority: &Authority<'_>) -> bool {
        let hosts = &self.lists().allowed_hosts;
        let matters = self.hosts_matter || !hosts.is_empty();
        let listed = hosts.iter().any(|name| name.matches(authority));
        !matters || listed || (self.loopback && authority.is_loopback())
    }

    /// Judges the page that opens a WebSocket.
    fn check_origin(&self, head: &RequestHead) -> Result<(), Refusal> {
        let mut origins = head.headers().get_all(ORIGIN).map(text);
        let Some(origin) = origins.next() else {
            return Ok(());
        };
        let host = head.headers().get(HOST).map_or("", text);
        let single = origins.next().is_none();
        let same = single && patterns::is_same_host(origin, host);
        let is_listed = || {
            let origins = &self.lists().allowed_origins;
            origins.iter().any(|pattern| pattern.matches(origin))
        };
        if same || (single && is_listed()) {
            return Ok(());
        }
        self.counters.rule_broken(Rule::Origin);
        let id = RequestId::next();
        if let Some(more) = self.origin_warnings.pass() {
            tracing::warn!(
                request = %id,
                origin = %shorten(origin),
                host = %shorten(host),
                not_said_before = more,
                "refused a page of another origin; --allowed-origins adds origins"
            );
        }
        let text = "pages of this Origin may not watch; --allowed-origins adds origins";
        Err(named(Refusal::new(StatusCode::FORBIDDEN, text), id))
    }

    /// Judges the token of a watcher.
    fn check_token(&self, head: &RequestHead, peer: Option<IpAddr>) -> Result<Pass, Refusal> {
        let Some(watchers) = &self.watchers else {
            return Ok(Pass::lasting());
        };
        let shown = Shown::find(head);
        let shown = shown.inspect_err(|_| self.counters.rule_broken(Rule::Token))?;
        let pass = shown
            .as_ref()
            .and_then(|shown| watchers.find(shown.as_bytes()));
        pass.ok_or_else(|| {
            self.counters.rule_broken(Rule::Token);
            let id = RequestId::next();
            if let Some(more) = self.token_warnings.pass() {
                let peer = peer.map(tracing::field::display);
                let fault = match shown {
                    Some(_) => "a token that is not on file",
                    None => "no token",
                };
                tracing::warn!(
                    request = %id,
                    peer,
                    not_said_before = more,
                    "refused a watcher with {fault}"
                );
            }
            named(credentials::refusal(shown.is_some()), id)
        })
    }
}

impl fanout::Gate for Rules {
    fn admit(&self, head: &RequestHead, peer: Option<IpAddr>) -> Result<Pass, Refusal> {
        self.check_origin(head)?;
        self.check_token(head, peer)
    }
}

/// A refusal whose answer tells the id that stands in the log.
fn named(refusal: Refusal, id: RequestId) -> Refusal {
    refusal.with_header(HeaderName::from_static(X_REQUEST_ID), id.header())
}

/// Whether an address belongs to this machine alone, written as IPv4 or as IPv6.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The text of a header; empty, and so no name, if it is none.
pub(crate) fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("")
}

/// What a log line shows of a header.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 100;
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests;
