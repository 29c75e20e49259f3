//! How many of something there may be at once, in all and of one client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use super::status::lock;

/// Places that clients take.
#[derive(Debug)]
pub(super) struct Places {
    most_of_client: usize,
    taken: Mutex<Taken>,
}

/// How many are taken.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_client: HashMap<IpAddr, usize>,
}

/// A place. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    /// Who has it.
    client: IpAddr,
}

impl Places {
    pub(super) fn new(most_of_client: usize) -> Arc<Places> {
        Arc::new(Places { most_of_client, taken: Mutex::default() })
    }

    /// A place for the client at `peer`; `None` if `most` are taken, or too many of this client.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr, most: usize) -> Option<Place> {
        let (client, mut taken) = (client_of(peer), lock(&self.taken));
        let own = taken.of_client.get(&client).copied().unwrap_or(0);
        if taken.all >= most || own >= self.most_of_client {
            return None;
        }
        taken.all += 1;
        taken.of_client.insert(client, own + 1);
        Some(Place { places: Arc::clone(self), client })
    }

    /// How many are taken, in all and of the client at `peer`.
    pub(super) fn taken(&self, peer: IpAddr) -> (usize, usize) {
        let taken = lock(&self.taken);
        (taken.all, taken.of_client.get(&client_of(peer)).copied().unwrap_or(0))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.of_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.of_client.remove(&self.client);
            }
        }
    }
}

/// The address that stands for all of a client: one has a whole network of IPv6 to itself.
fn client_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_so_many_in_all_and_of_one_network_of_ipv6_and_come_back() {
        let places = Places::new(2);
        let take = |peer: &str| places.take(peer.parse().unwrap(), 3);
        let first = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(first.iter().all(Option::is_some));
        assert!(take("2001:db8::3").is_none(), "it has two");
        assert_eq!(places.taken("2001:db8::9".parse().unwrap()), (2, 2));
        let other = take("::ffff:10.0.0.1");
        assert_eq!(places.taken("10.0.0.1".parse().unwrap()), (3, 1));
        assert!(take("10.0.0.2").is_none(), "there are three");
        drop((first, other));
        assert!(lock(&places.taken).of_client.is_empty() && take("10.0.0.2").is_some());
    }
}
