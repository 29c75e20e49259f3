//! What the inventory says of clients: its own networks, and how many answers others get.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use inventory_core::model::Globals;
use ipnet::IpNet;

/// How clients are treated.
#[derive(Debug, Default)]
pub struct Clients {
    /// The networks of the inventory, sorted.
    own: Box<[IpNet]>,
    /// Answers a second that another network may get that say the same; 0: any number.
    pub limit: u32,
    /// Networks whose clients have other names looked up, sorted, and where.
    forwarding: Box<[(IpNet, Arc<[SocketAddr]>)]>,
}

impl Clients {
    pub(crate) fn new(globals: &Globals) -> Clients {
        let v4 = globals.networks.iter().filter_map(|network| network.ipv4.map(IpNet::from));
        let v6 = globals.networks.iter().filter_map(|network| network.ipv6.map(IpNet::from));
        let mut own: Vec<IpNet> = v4.chain(v6).collect();
        own.sort_unstable();
        let forwards = globals.networks.iter().filter(|network| !network.forward.is_empty());
        let mut forwarding: Vec<(IpNet, Arc<[SocketAddr]>)> = forwards
            .flat_map(|network| {
                let nets = [network.ipv4.map(IpNet::from), network.ipv6.map(IpNet::from)];
                nets.into_iter().flatten().map(|net| (net, Arc::clone(&network.forward)))
            })
            .collect();
        forwarding.sort_unstable();
        Clients { own: own.into(), limit: globals.site.rate_limit, forwarding: forwarding.into() }
    }

    /// Where names are looked up for `peer` that are in none of our zones; `None`: nowhere. Cost: halving, and
    /// nothing where that is so for all.
    #[inline]
    pub fn upstream_of(&self, peer: IpAddr) -> Option<&Arc<[SocketAddr]>> {
        if self.forwarding.is_empty() {
            return None;
        }
        let peer = peer.to_canonical();
        let after = self.forwarding.partition_point(|(net, _)| net.addr() <= peer);
        let (net, servers) = self.forwarding.get(after.checked_sub(1)?)?;
        net.contains(&peer).then_some(servers)
    }

    /// Whether `peer` lies in a network of the inventory, or is this machine. Forged addresses of those
    /// come from inside, where a name server is not what there is to be afraid of.
    ///
    /// Cost: halving, since networks do not overlap.
    pub fn are_own(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let after = self.own.partition_point(|net| net.addr() <= peer);
        peer.is_loopback()
            || after.checked_sub(1).and_then(|at| self.own.get(at)).is_some_and(|net| net.contains(&peer))
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
