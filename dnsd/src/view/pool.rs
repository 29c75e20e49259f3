//! Names of pool addresses: `dhcp-10-20-0-200.<zone>`, both ways, worked out rather than stored.
//!
//! They stand for machines that nobody has written down, so that everything on a network resolves.
//! A name that somebody did write wins over them.

#![deny(clippy::indexing_slicing)]

use std::net::IpAddr;

use inventory_core::model::{Globals, Network};

use super::reverse;
use super::zone::ZoneNumber;

const PREFIX: &[u8] = b"dhcp-";

/// A run of pool addresses whose names lie in one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    /// Lowest address.
    pub first: u32,
    /// Highest address.
    pub last: u32,
    /// Zone of the names.
    pub zone: ZoneNumber,
}

/// All of them, sorted; networks do not overlap, so neither do they.
#[derive(Debug, Default)]
pub struct Pools(Box<[Pool]>);

impl Pools {
    pub(crate) fn new(globals: &Globals) -> Pools {
        let mut pools: Vec<Pool> = globals.networks.iter().flat_map(of_network).collect();
        pools.sort_unstable();
        Pools(pools.into())
    }

    /// All runs, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.0.iter()
    }

    /// The run that `address` lies in.
    pub fn containing(&self, address: u32) -> Option<&Pool> {
        self.within(address, address).first()
    }

    /// The runs that have addresses from `first` to `last`.
    pub fn within(&self, first: u32, last: u32) -> &[Pool] {
        let from = self.0.partition_point(|pool| pool.last < first);
        let to = self.0.partition_point(|pool| pool.first <= last);
        self.0.get(from..to).unwrap_or(&[])
    }

    /// The pool address that `relative`, labels below the apex of `zone` in lower case, is the name of.
    pub fn address_named(&self, zone: ZoneNumber, relative: &[u8]) -> Option<u32> {
        let (length, label) = relative.split_first()?;
        if usize::from(*length) != label.len() {
            return None;
        }
        let mut address: u32 = 0;
        let mut parts = 0;
        for part in label.strip_prefix(PREFIX)?.split(|octet| *octet == b'-') {
            address = address.checked_mul(256)?.checked_add(reverse::decimal(part)?.into())?;
            parts += 1;
        }
        self.containing(address).filter(|pool| parts == 4 && pool.zone == zone).map(|_| address)
    }
}

/// The label of a pool address.
#[derive(Clone, Copy, Debug)]
pub struct PoolLabel {
    octets: [u8; 21],
    length: u8,
}

impl PoolLabel {
    /// That of `address`.
    pub fn new(address: u32) -> PoolLabel {
        let mut label = PoolLabel { octets: [0; 21], length: 1 };
        PREFIX.iter().for_each(|octet| label.push(*octet));
        for (index, octet) in address.to_be_bytes().into_iter().enumerate() {
            if index > 0 {
                label.push(b'-');
            }
            if octet >= 100 {
                label.push(b'0' + octet / 100);
            }
            if octet >= 10 {
                label.push(b'0' + octet / 10 % 10);
            }
            label.push(b'0' + octet % 10);
        }
        let length = label.length - 1;
        if let Some(first) = label.octets.first_mut() {
            *first = length;
        }
        label
    }

    /// Wire form: its length, then its text.
    pub fn as_wire(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// `dhcp-255-255-255-255` and its length octet are 21.
    fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(usize::from(self.length)) {
            *place = octet;
            self.length += 1;
        }
    }
}

/// IPv4 pools of `network` without what is excluded.
fn of_network(network: &Network) -> Vec<Pool> {
    let Some(zone) = network.zone else { return Vec::new() };
    let mut pools = Vec::new();
    for range in &network.pools {
        let (IpAddr::V4(first), IpAddr::V4(last)) = (range.first(), range.last()) else { continue };
        let mut next = Some(first.to_bits());
        for hole in network.exclude.iter().filter(|hole| hole.overlaps(*range)) {
            let (IpAddr::V4(from), IpAddr::V4(to)) = (hole.first(), hole.last()) else { continue };
            if let Some(first) = next.filter(|first| *first < from.to_bits()) {
                pools.push(Pool { first, last: from.to_bits() - 1, zone: zone.into() });
            }
            next = next.and_then(|next| Some(to.to_bits().checked_add(1)?.max(next)));
        }
        if let Some(first) = next.filter(|first| *first <= last.to_bits()) {
            pools.push(Pool { first, last: last.to_bits(), zone: zone.into() });
        }
    }
    pools
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(text: &str) -> u32 {
        text.parse::<Ipv4Addr>().unwrap().to_bits()
    }

    #[test]
    fn labels_are_read_back_and_nothing_else_is() {
        let zone = ZoneNumber(3);
        let (first, last) = (address("10.20.0.200"), address("10.20.1.5"));
        let pools = Pools(Box::new([Pool { first, last, zone }]));
        for address in first..=last {
            assert_eq!(pools.address_named(zone, PoolLabel::new(address).as_wire()), Some(address));
        }
        assert_eq!(PoolLabel::new(first).as_wire(), b"\x10dhcp-10-20-0-200");
        assert_eq!(PoolLabel::new(u32::MAX).as_wire(), b"\x14dhcp-255-255-255-255");
        for label in [
            "dhcp-10-20-0-199",
            "dhcp-10-20-0-0200",
            "dhcp-10-20-200",
            "dhcp-10-20-0-200-1",
            "dhcp-10-20-0-",
            "dhcp-",
        ] {
            let wire = [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat();
            assert_eq!(pools.address_named(zone, &wire), None, "{label}");
        }
        assert_eq!(pools.address_named(ZoneNumber(2), PoolLabel::new(first).as_wire()), None);
        let below = [b"\x01x", PoolLabel::new(first).as_wire()].concat();
        assert_eq!(pools.address_named(zone, &below), None);
    }

    #[test]
    fn blocks_find_the_runs_that_they_touch() {
        let zone = ZoneNumber(0);
        let pools = Pools(Box::new([Pool { first: 10, last: 19, zone }, Pool { first: 30, last: 30, zone }]));
        for (first, last, count) in [
            (0, 9, 0),
            (0, 10, 1),
            (19, 30, 2),
            (20, 29, 0),
            (30, 30, 1),
            (31, u32::MAX, 0),
            (0, u32::MAX, 2),
        ] {
            assert_eq!(pools.within(first, last).len(), count, "{first}..={last}");
        }
    }
}
