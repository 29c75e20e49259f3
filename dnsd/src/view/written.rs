//! What zones say of themselves: inline records, NS records of apexes and of delegations to our own
//! zones.
//!
//! A zone of ours inside another one is delegated to in the outer one, unless that has NS records for
//! it already: otherwise a secondary of the outer zone alone, or a resolver that asks label by label,
//! would not find the inner one.

use std::collections::BTreeMap;
use std::sync::Arc;

use inventory_core::model::{Globals, Zone as ModelZone};
use inventory_core::name::Name;
use inventory_core::records::Record;

use super::draft::Draft;
use super::labels::Labels;
use super::node::{Key, rtype};
use super::zone::{ZoneIndex, ZoneNumber};

/// Names that zones themselves give data to.
pub(crate) struct Written<'a> {
    names: BTreeMap<(ZoneNumber, Box<[u8]>), WrittenName<'a>>,
}

/// One of them.
#[derive(Default)]
struct WrittenName<'a> {
    /// Seconds that records live that say nothing else.
    ttl: u32,
    /// Its inline records.
    records: Vec<&'a Record>,
    /// Its name servers.
    nameservers: Option<Arc<[Name]>>,
}

impl<'a> Written<'a> {
    pub(crate) fn new(globals: &'a Globals, zones: &ZoneIndex) -> Written<'a> {
        let mut written = Written { names: BTreeMap::new() };
        for ((number, zone), model) in zones.iter().zip(&globals.zones) {
            if !zone.served {
                continue;
            }
            for record in model.records.iter().filter(|record| record.rtype.0 != rtype::SOA) {
                written.name(number, &record.owner, zones).records.push(record);
            }
            let apex = written.name(number, &zone.name, zones);
            apex.nameservers = Some(Arc::clone(&model.nameservers));
            for child in &zone.children {
                written.delegate(number, &globals.zones, *child, zones);
            }
        }
        written
    }

    /// The names, to be put into a view.
    pub(crate) fn names(&self) -> impl Iterator<Item = (ZoneNumber, &[u8])> {
        self.names.keys().map(|(zone, relative)| (*zone, &**relative))
    }

    /// Whether it gives any data to a name.
    pub(crate) fn has(&self, zone: ZoneNumber, relative: &[u8]) -> bool {
        self.names.contains_key(&(zone, Box::from(relative)))
    }

    /// Whether it gives any data to the name of a node.
    pub(crate) fn has_key(&self, key: Key<'_>) -> bool {
        matches!(key, Key::Name(zone, relative) if self.has(zone, relative))
    }

    /// Adds the records of a name to `draft`.
    pub(crate) fn add_to(&self, draft: &mut Draft, zone: ZoneNumber, relative: &[u8]) {
        if self.names.is_empty() {
            return;
        }
        let Some(name) = self.names.get(&(zone, Box::from(relative))) else { return };
        for record in &name.records {
            draft.add(record.rtype.0, record.ttl.unwrap_or(name.ttl), &record.rdata);
        }
        for server in name.nameservers.iter().flat_map(|servers| servers.iter()) {
            draft.add(rtype::NS, name.ttl, server.as_wire());
        }
    }

    fn name(&mut self, zone: ZoneNumber, owner: &Name, zones: &ZoneIndex) -> &mut WrittenName<'a> {
        let labels = Labels::of(owner);
        let within = zones.zone(zone);
        let relative = labels.relative(labels.count(), within.depth).into();
        self.names
            .entry((zone, relative))
            .or_insert_with(|| WrittenName { ttl: within.ttl, ..WrittenName::default() })
    }

    /// Delegates to `child`, a zone of ours, if nobody else did.
    fn delegate(&mut self, zone: ZoneNumber, models: &[ModelZone], child: ZoneNumber, zones: &ZoneIndex) {
        let servers = models.get(child.0 as usize).map(|model| &model.nameservers);
        let Some(servers) = servers.filter(|servers| !servers.is_empty()) else { return };
        let cut = self.name(zone, &zones.zone(child).name, zones);
        if !cut.records.iter().any(|record| record.rtype.0 == rtype::NS) {
            cut.nameservers = Some(Arc::clone(servers));
        }
    }
}
