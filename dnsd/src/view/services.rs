//! Services of hosts (RFC 6763) on their way into a view.
//!
//! Their records stand at names that several hosts have, so they are put into a view as what leases give is: as
//! edits to single names that nothing else has anything at.

use std::collections::BTreeMap;

use inventory_core::model::{Changes, Inventory, Shard, State};
use inventory_core::name::Name;

use super::leases::LeaseNode;

/// What services give to names, by these; `ttl` is the zone's where a host has none.
type Nodes = BTreeMap<Name, LeaseNode>;

/// Whether `changes` have to do with services.
pub(super) fn concern(changes: &Changes) -> bool {
    let mut shards = changes.removed.iter().chain(&changes.added);
    shards.any(|shard| has_services(shard))
}

fn has_services(shard: &Shard) -> bool {
    shard.rests().any(|rest| !rest.services.is_empty())
}

/// Everything that services of `inventory` give. Cost: linear in the hosts of files with services.
pub(super) fn all(inventory: &Inventory) -> Vec<LeaseNode> {
    nodes(inventory).into_values().collect()
}

/// What differs between two inventories. Cost: linear in the hosts of files with services.
pub(super) fn changed(old: &Inventory, new: &Inventory) -> Vec<LeaseNode> {
    let (mut before, after) = (nodes(old), nodes(new));
    let mut changed: Vec<LeaseNode> = Vec::new();
    for (owner, node) in after {
        if before.remove(&owner).as_ref() != Some(&node) {
            changed.push(node);
        }
    }
    changed.extend(before.into_keys().map(|owner| LeaseNode { owner, records: Vec::new() }));
    changed
}

fn nodes(inventory: &Inventory) -> Nodes {
    let mut nodes = Nodes::new();
    let shards = inventory.shards.iter().filter(|shard| has_services(shard));
    for host in shards.flat_map(|shard| shard.in_state(State::is_served)) {
        let ttl = host.rest.ttl.unwrap_or_else(|| inventory.globals.zone(host.name.zone).ttl);
        for (owner, rtype, data) in host.rest.services.iter().flat_map(|one| one.records(&host.name.fqdn)) {
            let node = nodes.entry(owner.clone()).or_insert_with(|| LeaseNode { owner, records: Vec::new() });
            match node.records.iter_mut().find(|(other, _, known)| *other == rtype && *known == data) {
                Some((_, least, _)) => *least = ttl.min(*least),
                None => node.records.push((rtype, ttl, data)),
            }
        }
    }
    for node in nodes.values_mut() {
        // An RRset has one TTL (RFC 2181, section 5.2), whatever file comes first.
        node.records.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
        let least = node.records.iter().map(|(_, ttl, _)| *ttl).min().unwrap_or(0);
        node.records.iter_mut().for_each(|(_, ttl, _)| *ttl = least);
    }
    nodes
}
