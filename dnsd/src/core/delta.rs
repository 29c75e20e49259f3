//! What changed in a zone from one serial to a later one, as incremental transfers say it (RFC 1995,
//! section 4): the old SOA record, what went, the new SOA record, what came.

use crate::view::{Labels, WireRecord, ZoneChange, ZoneRecord, rtype};

/// One step of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Serial before.
    pub from: u32,
    /// Serial after.
    pub to: u32,
    /// Records in wire form, nothing compressed, in the order of a transfer.
    records: Box<[u8]>,
}

/// Octets of both serials.
const HEAD: usize = 8;

impl Delta {
    /// The step from the zone with the SOA record `before` to that with `after`.
    pub fn new(before: &ZoneRecord, after: &ZoneRecord, change: &ZoneChange) -> Option<Delta> {
        let mut records = Vec::new();
        for (soa, changed) in [(before, &change.removed), (after, &change.added)] {
            for record in std::iter::once(soa).chain(changed) {
                append(&WireRecord::from(record), &mut records)?;
            }
        }
        Some(Delta { from: serial_of(before)?, to: serial_of(after)?, records: records.into() })
    }

    /// The records in the order of a transfer.
    pub fn records(&self) -> impl Iterator<Item = WireRecord<'_>> {
        let mut rest = &*self.records;
        std::iter::from_fn(move || {
            let (record, tail) = read(rest)?;
            rest = tail;
            Some(record)
        })
    }

    /// Octets in memory.
    pub fn octets(&self) -> usize {
        HEAD + self.records.len()
    }

    /// As it is kept.
    pub fn to_octets(&self) -> Vec<u8> {
        [&self.from.to_be_bytes()[..], &self.to.to_be_bytes(), &self.records].concat()
    }

    /// What was kept; `None` if it is no delta.
    pub fn from_octets(octets: &[u8]) -> Option<Delta> {
        let (&[a, b, c, d, e, f, g, h], records) = octets.split_first_chunk::<HEAD>()?;
        let mut rest = records;
        while !rest.is_empty() {
            (_, rest) = read(rest)?;
        }
        let [from, to] = [[a, b, c, d], [e, f, g, h]].map(u32::from_be_bytes);
        Some(Delta { from, to, records: records.into() })
    }
}

/// The serial of a SOA record: the first of five numbers at the end.
pub(super) fn serial_of(soa: &ZoneRecord) -> Option<u32> {
    let &[a, b, c, d, ..] = soa.rdata.last_chunk::<20>().filter(|_| soa.rtype == rtype::SOA)?;
    Some(u32::from_be_bytes([a, b, c, d]))
}

fn append(record: &WireRecord<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(record.owner);
    out.extend_from_slice(&record.rtype.to_be_bytes());
    out.extend_from_slice(&record.ttl.to_be_bytes());
    out.extend_from_slice(&u16::try_from(record.rdata.len()).ok()?.to_be_bytes());
    out.extend_from_slice(record.rdata);
    Some(())
}

fn read(octets: &[u8]) -> Option<(WireRecord<'_>, &[u8])> {
    let labels = Labels::read(octets).ok()?;
    let (owner, rest) = octets.split_at_checked(labels.as_wire().len())?;
    let (&[t0, t1, a, b, c, d, l0, l1], rest) = rest.split_first_chunk::<8>()?;
    let (rdata, rest) = rest.split_at_checked(u16::from_be_bytes([l0, l1]).into())?;
    let (rtype, ttl) = (u16::from_be_bytes([t0, t1]), u32::from_be_bytes([a, b, c, d]));
    Some((WireRecord { owner, rtype, ttl, rdata }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::view;

    #[test]
    fn what_is_kept_is_read_back_and_anything_else_is_none() {
        let mut before = view("[zone.\"lab.example\"]\n[host.a]\nnetwork = \"lan\"\nip = \"10.20.0.9\"\n");
        let mut after = view("[zone.\"lab.example\"]\n[host.b]\nnetwork = \"lan\"\nip = \"10.20.0.9\"\n");
        before.set_serials(|_| 4);
        after.set_serials(|_| 5);
        let zone = after.zone_of(&crate::testing::name("lab.example")).unwrap();
        let change = after.changes_since(&before, |_| true).remove(&zone).unwrap();
        let delta = Delta::new(&before.soa(zone), &after.soa(zone), &change).unwrap();
        assert_eq!((delta.from, delta.to), (4, 5));
        let kept = delta.to_octets();
        assert_eq!(Delta::from_octets(&kept), Some(delta.clone()));
        let types: Vec<u16> = delta.records().map(|record| record.rtype).collect();
        assert_eq!(types, [rtype::SOA, rtype::A, rtype::SOA, rtype::A]);
        for length in 0..kept.len() {
            let cut = Delta::from_octets(&kept[..length]);
            assert!(cut.is_none_or(|cut| cut.records().count() < 4), "{length}");
        }
    }
}
