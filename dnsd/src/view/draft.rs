//! Writing nodes: the records of one owner, gathered, put in order and laid out as
//! [`super::node`] reads them.

use std::borrow::Cow;

use inventory_core::records::{RecordType, canonical, covered_type};

use super::hash::record_digest;
use super::labels::Labels;
use super::node::{
    CUT, HAS_CHILDREN, KIND_NAME, KIND_V4, KIND_V6, Key, Node, OCCLUDED, REDIRECT, RRSET_HEAD, ZONE_MARK,
    holds_one_name, rtype,
};
use super::zone::ZoneIndex;

/// Most octets that an RRset may take in an answer: what is left of a message beside header, question
/// and OPT record.
const RRSET_OCTETS_MAX: usize = 65_535 - 12 - 259 - 11;
/// Most octets that an RRset may take in memory.
const STORED_OCTETS_MAX: usize = 0xffff;
/// Octets of a record before its RDATA, its owner compressed.
const RECORD_HEAD: usize = 12;

/// Why an RRset is left out of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It does not fit a message.
    TooLarge,
    /// Its owner has 255 types already.
    TooManyTypes,
}

/// Records of one owner. Used again for the next owner, so that nothing is allocated for each.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    records: Vec<DraftRecord>,
    octets: Vec<u8>,
    scratch: Vec<u8>,
    /// RRsets that were left out since the start, by type.
    pub(crate) left_out: Vec<(u16, LeftOut)>,
}

#[derive(Clone, Copy, Debug)]
struct DraftRecord {
    rtype: u16,
    ttl: u32,
    /// The data.
    octets: (usize, usize),
    /// The data by which it is compared: the same octets, but for names in mixed case.
    canonical: (usize, usize),
}

impl Draft {
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.octets.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether there is a record of this type.
    pub(crate) fn has(&self, rtype: u16) -> bool {
        self.records.iter().any(|record| record.rtype == rtype)
    }

    /// Takes a record; `rdata` is whole wire form, its names in lower case.
    pub(crate) fn add(&mut self, rtype: u16, ttl: u32, rdata: &[u8]) {
        let octets = self.keep(rdata);
        self.records.push(DraftRecord { rtype, ttl, octets, canonical: octets });
    }

    /// Takes a record that somebody wrote, with names in any case.
    pub(crate) fn add_written(&mut self, rtype: u16, ttl: u32, rdata: &[u8]) {
        let octets = self.keep(rdata);
        let canonical = match canonical(RecordType(rtype), rdata) {
            Cow::Borrowed(_) => octets,
            Cow::Owned(canonical) => self.keep(&canonical),
        };
        self.records.push(DraftRecord { rtype, ttl, octets, canonical });
    }

    fn keep(&mut self, octets: &[u8]) -> (usize, usize) {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        (start, self.octets.len())
    }

    /// Appends the node to `out`. `children` counts the names right below it. Returns the sum of the
    /// records' digests.
    ///
    /// Equal records become one (RFC 2181, section 5), and an RRset has the least of its records'
    /// TTLs (section 5.2).
    pub(crate) fn write(
        &mut self,
        key: Key<'_>,
        children: u32,
        zones: &ZoneIndex,
        out: &mut Vec<u8>,
    ) -> u128 {
        let octets = &self.octets;
        let at = |(start, end): (usize, usize)| octets.get(start..end).unwrap_or(&[]);
        let order = |record: &DraftRecord| (record.rtype, at(record.canonical), at(record.octets));
        self.records.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        let node_start = out.len();
        write_head(key, self.flags(key, zones), 0, children, out);
        let mut rrsets: u8 = 0;
        let mut digest: u128 = 0;
        // Signatures are sorted by what they cover, and each has the TTL of that (RFC 4034, section 3).
        let covered = |record: &DraftRecord| covered_type(RecordType(record.rtype), at(record.octets));
        let of_one = |a: &DraftRecord, b: &DraftRecord| a.rtype == b.rtype && covered(a) == covered(b);
        for records in self.records.chunk_by(of_one) {
            let rtype = records.first().map_or(0, |record| record.rtype);
            let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
            let rdatas = || {
                let mut last = None;
                let first = move |record: &&DraftRecord| {
                    last.replace(at(record.canonical)) != Some(at(record.canonical))
                };
                records.iter().filter(first).map(|record| at(record.octets))
            };
            let wire: usize = rdatas().map(|rdata| rdata.len() + RECORD_HEAD).sum();
            let written = (wire <= RRSET_OCTETS_MAX)
                .then(|| write_rrset(rtype, ttl, rdatas(), zones, out))
                .flatten()
                .ok_or(LeftOut::TooLarge)
                .and_then(|()| rrsets.checked_add(1).ok_or(LeftOut::TooManyTypes));
            match written {
                Ok(count) => rrsets = count,
                Err(reason) => {
                    self.left_out.push((rtype, reason));
                    continue;
                }
            }
            for rdata in rdatas() {
                digest = digest.wrapping_add(digest_of(key, rtype, ttl, rdata, zones, &mut self.scratch));
            }
        }
        if let Some(count) = out.get_mut(node_start + 1) {
            *count = rrsets;
        }
        digest
    }

    fn flags(&self, key: Key<'_>, zones: &ZoneIndex) -> u8 {
        let Key::Name(zone, relative) = key else { return 0 };
        let occluded = if zones.zone(zone).occludes(relative) { OCCLUDED } else { 0 };
        let cut = if self.has(rtype::NS) && !relative.is_empty() { CUT } else { 0 };
        let redirect = if self.has(rtype::DNAME) { REDIRECT } else { 0 };
        occluded | cut | redirect
    }
}

/// Appends `node` again, with another number of children.
pub(crate) fn rewrite(node: &Node<'_>, children: u32, out: &mut Vec<u8>) {
    let (flags, rrsets) = node.head();
    write_head(node.key(), flags, rrsets, children, out);
    out.extend_from_slice(node.body());
}

/// Sum of the digests of the records of `node`.
pub(crate) fn digest(node: &Node<'_>, zones: &ZoneIndex) -> u128 {
    let (mut rdata_octets, mut scratch) = (Vec::new(), Vec::new());
    let mut sum: u128 = 0;
    for rrset in node.rrsets() {
        for rdata in rrset.rdatas() {
            rdata_octets.clear();
            rdata.expand(zones, &mut rdata_octets);
            let digest =
                digest_of(node.key(), rrset.rtype(), rrset.ttl(), &rdata_octets, zones, &mut scratch);
            sum = sum.wrapping_add(digest);
        }
    }
    sum
}

/// Stands for one record. An address stands for its reverse name.
fn digest_of(
    key: Key<'_>,
    rtype: u16,
    ttl: u32,
    rdata: &[u8],
    zones: &ZoneIndex,
    scratch: &mut Vec<u8>,
) -> u128 {
    scratch.clear();
    match key {
        Key::Name(zone, relative) => {
            scratch.extend_from_slice(relative);
            scratch.extend_from_slice(zones.wire(zone));
        }
        Key::V4(address) => scratch.extend_from_slice(&address.to_be_bytes()),
        Key::V6(address) => scratch.extend_from_slice(&address.to_be_bytes()),
    }
    scratch.extend_from_slice(&rtype.to_be_bytes());
    scratch.extend_from_slice(&ttl.to_be_bytes());
    scratch.extend_from_slice(rdata);
    record_digest(scratch)
}

fn write_head(key: Key<'_>, flags: u8, rrsets: u8, children: u32, out: &mut Vec<u8>) {
    let flags = flags & (CUT | REDIRECT | OCCLUDED) | if children > 0 { HAS_CHILDREN } else { 0 };
    // Labels below an apex have at most 254 octets.
    let length = |octets: &[u8]| u8::try_from(octets.len()).unwrap_or(u8::MAX);
    match key {
        Key::Name(zone, relative) => {
            out.extend_from_slice(&[flags | KIND_NAME, rrsets, length(relative)]);
            out.extend_from_slice(&zone.to_octets());
        }
        Key::V4(_) => out.extend_from_slice(&[flags | KIND_V4, rrsets, 4]),
        Key::V6(_) => out.extend_from_slice(&[flags | KIND_V6, rrsets, 16]),
    }
    if children > 0 {
        out.extend_from_slice(&children.to_le_bytes());
    }
    match key {
        Key::Name(_, relative) => out.extend_from_slice(relative),
        Key::V4(address) => out.extend_from_slice(&address.to_le_bytes()),
        Key::V6(address) => out.extend_from_slice(&address.to_le_bytes()),
    }
}

/// Appends an RRset; `None`, and nothing is appended, if it is too large.
fn write_rrset<'a>(
    rtype: u16,
    ttl: u32,
    rdatas: impl Iterator<Item = &'a [u8]>,
    zones: &ZoneIndex,
    out: &mut Vec<u8>,
) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&rtype.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut count: u16 = 0;
    for rdata in rdatas {
        count = count.saturating_add(1);
        write_record(rtype, rdata, zones, out);
    }
    let octets = out.len() - start - RRSET_HEAD;
    let Some(octets) = u16::try_from(octets).ok().filter(|_| octets <= STORED_OCTETS_MAX) else {
        out.truncate(start);
        return None;
    };
    let [c0, c1] = count.to_le_bytes();
    let [o0, o1] = octets.to_le_bytes();
    out.get_mut(start + 6..start + RRSET_HEAD)?.copy_from_slice(&[c0, c1, o0, o1]);
    Some(())
}

fn write_record(rtype: u16, rdata: &[u8], zones: &ZoneIndex, out: &mut Vec<u8>) {
    let length = |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX).to_le_bytes();
    if holds_one_name(rtype)
        && let Ok(name) = Labels::read(rdata)
        && let Some(zone) = zones.find(&name, name.count())
        && let Some((labels, tail)) = rdata.split_at_checked(name.offset(zones.zone(zone).depth))
        && labels.len() + 4 < rdata.len()
        && *tail == *zones.wire(zone)
    {
        let [a, b, c] = zone.to_octets();
        out.extend_from_slice(&length(labels.len() + 4));
        out.extend_from_slice(labels);
        out.extend_from_slice(&[ZONE_MARK, a, b, c]);
    } else {
        out.extend_from_slice(&length(rdata.len()));
        out.extend_from_slice(rdata);
    }
}
