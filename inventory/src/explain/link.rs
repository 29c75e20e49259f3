//! Networks that share a link: in which of them a client is known, and of which an answer is.

use std::net::IpAddr;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Network, NetworkId, Nic};
use ipnet::Ipv6Net;
use serde::Serialize;

use super::dhcp::Asking;

/// The network of what was given, where that is another one on the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OnLink {
    /// Name of the network.
    pub(crate) network: String,
    /// Where the network is written.
    pub(crate) network_at: String,
    /// Name of the link.
    pub(crate) link: String,
    /// Where the network that was asked in says that it is on it.
    pub(crate) link_at: Option<String>,
}

impl Asking<'_> {
    /// A network and the others on its link, in the order in which they are looked through.
    pub(super) fn all_on_link(&self, id: NetworkId) -> impl Iterator<Item = NetworkId> + '_ {
        std::iter::once(id).chain(self.view.others_on_link(id).iter().copied())
    }

    /// The host with this hardware address on the link of network `id`.
    pub(super) fn host_on_link(&self, id: NetworkId, mac: MacAddr) -> Option<(&Host, &Nic)> {
        self.all_on_link(id).find_map(|id| self.host_of(|nic| nic.network == id && nic.mac == Some(mac)))
    }

    /// The network on the link of `asked` that holds `address`; `asked` itself if none does.
    pub(super) fn network_with<'n>(&'n self, asked: &'n Network, address: IpAddr) -> &'n Network {
        let others = asked.link.iter().flat_map(|link| &link.others).map(|id| self.network(*id));
        let mut others = others.filter(|other| other.contains(address) && !asked.contains(address));
        others.next().unwrap_or(asked)
    }

    /// The network on the link of `asked` from whose pool `prefix` is delegated; `asked` itself if it is from none.
    pub(super) fn network_delegating<'n>(&'n self, asked: &'n Network, prefix: Ipv6Net) -> &'n Network {
        let others = asked.link.iter().flat_map(|link| &link.others).map(|id| self.network(*id));
        let mut all = std::iter::once(asked).chain(others);
        all.find(|network| network.pd_pools.iter().any(|pool| pool.contains(&prefix))).unwrap_or(asked)
    }

    /// What there is to say of an answer that is of another network than the one that was asked in.
    pub(super) fn on_link(&self, asked: &Network, answering: &Network) -> Option<OnLink> {
        let link = asked.link.as_ref().filter(|_| asked.name != answering.name)?;
        Some(OnLink {
            network: answering.name.to_string(),
            network_at: self.origins.at(answering.span),
            link: link.name.to_string(),
            link_at: self.origins.of_table("network", asked.span, &["link"]),
        })
    }
}
