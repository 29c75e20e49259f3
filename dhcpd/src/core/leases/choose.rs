//! Choosing an address of a pool: one never given, else the one that is unused for the longest time.

use super::Leases;
use crate::core::space::{Group, Space};
use crate::view::DhcpView;

/// In the place of a lease's end: the address has none.
pub(super) const UNUSED: i64 = i64::MIN;
/// The group of addresses in no pool's network.
const NOWHERE: Group = Group::MAX;

impl<S: Space> Leases<S> {
    /// The pool that `address` is among, if perhaps no part of.
    pub(in crate::core) fn group(&self, address: S::Item) -> Group {
        self.space.as_ref().and_then(|space| space.group(address)).unwrap_or(NOWHERE)
    }

    /// Whether the pools give `address`.
    pub(in crate::core) fn gives(&self, address: S::Item) -> bool {
        self.space.as_ref().is_some_and(|space| space.gives(address))
    }

    /// Follows the networks of `view`; whether they are others than before. Cost: nothing where they are the same, else linear in the leases.
    pub(in crate::core) fn follow(&mut self, view: &DhcpView) -> bool {
        if self.space.as_ref().is_some_and(|space| space.is_of(view)) {
            return false;
        }
        self.space = Some(S::of(view));
        self.fresh.clear();
        self.withdraw_offers_outside_pools();
        let waiting = self.by_address.iter().filter(|(address, _)| self.offers.get(**address).is_none());
        self.reuse = waiting.map(|(address, lease)| (self.group(*address), lease.ends, *address)).collect();
        true
    }

    /// An address of the pool `group` that nobody holds or was offered at `now`; `None`: the pool is full.
    ///
    /// `usable` has the last word. Cost: constant on average; each address is passed over once in its life
    /// until the networks change.
    pub(in crate::core) fn choose(
        &mut self,
        group: Group,
        now: i64,
        usable: impl Fn(S::Item) -> bool,
    ) -> Option<S::Item> {
        if let Some(unused) = self.choose_waiting(group, UNUSED, UNUSED, &usable) {
            return Some(unused);
        }
        let fresh = self.choose_fresh(group, &usable);
        fresh.or_else(|| self.choose_waiting(group, UNUSED + 1, now, &usable))
    }

    /// The first of those that ended between `from` and `to`.
    fn choose_waiting(
        &self,
        group: Group,
        from: i64,
        to: i64,
        usable: &impl Fn(S::Item) -> bool,
    ) -> Option<S::Item> {
        let between = (group, from, S::FIRST)..=(group, to, S::LAST);
        let mut waiting = self.reuse.range(between).map(|(.., address)| *address);
        waiting.find(|address| self.gives(*address) && usable(*address))
    }

    fn choose_fresh(&mut self, group: Group, usable: &impl Fn(S::Item) -> bool) -> Option<S::Item> {
        let space = self.space.as_ref()?;
        let mut next = self.fresh.get(&group).copied().unwrap_or_else(|| space.first(group));
        while let Some(address) = next {
            let known = self.by_address.contains_key(&address) || self.offers.get(address).is_some();
            if !known && usable(address) {
                // It stays the first until somebody is offered it: `Leases::offer` makes it known.
                break;
            }
            next = space.after(group, address);
        }
        self.fresh.insert(group, next);
        next
    }

    /// Whether `address` could be given to somebody who holds it not yet.
    pub(in crate::core) fn is_free(&self, address: S::Item, now: i64) -> bool {
        let held = self.get(address).is_some_and(|lease| lease.is_held(now));
        !held && self.offers.get(address).is_none_or(|offer| offer.until <= now)
    }

    /// Puts the address of an offer that is over back in its place.
    pub(super) fn put_back(&mut self, address: S::Item) {
        let ends = match self.get(address) {
            Some(lease) => lease.ends,
            None if self.gives(address) => UNUSED,
            None => return,
        };
        self.reuse.insert((self.group(address), ends, address));
    }

    /// Takes an address out of those that may be given, for an offer.
    pub(super) fn take(&mut self, address: S::Item) {
        let group = self.group(address);
        let ends = self.get(address).map_or(UNUSED, |lease| lease.ends);
        self.reuse.remove(&(group, ends, address));
    }
}
