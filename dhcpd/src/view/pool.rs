//! The addresses of a network that a pool may give.
//!
//! What is written, without what no client may have: exclusions, the network's own special addresses,
//! its gateway and resolvers. Hosts' addresses lie outside the pools: the inventory is refused otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use inventory_core::model::{Network, Range};
use ipnet::{Ipv4Net, Ipv6Net};

/// Ranges of addresses of one family, sorted, apart from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool<A> {
    ranges: Box<[(A, A)]>,
}

/// An address that a pool may have.
pub trait PoolAddress: Copy + Ord {
    /// The address, if it is of this family.
    fn of(address: IpAddr) -> Option<Self>;
    /// Its value as a number.
    fn number(self) -> u128;
    /// The next higher one, if there is one.
    fn above(self) -> Option<Self>;
    /// The next lower one, if there is one.
    fn below(self) -> Option<Self>;
}

impl PoolAddress for Ipv4Addr {
    fn of(address: IpAddr) -> Option<Ipv4Addr> {
        match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        }
    }

    fn number(self) -> u128 {
        self.to_bits().into()
    }

    fn above(self) -> Option<Ipv4Addr> {
        self.to_bits().checked_add(1).map(Ipv4Addr::from_bits)
    }

    fn below(self) -> Option<Ipv4Addr> {
        self.to_bits().checked_sub(1).map(Ipv4Addr::from_bits)
    }
}

impl PoolAddress for Ipv6Addr {
    fn of(address: IpAddr) -> Option<Ipv6Addr> {
        match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => Some(v6),
        }
    }

    fn number(self) -> u128 {
        self.to_bits()
    }

    fn above(self) -> Option<Ipv6Addr> {
        self.to_bits().checked_add(1).map(Ipv6Addr::from_bits)
    }

    fn below(self) -> Option<Ipv6Addr> {
        self.to_bits().checked_sub(1).map(Ipv6Addr::from_bits)
    }
}

impl Pool<Ipv4Addr> {
    /// What `network`, which has this prefix, gives away of these ranges.
    pub(super) fn v4(network: &Network, ranges: &[Range], prefix: Ipv4Net) -> Pool<Ipv4Addr> {
        let (first, last) = (prefix.network(), prefix.broadcast());
        let own = (prefix.prefix_len() < 31).then_some([first, last]);
        Pool::new(network, ranges, (first, last), own.into_iter().flatten().chain(network.gateway))
    }
}

impl Pool<Ipv6Addr> {
    /// What `network`, which has this prefix, gives away of IPv6: all but the address of any router
    /// (RFC 4291, section 2.6.1).
    pub(super) fn v6(network: &Network, prefix: Ipv6Net) -> Pool<Ipv6Addr> {
        let any_router = (prefix.prefix_len() < 127).then(|| prefix.network());
        Pool::new(network, &network.pools, (prefix.network(), prefix.broadcast()), any_router)
    }
}

impl<A: PoolAddress> Pool<A> {
    /// The ranges within `bounds`, without the addresses of `special`, of resolvers and of exclusions.
    fn new(
        network: &Network,
        ranges: &[Range],
        bounds: (A, A),
        special: impl IntoIterator<Item = A>,
    ) -> Pool<A> {
        let pair = |range: &Range| Some((A::of(range.first())?, A::of(range.last())?));
        let inside = |(first, last): (A, A)| {
            let (first, last) = (first.max(bounds.0), last.min(bounds.1));
            (first <= last).then_some((first, last))
        };
        let mut ranges: Vec<(A, A)> = ranges.iter().filter_map(pair).filter_map(inside).collect();
        let resolvers = network.dns.iter().filter_map(|server| A::of(*server));
        let single = special.into_iter().chain(resolvers).map(|address| (address, address));
        for hole in network.exclude.iter().filter_map(pair).chain(single) {
            ranges = ranges.into_iter().flat_map(|range| without(range, hole)).flatten().collect();
        }
        ranges.sort_unstable();
        Pool { ranges: ranges.into() }
    }

    /// Whether it gives no address.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether it may give `address`.
    #[inline]
    pub fn contains(&self, address: A) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= address);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, last)| address <= *last)
    }

    /// Number of addresses; the highest number for all that are more.
    pub fn len(&self) -> u64 {
        let size = |(first, last): &(A, A)| (last.number() - first.number()).saturating_add(1);
        self.ranges
            .iter()
            .map(|range| u64::try_from(size(range)).unwrap_or(u64::MAX))
            .fold(0, u64::saturating_add)
    }

    /// Its first address.
    pub(crate) fn first(&self) -> Option<A> {
        self.ranges.first().map(|(first, _)| *first)
    }

    /// Its next address above `address`. Cost: logarithmic in the ranges.
    pub(crate) fn after(&self, address: A) -> Option<A> {
        self.from(address.above()?)
    }

    /// Its first address that is not below `address`. Cost: logarithmic in the ranges.
    pub(crate) fn from(&self, address: A) -> Option<A> {
        let at = self.ranges.partition_point(|(_, last)| *last < address);
        self.ranges.get(at).map(|(first, _)| address.max(*first))
    }
}

/// A range without a hole in it.
fn without<A: PoolAddress>((first, last): (A, A), (from, to): (A, A)) -> [Option<(A, A)>; 2] {
    if to < first || last < from {
        return [Some((first, last)), None];
    }
    let below = from.below().filter(|end| first <= *end).map(|end| (first, end));
    let above = to.above().filter(|start| *start <= last).map(|start| (start, last));
    [below, above]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range((first, last): (u32, u32)) -> (Ipv4Addr, Ipv4Addr) {
        (Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(last))
    }

    #[test]
    fn holes_are_cut_at_the_edges_in_the_middle_and_over_everything() {
        let cut = |whole, hole| {
            without(range(whole), range(hole)).map(|part| part.map(|(a, b)| (a.to_bits(), b.to_bits())))
        };
        assert_eq!(cut((10, 20), (12, 14)), [Some((10, 11)), Some((15, 20))]);
        assert_eq!(cut((10, 20), (5, 10)), [None, Some((11, 20))]);
        assert_eq!(cut((10, 20), (20, 30)), [Some((10, 19)), None]);
        assert_eq!(cut((10, 20), (0, u32::MAX)), [None, None]);
        assert_eq!(cut((10, 20), (21, 30)), [Some((10, 20)), None]);
        assert_eq!(cut((0, u32::MAX), (0, 0)), [None, Some((1, u32::MAX))]);
        assert_eq!(cut((0, u32::MAX), (u32::MAX, u32::MAX)), [Some((0, u32::MAX - 1)), None]);
    }

    #[test]
    fn addresses_are_walked_over_the_gaps() {
        let pool = Pool { ranges: [(10, 12), (20, 20)].map(range).into() };
        let walked: Vec<u32> =
            std::iter::successors(pool.first(), |last| pool.after(*last)).map(Ipv4Addr::to_bits).collect();
        assert_eq!(walked, [10, 11, 12, 20]);
        assert_eq!(pool.len(), 4);
        let inside = |number| pool.contains(Ipv4Addr::from_bits(number));
        assert_eq!([9, 10, 12, 13, 20, 21].map(inside), [false, true, true, false, true, false]);
    }

    #[test]
    fn more_addresses_than_can_be_counted_are_the_highest_number() {
        let all = (Ipv6Addr::UNSPECIFIED, Ipv6Addr::from_bits(u128::MAX - 1));
        let half = (Ipv6Addr::UNSPECIFIED, Ipv6Addr::from_bits(u128::from(u64::MAX)));
        for ranges in [vec![all], vec![half], vec![half, all]] {
            assert_eq!(Pool { ranges: ranges.into() }.len(), u64::MAX);
        }
    }
}
