//! Which records an inventory means, worked out slowly: every owner in one sorted map per zone.
//!
//! The reference for the view. Follows the documentation of the format, and shares nothing with the
//! view but the model that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use inventory_core::model::{Globals, Inventory, Network, Nic, Range};
use inventory_core::name::Name;
use inventory_core::records::Record;

use crate::view::{EXPIRE, REFRESH, RETRY, ZoneRecord, rtype};

/// A zone as a list of records.
#[derive(Clone, Debug)]
pub(crate) struct BookZone {
    pub(crate) apex: Name,
    /// By owner and type: the lowest TTL, and the data.
    pub(crate) sets: BTreeMap<Name, Sets>,
    /// Every owner and every name above one, down from the apex.
    pub(crate) names: BTreeSet<Name>,
    /// Owners that are answered for and stand in no list: those of IPv6 pools.
    unlisted: BTreeSet<Name>,
    ttl: u32,
}

/// RRsets by type: TTL and data.
pub(crate) type Sets = BTreeMap<u16, (u32, BTreeSet<Vec<u8>>)>;

/// All zones.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) zones: Vec<BookZone>,
}

impl Book {
    /// What `inventory` means. `serial_of`: a zone's serial.
    pub(crate) fn of(inventory: &Inventory, serial_of: impl Fn(&Name) -> u32) -> Book {
        let globals = &inventory.globals;
        let zones = globals.zones.iter().map(|zone| BookZone {
            apex: zone.name.clone(),
            sets: BTreeMap::new(),
            names: BTreeSet::new(),
            unlisted: BTreeSet::new(),
            ttl: zone.ttl,
        });
        let mut book = Book { zones: zones.collect() };
        book.zones(globals, serial_of);
        book.hosts(inventory);
        book.pools(globals);
        book.glue(globals);
        for zone in &mut book.zones {
            for owner in zone.sets.keys() {
                let above = std::iter::successors(Some(owner.clone()), Name::parent);
                zone.names.extend(above.take_while(|name| name.is_within(&zone.apex)));
            }
        }
        book
    }

    /// The zone with the longest apex at or above `name`.
    pub(crate) fn zone_of(&self, name: &Name) -> Option<usize> {
        let enclosing = self.zones.iter().enumerate().filter(|(_, zone)| name.is_within(&zone.apex));
        enclosing.max_by_key(|(_, zone)| zone.apex.labels().count()).map(|(index, _)| index)
    }

    /// Every record that is listed, sorted.
    pub(crate) fn records(&self) -> Vec<ZoneRecord> {
        let mut all: Vec<ZoneRecord> = self.zones.iter().flat_map(BookZone::records).collect();
        sort(&mut all);
        all
    }

    fn zones(&mut self, globals: &Globals, serial_of: impl Fn(&Name) -> u32) {
        for (index, zone) in globals.zones.iter().enumerate() {
            let numbers = [serial_of(&zone.name), REFRESH, RETRY, EXPIRE, zone.negative_ttl];
            let numbers = numbers.map(u32::to_be_bytes).concat();
            let soa = [zone.nameservers[0].as_wire(), zone.contact.as_wire(), &numbers].concat();
            self.zones[index].add(&zone.name, rtype::SOA, zone.ttl, &soa);
            for server in zone.nameservers.iter() {
                self.zones[index].add(&zone.name, rtype::NS, zone.ttl, server.as_wire());
            }
            for record in zone.records.iter() {
                let ttl = record.ttl.unwrap_or(zone.ttl);
                self.zones[index].add(&record.owner, record.rtype.0, ttl, &record.rdata);
            }
            // The zone right around one of ours delegates to it.
            let Some(outer) = zone.name.parent().and_then(|above| self.zone_of(&above)) else { continue };
            let cut_is_written = globals.zones[outer]
                .records
                .iter()
                .any(|record| record.owner == zone.name && record.rtype.0 == rtype::NS);
            if !cut_is_written {
                let ttl = self.zones[outer].ttl;
                for server in zone.nameservers.iter() {
                    self.zones[outer].add(&zone.name, rtype::NS, ttl, server.as_wire());
                }
            }
        }
    }

    /// A zone that delegates to one of ours by itself has the addresses of its servers that lie in it.
    fn glue(&mut self, globals: &Globals) {
        for zone in globals.zones.iter().filter(|zone| !zone.catalog) {
            let Some(outer) = zone.name.parent().and_then(|above| self.zone_of(&above)) else { continue };
            let is_cut = |record: &Record| record.owner == zone.name && record.rtype.0 == rtype::NS;
            if globals.zones[outer].records.iter().any(is_cut) {
                continue;
            }
            for server in zone.nameservers.iter().filter(|server| server.is_within(&zone.name)) {
                let own = self.zone_of(server).and_then(|own| self.zones[own].sets.get(server).cloned());
                for (kind, (ttl, data)) in own.into_iter().flatten() {
                    for rdata in data.iter().filter(|_| [rtype::A, rtype::AAAA].contains(&kind)) {
                        self.zones[outer].add(server, kind, ttl, rdata);
                    }
                }
            }
        }
    }

    fn hosts(&mut self, inventory: &Inventory) {
        let mut redirects = Vec::new();
        for host in inventory.hosts().filter(|host| host.state.is_served()) {
            for (name, nic) in host.named_nics() {
                let network = inventory.globals.network(nic.network);
                if *name == host.name && !nic.addresses.is_empty() {
                    for fingerprint in &host.rest.sshfp {
                        self.add(&name.fqdn, rtype::SSHFP, host.rest.ttl, fingerprint);
                    }
                }
                for address in &nic.addresses {
                    match address {
                        IpAddr::V4(v4) => self.add(&name.fqdn, rtype::A, host.rest.ttl, &v4.octets()),
                        IpAddr::V6(v6) => self.add(&name.fqdn, rtype::AAAA, host.rest.ttl, &v6.octets()),
                    }
                    let plain = Name::reverse(*address);
                    match classless(network, *address) {
                        Some(owner) => {
                            self.add(&owner, rtype::PTR, host.rest.ttl, name.fqdn.as_wire());
                            redirects.push((plain, owner, host.rest.ttl));
                        }
                        None => self.add(&plain, rtype::PTR, host.rest.ttl, name.fqdn.as_wire()),
                    }
                }
            }
            for (owner, servers) in host.nics.iter().flat_map(Nic::delegated_names) {
                for (server, _) in servers {
                    self.add(&owner, rtype::NS, host.rest.ttl, server.as_wire());
                }
            }
            for service in &host.rest.services {
                let zone = &inventory.globals.zone(host.name.zone).name;
                let below = |labels: &str| {
                    let start = zone.clone();
                    labels.rsplit('.').fold(start, |name, label| name.child(label).unwrap())
                };
                let kind = below(&format!("{}.{}", service.service, service.protocol));
                let length = u8::try_from(service.instance.len()).unwrap();
                let instance = [&[length], service.instance.as_bytes(), kind.as_wire()].concat();
                self.add(&kind, rtype::PTR, host.rest.ttl, &instance);
                for subtype in &service.subtypes {
                    let owner = below(&format!("{subtype}._sub.{}.{}", service.service, service.protocol));
                    self.add(&owner, rtype::PTR, host.rest.ttl, &instance);
                }
                self.add(&below("_services._dns-sd._udp"), rtype::PTR, host.rest.ttl, kind.as_wire());
                for label in ["b", "db", "lb"] {
                    self.add(
                        &below(&format!("{label}._dns-sd._udp")),
                        rtype::PTR,
                        host.rest.ttl,
                        zone.as_wire(),
                    );
                }
                let own = kind.child(&service.instance).unwrap();
                let srv = [&[0; 4], &service.port.to_be_bytes()[..], host.name.fqdn.as_wire()].concat();
                self.add(&own, rtype::SRV, host.rest.ttl, &srv);
                self.add(&own, 16, host.rest.ttl, &service.txt);
            }
            for alias in &host.aliases {
                self.add(&alias.name.fqdn, rtype::CNAME, host.rest.ttl, host.name.fqdn.as_wire());
            }
        }
        for (plain, owner, ttl) in redirects {
            let zone = self.zone_of(&plain).map(|index| &self.zones[index]);
            if zone.is_some_and(|zone| !zone.sets.contains_key(&plain)) {
                self.add(&plain, rtype::CNAME, ttl, owner.as_wire());
            }
        }
    }

    /// Addresses of pools have names, unless somebody gave that name data, or something above it takes it
    /// out of the zone's hands. Those of IPv6 are small ones here, and their names are not listed.
    fn pools(&mut self, globals: &Globals) {
        for network in &globals.networks {
            let Some(zone) = network.zone else { continue };
            let addresses = network.pools.iter().flat_map(|pool| addresses_of(*pool));
            for address in addresses.filter(|one| !network.exclude.iter().any(|hole| hole.contains(*one))) {
                let label = format!("dhcp-{}", address.to_string().replace(['.', ':'], "-"));
                let Ok(name) = globals.zone(zone).name.child(&label) else { continue };
                let (rtype, octets) = match address {
                    IpAddr::V4(v4) => (rtype::A, v4.octets().to_vec()),
                    IpAddr::V6(v6) => (rtype::AAAA, v6.octets().to_vec()),
                };
                let plain = Name::reverse(address);
                let forward = self.add_if_free(&name, rtype, None, &octets);
                let owner = classless(network, address);
                if let Some(owner) = &owner {
                    self.add_if_free(&plain, rtype::CNAME, None, owner.as_wire());
                }
                let owner = owner.unwrap_or(plain);
                let reverse = self.add_if_free(&owner, rtype::PTR, None, name.as_wire());
                for (owner, zone) in [(name, forward), (owner, reverse)] {
                    if let Some(zone) = zone.filter(|_| address.is_ipv6()) {
                        self.zones[zone].unlisted.insert(owner);
                    }
                }
            }
        }
    }

    fn add(&mut self, owner: &Name, rtype: u16, ttl: Option<u32>, rdata: &[u8]) {
        if let Some(index) = self.zone_of(owner) {
            let zone = &mut self.zones[index];
            let ttl = ttl.unwrap_or(zone.ttl);
            zone.add(owner, rtype, ttl, rdata);
        }
    }

    /// The zone that has it, if it was free.
    fn add_if_free(&mut self, owner: &Name, rtype: u16, ttl: Option<u32>, rdata: &[u8]) -> Option<usize> {
        let index = self.zone_of(owner)?;
        let zone = &self.zones[index];
        if zone.sets.contains_key(owner) || zone.cut_above(owner).is_some() {
            return None;
        }
        self.add(owner, rtype, ttl, rdata);
        Some(index)
    }
}

impl BookZone {
    fn add(&mut self, owner: &Name, rtype: u16, ttl: u32, rdata: &[u8]) {
        let (least, set) =
            self.sets.entry(owner.clone()).or_default().entry(rtype).or_insert((ttl, BTreeSet::new()));
        *least = ttl.min(*least);
        set.insert(rdata.to_vec());
    }

    /// The RRset, as records.
    pub(crate) fn set(&self, owner: &Name, rtype: u16) -> Vec<ZoneRecord> {
        let Some((ttl, set)) = self.sets.get(owner).and_then(|sets| sets.get(&rtype)) else {
            return Vec::new();
        };
        let record = |rdata: &Vec<u8>| ZoneRecord {
            owner: owner.clone(),
            rtype,
            ttl: *ttl,
            rdata: rdata.as_slice().into(),
        };
        set.iter().map(record).collect()
    }

    pub(crate) fn has(&self, owner: &Name, rtype: u16) -> bool {
        self.sets.get(owner).is_some_and(|sets| sets.contains_key(&rtype))
    }

    fn records(&self) -> Vec<ZoneRecord> {
        let listed = self.sets.iter().filter(|(owner, _)| !self.unlisted.contains(*owner));
        let sets = listed.flat_map(|(owner, sets)| sets.keys().map(move |rtype| (owner, *rtype)));
        sets.flat_map(|(owner, rtype)| self.set(owner, rtype)).collect()
    }

    /// The highest delegation or DNAME record above `name`, a proper ancestor of it; a DNAME may be at the
    /// apex.
    pub(crate) fn cut_above(&self, name: &Name) -> Option<Name> {
        let above = std::iter::successors(name.parent(), Name::parent);
        let mut above: Vec<Name> = above.take_while(|name| name.is_within(&self.apex)).collect();
        above.reverse();
        above
            .into_iter()
            .find(|here| *here != self.apex && self.has(here, rtype::NS) || self.has(here, rtype::DNAME))
    }
}

/// The addresses of a pool.
fn addresses_of(pool: Range) -> Vec<IpAddr> {
    match (pool.first(), pool.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            (first.to_bits()..=last.to_bits()).map(|bits| Ipv4Addr::from_bits(bits).into()).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            (first.to_bits()..=last.to_bits()).map(|bits| Ipv6Addr::from_bits(bits).into()).collect()
        }
        _ => Vec::new(),
    }
}

fn classless(network: &Network, address: IpAddr) -> Option<Name> {
    match address {
        IpAddr::V4(v4) => network.reverse.as_ref()?.child(&v4.octets()[3].to_string()).ok(),
        IpAddr::V6(_) => None,
    }
}

/// Sorts by owner in wire form, type and data.
pub(crate) fn sort(records: &mut [ZoneRecord]) {
    records.sort_by(|a, b| (&a.owner, a.rtype, &a.rdata, a.ttl).cmp(&(&b.owner, b.rtype, &b.rdata, b.ttl)));
}
