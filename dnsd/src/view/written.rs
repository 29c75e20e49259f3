//! What zones say of themselves: inline records or a whole master file, NS records of apexes and of
//! delegations to our own zones.
//!
//! A zone of ours inside another one is delegated to in the outer one, unless that has NS records for
//! it already: otherwise a secondary of the outer zone alone, or a resolver that asks label by label,
//! would not find the inner one.
//!
//! Nothing is prepared: the model's records are sorted by owner, so a name's are found by halving.

use std::cmp::Ordering;

use inventory_core::model::{Globals, Zone as ModelZone};
use inventory_core::name::Name;
use inventory_core::records::Record;

use super::draft::Draft;
use super::labels::Labels;
use super::node::{Key, rtype};
use super::zone::{Zone, ZoneIndex, ZoneNumber};

/// What zones themselves give to names.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    globals: &'a Globals,
    zones: &'a ZoneIndex,
}

impl<'a> Written<'a> {
    pub(crate) fn new(globals: &'a Globals, zones: &'a ZoneIndex) -> Written<'a> {
        Written { globals, zones }
    }

    /// Every name that is given something, to be put into a view.
    pub(crate) fn names(self) -> impl Iterator<Item = (ZoneNumber, &'a [u8])> {
        self.zones.iter().zip(&self.globals.zones).flat_map(move |((number, zone), model)| {
            let apex = zone.name.as_wire();
            let owners =
                model.records.chunk_by(|a, b| a.owner == b.owner).filter_map(|of_one| of_one.first());
            let owners = owners.map(|record| record.owner.as_wire());
            let cuts = zone.children.iter().map(|child| self.zones.wire(*child));
            let has_glue = move |name: &&[u8]| {
                let relative = name.get(..name.len() - apex.len()).unwrap_or(&[]);
                self.glue(number, relative).next().is_some()
            };
            let glue = self.zones.glue_in(number).filter(has_glue);
            let mut names: Vec<&[u8]> = owners.chain(cuts).chain(glue).chain([apex]).collect();
            names.sort_unstable();
            names.dedup();
            let relative = move |name: &'a [u8]| name.get(..name.len() - apex.len()).unwrap_or(&[]);
            names.into_iter().map(move |name| (number, relative(name)))
        })
    }

    /// Whether it gives any data to a name.
    pub(crate) fn has(self, number: ZoneNumber, relative: &[u8]) -> bool {
        relative.is_empty()
            || !self.records(number, relative).is_empty()
            || self.servers(number, relative).is_some_and(|servers| !servers.is_empty())
            || self.glue(number, relative).next().is_some()
    }

    /// Whether it gives any data to the name of a node.
    pub(crate) fn has_key(self, key: Key<'_>) -> bool {
        matches!(key, Key::Name(zone, relative) if self.has(zone, relative))
    }

    /// Adds the records of a name to `draft`.
    pub(crate) fn add_to(self, draft: &mut Draft, number: ZoneNumber, relative: &[u8]) {
        let ttl = self.zones.zone(number).ttl;
        let records = self.records(number, relative);
        for record in records.iter().filter(|record| record.rtype.0 != rtype::SOA) {
            draft.add_written(record.rtype.0, record.ttl.unwrap_or(ttl), &record.rdata);
        }
        for (record, ttl) in self.glue(number, relative) {
            draft.add_written(record.rtype.0, record.ttl.unwrap_or(ttl), &record.rdata);
        }
        if !relative.is_empty() && records.iter().any(|record| record.rtype.0 == rtype::NS) {
            return;
        }
        for server in self.servers(number, relative).unwrap_or(&[]) {
            draft.add(rtype::NS, ttl, server.as_wire());
        }
    }

    /// The written addresses that are glue for a name: those in the zone that it lies in, and the TTL there.
    fn glue(self, number: ZoneNumber, relative: &[u8]) -> impl Iterator<Item = (&'a Record, u32)> {
        let children = !self.zones.zone(number).children.is_empty();
        let own = children.then(|| {
            let name = Labels::read(&[relative, self.zones.wire(number)].concat()).ok()?;
            self.zones.glue_of(name.as_wire()).find(|around| *around == number)?;
            let zone = self.zones.find(&name, name.count())?;
            let entry = self.zones.zone(zone);
            Some((self.records(zone, name.relative(name.count(), entry.depth)), entry.ttl))
        });
        let (records, ttl) = own.flatten().unwrap_or((&[], 0));
        let addresses = |record: &&Record| [rtype::A, rtype::AAAA].contains(&record.rtype.0);
        records.iter().filter(addresses).map(move |record| (record, ttl))
    }

    fn zone(self, number: ZoneNumber) -> (&'a Zone, Option<&'a ModelZone>) {
        (self.zones.zone(number), self.globals.zones.get(number.0 as usize))
    }

    /// The written records of a name.
    fn records(self, number: ZoneNumber, relative: &[u8]) -> &'a [Record] {
        let (zone, Some(model)) = self.zone(number) else { return &[] };
        let order = |record: &Record| -> Ordering {
            record.owner.as_wire().iter().cmp(relative.iter().chain(zone.name.as_wire()))
        };
        let from = model.records.partition_point(|record| order(record).is_lt());
        let rest = model.records.get(from..).unwrap_or(&[]);
        rest.get(..rest.partition_point(|record| order(record).is_eq())).unwrap_or(&[])
    }

    /// The name servers that are derived for a name: of the apex, unless a master file says them, or of a
    /// zone of ours right below.
    fn servers(self, number: ZoneNumber, relative: &[u8]) -> Option<&'a [Name]> {
        let (zone, model) = self.zone(number);
        if relative.is_empty() {
            return model.filter(|model| model.file.is_none()).map(|model| &*model.nameservers);
        }
        if zone.children.is_empty() {
            return None;
        }
        let child = self.zones.with_apex(&[relative, zone.name.as_wire()].concat())?;
        self.zone(child).1.map(|model| &*model.nameservers)
    }
}
