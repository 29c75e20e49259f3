//! What leases are of: the addresses of one family's pools, as the networks of a view have them.

use std::fmt::Debug;
use std::net::{Ipv4Addr, Ipv6Addr};

use inventory_core::model::{Network, NetworkId};
use ipnet::Ipv6Net;

use super::record::Leased;
use crate::view::{DhcpView, Layout, Layout6, NetworkView, NetworkView6, Part, Pool};

/// A pool's number: leases are given again within one.
pub(super) type Group = u32;

/// The pools of one view.
pub(super) trait Space: Debug + Sized {
    /// What one lease is of: an address, or a prefix.
    type Item: Copy + Ord + Debug + Into<Leased> + TryFrom<Leased>;
    /// Before any other.
    const FIRST: Self::Item;
    /// After any other.
    const LAST: Self::Item;

    /// The pools of `view`.
    fn of(view: &DhcpView) -> Self;
    /// Whether they are those of `view`: edits of hosts leave them alone.
    fn is_of(&self, view: &DhcpView) -> bool;
    /// The pool that `item` is among, if perhaps no part of; `None`: it is of no network.
    fn group(&self, item: Self::Item) -> Option<Group>;
    /// Whether a pool gives `item`.
    fn gives(&self, item: Self::Item) -> bool;
    /// The first that the pool `group` gives.
    fn first(&self, group: Group) -> Option<Self::Item>;
    /// The next one after `item`.
    fn after(&self, group: Group, item: Self::Item) -> Option<Self::Item>;
}

/// IPv4: for each network a pool, and one for each of its descriptions of clients.
impl Space for Layout {
    type Item = Ipv4Addr;
    const FIRST: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
    const LAST: Ipv4Addr = Ipv4Addr::BROADCAST;

    fn of(view: &DhcpView) -> Layout {
        view.layout()
    }

    fn is_of(&self, view: &DhcpView) -> bool {
        Layout::is_of(self, view)
    }

    fn group(&self, address: Ipv4Addr) -> Option<Group> {
        self.network_of(address).map(|network| group4(network, network.part_of(address)))
    }

    fn gives(&self, address: Ipv4Addr) -> bool {
        self.network_of(address).is_some_and(|network| network.pool.contains(address))
    }

    fn first(&self, group: Group) -> Option<Ipv4Addr> {
        part4(self, group)?.first()
    }

    fn after(&self, group: Group, address: Ipv4Addr) -> Option<Ipv4Addr> {
        part4(self, group)?.after(address)
    }
}

/// IPv6: a pool of addresses and one of prefixes for each network. An address is a prefix of 128 bits.
impl Space for Layout6 {
    type Item = Ipv6Net;
    const FIRST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0);
    const LAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::from_bits(u128::MAX), 128);

    fn of(view: &DhcpView) -> Layout6 {
        Layout6::new(view)
    }

    fn is_of(&self, view: &DhcpView) -> bool {
        Layout6::is_of(self, view)
    }

    fn group(&self, item: Ipv6Net) -> Option<Group> {
        self.network_of(item).map(|network| group6(network, item.prefix_len() == 128))
    }

    fn gives(&self, item: Ipv6Net) -> bool {
        let network = self.network_of(item);
        network.is_some_and(|network| match item.prefix_len() {
            128 => network.pool.contains(item.addr()),
            _ => network.delegates(item),
        })
    }

    fn first(&self, group: Group) -> Option<Ipv6Net> {
        let network = self.network(NetworkId(group / 2))?;
        if group.is_multiple_of(2) {
            network.pool.first().map(Ipv6Net::from)
        } else {
            network.first_delegation()
        }
    }

    fn after(&self, group: Group, item: Ipv6Net) -> Option<Ipv6Net> {
        let network = self.network(NetworkId(group / 2))?;
        if group.is_multiple_of(2) {
            network.pool.after(item.addr()).map(Ipv6Net::from)
        } else {
            network.delegation_after(item)
        }
    }
}

/// Parts that a network has at most.
const PARTS: Group = 1 + Network::MATCHES_MAX as Group;

/// A pool of a network: the one with this number.
pub(super) fn group4(network: &NetworkView, part: Part) -> Group {
    network.id.0 * PARTS + Group::from(part)
}

fn part4(layout: &Layout, group: Group) -> Option<&Pool<Ipv4Addr>> {
    layout.network(NetworkId(group / PARTS))?.part(Part::try_from(group % PARTS).ok()?)
}

/// The pool of addresses, or of prefixes, of a network.
pub(super) fn group6(network: &NetworkView6, of_addresses: bool) -> Group {
    network.id.0 * 2 + Group::from(!of_addresses)
}
