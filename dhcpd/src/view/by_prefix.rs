//! The networks of one family, found by id and by address.

use inventory_core::model::{Globals, Network, NetworkId};

/// What one family's DHCP knows of a network that has a prefix of that family.
pub(super) trait OfFamily: Sized {
    /// An address of the family.
    type Address: Copy + Ord + std::fmt::Debug;

    /// `None` for a network without a prefix of the family.
    fn of(globals: &Globals, id: NetworkId, network: &Network) -> Option<Self>;

    /// The lowest address of its prefix.
    fn first(&self) -> Self::Address;

    /// Whether its prefix holds `address`.
    fn holds(&self, address: Self::Address) -> bool;
}

/// The networks of a snapshot that have a prefix of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByPrefix<N: OfFamily> {
    /// By their id in the snapshot; `None` for those of the other family only.
    all: Vec<Option<N>>,
    /// First address of the prefix and id, sorted; no two prefixes overlap.
    by_first: Vec<(N::Address, u32)>,
}

impl<N: OfFamily> ByPrefix<N> {
    /// The networks of `globals`.
    pub(super) fn new(globals: &Globals) -> ByPrefix<N> {
        let ids = (0..).map(NetworkId);
        let all: Vec<Option<N>> =
            ids.zip(&globals.networks).map(|(id, network)| N::of(globals, id, network)).collect();
        let mut by_first: Vec<(N::Address, u32)> =
            (0..).zip(&all).filter_map(|(id, network)| Some((network.as_ref()?.first(), id))).collect();
        by_first.sort_unstable();
        ByPrefix { all, by_first }
    }

    /// The network with this id, if it has a prefix of the family.
    #[inline]
    pub(super) fn get(&self, id: NetworkId) -> Option<&N> {
        self.all.get(id.0 as usize)?.as_ref()
    }

    /// The network whose prefix holds `address`.
    #[inline]
    pub(super) fn of_address(&self, address: N::Address) -> Option<&N> {
        let after = self.by_first.partition_point(|(first, _)| *first <= address);
        let (_, id) = self.by_first.get(after.checked_sub(1)?)?;
        let network = self.get(NetworkId(*id))?;
        network.holds(address).then_some(network)
    }

    /// All of them, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &N> {
        self.all.iter().flatten()
    }
}
