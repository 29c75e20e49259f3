//! The names that leases have: which machine has which, and where it is.
//!
//! Bounded by the pools: an address has one name at a time, the latest that it was given. A name that the inventory
//! has now is kept and not served: it comes back when the inventory lets go of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use inventory_core::model::PoolLabel;
use inventory_core::name::Name;
use serde::{Deserialize, Serialize};

use crate::core::find::{self, Found};
use crate::view::{DnsView, Labels, LeaseNode, rtype};

/// What one name has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseName {
    /// Seconds that its records live.
    pub ttl: u32,
    /// Who has it (RFC 4701).
    pub ids: Vec<Box<[u8]>>,
    /// Where that is; never empty but during an update.
    pub addresses: Vec<IpAddr>,
}

/// What the PTR record of an address says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Seconds that it lives.
    pub ttl: u32,
    /// The name, in wire form.
    pub target: Box<[u8]>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct LeaseNames {
    names: BTreeMap<Name, LeaseName>,
    by_address: BTreeMap<IpAddr, Name>,
    pointers: BTreeMap<IpAddr, Pointer>,
}

/// What names and addresses had before they were changed.
#[derive(Debug, Default)]
pub struct Before {
    /// By name.
    pub names: BTreeMap<Name, Option<LeaseName>>,
    /// By address.
    pub pointers: BTreeMap<IpAddr, Option<Pointer>>,
}

impl Before {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.pointers.is_empty()
    }

    /// Forgets what is in `names` as it was.
    pub fn keep_changed(&mut self, names: &LeaseNames) {
        self.names.retain(|name, entry| names.get(name) != entry.as_ref());
        self.pointers.retain(|address, pointer| names.pointer(*address) != pointer.as_ref());
    }
}

impl LeaseNames {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.pointers.is_empty()
    }

    /// What a name has.
    pub fn get(&self, name: &Name) -> Option<&LeaseName> {
        self.names.get(name)
    }

    /// What the PTR record of an address says.
    pub fn pointer(&self, address: IpAddr) -> Option<&Pointer> {
        self.pointers.get(&address)
    }

    /// How many addresses of a range have names.
    pub(super) fn count_within(&self, first: IpAddr, last: IpAddr) -> usize {
        self.by_address.range(first..=last).count()
    }

    /// Gives a name something else; `None` or no addresses: it has nothing.
    pub fn set(&mut self, name: &Name, entry: Option<LeaseName>, before: &mut Before) {
        let old = self.names.remove(name);
        for address in old.iter().flat_map(|old| &old.addresses) {
            self.by_address.remove(address);
        }
        before.names.entry(name.clone()).or_insert(old);
        let Some(entry) = entry.filter(|entry| !entry.addresses.is_empty()) else { return };
        for address in &entry.addresses {
            if let Some(other) = self.by_address.get(address).cloned() {
                let rest = self.names.get(&other).cloned().map(|mut rest| {
                    rest.addresses.retain(|own| own != address);
                    rest
                });
                self.set(&other, rest, before);
            }
            self.by_address.insert(*address, name.clone());
        }
        self.names.insert(name.clone(), entry);
    }

    /// Gives an address another PTR record; `None`: none.
    pub fn set_pointer(&mut self, address: IpAddr, pointer: Option<Pointer>, before: &mut Before) {
        let old = match pointer {
            Some(pointer) => self.pointers.insert(address, pointer),
            None => self.pointers.remove(&address),
        };
        before.pointers.entry(address).or_insert(old);
    }

    /// Makes all as it was before; returns what there was until now.
    pub fn restore(&mut self, before: Before) -> Before {
        let mut undone = Before::default();
        for name in before.names.keys() {
            self.set(name, None, &mut undone);
        }
        for (name, entry) in before.names {
            self.set(&name, entry, &mut undone);
        }
        for (address, pointer) in before.pointers {
            self.set_pointer(address, pointer, &mut undone);
        }
        undone
    }

    /// Lets go of what no pool of `base` gives any more.
    pub fn retain_given(&mut self, base: &DnsView, before: &mut Before) {
        let gives = |address: &IpAddr| base.lease_networks().giving(*address).is_some();
        let lost: Vec<Name> = self
            .names
            .iter()
            .filter(|(_, entry)| !entry.addresses.iter().any(gives))
            .map(|(name, _)| name.clone())
            .collect();
        lost.iter().for_each(|name| self.set(name, None, before));
        let lost: Vec<IpAddr> = self.pointers.keys().copied().filter(|address| !gives(address)).collect();
        lost.into_iter().for_each(|address| self.set_pointer(address, None, before));
    }

    /// Everything, as it goes into `base`.
    pub fn nodes(&self, base: &DnsView) -> Vec<LeaseNode> {
        let names = self.names.keys().map(|name| self.node(base, name));
        let pointers = self.pointers.keys().filter_map(|address| self.pointer_node(base, *address));
        names.chain(pointers).filter(|node| !node.records.is_empty()).collect()
    }

    /// What changed, as it goes into a view of `base` with what was there before.
    pub fn changed_nodes(&self, base: &DnsView, before: &Before) -> Vec<LeaseNode> {
        let mut addresses: BTreeSet<IpAddr> = before.pointers.keys().copied().collect();
        for (name, old) in &before.names {
            let entries = old.iter().chain(self.names.get(name));
            addresses.extend(entries.flat_map(|entry| entry.addresses.iter().copied()));
        }
        let names = before.names.keys().filter(|name| is_free(base, name)).map(|name| self.node(base, name));
        names.chain(addresses.into_iter().filter_map(|address| self.pointer_node(base, address))).collect()
    }

    /// What a name has in `base`.
    fn node(&self, base: &DnsView, name: &Name) -> LeaseNode {
        let mut records: Vec<(u16, u32, Box<[u8]>)> = Vec::new();
        if let Some(entry) = self.names.get(name) {
            let served: Vec<IpAddr> = self.served(base, name).collect();
            records.extend(served.iter().map(|address| match address {
                IpAddr::V4(v4) => (rtype::A, entry.ttl, v4.octets().into()),
                IpAddr::V6(v6) => (rtype::AAAA, entry.ttl, v6.octets().into()),
            }));
            let ids = entry.ids.iter().filter(|_| !served.is_empty());
            records.extend(ids.map(|id| (rtype::DHCID, entry.ttl, id.clone())));
        }
        LeaseNode { owner: name.clone(), records }
    }

    /// The addresses of a name that are served: none if the inventory has it.
    fn served(&self, base: &DnsView, name: &Name) -> impl Iterator<Item = IpAddr> {
        let entry = self.names.get(name).filter(|_| is_free(base, name));
        let zone = base.zone_of(name);
        entry.into_iter().flat_map(|entry| entry.addresses.iter().copied()).filter(move |address| {
            base.lease_networks().giving(*address).is_some_and(|network| Some(network.zone) == zone)
        })
    }

    /// The PTR record of an address, if a pool gives that: it has one as long as the name has the address.
    fn pointer_node(&self, base: &DnsView, address: IpAddr) -> Option<LeaseNode> {
        let owner = base.lease_networks().giving(address)?.pointer_owner(address);
        if !is_free(base, &owner) {
            return None;
        }
        let pointer = self.pointers.get(&address).filter(|pointer| {
            let target = Name::from_wire(&pointer.target);
            target.is_some_and(|target| self.served(base, &target).any(|own| own == address))
        });
        let records = pointer.into_iter().map(|pointer| (rtype::PTR, pointer.ttl, pointer.target.clone()));
        Some(LeaseNode { owner, records: records.collect() })
    }
}

/// Whether the inventory leaves `name` to leases: it has nothing there but the PTR record that is worked out for
/// an address of a pool.
pub(super) fn is_free(base: &DnsView, name: &Name) -> bool {
    let labels = Labels::of(name);
    let Some(zone) = base.zones().find(&labels, labels.count()) else { return false };
    if labels.count() == base.zones().zone(zone).depth || name.labels().any(|label| label == b"*") {
        return false;
    }
    match find::find(base, zone, &labels, rtype::ANY) {
        Found::Name(node) => node.is_empty(),
        Found::PoolAddress(..) | Found::NonTerminal | Found::Wildcard(_) | Found::Nothing => true,
        Found::PoolName(_) | Found::PoolRedirect(..) | Found::Referral(..) | Found::Redirect(..) => false,
    }
}

/// Types and data of the records that `base` has at `name` without leases.
pub(super) fn written(base: &DnsView, name: &Name) -> Vec<(u16, Box<[u8]>)> {
    let labels = Labels::of(name);
    let Some(zone) = base.zones().find(&labels, labels.count()) else { return Vec::new() };
    match find::find(base, zone, &labels, rtype::ANY) {
        Found::Name(node) => {
            let mut records = Vec::new();
            for rrset in node.rrsets() {
                for rdata in rrset.rdatas() {
                    let mut octets = Vec::new();
                    rdata.expand(base.zones(), &mut octets);
                    records.push((rrset.rtype(), octets.into()));
                }
            }
            records
        }
        Found::PoolName(IpAddr::V4(v4)) => vec![(rtype::A, v4.octets().into())],
        Found::PoolName(IpAddr::V6(v6)) => vec![(rtype::AAAA, v6.octets().into())],
        Found::PoolAddress(zone, address) => {
            let target = [PoolLabel::new(address).as_wire(), base.zones().wire(zone)].concat();
            vec![(rtype::PTR, target.into())]
        }
        Found::PoolRedirect(classless, address) => {
            vec![(rtype::CNAME, classless.owner(address).as_wire().into())]
        }
        Found::Referral(..)
        | Found::Redirect(..)
        | Found::NonTerminal
        | Found::Wildcard(_)
        | Found::Nothing => Vec::new(),
    }
}
