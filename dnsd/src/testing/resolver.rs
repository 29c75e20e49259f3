//! The reference resolver: RFC 1034, section 4.3.2, with RFC 4592 and RFC 6672, by walking down label
//! by label through sorted lists. Slow and meant to be obviously right.

use inventory_core::name::Name;

use crate::core::rcode;
use crate::view::{ZoneRecord, rtype};

use super::Reply;
use super::book::{Book, BookZone, sort};

/// What the answer has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) rcode: u16,
    pub(crate) aa: bool,
    /// Sorted within.
    pub(crate) answer: Vec<ZoneRecord>,
    pub(crate) authority: Vec<ZoneRecord>,
    /// Names and types of what may stand in the additional section.
    targets: Vec<(Name, u16)>,
    /// Addresses that have to.
    glue: Vec<ZoneRecord>,
    /// The names that were looked at.
    seen: Vec<Name>,
}

impl Expected {
    /// The name that the answer ends with.
    pub(crate) fn last(&self) -> Option<&Name> {
        self.seen.last()
    }
}

impl Book {
    /// The answer to a question of class IN.
    pub(crate) fn resolve(&self, name: &Name, qtype: u16) -> Expected {
        let mut expected = Expected {
            rcode: rcode::NOERROR,
            aa: true,
            answer: Vec::new(),
            authority: Vec::new(),
            targets: Vec::new(),
            glue: Vec::new(),
            seen: Vec::new(),
        };
        let mut next = Some(name.clone());
        while let Some(name) = next {
            next = self.step(&name, qtype, &mut expected);
        }
        sort(&mut expected.answer);
        sort(&mut expected.authority);
        expected
    }

    /// Looks at one name; returns the name to go on with.
    fn step(&self, name: &Name, qtype: u16, expected: &mut Expected) -> Option<Name> {
        let first = expected.seen.is_empty();
        if expected.seen.contains(name) || expected.seen.len() == 16 {
            return None;
        }
        expected.seen.push(name.clone());
        let Some(zone) = self.zone_for(name, qtype) else {
            if first {
                (expected.rcode, expected.aa) = (rcode::REFUSED, false);
            }
            return None;
        };
        let cut = zone.cut_above(name).or_else(|| {
            let here = *name != zone.apex && zone.has(name, rtype::NS) && qtype != rtype::DS;
            here.then(|| name.clone())
        });
        if let Some(cut) = cut {
            if cut != zone.apex && zone.has(&cut, rtype::NS) {
                self.refer(zone, &cut, first, expected);
                return None;
            }
            return redirect(zone, &cut, name, qtype, expected);
        }
        let source = if zone.names.contains(name) { Some(name.clone()) } else { zone.wildcard(name) };
        let Some(source) = source else {
            expected.rcode = rcode::NXDOMAIN;
            expected.authority = zone.soa();
            return None;
        };
        self.take(zone, &source, name, qtype, expected)
    }

    /// The zone that answers: for DS the one above, if that is ours.
    pub(crate) fn zone_for(&self, name: &Name, qtype: u16) -> Option<&BookZone> {
        let zone = &self.zones[self.zone_of(name)?];
        if qtype == rtype::DS
            && zone.apex == *name
            && let Some(above) = name.parent().and_then(|above| self.zone_of(&above))
        {
            return Some(&self.zones[above]);
        }
        Some(zone)
    }

    /// Takes the records of `source`, which is `name` or the wildcard that stands for it.
    fn take(
        &self,
        zone: &BookZone,
        source: &Name,
        name: &Name,
        qtype: u16,
        expected: &mut Expected,
    ) -> Option<Name> {
        let types = zone.sets.get(source).into_iter().flat_map(|sets| sets.keys().copied());
        let any = || types.clone().find(|rtype| *rtype != rtype::SOA);
        let rtype = if qtype == rtype::ANY { any() } else { zone.has(source, qtype).then_some(qtype) };
        let as_asked = |mut record: ZoneRecord| {
            record.owner = name.clone();
            record
        };
        if let Some(rtype) = rtype {
            let records = zone.set(source, rtype);
            for record in &records {
                expected.targets.extend(targets(record, name));
            }
            let known = expected.answer.clone();
            expected
                .answer
                .extend(records.into_iter().map(as_asked).filter(|record| !known.contains(record)));
            return None;
        }
        let alias = zone.set(source, rtype::CNAME);
        if let Some(record) = alias.into_iter().next() {
            let next = Name::from_wire(&record.rdata);
            expected.answer.push(as_asked(record));
            return next;
        }
        expected.authority = zone.soa();
        None
    }

    fn refer(&self, zone: &BookZone, cut: &Name, first: bool, expected: &mut Expected) {
        expected.aa = !first;
        expected.authority = zone.set(cut, rtype::NS);
        let servers: Vec<(Name, u16)> =
            expected.authority.iter().flat_map(|record| targets(record, cut)).collect();
        for (server, rtype) in servers.iter().filter(|(server, _)| server.is_within(cut)) {
            let Some(zone) = self.zone_of(server).map(|index| &self.zones[index]) else { continue };
            expected.glue.extend(zone.set(server, *rtype));
        }
        expected.targets.extend(servers);
    }

    /// Whether `reply` says what is expected. The additional section may leave out what is not glue, but
    /// holds nothing but whole RRsets of targets.
    pub(crate) fn judge(&self, reply: &Reply, expected: &Expected) -> Result<(), String> {
        let (mut answer, mut authority) = (reply.answer.clone(), reply.authority.clone());
        sort(&mut answer);
        sort(&mut authority);
        let said = (reply.rcode, reply.aa(), &answer, &authority);
        let meant = (expected.rcode, expected.aa, &expected.answer, &expected.authority);
        if said != meant || reply.tc() {
            return Err(format!("said  {}meant {}", lines(said), lines(meant)));
        }
        if let Some(missing) = expected.glue.iter().find(|record| !reply.additional.contains(record)) {
            return Err(format!("glue is missing: {missing}"));
        }
        for record in &reply.additional {
            let zone = self.zone_of(&record.owner).map(|index| &self.zones[index]);
            let set = zone.map(|zone| zone.set(&record.owner, record.rtype)).unwrap_or_default();
            let whole = !set.is_empty() && set.iter().all(|one| reply.additional.contains(one));
            let times = reply.additional.iter().filter(|other| *other == record).count();
            let wanted = expected.targets.contains(&(record.owner.clone(), record.rtype));
            if !(whole && wanted && set.contains(record) && times == 1) {
                return Err(format!("additional record {record}\nof {:#?}", reply.additional));
            }
        }
        Ok(())
    }
}

impl BookZone {
    /// The SOA record as it stands in a negative answer.
    fn soa(&self) -> Vec<ZoneRecord> {
        let mut soa = self.set(&self.apex, rtype::SOA);
        for record in &mut soa {
            let minimum = u32::from_be_bytes(*record.rdata.last_chunk().unwrap());
            record.ttl = record.ttl.min(minimum);
        }
        soa
    }

    /// The wildcard that stands for `name`, which does not exist (RFC 4592, section 3.3.1).
    fn wildcard(&self, name: &Name) -> Option<Name> {
        let above = std::iter::successors(name.parent(), Name::parent);
        let encloser = above.into_iter().find(|name| self.names.contains(name))?;
        encloser.child("*").ok().filter(|wildcard| self.names.contains(wildcard))
    }
}

/// Follows the DNAME record at `cut`, above `name`.
fn redirect(zone: &BookZone, cut: &Name, name: &Name, qtype: u16, expected: &mut Expected) -> Option<Name> {
    let dname = zone.set(cut, rtype::DNAME).swap_remove(0);
    if !expected.answer.contains(&dname) {
        expected.answer.push(dname.clone());
    } else if Name::from_wire(&dname.rdata).is_some_and(|target| target.is_within(cut)) {
        return None;
    }
    let head = &name.as_wire()[..name.as_wire().len() - cut.as_wire().len()];
    let Some(target) = Name::from_wire(&[head, &dname.rdata].concat()) else {
        expected.rcode = rcode::YXDOMAIN;
        return None;
    };
    let rdata = target.as_wire().into();
    expected.answer.push(ZoneRecord { owner: name.clone(), rtype: rtype::CNAME, ttl: dname.ttl, rdata });
    (qtype != rtype::CNAME).then_some(target)
}

type Said<'a> = (u16, bool, &'a Vec<ZoneRecord>, &'a Vec<ZoneRecord>);

fn lines((rcode, aa, answer, authority): Said<'_>) -> String {
    let mut text = format!("response code {rcode}, AA {aa}\n");
    for (section, records) in [("answer", answer), ("authority", authority)] {
        for record in records {
            text.push_str(&format!("  {section}: {record}\n"));
        }
    }
    text
}

/// The name that a record of `owner` points to, with each type that is asked for there next.
fn targets(record: &ZoneRecord, owner: &Name) -> Vec<(Name, u16)> {
    let rdata = &*record.rdata;
    let mut types = vec![rtype::A, rtype::AAAA];
    let before = match record.rtype {
        rtype::NS => 0,
        rtype::MX | rtype::AFSDB | rtype::RT | rtype::KX => 2,
        rtype::SRV => 6,
        rtype::SVCB | rtype::HTTPS if rdata[..2] == [0, 0] => {
            types.push(record.rtype);
            2
        }
        rtype::SVCB | rtype::HTTPS => 2,
        rtype::NAPTR => {
            match rdata[4..] {
                [1, b's' | b'S', ..] => types = vec![rtype::SRV],
                [1, b'a' | b'A', ..] => {}
                _ => return Vec::new(),
            }
            (0..3).fold(4, |at, _| at + 1 + usize::from(rdata[at]))
        }
        _ => return Vec::new(),
    };
    // Nothing but the name's end: of a service, its owner.
    let binding = [rtype::SVCB, rtype::HTTPS].contains(&record.rtype);
    let name = match &rdata[before..] {
        [0, ..] if binding && rdata[..2] == [0, 0] => return Vec::new(),
        [0, ..] if binding => owner.clone(),
        octets => {
            let mut at = 0;
            while octets[at] != 0 {
                at += 1 + usize::from(octets[at]);
            }
            Name::from_wire(&octets[..=at]).unwrap()
        }
    };
    types.into_iter().map(|rtype| (name.clone(), rtype)).collect()
}
