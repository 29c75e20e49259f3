//! Addresses that hosts have lost by edits: whoever had one may use it until its lease is over.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use inventory_core::model::{Globals, Nic, Shard};

/// Addresses that are remembered, the latest.
pub(crate) const MAX: usize = 4096;

/// An address that a nic had until an edit, and has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) address: Ipv4Addr,
    /// Generation of the first view without it.
    pub(crate) generation: u64,
    /// Seconds of the longest lease that its machine may have.
    pub(crate) seconds: u32,
}

/// What the edit to `generation` has taken away, after what edits before it have. `globals` are those of
/// the view before. Cost: linear in the nics of the files that changed.
pub(super) fn after(
    before: &Arc<[Left]>,
    generation: u64,
    globals: &Globals,
    removed: &[Arc<Shard>],
    added: &[Arc<Shard>],
) -> Arc<[Left]> {
    let owners: HashMap<Ipv4Addr, Nic> = nics(added).filter_map(|nic| Some((nic.ipv4()?, nic))).collect();
    let left = nics(removed).filter_map(|nic| {
        let address = nic.ipv4()?;
        let is_known = nic.mac.is_some() || nic.rest.identifiers.is_some();
        let is_kept = owners.get(&address).is_some_and(|owner| is_same(owner, &nic));
        let seconds =
            nic.rest.lease_seconds.unwrap_or_else(|| globals.network(nic.network).lease_seconds_max());
        (is_known && !is_kept).then_some(Left { address, generation, seconds })
    });
    let left: Vec<Left> = left.collect();
    if left.is_empty() {
        return Arc::clone(before);
    }
    let all: Vec<Left> = before.iter().copied().chain(left).collect();
    latest(&all)
}

/// As many of them as are remembered.
pub(super) fn latest(all: &[Left]) -> Arc<[Left]> {
    all.get(all.len().saturating_sub(MAX)..).unwrap_or_default().into()
}

/// The nics of the hosts in `shards`.
pub(super) fn nics<'s>(shards: impl IntoIterator<Item = &'s Arc<Shard>>) -> impl Iterator<Item = Nic> {
    let hosts = shards.into_iter().flat_map(|shard| shard.iter());
    hosts.flat_map(|host| (0..host.nics.len()).filter_map(move |nic| host.nics.get(nic).cloned()))
}

/// Whether one machine answers to both.
fn is_same(one: &Nic, other: &Nic) -> bool {
    one.mac == other.mac && one.rest.identifiers == other.rest.identifiers
}
