//! Who has which address, or prefix, of the pools: the index in memory. What is on disk is [`super::record`]'s.
//!
//! An address has at most one lease, the latest, which stays when it has ended: the same client gets its
//! old address again as long as nobody else needs it. Beside it an address may be offered to somebody for
//! a few seconds, which is remembered here only.

mod choose;
mod offers;

pub(super) use offers::Offer;

use std::collections::{BTreeMap, BTreeSet};

use inventory_core::mac::MacAddr;

use super::client::ClientKey;
use super::options;
use super::record::State;
use super::space::{Group, Space};

use offers::Offers;

/// The latest lease of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub client: ClientKey,
    /// Hardware address of the client, where it is an Ethernet one.
    pub mac: Option<MacAddr>,
    /// The name that the client gave itself.
    pub name: Option<Box<str>>,
    /// What the relay agent said of the client (option 82), whole.
    pub relay_agent: Option<Box<[u8]>>,
    /// What it is about.
    pub state: State,
    /// When it was given, extended or ended for the last time, in milliseconds of the boot's clock.
    pub since: i64,
    /// Until when the client was told that it may use the address, in milliseconds of the boot's clock.
    pub ends: i64,
    /// Until when the address is taken by what is written down; not before `ends`.
    pub(super) covered: i64,
    /// Position of its record; 0 if it has none.
    pub(super) position: u64,
}

impl Lease {
    /// Whether nobody else may have the address at `now`.
    pub fn is_held(&self, now: i64) -> bool {
        self.state != State::Released && now < self.ends
    }

    /// Whether the client has the address at `now`.
    pub fn is_bound(&self, now: i64) -> bool {
        self.state == State::Bound && now < self.ends
    }

    /// A suboption of what the relay agent said.
    pub(super) fn agent_says(&self, suboption: u8) -> Option<&[u8]> {
        options::suboption(self.relay_agent.as_deref()?, suboption)
    }

    /// Its client's card, where it is known by something else.
    fn other_mac(&self) -> Option<MacAddr> {
        self.mac.filter(|mac| self.client != ClientKey::of_mac(*mac))
    }
}

/// All leases and offers in a space.
#[derive(Debug)]
pub(super) struct Leases<S: Space> {
    by_address: BTreeMap<S::Item, Lease>,
    by_client: BTreeMap<ClientKey, Vec<S::Item>>,
    /// Leases of clients that are known by something else than their hardware address.
    by_mac: BTreeMap<MacAddr, Vec<S::Item>>,
    /// Ends of leases that hold an address, for noticing.
    ending: BTreeSet<(i64, S::Item)>,
    /// Addresses that may be given again when their time comes, by network, the longest unused first.
    reuse: BTreeSet<(Group, i64, S::Item)>,
    offers: Offers<S>,
    /// By group: the first address that has perhaps never been given; `None`: all were.
    fresh: BTreeMap<Group, Option<S::Item>>,
    /// The pools that `reuse` and `fresh` are of.
    space: Option<S>,
}

impl<S: Space> Default for Leases<S> {
    fn default() -> Leases<S> {
        Leases {
            by_address: BTreeMap::new(),
            by_client: BTreeMap::new(),
            by_mac: BTreeMap::new(),
            ending: BTreeSet::new(),
            reuse: BTreeSet::new(),
            offers: Offers::default(),
            fresh: BTreeMap::new(),
            space: None,
        }
    }
}

impl<S: Space> Leases<S> {
    /// The lease of `address`, ended or not.
    pub(super) fn get(&self, address: S::Item) -> Option<&Lease> {
        self.by_address.get(&address)
    }

    /// All leases, by address.
    pub(super) fn iter(&self) -> impl Iterator<Item = (S::Item, &Lease)> {
        self.by_address.iter().map(|(address, lease)| (*address, lease))
    }

    /// The leases from `first` on, by address.
    pub(super) fn from(&self, first: S::Item) -> impl Iterator<Item = (S::Item, &Lease)> {
        self.by_address.range(first..).map(|(address, lease)| (*address, lease))
    }

    /// The addresses that `client` has or had.
    pub(super) fn of_client(&self, client: &ClientKey) -> &[S::Item] {
        self.by_client.get(client).map_or(&[], Vec::as_slice)
    }

    /// The addresses that the client with this card has or had, but for those of [`ClientKey::of_mac`].
    pub(super) fn of_card(&self, mac: MacAddr) -> &[S::Item] {
        self.by_mac.get(&mac).map_or(&[], Vec::as_slice)
    }

    /// Whether a client holds `address` that is none of one's own.
    pub(super) fn is_held_by_other(
        &self,
        address: S::Item,
        is_own: impl Fn(&ClientKey) -> bool,
        now: i64,
    ) -> bool {
        self.get(address).is_some_and(|lease| lease.is_held(now) && !is_own(&lease.client))
    }

    /// Makes `lease` the one of `address`; an offer of the address is over.
    pub(super) fn set(&mut self, address: S::Item, lease: Lease) {
        self.detach(address);
        self.offers.remove(address);
        self.by_client.entry(lease.client.clone()).or_default().push(address);
        if let Some(mac) = lease.other_mac() {
            self.by_mac.entry(mac).or_default().push(address);
        }
        if lease.state != State::Released {
            self.ending.insert((lease.ends, address));
        }
        self.reuse.insert((self.group(address), lease.ends, address));
        self.by_address.insert(address, lease);
    }

    /// Takes the lease of `address` out, as if it had never been given.
    pub(super) fn forget(&mut self, address: S::Item) {
        self.detach(address);
        if self.offers.get(address).is_none() {
            self.put_back(address);
        }
    }

    fn detach(&mut self, address: S::Item) {
        let group = self.group(address);
        self.reuse.remove(&(group, choose::UNUSED, address));
        let Some(lease) = self.by_address.remove(&address) else { return };
        self.ending.remove(&(lease.ends, address));
        self.reuse.remove(&(group, lease.ends, address));
        take_out(&mut self.by_client, &lease.client, address);
        if let Some(mac) = lease.other_mac() {
            take_out(&mut self.by_mac, &mac, address);
        }
    }

    /// The first lease that held its address and has ended by `now`; each is returned once.
    pub(super) fn next_ended(&mut self, now: i64) -> Option<S::Item> {
        let (ends, address) = *self.ending.first().filter(|(ends, _)| *ends <= now)?;
        self.ending.remove(&(ends, address));
        Some(address)
    }

    /// When the next lease or offer ends.
    pub(super) fn deadline(&self) -> Option<i64> {
        let lease = self.ending.first().map(|(ends, _)| *ends);
        [lease, self.offers.deadline()].into_iter().flatten().min()
    }
}

/// Takes `item` out of those of `key`.
fn take_out<K: Ord, T: PartialEq>(index: &mut BTreeMap<K, Vec<T>>, key: &K, item: T) {
    if let Some(items) = index.get_mut(key) {
        items.retain(|other| *other != item);
        if items.is_empty() {
            index.remove(key);
        }
    }
}
