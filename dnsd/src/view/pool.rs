//! Names of pool addresses: `dhcp-10-20-0-200.<zone>`, both ways, worked out rather than stored.
//!
//! They stand for machines that nobody has written down, so that everything on a network resolves.
//! A name that somebody did write wins over them. Those of IPv6, `dhcp-2001-db8--1000.<zone>`, are
//! answered for and never listed: see [`super::pool6`].

#![deny(clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv4Addr};

use inventory_core::model::{Globals, Network, PoolLabel, Reverse};
use inventory_core::name::Name;

use super::labels::{self, Labels};
use super::pool6::Pools6;
use super::record_digest;
use super::reverse::{self, Block};
use super::zone::{Zone, ZoneIndex, ZoneNumber};

/// A run of pool addresses whose names lie in one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    /// Lowest address.
    pub first: u32,
    /// Highest address.
    pub last: u32,
    /// Zone of the names.
    pub zone: ZoneNumber,
    /// Place of its classless reverse zone.
    classless: Option<usize>,
}

/// A name below which the PTR records of a network shorter than a /24 lie (RFC 2317).
#[derive(Clone, Debug)]
pub struct Classless {
    name: Name,
    /// The zone of ours that it lies in, and its labels below the apex of that.
    zone: Option<ZoneNumber>,
    relative: Box<[u8]>,
    /// First address of the /24.
    base: u32,
}

/// All of them, sorted; networks do not overlap, so neither do they.
#[derive(Debug, Default)]
pub struct Pools {
    pools: Box<[Pool]>,
    classless: Box<[Classless]>,
    v6: Pools6,
}

impl Pools {
    pub(crate) fn new(globals: &Globals, zones: &ZoneIndex) -> Pools {
        let mut classless = Vec::new();
        let mut pools: Vec<Pool> = Vec::new();
        for network in globals.networks.iter().filter(|network| !network.pools.is_empty()) {
            let place = Classless::of(network, zones).map(|found| {
                classless.push(found);
                classless.len() - 1
            });
            pools.extend(of_network(network, place));
        }
        pools.sort_unstable();
        // How a run is written makes no difference to what is served.
        pools.dedup_by(|next, pool| {
            let joins = (pool.zone, pool.classless) == (next.zone, next.classless)
                && pool.last.checked_add(1) == Some(next.first);
            if joins {
                pool.last = next.last;
            }
            joins
        });
        Pools { pools: pools.into(), classless: classless.into(), v6: Pools6::new(globals) }
    }

    /// Those of IPv6.
    #[inline]
    pub fn v6(&self) -> &Pools6 {
        &self.v6
    }

    /// Whether there is none of either family.
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty() && self.v6.is_empty()
    }

    /// All runs of IPv4, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter()
    }

    /// The run that `address` lies in.
    #[inline]
    pub fn containing(&self, address: u32) -> Option<&Pool> {
        self.within(address, address).first()
    }

    /// The runs that have addresses from `first` to `last`.
    #[inline]
    pub fn within(&self, first: u32, last: u32) -> &[Pool] {
        touching(&self.pools, (first, last), |pool| (pool.first, pool.last))
    }

    /// The pool address that `relative`, labels below the apex of `zone` in lower case, is the name of.
    #[inline]
    pub fn address_named(&self, zone: ZoneNumber, relative: &[u8]) -> Option<IpAddr> {
        let (length, label) = relative.split_first()?;
        if usize::from(*length) != label.len() {
            return None;
        }
        let address = PoolLabel::read(label)?;
        let pool_zone = match address {
            IpAddr::V4(v4) => self.containing(v4.to_bits())?.zone,
            IpAddr::V6(v6) => self.v6.containing(v6.to_bits())?.zone,
        };
        (pool_zone == zone).then_some(address)
    }

    /// Where the PTR records of a run lie, if not at the reverse names themselves.
    pub fn classless_of(&self, pool: &Pool) -> Option<&Classless> {
        self.classless.get(pool.classless?)
    }

    /// The pool address whose PTR record lies at `relative` in `zone`, a classless reverse name.
    pub fn classless_address(&self, zone: ZoneNumber, relative: &[u8]) -> Option<(&Pool, u32)> {
        if self.classless.is_empty() {
            return None;
        }
        let above = labels::parent(relative)?;
        let octet = reverse::decimal(labels::iter(relative).next()?)?;
        self.classless.iter().enumerate().find_map(|(place, classless)| {
            let here = classless.zone == Some(zone) && *classless.relative == *above;
            let address = classless.base | u32::from(octet);
            let pool = self.containing(address).filter(|pool| here && pool.classless == Some(place))?;
            Some((pool, address))
        })
    }

    /// Whether classless reverse names of pool addresses lie below `relative` in `zone`.
    pub fn is_above_classless(&self, zone: ZoneNumber, relative: &[u8]) -> bool {
        self.classless.iter().filter(|classless| classless.zone == Some(zone)).any(|classless| {
            std::iter::successors(Some(&*classless.relative), |name| labels::parent(name))
                .any(|name| name == relative)
        })
    }

    /// What pools add to the content of a zone, as a sum of digests, and how many names.
    pub(crate) fn content(&self, number: ZoneNumber, zone: &Zone, zones: &ZoneIndex) -> (u128, usize) {
        let (mut sum, mut names): (u128, usize) = (0, 0);
        let mut add = |kind: u32, first: u32, last: u32, others: [&[u8]; 2]| {
            names =
                names.saturating_add(usize::try_from(last - first).unwrap_or(usize::MAX)).saturating_add(1);
            let head = [kind, zone.ttl, first, last].map(u32::to_be_bytes);
            sum = sum.wrapping_add(record_digest(&[&head.concat()[..], &others.concat()].concat()));
        };
        let own = own_addresses(zone, zones);
        for pool in &self.pools {
            let own_zone = zones.wire(pool.zone);
            let classless = self.classless_of(pool);
            let target = classless.map_or(&[][..], |classless| classless.name.as_wire());
            if pool.zone == number && !zone.occludes(label_of(pool.first).as_wire()) {
                add(1, pool.first, pool.last, [&[], &[]]);
            }
            for (first, last) in &own {
                if pool.first <= *last && *first <= pool.last {
                    add(2, pool.first.max(*first), pool.last.min(*last), [own_zone, target]);
                }
            }
            let below = classless.filter(|classless| classless.zone == Some(number));
            if below.is_some_and(|classless| !zone.occludes(&[b"\x010", &*classless.relative].concat())) {
                add(3, pool.first, pool.last, [own_zone, target]);
            }
        }
        (sum, names)
    }
}

/// The addresses whose reverse names are the zone's own, as runs: not those in zones of ours below it, nor
/// those below a delegation or a DNAME.
fn own_addresses(zone: &Zone, zones: &ZoneIndex) -> Vec<(u32, u32)> {
    let whole = match zone.reverse {
        Some(family) => reverse::block(zone.name.as_wire(), family),
        None => zone.above_reverse.then_some(Block::V4(0, u32::MAX)),
    };
    let Some(Block::V4(first, last)) = whole else { return Vec::new() };
    let children = zone.children.iter().map(|child| zones.wire(*child).to_vec());
    let occluders = zone.occluders.iter().map(|owner| [owner, zone.name.as_wire()].concat());
    let mut others: Vec<(u32, u32)> = children
        .chain(occluders)
        .filter_map(|name| match reverse::block(&name, Reverse::V4) {
            Some(Block::V4(first, last)) => Some((first, last)),
            _ => (name == reverse::ARPA).then_some((0, u32::MAX)),
        })
        .collect();
    others.sort_unstable();
    let mut own = Vec::new();
    let mut next = Some(first);
    for (from, to) in others {
        if let Some(first) = next.filter(|first| *first < from) {
            own.push((first, from - 1));
        }
        next = next.and_then(|next| Some(to.checked_add(1)?.max(next)));
    }
    own.extend(next.filter(|first| *first <= last).map(|first| (first, last)));
    own
}

impl Classless {
    fn of(network: &Network, zones: &ZoneIndex) -> Option<Classless> {
        let name = network.reverse.clone()?;
        let labels = Labels::of(&name);
        let zone = zones.find(&labels, labels.count());
        let depth = zone.map_or(0, |zone| zones.zone(zone).depth);
        let relative = labels.relative(labels.count(), depth).into();
        let base = network.ipv4?.network().to_bits() & !0xff;
        Some(Classless { name, zone, relative, base })
    }

    /// Owner of the PTR record of `address`.
    pub fn owner(&self, address: u32) -> Name {
        let [.., octet] = address.to_be_bytes();
        self.name.child(&octet.to_string()).unwrap_or_else(|_| self.name.clone())
    }
}

/// The label of an address of IPv4.
pub(super) fn label_of(address: u32) -> PoolLabel {
    PoolLabel::new(Ipv4Addr::from_bits(address).into())
}

/// IPv4 pools of `network` without what is excluded.
fn of_network(network: &Network, classless: Option<usize>) -> Vec<Pool> {
    let Some(zone) = network.zone else { return Vec::new() };
    let bits = |address| match address {
        IpAddr::V4(v4) => Some(Ipv4Addr::to_bits(v4)),
        IpAddr::V6(_) => None,
    };
    let runs = runs(network, bits, |bits| bits.checked_add(1), |bits| bits - 1);
    runs.into_iter().map(|(first, last)| Pool { first, last, zone: zone.into(), classless }).collect()
}

/// Those of `runs`, sorted and apart, that have addresses from the first to the last; `ends` are those of one.
#[inline]
pub(super) fn touching<R, A: Ord>(runs: &[R], (first, last): (A, A), ends: fn(&R) -> (A, A)) -> &[R] {
    let from = runs.partition_point(|run| ends(run).1 < first);
    let to = runs.partition_point(|run| ends(run).0 <= last);
    runs.get(from..to).unwrap_or(&[])
}

/// The addresses of a family in the pools of `network` without what is excluded, as runs. `bits` is the number
/// of an address of that family, `next` and `before` are the numbers beside one.
pub(super) fn runs<A: Copy + Ord>(
    network: &Network,
    bits: fn(IpAddr) -> Option<A>,
    next: fn(A) -> Option<A>,
    before: fn(A) -> A,
) -> Vec<(A, A)> {
    let mut runs = Vec::new();
    for range in &network.pools {
        let (Some(first), Some(last)) = (bits(range.first()), bits(range.last())) else { continue };
        let mut free = Some(first);
        for hole in network.exclude.iter().filter(|hole| hole.overlaps(*range)) {
            let (Some(from), Some(to)) = (bits(hole.first()), bits(hole.last())) else { continue };
            if let Some(first) = free.filter(|first| *first < from) {
                runs.push((first, before(from)));
            }
            free = free.and_then(|free| Some(next(to)?.max(free)));
        }
        runs.extend(free.filter(|first| *first <= last).map(|first| (first, last)));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> u32 {
        text.parse::<Ipv4Addr>().unwrap().to_bits()
    }

    #[test]
    fn names_are_those_of_addresses_in_runs_of_the_zone() {
        let zone = ZoneNumber(3);
        let (first, last) = (address("10.20.0.200"), address("10.20.1.5"));
        let pools =
            Pools { pools: Box::new([Pool { first, last, zone, classless: None }]), ..Pools::default() };
        for address in first..=last {
            let named = pools.address_named(zone, label_of(address).as_wire());
            assert_eq!(named, Some(Ipv4Addr::from_bits(address).into()));
        }
        assert_eq!(pools.address_named(zone, label_of(first - 1).as_wire()), None);
        assert_eq!(pools.address_named(zone, b"\x12dhcp-10-20-0-0200"), None);
        assert_eq!(pools.address_named(ZoneNumber(2), label_of(first).as_wire()), None);
        let below = [b"\x01x", label_of(first).as_wire()].concat();
        assert_eq!(pools.address_named(zone, &below), None);
    }

    #[test]
    fn blocks_find_the_runs_that_they_touch() {
        let zone = ZoneNumber(0);
        let pool = |first, last| Pool { first, last, zone, classless: None };
        let pools = Pools { pools: Box::new([pool(10, 19), pool(30, 30)]), ..Pools::default() };
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
