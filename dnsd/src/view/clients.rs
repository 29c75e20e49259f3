//! What the inventory says of clients: its own networks, and how many answers others get.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use inventory_core::model::Globals;

use super::by_network::ByNetwork;

/// How clients are treated.
#[derive(Debug, Default)]
pub struct Clients {
    /// The networks of the inventory.
    own: ByNetwork<()>,
    /// Answers a second that another network may get that say the same; 0: any number.
    pub limit: u32,
    /// Where clients of some networks have other names looked up.
    forwarding: ByNetwork<Arc<[SocketAddr]>>,
}

impl Clients {
    pub(crate) fn new(globals: &Globals) -> Clients {
        Clients {
            own: ByNetwork::new(globals, |_| Some(())),
            limit: globals.site.rate_limit,
            forwarding: ByNetwork::new(globals, |network| {
                (!network.forward.is_empty()).then(|| Arc::clone(&network.forward))
            }),
        }
    }

    /// Where names are looked up for `peer` that are in none of our zones; `None`: nowhere. Cost: halving, and
    /// nothing where that is so for all.
    #[inline]
    pub fn upstream_of(&self, peer: IpAddr) -> Option<&Arc<[SocketAddr]>> {
        self.forwarding.of(peer)
    }

    /// Whether `peer` lies in a network of the inventory, or is this machine. Forged addresses of those
    /// come from inside, where a name server is not what there is to be afraid of.
    ///
    /// Cost: halving, since networks do not overlap.
    pub fn are_own(&self, peer: IpAddr) -> bool {
        peer.to_canonical().is_loopback() || self.own.of(peer).is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::view;

    #[test]
    fn own_clients_are_those_of_the_networks_and_this_machine() {
        let view = view("[zone.\"lab.example\"]\n[network.two]\nipv4 = \"10.20.2.0/24\"\n");
        for (peer, own) in [
            ("10.20.0.9", true),
            ("10.20.1.9", false),
            ("10.20.2.255", true),
            ("10.20.3.0", false),
            ("9.0.0.1", false),
            ("2001:db8:20::9", true),
            ("2001:db8:21::9", false),
            ("127.0.0.9", true),
            ("::1", true),
            ("::ffff:10.20.0.9", true),
        ] {
            assert_eq!(view.clients().are_own(peer.parse().unwrap()), own, "{peer}");
        }
    }
}
