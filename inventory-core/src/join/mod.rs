//! Several inventories served as one: each customer's branch beside the others.
//!
//! Each source is loaded and checked by itself; what is joined here is good on its own. They stay apart:
//! names of networks and boot profiles are a source's own, no reference leads from one to another. What
//! cannot be shared is a *clash*: addresses of networks, zones, names in another's zone. A clash is the
//! fault of the source that comes later; [`clashes`] says where it is there.
//!
//! Decides what is compatible and how ids are counted anew; never which state of a source is served.

mod clash;
mod remap;

pub use clash::clashes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{BootId, ContentHash, Globals, Inventory, NetworkId, Shard, Snapshot, ZoneId};

use remap::{Maps, moved};

/// One source.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What it is called: in paths, and in names that several sources have.
    pub label: &'a str,
    /// A state of it.
    pub snapshot: &'a Snapshot,
}

/// Joins states of the same sources again and again; files that did not change stay shared.
#[derive(Debug, Default)]
pub struct Joiner {
    kept: HashMap<String, Kept>,
}

/// What was made of one source's files.
#[derive(Debug, Default)]
struct Kept {
    maps: Maps,
    /// By path: the shard as it was loaded, and as it was joined.
    shards: BTreeMap<Arc<str>, (Arc<Shard>, Arc<Shard>)>,
}

impl Joiner {
    /// `parts` as one, which must not clash with each other. A single one is as it was.
    ///
    /// Cost: the few things of all sources, and the hosts of files that changed.
    pub fn join(&mut self, parts: &[Part<'_>]) -> (ContentHash, Arc<Inventory>) {
        if let [only] = parts {
            return (only.snapshot.hash, Arc::clone(&only.snapshot.inventory));
        }
        let (globals, maps) = globals(parts);
        let (mut shards, mut files) = (Vec::new(), BTreeMap::new());
        let mut hasher = Sha256::new();
        for (index, (part, maps)) in parts.iter().zip(maps).enumerate() {
            let label = if index == 0 { "" } else { part.label };
            hasher.update((part.label.len() as u64).to_be_bytes());
            hasher.update(part.label.as_bytes());
            hasher.update(part.snapshot.hash.0);
            shards.extend(self.shards(part, label, maps));
            let octets = part.snapshot.inventory.files.iter();
            files.extend(octets.map(|(path, octets)| (placed(label, path), Arc::clone(octets))));
        }
        shards.sort_by(|a: &Arc<Shard>, b| a.path.cmp(&b.path));
        self.kept.retain(|label, _| parts.iter().any(|part| part.label == label));
        let inventory = Inventory { globals: Arc::new(globals), shards, files: Arc::new(files) };
        (ContentHash(hasher.finalize().into()), Arc::new(inventory))
    }

    /// The files of one source with ids of the whole.
    fn shards(&mut self, part: &Part<'_>, label: &str, maps: Maps) -> Vec<Arc<Shard>> {
        let kept = self.kept.entry(part.label.to_owned()).or_default();
        if kept.maps != maps {
            *kept = Kept { maps, shards: BTreeMap::new() };
        }
        let before = std::mem::take(&mut kept.shards);
        for shard in &part.snapshot.inventory.shards {
            let same = before.get(&shard.path).filter(|(old, _)| Arc::ptr_eq(old, shard));
            let joined = match same {
                Some((_, joined)) => Arc::clone(joined),
                None => {
                    let hosts: Vec<_> = shard.iter().map(|host| moved(host, &kept.maps)).collect();
                    Arc::new(Shard::new(placed(label, &shard.path), &hosts))
                }
            };
            kept.shards.insert(Arc::clone(&shard.path), (Arc::clone(shard), joined));
        }
        kept.shards.values().map(|(_, joined)| Arc::clone(joined)).collect()
    }
}

/// A path of the source called `label`.
fn placed(label: &str, path: &Arc<str>) -> Arc<str> {
    if label.is_empty() { Arc::clone(path) } else { Arc::from(format!("{label}:{path}")) }
}

/// The few things of all sources, and the new ids of each.
fn globals(parts: &[Part<'_>]) -> (Globals, Vec<Maps>) {
    let mut all = Globals::default();
    let mut maps: Vec<Maps> = Vec::new();
    if let Some(first) = parts.first() {
        all.site = first.snapshot.inventory.globals.site.clone();
    }
    // Places in the joined lists before they are sorted, by source.
    let mut at: Vec<Maps> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let own = &part.snapshot.inventory.globals;
        let label = if index == 0 { "" } else { part.label };
        at.push(remap::append(&mut all, own, label));
    }
    let zones = order(&all.zones, |zone| zone.name.clone());
    let networks = order(&all.networks, |network| network.name.clone());
    let boots = order(&all.boots, |boot| boot.name.clone());
    for places in at {
        maps.push(Maps {
            zones: places.zones.iter().map(|id| ZoneId(zones[id.0 as usize])).collect(),
            networks: places.networks.iter().map(|id| NetworkId(networks[id.0 as usize])).collect(),
            boots: places.boots.iter().map(|id| BootId(boots[id.0 as usize])).collect(),
        });
    }
    remap::refer(&mut all, &zones, &networks, &boots);
    all.zones.sort_by(|a, b| a.name.cmp(&b.name));
    all.networks.sort_by(|a, b| a.name.cmp(&b.name));
    all.boots.sort_by(|a, b| a.name.cmp(&b.name));
    all.keys.sort_by(|a, b| a.name.cmp(&b.name));
    (all, maps)
}

/// Where each item comes when they are sorted by a key that all have of their own.
fn order<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<u32> {
    let mut sorted: Vec<usize> = (0..items.len()).collect();
    sorted.sort_by_cached_key(|index| key(&items[*index]));
    let mut places = vec![0; items.len()];
    for (place, index) in (0..).zip(sorted) {
        places[index] = place;
    }
    places
}

#[cfg(test)]
mod tests;
