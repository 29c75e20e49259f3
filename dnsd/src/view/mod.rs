//! What dnsd answers from: one snapshot's names and records, laid out for looking up.
//!
//! A [`DnsView`] is immutable. [`DnsView::build`] makes one from a whole snapshot,
//! [`DnsView::updated`] one from its predecessor and the files that changed; both give the same
//! content. Names are found by hash in thousands of small shards, of which successive views share all
//! that did not change.
//!
//! Says what is there, never what a question gets for an answer: that is [`crate::core`].

mod addresses;
mod build;
mod by_network;
mod clients;
mod diff;
mod draft;
mod edits;
mod encode;
mod hash;
mod hosts;
mod inside;
mod labels;
mod leases;
mod node;
mod pool;
mod pool6;
mod records;
mod reverse;
mod services;
mod shard;
mod soa;
#[cfg(test)]
mod tests;
mod walk;
mod written;
mod zone;

pub use clients::Clients;
pub use diff::ZoneChange;
pub use draft::LeftOut;
pub use labels::{LABELS_MAX, Labels, NotAName};
pub use leases::{LeaseNetwork, LeaseNetworks, LeaseNode};
pub use node::{Key, Node, Rdata, Rrset, rtype};
pub use pool::{Classless, Pool, Pools};
pub use pool6::{Pool6, Pools6};
pub use records::{WireRecord, ZoneRecord};
pub use reverse::Block;
pub use soa::{EXPIRE, REFRESH, RETRY};
pub use walk::Walk;
pub use zone::{WrittenSerial, Zone, ZoneIndex, ZoneNumber};

pub(crate) use hash::{name_hash, record_digest};
pub(crate) use labels::iter as labels_of;
pub(crate) use reverse::ARPA;
pub(crate) use soa::set_serial;

use std::sync::Arc;

use inventory_core::model::ContentHash;
use inventory_core::name::Name;

use crate::core::dnssec::{Signing, ZoneSigner};

use addresses::AddressSet;
use shard::{Shard, hash_of};

/// Everything that is answered from one snapshot.
#[derive(Clone, Debug)]
pub struct DnsView {
    generation: u64,
    hash: ContentHash,
    zones: Arc<ZoneIndex>,
    states: Box<[ZoneState]>,
    /// A power of two of them; the high bits of a name's hash choose.
    shards: Vec<Shard>,
    shift: u32,
    /// Addresses with a node of their own in a derived reverse zone.
    v4: AddressSet<u32>,
    v6: AddressSet<u128>,
    pools: Arc<Pools>,
    clients: Arc<Clients>,
    leases: Arc<LeaseNetworks>,
    problems: Vec<Problem>,
    signing: Arc<Signing>,
    inside: Option<Arc<inside::Inside>>,
}

/// What changes of a zone while its place in the inventory stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ZoneState {
    /// Sum of the digests of all records, but for the serial.
    content: u128,
    /// Names with data.
    names: usize,
    serial: u32,
    /// Names that hosts delegate: those with NS records of their own.
    delegations: u32,
}

/// Something that is in the inventory and not served. Each is worth a warning in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A master file changed and its serial did not grow: the zone is served with a greater one.
    SerialBehind {
        /// The zone.
        zone: Name,
        /// The serial in the file.
        written: u32,
    },
    /// Records of a name that no answer could hold.
    LeftOut {
        /// Owner.
        owner: Name,
        /// Number of the type.
        rtype: u16,
        /// Why.
        reason: LeftOut,
    },
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::SerialBehind { zone, written } => write!(
                f,
                "the master file of zone `{zone}` changed, but its serial {written} did not grow beyond the \
                 one served before: the zone is served with the next serial"
            ),
            Problem::LeftOut { owner, rtype, reason } => {
                let rtype = inventory_core::records::RecordType(*rtype);
                let why = match reason {
                    LeftOut::TooLarge => "they do not fit a message of 65535 octets",
                    LeftOut::TooManyTypes => "the name has 255 types already",
                };
                write!(f, "the {rtype} records of `{owner}` are not served: {why}")
            }
        }
    }
}

impl DnsView {
    /// Generation of the snapshot that it was made from. Local to a process.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Hash of the inventory that it was made from.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The zones.
    pub fn zones(&self) -> &ZoneIndex {
        &self.zones
    }

    /// The same, to be kept.
    pub fn shared_zones(&self) -> Arc<ZoneIndex> {
        Arc::clone(&self.zones)
    }

    /// The pools, whose names are worked out.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// What the inventory says of clients.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What signs its zones.
    #[inline]
    pub fn signing(&self) -> &Signing {
        &self.signing
    }

    /// Says what signs its zones, before the view is put into service.
    pub fn set_signing(&mut self, signing: Arc<Signing>) {
        self.change_inside(|view| view.signing = Arc::clone(&signing));
        self.signing = signing;
    }

    /// What is in the inventory and not served.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The serial of a zone (RFC 1982 arithmetic): 0 until [`DnsView::set_serials`].
    #[inline]
    pub fn serial(&self, zone: ZoneNumber) -> u32 {
        self.states.get(zone.0 as usize).map_or(0, |state| state.serial)
    }

    /// Whether some names are delegated or redirected by records, but for those to zones of ours.
    #[inline]
    pub fn has_occluders(&self, zone: ZoneNumber) -> bool {
        let delegations = self.states.get(zone.0 as usize).map_or(0, |state| state.delegations);
        delegations > 0 || !self.zones.zone(zone).occluders.is_empty()
    }

    /// A number that stands for the content of a zone, its serial left out. Equal content has equal
    /// numbers on any machine, now and after a restart.
    pub fn content(&self, zone: ZoneNumber) -> u128 {
        let content = self.states.get(zone.0 as usize).map_or(0, |state| state.content);
        content.wrapping_add(self.signing.zone(zone).map_or(0, ZoneSigner::content))
    }

    /// Gives every zone its serial, before the view is put into service.
    pub fn set_serials(&mut self, serial_of: impl Fn(&Name) -> u32) {
        // The zones of all are the same.
        for ((_, zone), state) in self.zones.iter().zip(&mut self.states) {
            state.serial = serial_of(&zone.name);
        }
        let serials: Vec<u32> = self.states.iter().map(|state| state.serial).collect();
        self.change_inside(|view| {
            view.states.iter_mut().zip(&serials).for_each(|(state, serial)| state.serial = *serial);
        });
    }

    /// Says which zones' master files are behind.
    pub(crate) fn set_behind(&mut self, behind: Vec<Problem>) {
        self.problems.retain(|problem| !matches!(problem, Problem::SerialBehind { .. }));
        self.problems.extend(behind);
    }

    /// Number of names of a zone with data, those worked out for pools among them.
    pub fn names_of(&self, zone: ZoneNumber) -> usize {
        self.states.get(zone.0 as usize).map_or(0, |state| state.names)
    }

    /// Number of names with data or below them, without those worked out.
    pub fn node_count(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Octets that the view takes in memory, roughly, shared parts included.
    pub fn octets(&self) -> usize {
        let shards: usize = self.shards.iter().map(|shard| shard.octets() + 32).sum();
        shards + self.v4.octets() + self.v6.octets()
    }

    /// The node of the name `relative` (labels in lower case) below the apex of `zone`.
    #[inline]
    pub fn name(&self, zone: ZoneNumber, relative: &[u8]) -> Option<Node<'_>> {
        self.node(Key::Name(zone, relative))
    }

    /// The node with this key.
    #[inline]
    pub fn node(&self, key: Key<'_>) -> Option<Node<'_>> {
        let hash = hash_of(key);
        self.shard_of(hash)?.find(hash, key)
    }

    /// The node of an address in a derived reverse zone.
    #[inline]
    pub fn address(&self, block: Block) -> Option<Node<'_>> {
        match block {
            Block::V4(first, last) if first == last => self.node(Key::V4(first)),
            Block::V6(first, last) if first == last => self.node(Key::V6(first)),
            _ => None,
        }
    }

    /// The addresses that `name` stands for, the last labels of a name in `zone`. `None` outside the
    /// reverse trees.
    #[inline]
    pub fn block(&self, zone: &Zone, name: &[u8]) -> Option<Block> {
        match zone.reverse {
            Some(family) => reverse::block(name, family),
            None if zone.above_reverse => reverse::block_of_any(name),
            None => None,
        }
    }

    /// Whether any address of the block has a PTR record that is not a name's node: worked out for a
    /// pool, or in a derived zone.
    pub fn any_address(&self, block: Block) -> bool {
        match block {
            Block::V4(first, last) => {
                !self.pools.within(first, last).is_empty() || self.v4.any_within(first, last)
            }
            Block::V6(first, last) => {
                !self.pools.v6().within(first, last).is_empty() || self.v6.any_within(first, last)
            }
        }
    }

    /// Hash of the name's node in `zone`, if it has one: where to look ahead.
    #[inline]
    pub(crate) fn place_of(&self, zone: ZoneNumber, name: &Labels) -> u64 {
        let found = self.zones.zone(zone);
        let block = if found.by_address { self.block(found, name.as_wire()) } else { None };
        hash_of(match block {
            Some(Block::V4(first, last)) if first == last => Key::V4(first),
            Some(Block::V6(first, last)) if first == last => Key::V6(first),
            _ => Key::Name(zone, name.relative(name.count(), found.depth)),
        })
    }

    /// Has what is looked up by each of `hashes` fetched into the cache, all at the same time: each look-up waits
    /// for memory three times, one after the other.
    #[inline]
    pub(crate) fn fetch(&self, hashes: &[u64]) {
        let shards = || hashes.iter().filter_map(|hash| Some((self.shard_of(*hash)?, *hash)));
        shards().for_each(|(shard, _)| shard.fetch());
        shards().for_each(|(shard, hash)| shard.fetch_slot(hash));
        shards().for_each(|(shard, hash)| shard.fetch_node(hash));
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the shift leaves fewer bits than a usize has")]
    fn shard_of(&self, hash: u64) -> Option<&Shard> {
        self.shards.get((hash >> self.shift) as usize)
    }
}
