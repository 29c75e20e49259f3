//! How a record lies in the journal: so that it can be found and trusted even in the ruins of a file.
//!
//! Magic, length, checksum, position, JSON. The database has checksums of its own; these serve when it
//! cannot be opened any more and what is intact in it is gathered ([`salvage`]).

use std::collections::BTreeMap;

use crate::core::{Leased, Record};

const MAGIC: &[u8; 8] = b"hb-lease";
/// Magic, length, checksum, position.
const HEAD: usize = 8 + 2 + 4 + 8;

/// Appends the octets of a record at `position`, or nothing if it is too long, which no record of the core is.
pub(super) fn append(position: u64, record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; 2 + 4]);
    out.extend_from_slice(&position.to_be_bytes());
    let written = serde_json::to_writer(&mut *out, record);
    let octets = out.get_mut(start..).unwrap_or_default();
    if written.is_err() || seal(octets).is_none() {
        out.truncate(start);
    }
}

/// Writes length and checksum into the head of a record that is there but for them.
fn seal(octets: &mut [u8]) -> Option<()> {
    let len = u16::try_from(octets.len().checked_sub(HEAD)?).ok()?;
    let sum = checksum(octets.get(14..)?);
    octets.get_mut(8..10)?.copy_from_slice(&len.to_be_bytes());
    octets.get_mut(10..14)?.copy_from_slice(&sum.to_be_bytes());
    Some(())
}

/// The record at the beginning of `octets`, if it is intact.
fn decode(octets: &[u8]) -> Option<(u64, Record)> {
    split(octets).map(|(found, _)| found)
}

/// The intact records of `octets`, in which they stand one after the other, and whether there was anything else.
pub(super) fn read(octets: &[u8]) -> (Vec<(u64, Record)>, bool) {
    let (mut records, mut rest) = (Vec::new(), octets);
    while let Some((record, after)) = split(rest) {
        records.push(record);
        rest = after;
    }
    records.extend(salvage(rest));
    (records, !rest.is_empty())
}

/// The record at the beginning of `octets` and what comes after it, if it is intact.
fn split(octets: &[u8]) -> Option<((u64, Record), &[u8])> {
    let rest = octets.strip_prefix(MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (body, after) = rest.split_at_checked(8 + usize::from(u16::from_be_bytes(*len)))?;
    if checksum(body) != u32::from_be_bytes(*sum) {
        return None;
    }
    let (position, json) = body.split_first_chunk::<8>()?;
    Some(((u64::from_be_bytes(*position), serde_json::from_slice(json).ok()?), after))
}

/// Every intact record in `octets`, of each address the latest, in the order of their positions.
pub(super) fn salvage(octets: &[u8]) -> Vec<(u64, Record)> {
    let mut latest: BTreeMap<Leased, (u64, Record)> = BTreeMap::new();
    let mut at = 0;
    while let Some(found) = octets.get(at..).and_then(find_magic) {
        at += found;
        if let Some((position, record)) = octets.get(at..).and_then(decode)
            && latest.get(&record.address).is_none_or(|(other, _)| *other < position)
        {
            latest.insert(record.address, (position, record));
        }
        at += 1;
    }
    let mut records: Vec<_> = latest.into_values().collect();
    records.sort_by_key(|(position, _)| *position);
    records
}

fn find_magic(octets: &[u8]) -> Option<usize> {
    let first = MAGIC.first()?;
    let mut from = 0;
    loop {
        let at = from + octets.get(from..)?.iter().position(|octet| octet == first)?;
        if octets.get(at..)?.starts_with(MAGIC) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// CRC-32 (IEEE 802.3).
fn checksum(octets: &[u8]) -> u32 {
    let (eights, rest) = octets.as_chunks::<8>();
    let crc = eights.iter().fold(u32::MAX, |crc, eight| {
        let [a, b, c, d, e, f, g, h] = (u64::from_le_bytes(*eight) ^ u64::from(crc)).to_le_bytes();
        [h, g, f, e, d, c, b, a]
            .into_iter()
            .zip(&TABLES)
            .fold(0, |crc, (octet, table)| crc ^ of(table, octet))
    });
    !rest.iter().fold(crc, |crc, octet| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ of(&TABLES[0], low ^ octet)
    })
}

#[inline]
fn of(table: &[u32; 256], octet: u8) -> u32 {
    table.get(usize::from(octet)).copied().unwrap_or(0)
}

/// What an octet does to the checksum that so many octets come after, from none to seven: eight are taken at once.
static TABLES: [[u32; 256]; 8] = {
    let mut tables = [TABLE; 8];
    let mut after = 1;
    while after < 8 {
        let mut n = 0;
        while n < 256 {
            let crc = tables[after - 1][n];
            tables[after][n] = (crc >> 8) ^ TABLE[(crc & 0xff) as usize];
            n += 1;
        }
        after += 1;
    }
    tables
};

#[expect(clippy::cast_possible_truncation, reason = "it counts to 256")]
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ClientKey, State};
    use crate::shell::store::tests::encode;
    use inventory_core::mac::MacAddr;

    fn record(n: u8) -> Record {
        Record {
            address: std::net::Ipv4Addr::new(10, 0, 0, n).into(),
            client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, 0, n])),
            mac: None,
            name: None,
            relay_agent: None,
            state: State::Bound,
            written: 5,
            seconds: 60,
            clock: None,
        }
    }

    #[test]
    fn the_checksum_is_that_of_everybody() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!((checksum(b""), checksum(b"a")), (0, 0xe8b7_be43));
        assert_eq!(checksum(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }

    #[test]
    fn any_flipped_bit_and_any_cut_make_a_record_void() {
        let octets = encode(7, &record(1));
        assert_eq!(decode(&octets), Some((7, record(1))));
        for len in 0..octets.len() {
            assert_eq!(decode(&octets[..len]), None, "cut at {len}");
        }
        for bit in 0..octets.len() * 8 {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn intact_records_are_gathered_from_ruins_the_latest_of_each_address() {
        let mut ruins = b"hb-leasehb-lease\0\0".to_vec();
        for (position, n) in [(9, 1), (3, 2), (4, 1), (12, 3)] {
            ruins.extend(encode(position, &record(n)));
            ruins.extend([0, b'h', b'h']);
        }
        let end = ruins.len() - 5;
        let found = salvage(&ruins[..end]);
        assert_eq!(found, [(3, record(2)), (9, record(1))], "the last one is cut");
        assert_eq!(salvage(b""), []);
    }
}
