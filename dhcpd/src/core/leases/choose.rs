//! Choosing an address of a pool: one never given, else the one that is unused for the longest time.

use std::net::Ipv4Addr;

use super::Leases;
use crate::view::{DhcpView, NetworkView};

/// A network, as the index knows it: its id in the view of the layout.
pub(super) type Group = u32;
/// The group of addresses in no network.
const NOWHERE: Group = u32::MAX;
/// In the place of a lease's end: the address has none.
pub(super) const UNUSED: i64 = i64::MIN;

impl Leases {
    pub(super) fn group(&self, address: Ipv4Addr) -> Group {
        self.layout
            .as_ref()
            .and_then(|layout| layout.network_of(address))
            .map_or(NOWHERE, |network| network.id.0)
    }

    /// Follows the networks of `view`; whether they are others than before. Cost: nothing where they are the same, else linear in the leases.
    pub(in crate::core) fn follow(&mut self, view: &DhcpView) -> bool {
        if self.layout.as_ref().is_some_and(|layout| layout.is_of(view)) {
            return false;
        }
        self.layout = Some(view.layout());
        self.fresh.clear();
        self.withdraw_offers_outside_pools();
        let waiting = self.by_address.iter().filter(|(address, _)| self.offers.get(**address).is_none());
        self.reuse = waiting.map(|(address, lease)| (self.group(*address), lease.ends, *address)).collect();
        true
    }

    /// An address of `network`'s pool that nobody holds or was offered at `now`; `None`: the pool is full.
    ///
    /// `usable` has the last word. Cost: constant on average; each address is passed over once in its life
    /// until the networks change.
    pub(in crate::core) fn choose(
        &mut self,
        network: &NetworkView,
        now: i64,
        usable: impl Fn(Ipv4Addr) -> bool,
    ) -> Option<Ipv4Addr> {
        let group = network.id.0;
        let fits = |address: Ipv4Addr| network.pool.contains(address) && usable(address);
        let unused = self.reuse.range(span(group, UNUSED, UNUSED)).map(|(.., address)| *address);
        if let Some(address) = unused.into_iter().find(|address| fits(*address)) {
            return Some(address);
        }
        if let Some(address) = self.choose_fresh(network, fits) {
            return Some(address);
        }
        let ended = self.reuse.range(span(group, UNUSED + 1, now)).map(|(.., address)| *address);
        ended.into_iter().find(|address| fits(*address))
    }

    fn choose_fresh(&mut self, network: &NetworkView, fits: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let group = network.id.0;
        let mut from = self.fresh.get(&group).copied().unwrap_or(0);
        while let Some(address) = u32::try_from(from).ok().and_then(|from| network.pool.at_or_above(from)) {
            from = u64::from(address.to_bits()) + 1;
            let known = self.by_address.contains_key(&address) || self.offers.get(address).is_some();
            if !known && fits(address) {
                // It stays the first until somebody is offered it: `Leases::offer` makes it known.
                self.fresh.insert(group, from - 1);
                return Some(address);
            }
        }
        self.fresh.insert(group, from);
        None
    }

    /// Whether `address` could be given to somebody who holds it not yet.
    pub(in crate::core) fn is_free(&self, address: Ipv4Addr, now: i64) -> bool {
        let held = self.get(address).is_some_and(|lease| lease.is_held(now));
        !held && self.offers.get(address).is_none_or(|offer| offer.until <= now)
    }

    /// Puts the address of an offer that is over back in its place.
    pub(super) fn put_back(&mut self, address: Ipv4Addr) {
        let network = self.layout.as_ref().and_then(|layout| layout.network_of(address));
        let of_pool = network.is_some_and(|network| network.pool.contains(address));
        let ends = match self.get(address) {
            Some(lease) => lease.ends,
            None if of_pool => UNUSED,
            None => return,
        };
        self.reuse.insert((self.group(address), ends, address));
    }

    /// Takes an address out of those that may be given, for an offer.
    pub(super) fn take(&mut self, address: Ipv4Addr) {
        let group = self.group(address);
        let ends = self.get(address).map_or(UNUSED, |lease| lease.ends);
        self.reuse.remove(&(group, ends, address));
    }
}

fn span(group: Group, from: i64, to: i64) -> std::ops::RangeInclusive<(Group, i64, Ipv4Addr)> {
    (group, from, Ipv4Addr::UNSPECIFIED)..=(group, to, Ipv4Addr::BROADCAST)
}
