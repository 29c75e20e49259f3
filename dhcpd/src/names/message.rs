//! Updates on the wire (RFC 2136, section 2), signed (RFC 8945).

use inventory_core::model::{Key as ModelKey, KeyAlgorithm};
use inventory_core::name::Name;
use ring::hmac;

/// Record types that are told of.
pub(super) mod rtype {
    use std::net::IpAddr;

    pub(in super::super) const A: u16 = 1;
    pub(super) const SOA: u16 = 6;
    pub(in super::super) const PTR: u16 = 12;
    pub(in super::super) const AAAA: u16 = 28;
    pub(in super::super) const DHCID: u16 = 49;
    pub(super) const TSIG: u16 = 250;
    pub(super) const ANY: u16 = 255;

    /// Type and data of the record with this address.
    pub(in super::super) fn of(address: IpAddr) -> (u16, Box<[u8]>) {
        match address {
            IpAddr::V4(v4) => (A, v4.octets().into()),
            IpAddr::V6(v6) => (AAAA, v6.octets().into()),
        }
    }
}

const IN: u16 = 1;
const NONE: u16 = 254;
const ANY: u16 = 255;
/// Opcode UPDATE.
const OPCODE: u16 = 5;
const HEADER_OCTETS: usize = 12;
/// Seconds that the clocks of both sides may differ (RFC 8945, section 10).
const FUDGE: u16 = 300;

/// What has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prerequisite {
    InUse(Name),
    NotInUse(Name),
    /// The only record of this type is this one.
    Has(Name, u16, Box<[u8]>),
    HasNone(Name, u16),
}

/// What is to be done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Update {
    Add(Name, u16, u32, Box<[u8]>),
    Delete(Name, u16, Box<[u8]>),
    DeleteAll(Name, u16),
}

/// An update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) zone: Name,
    pub(super) prerequisites: Vec<Prerequisite>,
    pub(super) updates: Vec<Update>,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// This response code.
    Code(u8),
    /// Nothing that counts.
    Nothing,
}

/// What updates are signed with.
pub struct Key {
    name: Name,
    algorithm: Name,
    hmac: hmac::Key,
}

/// An update as it was sent.
#[derive(Debug)]
pub struct Sent {
    /// The message.
    pub octets: Vec<u8>,
    mac: Vec<u8>,
}

impl Key {
    /// The key of the inventory with this secret.
    pub fn new(key: &ModelKey, secret: &[u8]) -> Key {
        let by = match key.algorithm {
            KeyAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
            KeyAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
            KeyAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
        };
        let algorithm = Name::root().child(key.algorithm.word()).unwrap_or_else(|_| Name::root());
        Key { name: key.name.clone(), algorithm, hmac: hmac::Key::new(by, secret) }
    }

    /// The octets of what is signed beside the message.
    fn variables(&self, time: u64, fudge: u16, error: u16, other: &[u8]) -> Vec<u8> {
        let [_, _, time @ ..] = time.to_be_bytes();
        let mut octets = self.name.as_wire().to_vec();
        octets.extend_from_slice(&ANY.to_be_bytes());
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(self.algorithm.as_wire());
        octets.extend_from_slice(&time);
        octets.extend_from_slice(&fudge.to_be_bytes());
        octets.extend_from_slice(&error.to_be_bytes());
        octets.extend_from_slice(&length(other));
        octets.extend_from_slice(other);
        octets
    }
}

impl Request {
    /// The message with this id, signed at `now`, in seconds since 1970.
    pub fn sign(&self, id: u16, key: &Key, now: u64) -> Sent {
        let counts = [1, self.prerequisites.len(), self.updates.len(), 0];
        let counts = counts.map(|count| u16::try_from(count).unwrap_or(u16::MAX));
        let mut octets: Vec<u8> = [id, OPCODE << 11].map(u16::to_be_bytes).concat();
        octets.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        octets.extend_from_slice(self.zone.as_wire());
        octets.extend([rtype::SOA, IN].map(u16::to_be_bytes).concat());
        for one in &self.prerequisites {
            match one {
                Prerequisite::InUse(name) => record(name, rtype::ANY, ANY, 0, &[], &mut octets),
                Prerequisite::NotInUse(name) => record(name, rtype::ANY, NONE, 0, &[], &mut octets),
                Prerequisite::Has(name, rtype, rdata) => record(name, *rtype, IN, 0, rdata, &mut octets),
                Prerequisite::HasNone(name, rtype) => record(name, *rtype, NONE, 0, &[], &mut octets),
            }
        }
        for one in &self.updates {
            match one {
                Update::Add(name, rtype, ttl, rdata) => record(name, *rtype, IN, *ttl, rdata, &mut octets),
                Update::Delete(name, rtype, rdata) => record(name, *rtype, NONE, 0, rdata, &mut octets),
                Update::DeleteAll(name, rtype) => record(name, *rtype, ANY, 0, &[], &mut octets),
            }
        }
        let mut context = hmac::Context::with_key(&key.hmac);
        context.update(&octets);
        context.update(&key.variables(now, FUDGE, 0, &[]));
        let mac = context.sign().as_ref().to_vec();
        let [_, _, time @ ..] = now.to_be_bytes();
        let rdata = [
            key.algorithm.as_wire(),
            &time,
            &FUDGE.to_be_bytes(),
            &length(&mac),
            &mac,
            &id.to_be_bytes(),
            &[0; 4],
        ];
        record(&key.name, rtype::TSIG, ANY, 0, &rdata.concat(), &mut octets);
        if let Some(count) = octets.get_mut(HEADER_OCTETS - 2..HEADER_OCTETS) {
            count.copy_from_slice(&[0, 1]);
        }
        Sent { octets, mac }
    }
}

impl Sent {
    /// The response code that `message` brings, if it answers this and is signed with `key` at about `now`.
    pub fn answered_by(&self, message: &[u8], key: &Key, now: u64) -> Option<u8> {
        let (header, _) = message.split_first_chunk::<HEADER_OCTETS>()?;
        let [i0, i1, f0, f1, ..] = *header;
        let is_answer = f0 & 0xf8 == 0x80 | 5 << 3 && self.octets.get(..2) == Some(&[i0, i1]);
        let start = last_record(message, header)?;
        let rest = message.get(start..)?.strip_prefix(key.name.as_wire())?;
        let (&[t0, t1, _, _, _, _, _, _, l0, l1], rdata) = rest.split_first_chunk::<10>()?;
        let fits = u16::from_be_bytes([t0, t1]) == rtype::TSIG
            && usize::from(u16::from_be_bytes([l0, l1])) == rdata.len();
        let rdata = rdata.strip_prefix(key.algorithm.as_wire()).filter(|_| fits && is_answer)?;
        let (&[a, b, c, d, e, f, f2, f3, m0, m1], rest) = rdata.split_first_chunk::<10>()?;
        let (mac, rest) = rest.split_at_checked(u16::from_be_bytes([m0, m1]).into())?;
        let (&[o0, o1, e0, e1, _, _], other) = rest.split_first_chunk::<6>()?;
        let (time, fudge) = (u64::from_be_bytes([0, 0, a, b, c, d, e, f]), u16::from_be_bytes([f2, f3]));
        let mut covered = [&length(&self.mac)[..], &self.mac].concat();
        let at = covered.len();
        covered.extend_from_slice(message.get(..start)?);
        // It was signed before its signature was counted, under the id that it was sent with.
        let [.., n0, n1] = *header;
        let before = u16::from_be_bytes([n0, n1]).checked_sub(1)?.to_be_bytes();
        covered.get_mut(at..at + 2)?.copy_from_slice(&[o0, o1]);
        covered.get_mut(at + HEADER_OCTETS - 2..at + HEADER_OCTETS)?.copy_from_slice(&before);
        covered.extend(key.variables(time, fudge, u16::from_be_bytes([e0, e1]), other));
        hmac::verify(&key.hmac, &covered, mac).ok()?;
        (now.abs_diff(time) <= fudge.into()).then_some(f1 & 15)
    }
}

/// Where the last record of `message` starts.
fn last_record(message: &[u8], header: &[u8; HEADER_OCTETS]) -> Option<usize> {
    let [_, _, _, _, q0, q1, a0, a1, n0, n1, r0, r1] = *header;
    let [questions, records @ ..] = [[q0, q1], [a0, a1], [n0, n1], [r0, r1]].map(u16::from_be_bytes);
    let mut at = (0..questions).try_fold(HEADER_OCTETS, |at, _| Some(name_end(message, at)? + 4))?;
    let records: u32 = records.iter().map(|count| u32::from(*count)).sum();
    for _ in 1..records {
        at = name_end(message, at)? + 10;
        let length = message.get(at.checked_sub(2)?..at)?.first_chunk::<2>()?;
        at += usize::from(u16::from_be_bytes(*length));
    }
    (records > 0).then_some(at)
}

/// Where the name at `at` ends.
fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

fn record(name: &Name, rtype: u16, class: u16, ttl: u32, rdata: &[u8], octets: &mut Vec<u8>) {
    octets.extend_from_slice(name.as_wire());
    octets.extend([rtype, class].map(u16::to_be_bytes).concat());
    octets.extend_from_slice(&ttl.to_be_bytes());
    octets.extend_from_slice(&length(rdata));
    octets.extend_from_slice(rdata);
}

fn length(octets: &[u8]) -> [u8; 2] {
    u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes()
}
