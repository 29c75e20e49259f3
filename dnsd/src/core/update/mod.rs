//! Names of leases: dynamic updates (RFC 2136) by who gives the leases, with his key.
//!
//! [`open`] reads an update and judges its signature; [`apply`] decides about it by what the inventory has (`base`, a
//! view without leases) and what leases have so far. Nothing is updated but names of leases, so nothing that the
//! inventory says can be changed from outside: what may be where is [`is_free`]'s.

mod message;
mod names;
#[cfg(test)]
mod tests;

pub use message::{Change, Prerequisite, Update};
pub use names::{Before, LeaseName, LeaseNames, Pointer};

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use inventory_core::name::Name;

use crate::view::{DnsView, Labels, ZoneNumber, rtype};

use super::query::{HEADER_OCTETS, Header, Rejected};
use super::reason::{Outcome, Reason, rcode};
use super::tsig::{Keyring, Session, Signature};
use super::{QueryContext, fail};
use names::{is_free, written};

/// Opcode UPDATE.
pub const OPCODE: u16 = 5;
/// Names of one network at most, however large its pools are.
pub const NAMES_MAX: usize = 65_536;
/// Octets of a DHCID record's data (RFC 4701, section 3.1).
const ID_OCTETS: std::ops::RangeInclusive<usize> = 4..=67;

daemon::counted_reasons! {
    /// What became of an update.
    pub enum Verdict {
        /// It was made.
        Done => "done",
        /// A name is in use that was not to be (YXDOMAIN).
        NameInUse => "name-in-use",
        /// A name is not in use that was to be (NXDOMAIN).
        NameNotInUse => "name-not-in-use",
        /// Records are there that were not to be (YXRRSET).
        RecordsThere => "records-there",
        /// Records are not there, or not these (NXRRSET).
        RecordsMissing => "records-missing",
        /// A name outside the zone (NOTZONE).
        OutsideZone => "outside-zone",
        /// A zone that takes no updates by this key (NOTAUTH).
        OtherZone => "other-zone",
        /// A name that the inventory has, an address of no pool with names, or another type (REFUSED).
        NotAllowed => "not-allowed",
        /// The network has as many names as it may have (REFUSED).
        Full => "full",
        /// Data that are none of their type (FORMERR).
        Malformed => "malformed",
        /// It could not be kept (SERVFAIL).
        NotKept => "not-kept",
    }
}

impl Verdict {
    /// The response code (RFC 2136, section 2.2).
    pub const fn rcode(self) -> u16 {
        match self {
            Verdict::Done => rcode::NOERROR,
            Verdict::NameInUse => rcode::YXDOMAIN,
            Verdict::NameNotInUse => rcode::NXDOMAIN,
            Verdict::RecordsThere => rcode::YXRRSET,
            Verdict::RecordsMissing => rcode::NXRRSET,
            Verdict::OutsideZone => rcode::NOTZONE,
            Verdict::OtherZone => rcode::NOTAUTH,
            Verdict::NotAllowed | Verdict::Full => rcode::REFUSED,
            Verdict::Malformed => rcode::FORMERR,
            Verdict::NotKept => rcode::SERVFAIL,
        }
    }
}

/// An update whose signature holds.
#[derive(Debug)]
pub struct Signed {
    /// What it wants.
    pub update: Update,
    header: Header,
    session: Session,
}

/// What comes of a message with the opcode of updates.
#[derive(Debug)]
pub enum Opened {
    /// One message, in `out`, or none.
    Reply(Outcome),
    /// An update to be decided about.
    Signed(Box<Signed>),
}

/// Reads an update over any transport. A reply that is an error is written to `out`.
pub fn open(message: &[u8], context: QueryContext<'_>, out: &mut [u8]) -> Opened {
    let Some(header) = Header::read(message) else { return Opened::Reply(Outcome::Dropped(Reason::Short)) };
    let rejected = |reason| Rejected { reason, question_end: None, edns: None };
    let Some((update, signature)) = Update::read(&header, message) else {
        return Opened::Reply(fail(&header, rejected(Reason::UpdateMalformed), message, out));
    };
    let Some(signature) = signature.and_then(|start| Signature::read(message, start)) else {
        return Opened::Reply(fail(&header, rejected(Reason::UpdateUnsigned), message, out));
    };
    let nobody = Keyring::default();
    match context.keys.unwrap_or(&nobody).open(message, &signature, context.now) {
        Ok(session) => Opened::Signed(Box::new(Signed { update, header, session })),
        Err(refused) => {
            let outcome = fail(&header, rejected(refused.reason), message, out);
            let octets = outcome.octets().and_then(|at| refused.sign(&signature, out, at, context.now));
            let signed =
                octets.map_or(Outcome::Dropped(Reason::NoRoom), |octets| outcome.with_octets(octets));
            Opened::Reply(signed)
        }
    }
}

impl Signed {
    /// The reply that says `verdict`, signed.
    pub fn reply(&mut self, verdict: Verdict, now: super::serial::UnixSeconds) -> Vec<u8> {
        let [id0, id1] = self.header.id;
        let flags = 0x8000 | OPCODE << 11 | verdict.rcode();
        let [f0, f1] = flags.to_be_bytes();
        let mut octets = vec![0; HEADER_OCTETS + self.session.octets()];
        for (place, octet) in octets.iter_mut().zip([id0, id1, f0, f1]) {
            *place = octet;
        }
        let end = self.session.sign(&mut octets, HEADER_OCTETS, now).unwrap_or(0);
        octets.truncate(end);
        octets
    }

    /// Decides about it: see [`apply`].
    pub fn apply(&self, base: &DnsView, names: &mut LeaseNames, before: &mut Before) -> Verdict {
        let key = self.session.key();
        apply(&self.update, key, base, names, before).err().unwrap_or(Verdict::Done)
    }
}

/// Makes an update, all of it or nothing (RFC 2136, section 3). `before` gets what there was.
fn apply(
    update: &Update,
    key: &Name,
    base: &DnsView,
    names: &mut LeaseNames,
    before: &mut Before,
) -> Result<(), Verdict> {
    let apex = Labels::of(&update.zone);
    let zone = base.zones().find(&apex, apex.count());
    let zone = zone.filter(|zone| base.zones().zone(*zone).name == update.zone).ok_or(Verdict::OtherZone)?;
    let judge = Judge { base, key, zone };
    if !base.lease_networks().take(zone, base.zones(), key) {
        return Err(Verdict::OtherZone);
    }
    judge.prerequisites(&update.prerequisites, names)?;
    update.changes.iter().try_for_each(|change| judge.may(change, names))?;
    // Names are looked at when all is done to them: between, one may be without address.
    let mut changed: BTreeMap<&Name, LeaseName> = BTreeMap::new();
    for change in &update.changes {
        let owner = change.owner();
        match base.lease_networks().pointed_from(owner) {
            Some((address, _)) => point(address, change, names, before),
            None => change
                .make(changed.entry(owner).or_insert_with(|| names.get(owner).cloned().unwrap_or_default())),
        }
    }
    for (name, entry) in changed {
        names.set(name, Some(entry), before);
    }
    Ok(())
}

/// Who asks for what.
struct Judge<'j> {
    base: &'j DnsView,
    key: &'j Name,
    zone: ZoneNumber,
}

impl Judge<'_> {
    /// Whether all holds that has to (RFC 2136, section 3.2).
    fn prerequisites(&self, all: &[Prerequisite], names: &LeaseNames) -> Result<(), Verdict> {
        let mut sets: BTreeMap<(&Name, u16), Vec<&[u8]>> = BTreeMap::new();
        for one in all {
            let (Prerequisite::NameInUse(name)
            | Prerequisite::NameNotInUse(name)
            | Prerequisite::RrsetExists(name, _)
            | Prerequisite::RrsetDoesNotExist(name, _)
            | Prerequisite::RrsetHas(name, ..)) = one;
            self.is_inside(name)?;
            let records = self.records(name, names);
            let has = |rtype| records.iter().any(|(own, _)| *own == rtype);
            match one {
                Prerequisite::NameInUse(_) if records.is_empty() => return Err(Verdict::NameNotInUse),
                Prerequisite::NameNotInUse(_) if !records.is_empty() => return Err(Verdict::NameInUse),
                Prerequisite::RrsetExists(_, rtype) if !has(*rtype) => return Err(Verdict::RecordsMissing),
                Prerequisite::RrsetDoesNotExist(_, rtype) if has(*rtype) => {
                    return Err(Verdict::RecordsThere);
                }
                Prerequisite::RrsetHas(name, rtype, rdata) => {
                    sets.entry((name, *rtype)).or_default().push(rdata);
                }
                Prerequisite::NameInUse(_)
                | Prerequisite::NameNotInUse(_)
                | Prerequisite::RrsetExists(..)
                | Prerequisite::RrsetDoesNotExist(..) => {}
            }
        }
        for ((name, rtype), mut wanted) in sets {
            let records = self.records(name, names);
            let mut found: Vec<&[u8]> =
                records.iter().filter(|(own, _)| *own == rtype).map(|(_, rdata)| &**rdata).collect();
            wanted.sort_unstable();
            wanted.dedup();
            found.sort_unstable();
            if wanted != found {
                return Err(Verdict::RecordsMissing);
            }
        }
        Ok(())
    }

    /// What a name has, by the inventory or by leases.
    fn records(&self, name: &Name, names: &LeaseNames) -> Vec<(u16, Box<[u8]>)> {
        if let Some((address, _)) = self.base.lease_networks().pointed_from(name)
            && let Some(pointer) = names.pointer(address)
        {
            return vec![(rtype::PTR, pointer.target.clone())];
        }
        let Some(entry) = names.get(name).filter(|_| is_free(self.base, name)) else {
            return written(self.base, name);
        };
        let ids = entry.ids.iter().map(|id| (rtype::DHCID, id.clone()));
        let addresses = entry.addresses.iter().map(|address| match address {
            IpAddr::V4(v4) => (rtype::A, v4.octets().into()),
            IpAddr::V6(v6) => (rtype::AAAA, v6.octets().into()),
        });
        ids.chain(addresses).collect()
    }

    /// Whether `name` lies in the zone, and in none below.
    fn is_inside(&self, name: &Name) -> Result<(), Verdict> {
        if self.base.zone_of(name) == Some(self.zone) { Ok(()) } else { Err(Verdict::OutsideZone) }
    }

    /// Whether a change may be made.
    fn may(&self, change: &Change, names: &LeaseNames) -> Result<(), Verdict> {
        let owner = change.owner();
        self.is_inside(owner)?;
        if !is_free(self.base, owner) {
            return Err(Verdict::NotAllowed);
        }
        let pointed = self.base.lease_networks().pointed_from(owner);
        let Change::Add(_, rtype, _, rdata) = change else { return self.owns(owner, names) };
        match (*rtype, pointed) {
            (rtype::PTR, Some((_, network))) => {
                let target = Name::from_wire(rdata).ok_or(Verdict::Malformed)?;
                let fits = network.key == *self.key && self.base.zone_of(&target) == Some(network.zone);
                if fits { Ok(()) } else { Err(Verdict::NotAllowed) }
            }
            (rtype::A | rtype::AAAA, None) => {
                let address = address_in(*rtype, rdata).ok_or(Verdict::Malformed)?;
                self.may_have(address, names)
            }
            (rtype::DHCID, None) if ID_OCTETS.contains(&rdata.len()) => {
                let mut networks = self.base.lease_networks().iter();
                let fits = networks.any(|network| network.zone == self.zone && network.key == *self.key);
                if fits { Ok(()) } else { Err(Verdict::NotAllowed) }
            }
            (rtype::DHCID, None) => Err(Verdict::Malformed),
            _ => Err(Verdict::NotAllowed),
        }
    }

    /// Whether all that `name` has is of networks whose updates are signed with this key.
    fn owns(&self, name: &Name, names: &LeaseNames) -> Result<(), Verdict> {
        let networks = self.base.lease_networks();
        let is_own = |address| networks.giving(address).is_none_or(|network| network.key == *self.key);
        let pointed = networks.pointed_from(name).map(|(address, _)| address);
        let named = names.get(name).into_iter().flat_map(|entry| &entry.addresses);
        if pointed.iter().chain(named).all(|address| is_own(*address)) {
            Ok(())
        } else {
            Err(Verdict::NotAllowed)
        }
    }

    /// Whether a name of the zone may have `address`.
    fn may_have(&self, address: IpAddr, names: &LeaseNames) -> Result<(), Verdict> {
        let network = self.base.lease_networks().giving(address);
        let network = network.filter(|network| network.zone == self.zone && network.key == *self.key);
        let network = network.ok_or(Verdict::NotAllowed)?;
        if names.len() >= NAMES_MAX {
            let pools = network.pools().iter();
            let taken: usize = pools.map(|pool| names.count_within(pool.first(), pool.last())).sum();
            if taken >= NAMES_MAX && names.count_within(address, address) == 0 {
                return Err(Verdict::Full);
            }
        }
        Ok(())
    }
}

impl Change {
    fn owner(&self) -> &Name {
        match self {
            Change::Add(owner, ..)
            | Change::Delete(owner, ..)
            | Change::DeleteRrset(owner, _)
            | Change::DeleteName(owner) => owner,
        }
    }

    /// Makes it, to a name.
    fn make(&self, entry: &mut LeaseName) {
        match self {
            Change::Add(_, rtype, ttl, rdata) => {
                // An RRset has one TTL (RFC 2181, section 5.2); these go together in any case.
                entry.ttl = *ttl & 0x7fff_ffff;
                match address_in(*rtype, rdata) {
                    Some(address) if !entry.addresses.contains(&address) => entry.addresses.push(address),
                    None if *rtype == rtype::DHCID && !entry.ids.contains(rdata) => {
                        entry.ids.push(rdata.clone());
                    }
                    Some(_) | None => {}
                }
            }
            Change::Delete(_, rtype, rdata) => {
                let address = address_in(*rtype, rdata);
                entry.addresses.retain(|own| Some(*own) != address);
                entry.ids.retain(|id| *rtype != rtype::DHCID || id != rdata);
            }
            Change::DeleteRrset(_, rtype) => {
                entry.addresses.retain(|own| *rtype != if own.is_ipv4() { rtype::A } else { rtype::AAAA });
                if *rtype == rtype::DHCID {
                    entry.ids.clear();
                }
            }
            Change::DeleteName(_) => *entry = LeaseName::default(),
        }
    }
}

/// Makes a change to the PTR record of an address.
fn point(address: IpAddr, change: &Change, names: &mut LeaseNames, before: &mut Before) {
    let is_same = |rdata: &[u8]| names.pointer(address).is_some_and(|pointer| *pointer.target == *rdata);
    let pointer = match change {
        Change::Add(_, _, ttl, rdata) => Some(Pointer { ttl: *ttl & 0x7fff_ffff, target: rdata.clone() }),
        Change::Delete(_, rtype::PTR, rdata) if is_same(rdata) => None,
        Change::DeleteRrset(_, rtype::PTR) | Change::DeleteName(_) => None,
        Change::Delete(..) | Change::DeleteRrset(..) => return,
    };
    names.set_pointer(address, pointer, before);
}

/// The address that data of an A or AAAA record are.
fn address_in(rtype: u16, rdata: &[u8]) -> Option<IpAddr> {
    match rtype {
        rtype::A => <[u8; 4]>::try_from(rdata).ok().map(|octets| Ipv4Addr::from(octets).into()),
        rtype::AAAA => <[u8; 16]>::try_from(rdata).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}
