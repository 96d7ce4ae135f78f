//! Hosts and origins, and the patterns that they are held against.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

/// A name or pattern that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Not the name of a host.
    #[error("expected the name or address of a host, like `relay.example.com`")]
    Host,
    /// Not an origin.
    #[error("expected `*`, or a scheme, a host and maybe a port, like `https://*.example.com`")]
    Origin,
}

/// `host` or `host:port`, as a Host header has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host, an IPv6 address in brackets.
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads a Host header (RFC 9110, section 7.2).
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let host_end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(host_end);
        let port = match port.strip_prefix(':') {
            Some("") => None,
            // A number for Rust may have a sign.
            Some(port) if port.starts_with('+') => return None,
            Some(port) => Some(port.parse().ok()?),
            None if port.is_empty() => None,
            None => return None,
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let valid = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_name),
        };
        valid.then_some(Self { host, port })
    }

    /// Whether this is a name or an address of the machine itself: `localhost` and what is below
    /// it (RFC 6761, section 6.3), 127.0.0.0/8, `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        let address = match name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(address) => address
                .parse::<Ipv6Addr>()
                .map(|address| address.to_canonical())
                .ok(),
            None => name.parse::<IpAddr>().ok(),
        };
        address.map_or(
            name == "localhost" || name.ends_with(".localhost"),
            |address| address.is_loopback(),
        )
    }
}

/// A name that a Host header may have, whatever the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Whether a Host header has this name.
    #[must_use]
    pub fn matches(&self, authority: &Authority<'_>) -> bool {
        self.0.eq_ignore_ascii_case(authority.host)
    }
}

impl FromStr for HostName {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        match Authority::parse(text) {
            Some(Authority { host, port: None }) => Ok(Self(host.to_owned())),
            _ => Err(PatternError::Host),
        }
    }
}

/// Origins that may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    /// One origin, or with `subdomains` every one below its host.
    Under {
        origin: Origin,
        subdomains: bool,
    },
}

/// What a page says of itself (RFC 6454, section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let bare = bare && url.username().is_empty() && url.password().is_none();
        // An origin ends with its host or port: no slash.
        if !bare || text.ends_with('/') {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host().map(|host: Host<&str>| host.to_string())?,
            port: url.port_or_known_default(),
        })
    }
}

impl OriginPattern {
    /// Whether it is `*`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == Pattern::Any
    }

    /// Whether a page of this origin may do it.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        let Pattern::Under {
            origin: allowed,
            subdomains,
        } = &self.0
        else {
            return true;
        };
        let Some(origin) = Origin::parse(origin) else {
            return false;
        };
        let host = if *subdomains {
            let below = origin.host.strip_suffix(&allowed.host);
            below.is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        } else {
            origin.host == allowed.host
        };
        host && origin.scheme == allowed.scheme && origin.port == allowed.port
    }
}

impl FromStr for OriginPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self(Pattern::Any));
        }
        let without_star = text.replacen("://*.", "://", 1);
        let subdomains = without_star.len() != text.len();
        let origin = Origin::parse(&without_star).ok_or(PatternError::Origin)?;
        if without_star.contains('*') {
            return Err(PatternError::Origin);
        }
        Ok(Self(Pattern::Under { origin, subdomains }))
    }
}

impl fmt::Display for OriginPattern {
    /// As it would be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pattern::Under { origin, subdomains } = &self.0 else {
            return f.write_str("*");
        };
        let below = if *subdomains { "*." } else { "" };
        write!(f, "{}://{below}{}", origin.scheme, origin.host)?;
        match origin.port {
            Some(port) if default_port(&origin.scheme) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The port of a scheme that pages come by.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whether a page of `origin` was served by the host that the request is for. A proxy in front
/// may have taken off TLS, so the scheme says only which port is meant where none is named.
pub(super) fn is_same_host(origin: &str, host: &str) -> bool {
    let (Some(origin), Some(authority)) = (Origin::parse(origin), Authority::parse(host)) else {
        return false;
    };
    let Some(default) = default_port(&origin.scheme) else {
        return false;
    };
    origin.host.eq_ignore_ascii_case(authority.host)
        && origin.port == Some(authority.port.unwrap_or(default))
}
