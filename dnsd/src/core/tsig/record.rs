//! The record that carries a signature (RFC 8945, section 4.2), and what a signature covers.

use ring::hmac;

use super::keyring::SharedKey;
use super::{code, count_record};
use crate::core::query::HEADER_OCTETS;
use crate::view::{Labels, rtype};

/// A signature as it stands at the end of a message.
#[derive(Clone)]
pub struct Signature<'m> {
    /// Name of the key.
    pub key: Labels,
    /// Name of the algorithm in wire form.
    pub(super) algorithm: &'m [u8],
    /// When it was made.
    pub(super) time: u64,
    pub(super) fudge: u16,
    pub(super) mac: &'m [u8],
    original_id: [u8; 2],
    pub(super) error: u16,
    pub(super) other: &'m [u8],
    /// Offset of the record.
    start: usize,
}

/// When a signature is made, and what it says beside.
pub(super) struct Stamp<'a> {
    pub(super) time: u64,
    pub(super) fudge: u16,
    pub(super) error: u16,
    pub(super) other: &'a [u8],
}

/// What takes the octets that a signature covers.
pub(super) trait Cover {
    fn cover(&mut self, octets: &[u8]);
}

impl Cover for hmac::Context {
    fn cover(&mut self, octets: &[u8]) {
        self.update(octets);
    }
}

impl Cover for Vec<u8> {
    fn cover(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Class ANY.
const CLASS_ANY: [u8; 2] = [0, 255];

impl<'m> Signature<'m> {
    /// Reads the record at offset `start`, the last one of `message`. `None` if it is malformed.
    pub fn read(message: &'m [u8], start: usize) -> Option<Signature<'m>> {
        let octets = message.get(start..)?;
        let key = Labels::read(octets).ok()?;
        let rest = octets.get(key.as_wire().len()..)?;
        let (&[t0, t1, c0, c1, _, _, _, _, l0, l1], rdata) = rest.split_first_chunk::<10>()?;
        let whole = u16::from_be_bytes([t0, t1]) == rtype::TSIG
            && [c0, c1] == CLASS_ANY
            && usize::from(u16::from_be_bytes([l0, l1])) == rdata.len();
        let name = Labels::read(rdata).ok().filter(|_| whole)?;
        let (algorithm, rest) = rdata.split_at_checked(name.as_wire().len())?;
        let (&[a, b, c, d, e, f, f0, f1, m0, m1], rest) = rest.split_first_chunk::<10>()?;
        let (mac, rest) = rest.split_at_checked(u16::from_be_bytes([m0, m1]).into())?;
        let (&[i0, i1, e0, e1, o0, o1], other) = rest.split_first_chunk::<6>()?;
        Some(Signature {
            key,
            algorithm,
            time: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
            fudge: u16::from_be_bytes([f0, f1]),
            mac,
            original_id: [i0, i1],
            error: u16::from_be_bytes([e0, e1]),
            other: Some(other).filter(|other| other.len() == usize::from(u16::from_be_bytes([o0, o1])))?,
            start,
        })
    }
}

/// Covers the signature before, with its length.
pub(super) fn cover_before(to: &mut impl Cover, before: &[u8]) {
    if let Ok(length) = u16::try_from(before.len()).map(u16::to_be_bytes)
        && !before.is_empty()
    {
        to.cover(&length);
        to.cover(before);
    }
}

/// Covers `message` as it was before it was signed.
pub(super) fn cover_message(to: &mut impl Cover, message: &[u8], signature: &Signature<'_>) -> Option<()> {
    let (header, rest) = message.get(..signature.start)?.split_first_chunk::<HEADER_OCTETS>()?;
    let mut header = *header;
    let [i0, i1, .., a0, a1] = &mut header;
    [*i0, *i1] = signature.original_id;
    [*a0, *a1] = u16::from_be_bytes([*a0, *a1]).checked_sub(1)?.to_be_bytes();
    to.cover(&header);
    to.cover(rest);
    Some(())
}

/// Covers everything that the record says, but for the signature itself.
pub(super) fn cover_variables(to: &mut impl Cover, key: &SharedKey, stamp: &Stamp<'_>) {
    to.cover(key.name.as_wire());
    to.cover(&CLASS_ANY);
    to.cover(&[0; 4]);
    to.cover(key.algorithm.as_wire());
    cover_timers(to, stamp);
    to.cover(&stamp.error.to_be_bytes());
    to.cover(&length(stamp.other));
    to.cover(stamp.other);
}

/// Covers only when it was made.
pub(super) fn cover_timers(to: &mut impl Cover, stamp: &Stamp<'_>) {
    let [_, _, time @ ..] = stamp.time.to_be_bytes();
    to.cover(&time);
    to.cover(&stamp.fudge.to_be_bytes());
}

/// Octets that the record takes.
pub(super) fn octets(key: &SharedKey, mac: usize, other: usize) -> usize {
    key.name.as_wire().len() + 10 + key.algorithm.as_wire().len() + 16 + mac + other
}

/// Appends the record to the message in `out` up to `at`; returns where it ends.
pub(super) fn append(
    key: &SharedKey,
    mac: &[u8],
    stamp: &Stamp<'_>,
    out: &mut [u8],
    at: usize,
) -> Option<usize> {
    write([key.name.as_wire(), key.algorithm.as_wire()], mac, stamp, out, at)
}

/// Appends a record that says that a signature was wrong, and is not signed itself.
pub(super) fn append_unsigned(
    signature: &Signature<'_>,
    error: u16,
    out: &mut [u8],
    at: usize,
) -> Option<usize> {
    debug_assert!(error != code::BADTIME, "that is said under a signature");
    let stamp = Stamp { time: signature.time, fudge: signature.fudge, error, other: &[] };
    write([signature.key.as_wire(), signature.algorithm], &[], &stamp, out, at)
}

fn write(names: [&[u8]; 2], mac: &[u8], stamp: &Stamp<'_>, out: &mut [u8], at: usize) -> Option<usize> {
    let [key, algorithm] = names;
    let id = *out.first_chunk::<2>()?;
    let mut rdata = algorithm.to_vec();
    cover_timers(&mut rdata, stamp);
    rdata.extend_from_slice(&length(mac));
    rdata.extend_from_slice(mac);
    rdata.extend_from_slice(&id);
    rdata.extend_from_slice(&stamp.error.to_be_bytes());
    rdata.extend_from_slice(&length(stamp.other));
    rdata.extend_from_slice(stamp.other);
    let head = [&rtype::TSIG.to_be_bytes()[..], &CLASS_ANY, &[0; 4], &length(&rdata)].concat();
    let mut end = at;
    for part in [key, &head, &rdata] {
        out.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    count_record(out)?;
    Some(end)
}

fn length(octets: &[u8]) -> [u8; 2] {
    u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes()
}
