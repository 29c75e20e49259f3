//! How a record lies in the journal: so that it can be found and trusted even in the ruins of a file.
//!
//! Magic, length, checksum, position, JSON. The database has checksums of its own; these serve when it
//! cannot be opened any more and what is intact in it is gathered ([`salvage`]).

use std::collections::BTreeMap;

use crate::core::{Leased, Record};

const MAGIC: &[u8; 8] = b"hb-lease";
/// Magic, length, checksum, position.
const HEAD: usize = 8 + 2 + 4 + 8;

/// The octets of a record at `position`. `None`: it is too long, which no record of the core is.
pub(super) fn encode(position: u64, record: &Record) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(record).ok()?;
    let len = u16::try_from(json.len()).ok()?;
    let mut octets = Vec::with_capacity(HEAD + json.len());
    octets.extend_from_slice(MAGIC);
    octets.extend_from_slice(&len.to_be_bytes());
    octets.extend_from_slice(&[0; 4]);
    octets.extend_from_slice(&position.to_be_bytes());
    octets.extend_from_slice(&json);
    let sum = checksum(octets.get(14..)?);
    octets.get_mut(10..14)?.copy_from_slice(&sum.to_be_bytes());
    Some(octets)
}

/// The record at the beginning of `octets`, if it is intact.
pub(super) fn decode(octets: &[u8]) -> Option<(u64, Record)> {
    let rest = octets.strip_prefix(MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let body = rest.get(..8 + usize::from(u16::from_be_bytes(*len)))?;
    if checksum(body) != u32::from_be_bytes(*sum) {
        return None;
    }
    let (position, json) = body.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*position), serde_json::from_slice(json).ok()?))
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
    !octets.iter().fold(u32::MAX, |crc, octet| {
        let index = (crc ^ u32::from(*octet)) & 0xff;
        (crc >> 8) ^ TABLE.get(index as usize).copied().unwrap_or(0)
    })
}

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
    }

    #[test]
    fn any_flipped_bit_and_any_cut_make_a_record_void() {
        let octets = encode(7, &record(1)).unwrap();
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
            ruins.extend(encode(position, &record(n)).unwrap());
            ruins.extend([0, b'h', b'h']);
        }
        let end = ruins.len() - 5;
        let found = salvage(&ruins[..end]);
        assert_eq!(found, [(3, record(2)), (9, record(1))], "the last one is cut");
        assert_eq!(salvage(b""), []);
    }
}
