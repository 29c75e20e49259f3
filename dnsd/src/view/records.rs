//! All records of a view, as records: for `plan`, for transfers, for tests.

use std::fmt;
use std::net::Ipv4Addr;

use inventory_core::name::Name;
use inventory_core::records::{RecordType, present};

use super::encode::{self, name_in};
use super::labels::Labels;
use super::node::{Key, Node, Rdata, rtype};
use super::pool::{self, Pool};
use super::shard::Shard;
use super::zone::{Zone, ZoneNumber};
use super::{DnsView, set_serial};

/// One record of class IN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneRecord {
    /// Owner.
    pub owner: Name,
    /// Number of the type.
    pub rtype: u16,
    /// Seconds.
    pub ttl: u32,
    /// Wire form, nothing compressed.
    pub rdata: Box<[u8]>,
}

/// The same, its octets somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireRecord<'a> {
    /// Owner.
    pub owner: &'a [u8],
    /// Number of the type.
    pub rtype: u16,
    /// Seconds.
    pub ttl: u32,
    /// Nothing compressed.
    pub rdata: &'a [u8],
}

/// Where the octets of a record are put together. Used again for the next one, so that nothing is allocated for
/// each.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    owner: Vec<u8>,
    rdata: Vec<u8>,
}

impl<'a> From<&'a ZoneRecord> for WireRecord<'a> {
    fn from(record: &'a ZoneRecord) -> WireRecord<'a> {
        let ZoneRecord { owner, rtype, ttl, rdata } = record;
        WireRecord { owner: owner.as_wire(), rtype: *rtype, ttl: *ttl, rdata }
    }
}

impl From<WireRecord<'_>> for ZoneRecord {
    /// What the view holds are names; anything else has the root for its owner.
    fn from(record: WireRecord<'_>) -> ZoneRecord {
        let WireRecord { owner, rtype, ttl, rdata } = record;
        ZoneRecord {
            owner: Name::from_wire(owner).unwrap_or_else(Name::root),
            rtype,
            ttl,
            rdata: rdata.into(),
        }
    }
}

impl DnsView {
    /// Every record of `zone`, names of IPv4 pools and SOA included, in canonical order (RFC 4034, section 6).
    ///
    /// Cost: a look at every name of the view.
    pub fn records_of(&self, zone: ZoneNumber) -> Vec<ZoneRecord> {
        let mut records = Vec::new();
        self.for_each(|number, record| {
            if number == zone {
                records.push(ZoneRecord::from(record));
            }
        });
        sort(&mut records);
        records
    }

    /// Every record of every zone, in canonical order, but for names of IPv6 pools.
    pub fn records(&self) -> Vec<ZoneRecord> {
        let mut records = Vec::new();
        self.for_each(|_, record| records.push(ZoneRecord::from(record)));
        sort(&mut records);
        records
    }

    /// Calls `take` with every record and its zone, in no order that means anything.
    pub fn for_each(&self, mut take: impl FnMut(ZoneNumber, WireRecord<'_>)) {
        for (number, zone) in self.zones.iter() {
            take(number, WireRecord::from(&self.soa_of(number, zone)));
        }
        let mut scratch = Scratch::default();
        for node in self.shards.iter().flat_map(Shard::nodes) {
            self.for_each_of_node(&node, &mut scratch, &mut take);
        }
        for pool in self.pools.iter() {
            for address in pool.first..=pool.last {
                self.for_each_of_pool_address(pool, address, &mut take);
            }
        }
    }

    /// Calls `take` with the records of a node and its zone.
    pub(super) fn for_each_of_node(
        &self,
        node: &Node<'_>,
        scratch: &mut Scratch,
        take: &mut impl FnMut(ZoneNumber, WireRecord<'_>),
    ) {
        if node.is_empty() {
            return;
        }
        let Scratch { owner, rdata: expanded } = scratch;
        owner.clear();
        let zone = match node.key() {
            Key::Name(zone, relative) => {
                owner.extend_from_slice(relative);
                owner.extend_from_slice(self.zones.wire(zone));
                Some(zone)
            }
            key @ (Key::V4(_) | Key::V6(_)) => {
                let name = encode::owner(key, &self.zones);
                owner.extend_from_slice(name.as_wire());
                self.zone_of(&name)
            }
        };
        let Some(zone) = zone else { return };
        for rrset in node.rrsets() {
            let (rtype, ttl) = (rrset.rtype(), rrset.ttl());
            for rdata in rrset.rdatas() {
                let rdata = match rdata {
                    Rdata::Plain(octets) => octets,
                    Rdata::InZone(..) => {
                        expanded.clear();
                        rdata.expand(&self.zones, expanded);
                        &*expanded
                    }
                };
                take(zone, WireRecord { owner, rtype, ttl, rdata });
            }
        }
    }

    /// The zone with the longest apex at or above `name`.
    pub fn zone_of(&self, name: &Name) -> Option<ZoneNumber> {
        let labels = Labels::of(name);
        self.zones.find(&labels, labels.count())
    }

    /// The SOA record of `zone`, its serial filled in.
    pub fn soa(&self, zone: ZoneNumber) -> ZoneRecord {
        self.soa_of(zone, self.zones.zone(zone))
    }

    fn soa_of(&self, number: ZoneNumber, zone: &Zone) -> ZoneRecord {
        let mut rdata = zone.soa.plain.clone();
        set_serial(&mut rdata, self.serial(number));
        ZoneRecord { owner: zone.name.clone(), rtype: rtype::SOA, ttl: zone.soa.ttl, rdata }
    }

    /// Calls `take` with the records worked out for a pool address, where nobody wrote that name.
    pub(super) fn for_each_of_pool_address(
        &self,
        pool: &Pool,
        address: u32,
        take: &mut impl FnMut(ZoneNumber, WireRecord<'_>),
    ) {
        let name = name_in(pool.zone, pool::label_of(address).as_wire(), &self.zones);
        let plain = Name::reverse(Ipv4Addr::from_bits(address).into());
        self.worked_out(&name, rtype::A, &address.to_be_bytes(), take);
        if let Some(classless) = self.pools.classless_of(pool) {
            let owner = classless.owner(address);
            self.worked_out(&plain, rtype::CNAME, owner.as_wire(), take);
            self.worked_out(&owner, rtype::PTR, name.as_wire(), take);
        } else {
            self.worked_out(&plain, rtype::PTR, name.as_wire(), take);
        }
    }

    /// Takes a record of a pool address, if its owner lies in a zone of ours and nobody wrote it.
    fn worked_out(
        &self,
        owner: &Name,
        rtype: u16,
        rdata: &[u8],
        take: &mut impl FnMut(ZoneNumber, WireRecord<'_>),
    ) {
        let labels = Labels::of(owner);
        let Some(number) = self.zones.find(&labels, labels.count()) else { return };
        let zone = self.zones.zone(number);
        let block = self.block(zone, owner.as_wire()).filter(|_| zone.by_address);
        let written = block.is_some_and(|block| self.address(block).is_some())
            || self
                .name(number, labels.relative(labels.count(), zone.depth))
                .is_some_and(|node| !node.is_empty() || node.is_special());
        if !written && !zone.occludes(labels.relative(labels.count(), zone.depth)) {
            take(number, WireRecord { owner: owner.as_wire(), rtype, ttl: zone.ttl, rdata });
        }
    }
}

/// Sorts in canonical order: by owner, label by label from the right, then by type and data.
fn sort(records: &mut [ZoneRecord]) {
    records.sort_by_cached_key(|record| {
        let mut labels: Vec<Box<[u8]>> = record.owner.labels().map(Box::from).collect();
        labels.reverse();
        (labels, record.rtype, record.rdata.clone())
    });
}

impl fmt::Display for ZoneRecord {
    /// A master-file line, names absolute: `web1.lab.example.org. 3600 IN A 10.20.0.11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rtype = RecordType(self.rtype);
        let dot = if self.owner.is_root() { "" } else { "." };
        write!(f, "{}{dot} {} IN {rtype} ", self.owner, self.ttl)?;
        f.write_str(&present(rtype, &self.rdata))
    }
}
