//! What DHCPv6 looks up in a view.

use std::net::Ipv6Addr;
use std::sync::Arc;

use inventory_core::model::{NetworkId, Nic};
use inventory_core::options::DhcpOption;
use ipnet::Ipv6Net;

use super::networks6::{NetworkView6, Networks6};
use super::{DhcpView, Reservation};

impl DhcpView {
    /// The networks with IPv6, by id.
    pub fn networks6(&self) -> impl Iterator<Item = &NetworkView6> {
        self.networks6.iter()
    }

    /// The network with this id, if it has IPv6.
    pub fn network6(&self, id: NetworkId) -> Option<&NetworkView6> {
        self.networks6.get(id)
    }

    /// The network whose prefix holds `address`.
    pub fn network6_of(&self, address: Ipv6Addr) -> Option<&NetworkView6> {
        self.networks6.of_address(address)
    }
}

/// The networks of a view as DHCPv6's leases lie in them.
#[derive(Clone, Debug)]
pub(crate) struct Layout6 {
    networks: Arc<Networks6>,
    /// The pools of prefixes with their networks, by first address; no two overlap.
    pools: Vec<(Ipv6Net, NetworkId)>,
}

impl Layout6 {
    /// That of `view`.
    pub(crate) fn new(view: &DhcpView) -> Layout6 {
        let networks = Arc::clone(&view.networks6);
        let pools = networks.iter().flat_map(|one| one.pd_pools.iter().map(|pool| (*pool, one.id)));
        let mut pools: Vec<_> = pools.collect();
        pools.sort_unstable_by_key(|(pool, _)| pool.network());
        Layout6 { networks, pools }
    }

    /// Whether it is that of `view`: edits of hosts leave it alone.
    pub(crate) fn is_of(&self, view: &DhcpView) -> bool {
        Arc::ptr_eq(&self.networks, &view.networks6)
    }

    /// The network with this id.
    pub(crate) fn network(&self, id: NetworkId) -> Option<&NetworkView6> {
        self.networks.get(id)
    }

    /// The network that `item` is of: the one whose prefix holds the address, or a pool of whose holds
    /// the prefix.
    pub(crate) fn network_of(&self, item: Ipv6Net) -> Option<&NetworkView6> {
        if item.prefix_len() == 128 {
            return self.networks.of_address(item.addr());
        }
        let after = self.pools.partition_point(|(pool, _)| pool.network() <= item.network());
        let (pool, id) = self.pools.get(after.checked_sub(1)?)?;
        pool.contains(&item).then(|| self.network(*id)).flatten()
    }
}

impl<'v> Reservation<'v> {
    /// Prefixes that are delegated to it.
    pub fn delegations(&self) -> impl Iterator<Item = Ipv6Net> + use<'v> {
        let rest = self.view.nic_rest(self.entry);
        rest.into_iter().flat_map(|rest| rest.delegated.prefixes.iter().map(|(prefix, _)| *prefix))
    }

    /// Its IPv6 address; `None`: it takes one from a pool.
    pub fn address6(&self) -> Option<Ipv6Addr> {
        self.nic()?.ipv6()
    }

    /// Whether `address` is one of its addresses.
    pub fn has_address6(&self, address: Ipv6Addr) -> bool {
        self.nic().is_some_and(|nic| nic.addresses.contains(&address.into()))
    }

    /// Its own DHCPv6 options, sorted by code.
    pub fn options6(&self) -> &'v [DhcpOption] {
        self.view.nic_rest(self.entry).map_or(&[], |rest| &rest.options6)
    }

    fn nic(&self) -> Option<Nic> {
        self.view.host(self.entry)?.nics.get(self.entry.at.2 as usize).cloned()
    }
}
