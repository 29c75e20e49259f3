//! The addresses of a network that a pool may give.
//!
//! What is written, without what no client may have: exclusions, the network's own special addresses,
//! its gateway and resolvers. Hosts' addresses lie outside the pools: the inventory is refused otherwise.

use std::net::{IpAddr, Ipv4Addr};

use inventory_core::model::{Network, Range};
use ipnet::Ipv4Net;

/// Ranges of addresses, sorted, apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    ranges: Box<[(u32, u32)]>,
}

impl Pool {
    /// What `network`, which has this prefix, gives away.
    pub(super) fn new(network: &Network, prefix: Ipv4Net) -> Pool {
        let numbers = |range: &Range| match (range.first(), range.last()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => Some((first.to_bits(), last.to_bits())),
            _ => None,
        };
        let written = network.pools.iter().filter_map(numbers);
        let inside = |(first, last): (u32, u32)| {
            let (first, last) =
                (first.max(prefix.network().to_bits()), last.min(prefix.broadcast().to_bits()));
            (first <= last).then_some((first, last))
        };
        let mut ranges: Vec<(u32, u32)> = written.filter_map(inside).collect();
        let own = (prefix.prefix_len() < 31).then(|| [prefix.network(), prefix.broadcast()]);
        let resolvers = network.dns.iter().filter_map(|server| match server {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        });
        let single = own.into_iter().flatten().chain(network.gateway).chain(resolvers);
        let single = single.map(|address| (address.to_bits(), address.to_bits()));
        for hole in network.exclude.iter().filter_map(numbers).chain(single) {
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
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let number = address.to_bits();
        let after = self.ranges.partition_point(|(first, _)| *first <= number);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, last)| number <= *last)
    }

    /// Number of addresses.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Its first address at or above `number`. Cost: logarithmic in the ranges.
    pub(crate) fn at_or_above(&self, number: u32) -> Option<Ipv4Addr> {
        let after = self.ranges.partition_point(|(_, last)| *last < number);
        self.ranges.get(after).map(|(first, _)| Ipv4Addr::from_bits(number.max(*first)))
    }
}

/// A range without a hole in it.
fn without((first, last): (u32, u32), (from, to): (u32, u32)) -> [Option<(u32, u32)>; 2] {
    if to < first || last < from {
        return [Some((first, last)), None];
    }
    let below = from.checked_sub(1).filter(|end| first <= *end).map(|end| (first, end));
    let above = to.checked_add(1).filter(|start| *start <= last).map(|start| (start, last));
    [below, above]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_cut_at_the_edges_in_the_middle_and_over_everything() {
        assert_eq!(without((10, 20), (12, 14)), [Some((10, 11)), Some((15, 20))]);
        assert_eq!(without((10, 20), (5, 10)), [None, Some((11, 20))]);
        assert_eq!(without((10, 20), (20, 30)), [Some((10, 19)), None]);
        assert_eq!(without((10, 20), (0, u32::MAX)), [None, None]);
        assert_eq!(without((10, 20), (21, 30)), [Some((10, 20)), None]);
        assert_eq!(without((0, u32::MAX), (0, 0)), [None, Some((1, u32::MAX))]);
        assert_eq!(without((0, u32::MAX), (u32::MAX, u32::MAX)), [Some((0, u32::MAX - 1)), None]);
    }

    #[test]
    fn addresses_are_walked_over_the_gaps() {
        let pool = Pool { ranges: [(10, 12), (20, 20)].into() };
        let walked: Vec<u32> =
            std::iter::successors(pool.at_or_above(0), |last| pool.at_or_above(last.to_bits() + 1))
                .map(Ipv4Addr::to_bits)
                .collect();
        assert_eq!(walked, [10, 11, 12, 20]);
        assert_eq!(pool.len(), 4);
        let inside = |number| pool.contains(Ipv4Addr::from_bits(number));
        assert_eq!([9, 10, 12, 13, 20, 21].map(inside), [false, true, true, false, true, false]);
    }
}
