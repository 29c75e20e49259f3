//! What networks of the inventory have, by the addresses of their clients.

use std::net::IpAddr;

use inventory_core::model::{Globals, Network};
use ipnet::IpNet;

/// Something of some networks, sorted by their prefixes, which do not overlap.
#[derive(Clone, Debug)]
pub(super) struct ByNetwork<T>(Box<[(IpNet, T)]>);

impl<T: Clone> ByNetwork<T> {
    /// What `of` says of each network, where it says something.
    pub(super) fn new(globals: &Globals, of: impl Fn(&Network) -> Option<T>) -> ByNetwork<T> {
        let pairs = globals.networks.iter().filter_map(|network| Some((network, of(network)?)));
        let mut all: Vec<(IpNet, T)> = pairs
            .flat_map(|(network, value)| {
                let prefixes = [network.ipv4.map(IpNet::from), network.ipv6.map(IpNet::from)];
                prefixes.into_iter().flatten().map(move |prefix| (prefix, value.clone()))
            })
            .collect();
        all.sort_unstable_by_key(|(prefix, _)| *prefix);
        ByNetwork(all.into())
    }

    /// What the network of the client at `peer` has. Cost: halving, and nothing where none has anything.
    #[inline]
    pub(super) fn of(&self, peer: IpAddr) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        let peer = peer.to_canonical();
        let after = self.0.partition_point(|(prefix, _)| prefix.addr() <= peer);
        let (prefix, value) = self.0.get(after.checked_sub(1)?)?;
        prefix.contains(&peer).then_some(value)
    }
}

impl<T> Default for ByNetwork<T> {
    fn default() -> ByNetwork<T> {
        ByNetwork(Box::default())
    }
}
