//! The checked inventory: what the daemons and the tool read.
//!
//! A [`Snapshot`] is immutable and complete: every reference in it is resolved, every rule with
//! severity *error* holds. It has two halves. [`Globals`] is what is few: site, zones, networks, boot
//! profiles. Hosts are many; they live in [`Shard`]s, one per file, which successive snapshots share
//! by pointer as long as the file does not change. A view is updated by looking at the shards that
//! differ, see [`Inventory::changes_since`].
//!
//! Nothing here says what a DHCP or DNS server answers; the daemons' views do.

mod boot;
mod few;
mod host;
mod index;
mod matching;
mod network;
mod packed;
mod pool_label;
mod rare;
mod seen;
mod service;
mod shard;
pub(crate) mod ssh_key;
mod transfer;
mod zone;

pub use boot::{Boot, BootFile, BootSource};
pub use few::Few;
pub use host::{
    Alias, Delegated, Disk, Firmware, Hardware, Host, HostName, HostRest, Identifiers, Netboot, Nic, NicRest,
    PortId, State,
};
pub use index::{Found, HostIndex};
pub use matching::{ARCHITECTURES, Conditions, Match, Pattern};
pub use network::{Link, Network, Range, RouterAdvertisement, Unknown, Updates, is_interface_name};
pub use pool_label::PoolLabel;
pub use rare::{Empty, Rare};
pub use seen::Families;
pub use service::{Service, ServiceRecord};
pub use shard::Shard;
pub use ssh_key::SshHostKey;
pub use transfer::{Key, KeyAlgorithm, Secondary};
pub use zone::{
    Reverse, SigningAlgorithm, Site, WrittenSoa, Zone, reverse_names_v6, reverse_zone_v4, reverse_zone_v6,
};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::name::Name;

/// Index into [`Globals::networks`]. Good within one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(pub u32);

/// Index into [`Globals::zones`]. Good within one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// Index into [`Globals::boots`]. Good within one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub u32);

/// Hash over the paths and octets of all files of an inventory (SHA-256). Equal content has equal
/// hashes on any machine; daemons are compared by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    /// 64 hexadecimal digits; with a precision, as many of the first: `{:.12}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.0.iter().map(|octet| format!("{octet:02x}")).collect();
        f.pad(&digits)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:.12}")
    }
}

/// One state of the inventory, taken into service as a whole.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts the snapshots of one loader from 1. Local to a process: compare daemons by `hash`.
    pub generation: u64,
    /// What is in it.
    pub hash: ContentHash,
    /// The data.
    pub inventory: Arc<Inventory>,
    /// The commit that it is of, where the inventory is a branch.
    pub commit: Option<Commit>,
}

/// A commit of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name, in hexadecimal digits.
    pub id: Arc<str>,
    /// When it was made, in seconds since 1970, as it says itself: the same on every server.
    pub unix_seconds: u64,
}

impl Snapshot {
    /// The snapshot before the first: generation 0, nothing in it.
    pub fn nothing() -> Snapshot {
        Snapshot { generation: 0, hash: ContentHash([0; 32]), inventory: Arc::default(), commit: None }
    }
}

/// Site, zones, networks, boot profiles, hosts.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// What is few and concerns every host.
    pub globals: Arc<Globals>,
    /// The hosts by file, sorted by path. A file without hosts has no shard.
    pub shards: Vec<Arc<Shard>>,
    /// Octets of the files that the inventory refers to (templates, scripts, master files), by path
    /// relative to its root. They count in the hash, and not in [`Inventory::changes_since`].
    pub files: Arc<BTreeMap<Arc<str>, Arc<[u8]>>>,
}

/// The part of the inventory that is not hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `[site]`.
    pub site: Site,
    /// Zones written and derived (reverse zones), sorted by name in wire form.
    pub zones: Vec<Zone>,
    /// Networks, sorted by name.
    pub networks: Vec<Network>,
    /// Boot profiles, sorted by name.
    pub boots: Vec<Boot>,
    /// Keys of transaction signatures, sorted by name.
    pub keys: Vec<Key>,
}

/// What differs between two inventories, by file.
#[derive(Debug, Default)]
pub struct Changes {
    /// Whether anything but hosts differs: a view is then built anew.
    pub globals: bool,
    /// Shards that are in the old inventory only.
    pub removed: Vec<Arc<Shard>>,
    /// Shards that are in the new inventory only.
    pub added: Vec<Arc<Shard>>,
}

impl Inventory {
    /// Every host, by file path, then in the file's order, each made when it is its turn.
    pub fn each_host(&self) -> impl Iterator<Item = Host> + '_ {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// The same as they are, which stay so for as long as the shards live: for programs that end soon, see
    /// [`Shard::hosts`].
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.shards.iter().flat_map(|shard| shard.hosts())
    }

    /// The host with this FQDN. Cost: a short look at each host.
    pub fn host_named(&self, fqdn: &Name) -> Option<Host> {
        self.shards.iter().find_map(|shard| shard.get(shard.named(fqdn)?))
    }

    /// Number of hosts.
    pub fn host_count(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// The shards to take out of and put into a view of `old` to make it one of `self`.
    ///
    /// Cost: one comparison per shard. Shards are compared by pointer, so a file that was read again
    /// counts as changed even when its hosts are equal.
    pub fn changes_since(&self, old: &Inventory) -> Changes {
        let mut changes = Changes {
            globals: !Arc::ptr_eq(&self.globals, &old.globals) && self.globals != old.globals,
            ..Changes::default()
        };
        let (mut before, mut after) = (old.shards.iter().peekable(), self.shards.iter().peekable());
        loop {
            match (before.peek(), after.peek()) {
                (None, None) => return changes,
                (Some(b), Some(a)) if b.path == a.path => {
                    if !Arc::ptr_eq(b, a) {
                        changes.removed.push(Arc::clone(b));
                        changes.added.push(Arc::clone(a));
                    }
                    before.next();
                    after.next();
                }
                (Some(b), a) if a.is_none_or(|a| b.path < a.path) => {
                    changes.removed.push(Arc::clone(b));
                    before.next();
                }
                _ => changes.added.extend(after.next().map(Arc::clone)),
            }
        }
    }
}

impl Globals {
    /// The network with this id.
    ///
    /// # Panics
    /// The id is of another snapshot.
    pub fn network(&self, id: NetworkId) -> &Network {
        &self.networks[id.0 as usize]
    }

    /// The zone with this id.
    ///
    /// # Panics
    /// The id is of another snapshot.
    pub fn zone(&self, id: ZoneId) -> &Zone {
        &self.zones[id.0 as usize]
    }

    /// The boot profile with this id.
    ///
    /// # Panics
    /// The id is of another snapshot.
    pub fn boot(&self, id: BootId) -> &Boot {
        &self.boots[id.0 as usize]
    }

    /// The network of this name.
    pub fn network_named(&self, name: &str) -> Option<NetworkId> {
        let index = self.networks.binary_search_by(|network| (*network.name).cmp(name)).ok()?;
        Some(NetworkId(u32::try_from(index).ok()?))
    }

    /// The boot profile of this name.
    pub fn boot_named(&self, name: &str) -> Option<BootId> {
        let index = self.boots.binary_search_by(|boot| (*boot.name).cmp(name)).ok()?;
        Some(BootId(u32::try_from(index).ok()?))
    }

    /// The zone whose apex is `name`.
    pub fn zone_named(&self, name: &Name) -> Option<ZoneId> {
        let index = self.zones.binary_search_by(|zone| zone.name.cmp(name)).ok()?;
        Some(ZoneId(u32::try_from(index).ok()?))
    }

    /// The zone that `name` belongs to: the one with the longest apex at or above it.
    pub fn zone_of(&self, name: &Name) -> Option<ZoneId> {
        let mut here = name.as_wire();
        loop {
            if let Ok(index) = self.zones.binary_search_by(|zone| zone.name.as_wire().cmp(here)) {
                return Some(ZoneId(u32::try_from(index).ok()?));
            }
            let first = usize::from(*here.first()?);
            here = here.get(first + 1..).filter(|_| first > 0)?;
        }
    }
}
