//! What changed from one view to the next, zone by zone: what an incremental transfer says.
//!
//! Views of the same zones share the shards that did not change, so the common edit, to a file of
//! hosts, costs a look at the names it touched. Otherwise records are compared by digest: two numbers
//! for each, whatever the size of the zones.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::node::{Key, Node};
use super::records::{Scratch, WireRecord, ZoneRecord};
use super::shard::{Shard, hash_of};
use super::zone::ZoneNumber;
use super::{DnsView, Pool, record_digest, walk};

/// What changed in a zone, its SOA record apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneChange {
    /// Records that are not there any more.
    pub removed: Vec<ZoneRecord>,
    /// Records that were not there before.
    pub added: Vec<ZoneRecord>,
}

/// By number in the new view.
type Changes = BTreeMap<ZoneNumber, ZoneChange>;

impl DnsView {
    /// What changed since `old` in those of our zones that `wanted` names, which both views have. Zones
    /// without a changed record are not among them.
    ///
    /// Cost: that of the names that an edit touched if it was one of hosts, else of all records.
    pub fn changes_since(&self, old: &DnsView, wanted: impl Fn(ZoneNumber) -> bool) -> Changes {
        let same_zones = Arc::ptr_eq(&self.zones, &old.zones) && self.shards.len() == old.shards.len();
        let mut changes = same_zones
            .then(|| self.changes_of_shards(old, &wanted))
            .flatten()
            .unwrap_or_else(|| self.changes_of_records(old, &wanted));
        changes.retain(|_, change| !change.removed.is_empty() || !change.added.is_empty());
        changes
    }

    /// `None` if names of pools may have come or gone with what hid them.
    fn changes_of_shards(&self, old: &DnsView, wanted: &impl Fn(ZoneNumber) -> bool) -> Option<Changes> {
        let (mut changes, mut pooled) = (Changes::new(), Vec::new());
        let mut scratch = Scratch::default();
        for (before, after) in old.shards.iter().zip(&self.shards) {
            if before.is_same(after) {
                continue;
            }
            let keys: BTreeSet<_> = after.nodes().map(|node| node.key()).collect();
            let gone: Vec<_> = before.nodes().filter(|node| !keys.contains(&node.key())).collect();
            let new = after.nodes().filter(|node| !is_in(before, node));
            for node in gone.iter().copied().chain(new) {
                match node.key() {
                    Key::V4(address) => {
                        let pool = self.pools.containing(address);
                        pooled.extend(pool.map(|pool| (pool, address)));
                    }
                    key if walk::is_of_pool(self, key) => return None,
                    _ => {}
                }
            }
            for node in gone {
                old.for_each_of_node(&node, &mut scratch, &mut |zone, record| {
                    if wanted(zone) {
                        changes.entry(zone).or_default().removed.push(record.into());
                    }
                });
            }
            for node in after.nodes() {
                self.changes_of_node(before, &node, old, wanted, &mut changes);
            }
        }
        for (pool, address) in pooled {
            self.changes_of_pool_address(pool, address, old, wanted, &mut changes);
        }
        Some(changes)
    }

    /// What is worked out for an address of a pool, or is not any more: leases have names of their own.
    fn changes_of_pool_address(
        &self,
        pool: &Pool,
        address: u32,
        old: &DnsView,
        wanted: &impl Fn(ZoneNumber) -> bool,
        changes: &mut Changes,
    ) {
        let worked_out = |view: &DnsView| {
            let mut records = Vec::new();
            view.for_each_of_pool_address(pool, address, &mut |zone, record| {
                records.push((zone, ZoneRecord::from(record)));
            });
            records
        };
        let (before, after) = (worked_out(old), worked_out(self));
        for (zone, record) in before.iter().filter(|one| wanted(one.0) && !after.contains(one)) {
            changes.entry(*zone).or_default().removed.push(record.clone());
        }
        for (zone, record) in after.iter().filter(|one| wanted(one.0) && !before.contains(one)) {
            changes.entry(*zone).or_default().added.push(record.clone());
        }
    }

    fn changes_of_node(
        &self,
        before: &Shard,
        node: &Node<'_>,
        old: &DnsView,
        wanted: &impl Fn(ZoneNumber) -> bool,
        changes: &mut Changes,
    ) {
        let was = before.find(hash_of(node.key()), node.key());
        if was.is_some_and(|was| was.body() == node.body()) {
            return;
        }
        let (mut records, mut scratch) = (HashMap::<ZoneRecord, ZoneNumber>::new(), Scratch::default());
        if let Some(was) = was {
            old.for_each_of_node(&was, &mut scratch, &mut |zone, record| {
                records.insert(record.into(), zone);
            });
        }
        self.for_each_of_node(node, &mut scratch, &mut |zone, record| {
            let record = ZoneRecord::from(record);
            if records.remove(&record).is_none() && wanted(zone) {
                changes.entry(zone).or_default().added.push(record);
            }
        });
        for (record, zone) in records.into_iter().filter(|(_, zone)| wanted(*zone)) {
            changes.entry(zone).or_default().removed.push(record);
        }
    }

    fn changes_of_records(&self, old: &DnsView, wanted: &impl Fn(ZoneNumber) -> bool) -> Changes {
        let ours = |number: ZoneNumber| wanted(number).then_some(number);
        let numbers: HashMap<ZoneNumber, ZoneNumber> = old
            .zones
            .iter()
            .filter_map(|(before, zone)| Some((before, self.zones.with_apex(zone.name.as_wire())?)))
            .filter(|(_, number)| wanted(*number))
            .collect();
        let theirs = |number: ZoneNumber| numbers.get(&number).copied();
        let is_old: HashSet<ZoneNumber> = numbers.values().copied().collect();
        let (before, after) = (old.digests(&theirs), self.digests(&ours));
        let mut changes = Changes::new();
        old.for_each(|number, record| {
            if let Some(number) = theirs(number).filter(|_| !is_soa(record))
                && !after.contains(&digest(number, record))
            {
                changes.entry(number).or_default().removed.push(record.into());
            }
        });
        self.for_each(|number, record| {
            if is_old.contains(&number) && !is_soa(record) && !before.contains(&digest(number, record)) {
                changes.entry(number).or_default().added.push(record.into());
            }
        });
        changes
    }

    fn digests(&self, number_of: &impl Fn(ZoneNumber) -> Option<ZoneNumber>) -> HashSet<u128> {
        let mut digests = HashSet::new();
        self.for_each(|number, record| {
            digests.extend(number_of(number).map(|number| digest(number, record)));
        });
        digests
    }
}

fn is_in(shard: &Shard, node: &Node<'_>) -> bool {
    shard.find(hash_of(node.key()), node.key()).is_some_and(|was| was.is_empty() == node.is_empty())
}

fn is_soa(record: WireRecord<'_>) -> bool {
    record.rtype == super::rtype::SOA
}

fn digest(zone: ZoneNumber, record: WireRecord<'_>) -> u128 {
    let head = [zone.0, record.rtype.into(), record.ttl].map(u32::to_be_bytes).concat();
    record_digest(&[&head, record.owner, record.rdata].concat())
}
