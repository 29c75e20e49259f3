//! What DHCPv6 looks up in a view.

use std::net::Ipv6Addr;

use inventory_core::model::NetworkId;
use inventory_core::options::DhcpOption;

use super::networks6::NetworkView6;
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

impl<'v> Reservation<'v> {
    /// Its IPv6 address; `None`: it takes one from a pool.
    pub fn address6(&self) -> Option<Ipv6Addr> {
        self.view.nic(self.entry)?.1.ipv6()
    }

    /// Its own DHCPv6 options, sorted by code.
    pub fn options6(&self) -> &'v [DhcpOption] {
        self.view.nic(self.entry).map_or(&[], |(_, nic)| &nic.options6)
    }
}
