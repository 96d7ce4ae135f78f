//! How much one address has open: connections, or requests that a proxy passes on for it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts by address, up to a limit for each. It knows only addresses that have something open.
pub(super) struct Addresses {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
        })
    }

    /// One more for `address`, or none if it has as many as it may.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let address = subscriber(address);
        let mut open = self.lock();
        let count = open.entry(address).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Seat {
            addresses: Arc::clone(self),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing panics under this lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one address has open, given back when dropped.
pub struct Seat {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.addresses.lock();
        if let Entry::Occupied(mut entry) = open.entry(self.address) {
            match entry.get() {
                0 | 1 => drop(entry.remove()),
                _ => *entry.get_mut() -= 1,
            }
        }
    }
}

/// What one subscriber has of addresses: of IPv6 usually a /64 (RFC 6177), of which a client can
/// use as many as it likes.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: as many of an address as it may have, of addresses in one /64, of the same IPv4
    /// address written as IPv6, and of others.
    /// Guarantees: exactly the limit passes for each; what is dropped is free again, and nothing
    /// is known of addresses that have nothing open.
    #[test]
    fn each_address_has_its_share() {
        let addresses = Addresses::new(2);
        let take = |address: &str| addresses.take(address.parse().unwrap());
        for (one, same, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"),
        ] {
            let seats = (take(one).unwrap(), take(same).unwrap());
            assert!(take(one).is_none() && take(same).is_none(), "{one}");
            let others = (take(other).unwrap(), take(other).unwrap());
            drop(seats.0);
            drop((take(same).unwrap(), others));
            assert!(take(one).is_some());
        }
        assert!(addresses.lock().is_empty());
    }
}
