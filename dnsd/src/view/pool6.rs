//! Names of IPv6 pool addresses, both ways: `dhcp-2001-db8-20--1000.<zone>`.
//!
//! As those of IPv4, with one difference: a pool may have 2^64 of them, so that they are answered for and
//! never listed. Neither transfers nor a zone's content and serial know them.

#![deny(clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv6Addr};

use inventory_core::model::Globals;

use super::pool;
use super::zone::ZoneNumber;

/// A run of pool addresses whose names lie in one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool6 {
    /// Lowest address.
    pub first: u128,
    /// Highest address.
    pub last: u128,
    /// Zone of the names.
    pub zone: ZoneNumber,
}

/// All of them, sorted; networks do not overlap, so neither do they.
#[derive(Debug, Default)]
pub struct Pools6 {
    pools: Box<[Pool6]>,
}

impl Pools6 {
    pub(super) fn new(globals: &Globals) -> Pools6 {
        let bits = |address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => Some(Ipv6Addr::to_bits(v6)),
        };
        let zoned = globals.networks.iter().filter_map(|network| Some((network, network.zone?.into())));
        let mut pools: Vec<Pool6> = zoned
            .flat_map(|(network, zone)| {
                let runs = pool::runs(network, bits, |bits| bits.checked_add(1), |bits| bits - 1);
                runs.into_iter().map(move |(first, last)| Pool6 { first, last, zone })
            })
            .collect();
        pools.sort_unstable();
        Pools6 { pools: pools.into() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    /// The run that `address` lies in.
    #[inline]
    pub fn containing(&self, address: u128) -> Option<&Pool6> {
        self.within(address, address).first()
    }

    /// The runs that have addresses from `first` to `last`.
    #[inline]
    pub fn within(&self, first: u128, last: u128) -> &[Pool6] {
        pool::touching(&self.pools, (first, last), |pool| (pool.first, pool.last))
    }
}
