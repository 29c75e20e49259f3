//! A naive validator: RFC 4035, section 5, word by word. Shares nothing with the signer but `ring`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use inventory_core::name::Name;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

use super::Reply;
use super::book::{Book, BookZone};
use super::resolver::Expected;
use crate::core::rcode;
use crate::view::{ZoneRecord, rtype};

/// RDATA of the DNSKEY records of each signed zone.
pub(crate) type Anchors = BTreeMap<Name, Vec<Box<[u8]>>>;

/// Checks replies.
pub(crate) struct Validator<'v> {
    pub(crate) book: &'v Book,
    pub(crate) anchors: &'v Anchors,
    pub(crate) now: u32,
}

/// What an NSEC record says.
struct Nsec {
    owner: Name,
    next: Name,
    types: Vec<u16>,
}

impl Validator<'_> {
    /// Whether every signature of `reply` holds, none is missing, and what is not there is proven.
    pub(crate) fn judge(
        &self,
        name: &Name,
        qtype: u16,
        reply: &Reply,
        expected: &Expected,
    ) -> Result<(), String> {
        let mut expanded = Vec::new();
        for section in [&reply.answer, &reply.authority, &reply.additional] {
            self.signatures(section, reply, &mut expanded)?;
        }
        let nsecs = self.nsecs(reply)?;
        for (owner, encloser) in expanded {
            let closer = next_closer(&owner, &encloser);
            if !nsecs.iter().any(|nsec| nsec.covers(&closer)) {
                return Err(format!("`{owner}` came from a wildcard, and nothing denies `{closer}`"));
            }
        }
        let last = expected.last().unwrap_or(name);
        let Some(zone) = self.book.zone_for(last, qtype).filter(|zone| self.anchors.contains_key(&zone.apex))
        else {
            return Ok(());
        };
        let referred =
            reply.authority.iter().find(|record| record.rtype == rtype::NS && record.owner != zone.apex);
        match referred {
            Some(cut) => delegation(&cut.owner, reply, &nsecs),
            None if reply.rcode == rcode::NXDOMAIN => no_name(last, &nsecs),
            None if reply.authority.iter().any(|record| record.rtype == rtype::SOA) => {
                no_type(last, qtype, &nsecs)
            }
            None => Ok(()),
        }
    }

    /// Checks the signatures of one section; `expanded` gets the owners that wildcards stood for, and
    /// their closest enclosers.
    fn signatures(
        &self,
        section: &[ZoneRecord],
        reply: &Reply,
        expanded: &mut Vec<(Name, Name)>,
    ) -> Result<(), String> {
        let mut sets: BTreeMap<(&Name, u16), Vec<&ZoneRecord>> = BTreeMap::new();
        for record in section.iter().filter(|record| record.rtype != rtype::RRSIG) {
            sets.entry((&record.owner, record.rtype)).or_default().push(record);
        }
        for ((owner, rtype), set) in sets {
            let covering: Vec<&ZoneRecord> = section
                .iter()
                .filter(|record| record.rtype == rtype::RRSIG && record.owner == *owner)
                .filter(|record| record.rdata[..2] == rtype.to_be_bytes())
                .collect();
            if !self.is_signed(owner, rtype, reply) {
                if let Some(odd) = covering.first() {
                    return Err(format!("signed, and should not be: {odd}"));
                }
                continue;
            }
            if covering.is_empty() {
                return Err(format!("`{owner}` type {rtype} is not signed"));
            }
            for rrsig in covering {
                expanded.extend(self.verify(&set, rrsig).map_err(|why| format!("{rrsig}: {why}"))?);
            }
        }
        Ok(())
    }

    fn is_signed(&self, owner: &Name, rtype: u16, reply: &Reply) -> bool {
        if rtype == rtype::NSEC {
            return true;
        }
        let Some(zone) = self.book.zone_for(owner, rtype) else { return false };
        let cut = zone.cut_above(owner).is_some()
            || *owner != zone.apex && zone.has(owner, rtype::NS) && rtype != rtype::DS;
        let dname = |record: &&ZoneRecord| {
            let above =
                record.rtype == rtype::DNAME && record.owner != *owner && owner.is_within(&record.owner);
            // Asked for DS, the parent answers for the apex of a zone of its own.
            above
                && self
                    .book
                    .zone_for(&record.owner, rtype::DNAME)
                    .is_some_and(|of| of.apex == zone.apex || *owner == zone.apex)
        };
        let synthesised = rtype == rtype::CNAME && reply.answer.iter().any(|record| dname(&record));
        self.anchors.contains_key(&zone.apex) && !cut && !synthesised
    }

    /// The owner and its closest encloser if a wildcard stood for it.
    fn verify(&self, set: &[&ZoneRecord], rrsig: &ZoneRecord) -> Result<Option<(Name, Name)>, String> {
        let first = set[0];
        let (head, rest) = rrsig.rdata.split_at(18);
        let signer = Name::from_wire(&rest[..name_length(rest)]).ok_or("no signer")?;
        let signature = &rest[name_length(rest)..];
        let zone = self.book.zone_for(&first.owner, first.rtype).ok_or("no zone")?;
        // Both sides of a delegation have an NSEC record there.
        let zone = if first.rtype == rtype::NSEC { self.zone(&signer)? } else { zone };
        if signer != zone.apex {
            return Err(format!("signed by `{signer}`"));
        }
        let time = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap());
        if !(time(12) <= self.now && self.now <= time(8)) || rrsig.ttl != first.ttl || first.ttl > time(4) {
            return Err("times".to_owned());
        }
        let labels = usize::from(head[3]);
        let encloser = suffix(&first.owner, labels);
        let wildcard = labels < label_count(&first.owner);
        let owner = if wildcard { encloser.child("*").unwrap() } else { first.owner.clone() };
        let mut rdatas: Vec<&[u8]> = set.iter().map(|record| &*record.rdata).collect();
        rdatas.sort_unstable();
        let mut octets = [head, signer.as_wire()].concat();
        for rdata in rdatas {
            octets.extend_from_slice(owner.as_wire());
            octets.extend_from_slice(&first.rtype.to_be_bytes());
            octets.extend_from_slice(&[0, 1]);
            octets.extend_from_slice(&head[4..8]);
            octets.extend_from_slice(&u16::try_from(rdata.len()).unwrap().to_be_bytes());
            octets.extend_from_slice(rdata);
        }
        let holds = self.anchors[&signer].iter().any(|key| {
            let public = &key[4..];
            key[3] == head[2]
                && match key[3] {
                    13 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], public].concat())
                        .verify(&octets, signature)
                        .is_ok(),
                    15 => UnparsedPublicKey::new(&ED25519, public).verify(&octets, signature).is_ok(),
                    other => panic!("algorithm {other}"),
                }
        });
        if !holds {
            return Err("the signature does not hold".to_owned());
        }
        Ok(wildcard.then(|| (first.owner.clone(), encloser)))
    }

    fn zone(&self, apex: &Name) -> Result<&BookZone, String> {
        self.book.zones.iter().find(|zone| zone.apex == *apex).ok_or_else(|| format!("no zone `{apex}`"))
    }

    /// The NSEC records, each of which has to be true.
    fn nsecs(&self, reply: &Reply) -> Result<Vec<Nsec>, String> {
        let signature_of = |nsec: &ZoneRecord| {
            let mut all = reply.answer.iter().chain(&reply.authority);
            all.find(|other| {
                other.rtype == rtype::RRSIG && other.owner == nsec.owner && other.rdata[..2] == [0, 47]
            })
        };
        // One that a wildcard stands for says nothing of the names after it (RFC 4592, section 4.7).
        let is_expanded = |nsec: &ZoneRecord| {
            signature_of(nsec).is_some_and(|rrsig| usize::from(rrsig.rdata[3]) < label_count(&nsec.owner))
        };
        let all = reply.answer.iter().chain(&reply.authority).filter(|record| record.rtype == rtype::NSEC);
        all.filter(|record| !is_expanded(record))
            .map(|record| {
                let length = name_length(&record.rdata);
                let next = Name::from_wire(&record.rdata[..length]).ok_or("no next name")?;
                let nsec = Nsec { owner: record.owner.clone(), next, types: types(&record.rdata[length..]) };
                let rest = &signature_of(record).ok_or("no signature")?.rdata[18..];
                let signer = Name::from_wire(&rest[..name_length(rest)]).ok_or("no signer")?;
                let zone = self.zone(&signer)?;
                if !nsec.owner.is_within(&signer) {
                    return Err(format!("{record} is of `{signer}`"));
                }
                self.is_true(&nsec, zone)?;
                Ok(nsec)
            })
            .collect()
    }

    fn is_true(&self, nsec: &Nsec, zone: &BookZone) -> Result<(), String> {
        let own = |name: &&Name| zone.cut_above(name).is_none();
        if let Some(lost) = zone.names.iter().filter(own).find(|name| nsec.covers(name)) {
            return Err(format!("`{lost}` exists, and `{}` to `{}` denies it", nsec.owner, nsec.next));
        }
        let cut = nsec.owner != zone.apex && zone.has(&nsec.owner, rtype::NS);
        let mut wanted: Vec<u16> =
            zone.sets.get(&nsec.owner).into_iter().flat_map(|sets| sets.keys().copied()).collect();
        wanted.retain(|rtype| !cut || matches!(*rtype, rtype::NS | rtype::DS));
        if nsec.owner == zone.apex {
            wanted.extend([rtype::DNSKEY, rtype::CDS, rtype::CDNSKEY]);
        }
        wanted.extend([rtype::RRSIG, rtype::NSEC]);
        wanted.sort_unstable();
        if zone.cut_above(&nsec.owner).is_none() && nsec.types != wanted {
            return Err(format!("`{}` has types {wanted:?}, not {:?}", nsec.owner, nsec.types));
        }
        Ok(())
    }
}

impl Nsec {
    /// Whether `name` lies strictly within the gap (RFC 4034, section 6.1).
    fn covers(&self, name: &Name) -> bool {
        let (after, before) = (order(&self.owner, name).is_lt(), order(name, &self.next).is_lt());
        if order(&self.owner, &self.next).is_lt() { after && before } else { after || before }
    }

    /// Whether it is the parent's side of a delegation.
    fn is_of_cut(&self) -> bool {
        self.types.contains(&rtype::NS) && !self.types.contains(&rtype::SOA)
    }
}

fn delegation(cut: &Name, reply: &Reply, nsecs: &[Nsec]) -> Result<(), String> {
    let signed = reply.authority.iter().any(|record| record.owner == *cut && record.rtype == rtype::DS);
    let unsigned =
        nsecs.iter().any(|nsec| nsec.owner == *cut && nsec.is_of_cut() && !nsec.types.contains(&rtype::DS));
    if signed != unsigned { Ok(()) } else { Err(format!("nothing says whether `{cut}` is signed")) }
}

fn no_name(name: &Name, nsecs: &[Nsec]) -> Result<(), String> {
    let covering = nsecs.iter().find(|nsec| nsec.covers(name)).ok_or("nothing denies the name")?;
    if covering.is_of_cut() && name.is_within(&covering.owner) {
        return Err("the parent's side denies".to_owned());
    }
    let encloser = encloser(name, covering);
    let wildcard = encloser.child("*").map_err(|_| "no wildcard")?;
    let denied = nsecs.iter().any(|nsec| nsec.covers(&wildcard));
    if denied { Ok(()) } else { Err(format!("nothing denies `{wildcard}`")) }
}

fn no_type(name: &Name, qtype: u16, nsecs: &[Nsec]) -> Result<(), String> {
    let lacks = |nsec: &Nsec| {
        let parent_side = nsec.is_of_cut() && qtype != rtype::DS;
        !nsec.types.contains(&qtype) && !nsec.types.contains(&rtype::CNAME) && !parent_side
    };
    if nsecs.iter().any(|nsec| nsec.owner == *name && lacks(nsec)) {
        return Ok(());
    }
    let covering = nsecs.iter().find(|nsec| nsec.covers(name)).ok_or("nothing is said of the name")?;
    let wildcard = encloser(name, covering).child("*").map_err(|_| "no wildcard")?;
    // RFC 4592, section 4.2, leaves open what NS records of a wildcard mean.
    let lacking = nsecs.iter().any(|nsec| nsec.owner == wildcard && (lacks(nsec) || nsec.is_of_cut()));
    if lacking { Ok(()) } else { Err(format!("nothing is said of `{wildcard}`")) }
}

/// The longest name above `name` and one end of the gap: it exists.
fn encloser(name: &Name, nsec: &Nsec) -> Name {
    let above = std::iter::successors(name.parent(), Name::parent);
    let ends = [&nsec.owner, &nsec.next];
    above.into_iter().find(|above| ends.iter().any(|end| end.is_within(above))).unwrap()
}

/// Labels as signatures count them (RFC 4034, section 3.1.3).
fn label_count(owner: &Name) -> usize {
    owner.labels().count() - usize::from(owner.labels().next() == Some(b"*"))
}

fn next_closer(name: &Name, encloser: &Name) -> Name {
    suffix(name, encloser.labels().count() + 1)
}

fn suffix(name: &Name, labels: usize) -> Name {
    let skip = name.labels().count() - labels;
    std::iter::successors(Some(name.clone()), Name::parent).nth(skip).unwrap()
}

fn order(a: &Name, b: &Name) -> Ordering {
    let labels = |name: &Name| {
        let mut labels: Vec<Vec<u8>> = name.labels().map(<[u8]>::to_ascii_lowercase).collect();
        labels.reverse();
        labels
    };
    labels(a).cmp(&labels(b))
}

fn name_length(octets: &[u8]) -> usize {
    let mut at = 0;
    while octets[at] != 0 {
        at += 1 + usize::from(octets[at]);
    }
    at + 1
}

fn types(mut octets: &[u8]) -> Vec<u16> {
    let mut types = Vec::new();
    while let [window, length, rest @ ..] = octets {
        let (bits, rest) = rest.split_at((*length).into());
        for (place, octet) in (0..).zip(bits) {
            let set = (0..8).filter(|bit| octet & (0x80 >> bit) != 0);
            types.extend(set.map(|bit: u16| u16::from(*window) << 8 | (place * 8 + bit)));
        }
        octets = rest;
    }
    types
}
