//! A whole signed zone, as secondaries need it: every signature, and one chain of NSEC records through
//! all names (RFC 4035, section 2.3). The gaps that we make for each question cannot be copied.

use std::ops::Range;

use inventory_core::name::Name;
use inventory_core::records::bitmap;

use crate::core::dnssec::{Covered, Rrsig, Subject, ZoneSigner};
use crate::core::serial::UnixSeconds;
use crate::view::{DnsView, Labels, ZoneNumber, ZoneRecord, rtype};

/// Owners whose records are signed at a time: others want their turn.
const OWNERS: usize = 32;

/// A zone on its way, in canonical order.
#[derive(Debug)]
pub(super) struct SignedZone {
    zone: ZoneNumber,
    records: Vec<ZoneRecord>,
    owners: Vec<Owner>,
    next: usize,
}

#[derive(Debug)]
struct Owner {
    records: Range<usize>,
    kind: Kind,
}

/// What the zone has to say of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// All.
    Own,
    /// That it is delegated, and to whose keys.
    Cut,
    /// Nothing: it lies below a delegation.
    Below,
}

impl SignedZone {
    /// The zone as it is in `view`. Cost: a look at every name of the view, and the zone in memory.
    pub(super) fn new(view: &DnsView, zone: ZoneNumber) -> SignedZone {
        let records = view.records_of(zone);
        let entry = view.zones().zone(zone);
        let mut owners = Vec::new();
        let mut start = 0;
        // What lies below a delegation follows it in canonical order.
        let mut cut: Option<&Name> = None;
        for of_one in records.chunk_by(|a, b| a.owner == b.owner) {
            let end = start + of_one.len();
            let Some(first) = of_one.first() else { continue };
            let name = Labels::of(&first.owner);
            let relative = name.relative(name.count(), entry.depth);
            let delegates = of_one.iter().any(|record| record.rtype == rtype::NS) && !relative.is_empty();
            let kind = match () {
                () if cut.is_some_and(|cut| first.owner.is_within(cut)) => Kind::Below,
                () if entry.occludes(relative) => Kind::Below,
                () if delegates => Kind::Cut,
                () => Kind::Own,
            };
            if kind == Kind::Cut {
                cut = Some(&first.owner);
            }
            owners.push(Owner { records: start..end, kind });
            start = end;
        }
        SignedZone { zone, records, owners, next: 0 }
    }

    /// Calls `take` with the next records, signatures of `now` among them, but not with the SOA record. `None`
    /// if a signature cannot be made; `false` when there are no more.
    pub(super) fn step(
        &mut self,
        view: &DnsView,
        now: UnixSeconds,
        mut take: impl FnMut(&ZoneRecord),
    ) -> Option<bool> {
        let signer = view.signing().zone(self.zone)?;
        let writer = Writer { view, signer, zone: self.zone, now };
        let until = (self.next + OWNERS).min(self.owners.len());
        for place in self.next..until {
            let owner = self.owners.get(place)?;
            let records = self.records.get(owner.records.clone())?;
            writer.owner(records, owner.kind, &mut take)?;
            if owner.kind != Kind::Below {
                let next = self.owners.iter().skip(place + 1).find(|owner| owner.kind != Kind::Below);
                let next = next.or(self.owners.first())?;
                let next = self.records.get(next.records.start)?;
                writer.nsec(records, owner.kind, next, &mut take)?;
            }
        }
        self.next = until;
        Some(until < self.owners.len())
    }
}

struct Writer<'w> {
    view: &'w DnsView,
    signer: &'w ZoneSigner,
    zone: ZoneNumber,
    now: UnixSeconds,
}

impl Writer<'_> {
    /// The records of one owner with their signatures.
    fn owner(&self, records: &[ZoneRecord], kind: Kind, take: &mut impl FnMut(&ZoneRecord)) -> Option<()> {
        for rrset in records.chunk_by(|a, b| a.rtype == b.rtype) {
            let first = rrset.first()?;
            if first.rtype == rtype::SOA {
                self.keys(first, take)?;
            } else {
                rrset.iter().for_each(&mut *take);
            }
            if kind == Kind::Own || kind == Kind::Cut && first.rtype == rtype::DS {
                self.sign(rrset, take)?;
            }
        }
        Some(())
    }

    fn sign(&self, rrset: &[ZoneRecord], take: &mut impl FnMut(&ZoneRecord)) -> Option<()> {
        let first = rrset.first()?;
        let rdatas = rrset.iter().map(|record| [&*record.rdata, &[][..]]);
        let owner = [first.owner.as_wire(), &[][..]];
        let covered = Covered { owner, rtype: first.rtype, ttl: first.ttl, rdatas };
        let rrsig = self.view.signing().rrsig(self.signer, &covered, Subject::Record, self.now)?;
        take(&self.record(first, &rrsig));
        Some(())
    }

    /// The records of the zone's keys, which no inventory has, at the owner of its SOA record.
    fn keys(&self, soa: &ZoneRecord, take: &mut impl FnMut(&ZoneRecord)) -> Option<()> {
        for set in self.signer.sets() {
            let mut record = ZoneRecord { rtype: set.rtype, ttl: self.signer.ttl(), ..soa.clone() };
            for rdata in &set.rdatas {
                record.rdata = rdata.clone();
                take(&record);
            }
            for rrsig in self.view.signing().key_rrsigs(self.signer, set, self.now) {
                take(&self.record(&record, &rrsig?));
            }
        }
        Some(())
    }

    fn nsec(
        &self,
        records: &[ZoneRecord],
        kind: Kind,
        next: &ZoneRecord,
        take: &mut impl FnMut(&ZoneRecord),
    ) -> Option<()> {
        let first = records.first()?;
        let mut types: Vec<u16> = records.iter().map(|record| record.rtype).collect();
        types.retain(|rtype| kind == Kind::Own || matches!(*rtype, rtype::NS | rtype::DS));
        if types.contains(&rtype::SOA) {
            types.extend(self.signer.sets().iter().map(|set| set.rtype));
        }
        types.extend([rtype::RRSIG, rtype::NSEC]);
        let rdata = [next.owner.as_wire(), &bitmap(types)].concat();
        let ttl = self.view.zones().zone(self.zone).soa.negative_ttl;
        let nsec = ZoneRecord { owner: first.owner.clone(), rtype: rtype::NSEC, ttl, rdata: rdata.into() };
        take(&nsec);
        self.sign(&[nsec], take)
    }

    fn record(&self, covered: &ZoneRecord, rrsig: &Rrsig) -> ZoneRecord {
        let rdata = [&rrsig.head[..], self.signer.apex().as_wire(), &rrsig.signature].concat();
        ZoneRecord { rtype: rtype::RRSIG, rdata: rdata.into(), ..covered.clone() }
    }
}
