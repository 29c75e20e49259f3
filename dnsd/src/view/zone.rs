//! The zones of a view: what is fixed as long as no zone, network or site key changes.

#![deny(clippy::indexing_slicing)]

use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::model::{
    Globals, Reverse, Secondary, SigningAlgorithm, WrittenSoa, Zone as ModelZone, ZoneId,
};
use inventory_core::name::Name;
use ipnet::IpNet;

use super::hash::{name_hash, record_digest};
use super::labels::{self, Labels};
use super::node::rtype;
use super::soa::Soa;

/// A zone's place among the zones of one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneNumber(pub u32);

/// Most zones of a view: a zone's number is kept in three octets.
pub(super) const ZONES_MAX: usize = 1 << 24;

/// A zone.
#[derive(Debug)]
pub struct Zone {
    /// The apex.
    pub name: Name,
    /// Labels of the apex.
    pub depth: usize,
    /// What its names map, if its own name is that of a block of addresses.
    pub reverse: Option<Reverse>,
    /// Whether it is a zone around both reverse trees: the root, or `arpa`.
    pub above_reverse: bool,
    /// Whether nobody wrote it down.
    pub derived: bool,
    /// Whether its nodes below the apex are addresses: it is derived, so that it has neither wildcards
    /// nor delegations other than to zones of ours (those of hosts lie in written ones), and it is no
    /// classless one (RFC 2317).
    pub by_address: bool,
    /// Seconds that its records live, where they say nothing else.
    pub ttl: u32,
    /// Its SOA record, but for the serial.
    pub soa: Soa,
    /// Serial and content of its master file, if it has one.
    pub written: Option<WrittenSerial>,
    /// Whether any owner in it has a label `*`.
    pub has_wildcards: bool,
    /// Owners, relative to the apex and sorted, with NS records (not at the apex) or DNAME records
    /// that somebody wrote: what is below them is not the zone's to answer.
    pub occluders: Box<[Box<[u8]>]>,
    /// Who may copy it.
    pub secondaries: Arc<[Secondary]>,
    /// Who may ask about it; empty: everybody.
    pub allow_query: Arc<[IpNet]>,
    /// Whether it is the catalog of the zones: nobody is delegated to it.
    pub catalog: bool,
    /// What it is signed with, if it is to be signed.
    pub dnssec: Option<SigningAlgorithm>,
    /// The next zone of ours above it.
    pub parent: Option<ZoneNumber>,
    /// The zones right below it.
    pub children: Box<[ZoneNumber]>,
}

/// What a master file says of its own age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenSerial {
    /// The serial that stands in it.
    pub serial: u32,
    /// A number that stands for all of its records, but for the serial.
    pub content: u128,
}

/// All zones, and how they are found.
#[derive(Debug)]
pub struct ZoneIndex {
    zones: Box<[Zone]>,
    /// Open addressing: number + 1, or 0.
    table: Box<[u32]>,
    /// Bit `n`: some apex has `n` labels.
    depths: u128,
    /// Name servers that lie in the zone of ours that they serve, in wire form, sorted, each with the zone
    /// around that delegates to it: there their addresses are glue.
    glue: Box<[(Box<[u8]>, ZoneNumber)]>,
}

impl ZoneNumber {
    #[inline]
    pub(crate) fn from_octets([a, b, c]: [u8; 3]) -> ZoneNumber {
        ZoneNumber(u32::from_le_bytes([a, b, c, 0]))
    }

    pub(crate) fn to_octets(self) -> [u8; 3] {
        let [a, b, c, _] = self.0.to_le_bytes();
        [a, b, c]
    }

    /// Seed for hashes of names in this zone.
    #[inline]
    pub(crate) fn seed(self) -> u64 {
        u64::from(self.0) + 16
    }
}

impl From<ZoneId> for ZoneNumber {
    fn from(id: ZoneId) -> ZoneNumber {
        ZoneNumber(id.0)
    }
}

impl ZoneIndex {
    /// The zones of `globals`, in its order: zone numbers are its zone ids.
    pub(crate) fn new(globals: &Globals) -> Arc<ZoneIndex> {
        let zones: Box<[Zone]> = globals.zones.iter().take(ZONES_MAX).map(zone_of).collect();
        let slots = (zones.len() * 2).next_power_of_two();
        let mut index = ZoneIndex { zones, table: vec![0; slots].into(), depths: 0, glue: Box::default() };
        for number in 0..index.zones.len() {
            index.enter(number);
        }
        index.link();
        index.glue = index.find_glue(globals);
        for (number, zone) in globals.zones.iter().enumerate().take(ZONES_MAX) {
            let occluders = index.occluders(number_of(number), zone);
            if let Some(entry) = index.zones.get_mut(number) {
                entry.occluders = occluders;
            }
        }
        Arc::new(index)
    }

    /// The zone with this number.
    ///
    /// # Panics
    /// The number is of another view.
    #[expect(clippy::indexing_slicing, reason = "zone numbers come from this index")]
    #[inline]
    pub fn zone(&self, number: ZoneNumber) -> &Zone {
        &self.zones[number.0 as usize]
    }

    /// Name of a zone in wire form.
    #[inline]
    pub fn wire(&self, number: ZoneNumber) -> &[u8] {
        self.zone(number).name.as_wire()
    }

    /// Zones with their numbers, sorted by name in wire form.
    pub fn iter(&self) -> impl Iterator<Item = (ZoneNumber, &Zone)> {
        self.zones.iter().enumerate().map(|(number, zone)| (number_of(number), zone))
    }

    /// Number of zones.
    pub fn len(&self) -> usize {
        self.zones.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// The zone with the longest apex at or above the last `depth` labels of `name`.
    ///
    /// Cost: one look-up per number of labels that apexes have, at most.
    #[inline]
    pub fn find(&self, name: &Labels, depth: usize) -> Option<ZoneNumber> {
        let shift = u32::try_from(depth.min(127)).ok()?;
        let mut candidates = self.depths & (u128::MAX >> (127 - shift));
        while candidates != 0 {
            let depth = 127 - candidates.leading_zeros();
            if let Some(number) = self.with_apex(name.suffix(depth as usize)) {
                return Some(number);
            }
            candidates &= !(1 << depth);
        }
        None
    }

    /// The zone whose apex is `wire`, in lower case.
    #[inline]
    pub(crate) fn with_apex(&self, wire: &[u8]) -> Option<ZoneNumber> {
        let mut slot = self.slot(wire);
        loop {
            let number = ZoneNumber(self.table.get(slot)?.checked_sub(1)?);
            if self.wire(number) == wire {
                return Some(number);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn slot(&self, wire: &[u8]) -> usize {
        name_hash(0, wire) as usize & (self.table.len() - 1)
    }

    fn enter(&mut self, number: usize) {
        let zone = number_of(number);
        let mut slot = self.slot(self.wire(zone));
        while let Some(entry) = self.table.get_mut(slot) {
            if *entry == 0 {
                *entry = zone.0 + 1;
                break;
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.depths |= 1 << self.zone(zone).depth.min(127);
    }

    /// Finds each zone's parent and children.
    fn link(&mut self) {
        let parents: Vec<Option<ZoneNumber>> = self
            .zones
            .iter()
            .map(|zone| {
                self.find(&Labels::of(&zone.name), zone.depth.checked_sub(1)?).filter(|_| !zone.catalog)
            })
            .collect();
        let mut children = vec![Vec::new(); self.zones.len()];
        for (number, parent) in parents.iter().enumerate() {
            let siblings = parent.and_then(|parent| children.get_mut(parent.0 as usize));
            siblings.into_iter().for_each(|siblings| siblings.push(number_of(number)));
        }
        for ((zone, parent), children) in self.zones.iter_mut().zip(parents).zip(children) {
            zone.parent = parent;
            zone.children = children.into();
        }
    }

    /// See [`ZoneIndex::glue`]. Where somebody wrote the delegation, the glue is that one's to write as well.
    fn find_glue(&self, globals: &Globals) -> Box<[(Box<[u8]>, ZoneNumber)]> {
        let mut glue = Vec::new();
        for (zone, model) in self.zones.iter().zip(&globals.zones) {
            let Some(parent) = zone.parent else { continue };
            let around = globals.zones.get(parent.0 as usize).map_or(&[][..], |around| &around.records);
            if around.iter().any(|record| record.rtype.0 == rtype::NS && record.owner == zone.name) {
                continue;
            }
            let own = model.nameservers.iter().filter(|server| server.is_within(&zone.name));
            glue.extend(own.map(|server| (Box::from(server.as_wire()), parent)));
        }
        glue.sort_unstable();
        glue.dedup();
        glue.into()
    }

    /// The zones in which the addresses of `name` are glue.
    pub(crate) fn glue_of(&self, name: &[u8]) -> impl Iterator<Item = ZoneNumber> {
        let from = self.glue.partition_point(|(server, _)| **server < *name);
        let rest = self.glue.get(from..).unwrap_or(&[]);
        rest.iter().take_while(move |(server, _)| **server == *name).map(|(_, zone)| *zone)
    }

    /// The names whose addresses are glue in `zone`.
    pub(crate) fn glue_in(&self, zone: ZoneNumber) -> impl Iterator<Item = &[u8]> {
        self.glue.iter().filter(move |(_, parent)| *parent == zone).map(|(server, _)| &**server)
    }

    /// Owners of NS and DNAME records in `zone`, but for its apex and for apexes of ours: names below
    /// those are looked up in the zone below.
    fn occluders(&self, number: ZoneNumber, zone: &ModelZone) -> Box<[Box<[u8]>]> {
        let apex = self.zone(number);
        let mut owners: Vec<Box<[u8]>> = Vec::new();
        for record in zone.records.iter() {
            let owner = Labels::of(&record.owner);
            let at_apex = owner.count() == apex.depth;
            let occludes = match record.rtype.0 {
                rtype::NS => !at_apex && self.with_apex(owner.as_wire()).is_none(),
                rtype::DNAME => true,
                _ => false,
            };
            if occludes {
                owners.push(owner.relative(owner.count(), apex.depth).into());
            }
        }
        owners.sort_unstable();
        owners.dedup();
        owners.into()
    }
}

impl Zone {
    /// Whether who asks from `peer` may ask about it.
    #[inline]
    pub fn answers(&self, peer: IpAddr) -> bool {
        self.allow_query.is_empty() || {
            let peer = peer.to_canonical();
            self.allow_query.iter().any(|net| net.contains(&peer))
        }
    }

    /// Whether `relative` lies below a delegation or a DNAME.
    pub(crate) fn occludes(&self, relative: &[u8]) -> bool {
        !self.occluders.is_empty()
            && std::iter::successors(labels::parent(relative), |above| labels::parent(above))
                .any(|above| self.occluders.binary_search_by(|owner| (**owner).cmp(above)).is_ok())
    }
}

fn number_of(index: usize) -> ZoneNumber {
    ZoneNumber(u32::try_from(index).unwrap_or(u32::MAX))
}

fn written_serial(soa: &WrittenSoa, zone: &ModelZone) -> WrittenSerial {
    let mut content: u128 = record_digest(&Soa::new(zone).plain);
    for record in zone.records.iter() {
        let ttl = record.ttl.unwrap_or(u32::MAX).to_be_bytes();
        let rtype = record.rtype.0.to_be_bytes();
        let octets = [record.owner.as_wire(), &rtype, &ttl, &record.rdata].concat();
        content = content.wrapping_add(record_digest(&octets));
    }
    WrittenSerial { serial: soa.serial, content }
}

fn zone_of(zone: &ModelZone) -> Zone {
    let depth = Labels::of(&zone.name).count();
    let reverse = super::reverse::family(&zone.name);
    let is_wildcard = |owner: &Name| owner.labels().any(|label| label == b"*");
    Zone {
        name: zone.name.clone(),
        depth,
        reverse,
        above_reverse: super::reverse::is_above(&zone.name),
        derived: zone.derived.is_some(),
        by_address: zone.derived.is_some() && reverse.is_some(),
        ttl: zone.ttl,
        soa: Soa::new(zone),
        written: zone.soa.as_ref().map(|soa| written_serial(soa, zone)),
        has_wildcards: zone.records.iter().any(|record| is_wildcard(&record.owner)),
        occluders: Box::default(),
        secondaries: Arc::clone(&zone.secondaries),
        allow_query: Arc::clone(&zone.allow_query),
        catalog: zone.catalog,
        dnssec: zone.dnssec,
        parent: None,
        children: Box::default(),
    }
}
