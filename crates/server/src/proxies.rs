//! Proxies in front of the relay, and who they speak for.
//!
//! Anybody can send `Forwarded` and `X-Forwarded-For`; only what a trusted proxy has added counts.
//! Each hop adds the address of the one before it at the end, so the client is the last one that
//! is not a trusted proxy itself; what stands before it is hearsay. Of the two headers a proxy
//! usually knows one and passes the other on unread, so they count only where they agree.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The networks of the proxies that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

/// What a request says of the way that it came, each header as all of its lines.
pub(crate) struct Way<F, X> {
    /// The lines of `Forwarded`.
    pub(crate) forwarded: F,
    /// The lines of `X-Forwarded-For`.
    pub(crate) x_forwarded_for: X,
}

impl Proxies {
    /// Trusts the proxies in `networks`.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The networks.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether there is a trusted proxy at `address`.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that the proxy at `peer` has passed on: the proxy itself, as far as
    /// one can tell, if the headers name nobody, name what is no address, or contradict each
    /// other.
    pub(crate) fn client<'a>(
        &self,
        peer: IpAddr,
        way: Way<impl Iterator<Item = &'a [u8]>, impl Iterator<Item = &'a [u8]>>,
    ) -> IpAddr {
        let forwarded = self.last_untrusted(way.forwarded.flat_map(elements).map(for_node));
        let hops = way.x_forwarded_for.flat_map(elements).map(node);
        let client = match (forwarded, self.last_untrusted(hops)) {
            (Hop::None, named) | (named, Hop::None) => named,
            (one, other) if one == other => one,
            _ => Hop::Unknown,
        };
        match client {
            Hop::At(address) => address,
            Hop::None | Hop::Unknown => peer.to_canonical(),
        }
    }

    /// The last hop that is not a trusted proxy; the first of all if every one is.
    fn last_untrusted(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Hop {
        let mut client = Hop::None;
        for hop in hops {
            client = match (hop, client) {
                (None, _) => Hop::Unknown,
                (Some(address), Hop::None) => Hop::At(address),
                (Some(address), _) if !self.trusts(address) => Hop::At(address),
                (Some(_), before) => before,
            };
        }
        client
    }
}

/// The sender of a request, as one header has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hop {
    /// There is no such header.
    None,
    /// It can't be read, or hides the sender (RFC 7239, 6.2 and 6.3).
    Unknown,
    At(IpAddr),
}

/// The elements of a list. A comma in a quoted string is taken for the end of one: no address
/// holds any, and what falls apart is not read as one.
fn elements(line: &[u8]) -> impl Iterator<Item = &str> {
    let text = str::from_utf8(line).unwrap_or("unknown");
    text.split(',').map(str::trim)
}

/// The node that an element of `Forwarded` names with `for` (RFC 7239, section 4).
fn for_node(element: &str) -> Option<IpAddr> {
    let mut named = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    });
    let value = named.next().filter(|_| named.next().is_none())?.trim();
    let unquoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    node(unquoted.unwrap_or(value))
}

/// An address, with or without a port, IPv6 with or without brackets: what RFC 7239 section 6
/// and the proxies of this world write.
fn node(text: &str) -> Option<IpAddr> {
    let address = match text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        Some(bare) => bare.parse().map(IpAddr::V6).ok(),
        None => text.parse().ok(),
    };
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip()).ok();
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    /// The client that these lines of headers name to a relay behind 10.0.0.0/8 and fd00::/8.
    fn client(forwarded: &[&str], x_forwarded_for: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"];
        let proxies = Proxies::new(networks.map(|network| network.parse().unwrap()).to_vec());
        let way = Way {
            forwarded: forwarded.iter().map(|line| line.as_bytes()),
            x_forwarded_for: x_forwarded_for.iter().map(|line| line.as_bytes()),
        };
        proxies.client(PROXY.parse().unwrap(), way).to_string()
    }

    /// Scenario: `X-Forwarded-For` of one and several hops, in one line and in several, with
    /// what clients put before it, ports and brackets.
    /// Guarantees: the last hop that is no trusted proxy, whatever stands before it.
    #[test]
    fn x_forwarded_for() {
        for (lines, expected) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            (&["192.0.2.7, 10.9.9.9"], "192.0.2.7"),
            (&["198.51.100.1, 192.0.2.7,10.9.9.9, fd00::1"], "192.0.2.7"),
            (&["198.51.100.1", "192.0.2.7", "10.9.9.9"], "192.0.2.7"),
            (&["not an address, 192.0.2.7"], "192.0.2.7"),
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (&["192.0.2.7:1234"], "192.0.2.7"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:99"], "2001:db8::7"),
        ] {
            assert_eq!(client(&[], lines), expected, "{lines:?}");
        }
    }

    /// Scenario: `Forwarded` in all the forms of RFC 7239.
    /// Guarantees: as with the other header.
    #[test]
    fn forwarded() {
        for (lines, expected) in [
            (&["for=192.0.2.7"][..], "192.0.2.7"),
            (&["For=\"192.0.2.7:99\""], "192.0.2.7"),
            (
                &["proto=https;for=\"[2001:db8::7]:99\";by=10.0.0.1"],
                "2001:db8::7",
            ),
            (
                &["for=198.51.100.1, for=192.0.2.7;by=10.0.0.1, for=10.9.9.9"],
                "192.0.2.7",
            ),
            (&["for=unknown, for=192.0.2.7"], "192.0.2.7"),
            (&["for=198.51.100.1", "for=192.0.2.7"], "192.0.2.7"),
        ] {
            assert_eq!(client(lines, &[]), expected, "{lines:?}");
        }
    }

    /// Scenario: no header; hops without an address where the client should be; a header that
    /// the client has made up beside the one of the proxy; both of the same mind.
    /// Guarantees: the proxy stands for whom nobody knows; a client can't choose its address.
    #[test]
    fn unknown_clients() {
        for (forwarded, x_forwarded_for, expected) in [
            (&[][..], &[][..], PROXY),
            (&[], &[""], PROXY),
            (&[], &["192.0.2.7, unknown"], PROXY),
            (&[], &["192.0.2.7, unknown, 10.9.9.9"], PROXY),
            (&["for=_hidden"], &[], PROXY),
            (&["for=192.0.2.7;for=192.0.2.7"], &[], PROXY),
            (&["by=10.0.0.1"], &[], PROXY),
            (&["for=\"192.0.2.7"], &[], PROXY),
            (&["for=\"a, for=192.0.2.8, b\""], &[], PROXY),
            (&["for=192.0.2.8"], &["192.0.2.7"], PROXY),
            (&["for=192.0.2.7"], &["1.2.3.4, 192.0.2.7"], "192.0.2.7"),
        ] {
            let got = client(forwarded, x_forwarded_for);
            assert_eq!(got, expected, "{forwarded:?} {x_forwarded_for:?}");
        }
    }

    /// Scenario: addresses inside and outside, in both writings of IPv4.
    /// Guarantees: only those inside are trusted.
    #[test]
    fn trust() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for (address, trusted) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(
                proxies.trusts(address.parse().unwrap()),
                trusted,
                "{address}"
            );
        }
        assert!(!Proxies::default().trusts("127.0.0.1".parse().unwrap()));
    }
}
