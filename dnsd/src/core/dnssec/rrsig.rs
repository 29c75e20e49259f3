//! RRSIG records (RFC 4034, section 3): what is signed, for how long.

use std::hash::Hasher as _;

use inventory_core::records::{RecordType, canonical};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::core::serial::UnixSeconds;
use crate::view::labels_of;

use super::key::{SIGNATURE_OCTETS, SigningKey};

/// Seconds that a signature lives.
pub const LIFETIME: u32 = 14 * DAY;
/// Seconds that a signature has left at least when it is given away: half of its life, so that secondaries
/// and an operator have days to notice that none comes any more.
pub const REFRESH: u32 = 7 * DAY;
/// Seconds by which lives differ, so that not all signatures are made anew at once.
const JITTER: u32 = DAY;
/// Seconds that a signature is older than it is, for validators whose clocks are behind.
const BACKDATED: u32 = 3600;
const DAY: u32 = 86_400;
/// Octets of an RRSIG record's RDATA before the signer's name.
pub const HEAD_OCTETS: usize = 18;
/// Class IN.
const CLASS_IN: [u8; 2] = [0, 1];

/// From when to when a signature holds: seconds since 1970 modulo 2^32 (RFC 4034, section 3.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub inception: u32,
    /// The last one.
    pub expiration: u32,
}

/// An RRset to be signed. `rdatas` yields each RDATA in two parts, as in the view.
#[derive(Clone, Debug)]
pub struct Covered<'a, I> {
    /// Owner in two parts, in lower case: labels, then a name. A wildcard as it stands in the zone.
    pub owner: [&'a [u8]; 2],
    /// Number of the type.
    pub rtype: u16,
    /// Seconds, as in the zone.
    pub ttl: u32,
    /// RDATA.
    pub rdatas: I,
}

/// RDATA of an RRSIG record, but for the signer's name, which goes between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rrsig {
    /// What comes before the name.
    pub head: [u8; HEAD_OCTETS],
    /// What comes after it.
    pub signature: [u8; SIGNATURE_OCTETS],
}

impl Validity {
    /// That of a signature made at `now`. `seed` says how much it differs from others.
    pub(super) fn at(now: UnixSeconds, seed: u64) -> Validity {
        let now = now.low_half();
        let jitter = |most: u32, seed: u64| u32::try_from(seed % u64::from(most)).unwrap_or(0);
        Validity {
            inception: now.wrapping_sub(BACKDATED).wrapping_sub(jitter(BACKDATED, seed >> 32)),
            expiration: now.wrapping_add(LIFETIME).wrapping_sub(jitter(JITTER, seed & 0xffff_ffff)),
        }
    }

    /// Whether a signature may still be given away at `now`: it holds, and will for [`REFRESH`] seconds.
    pub(super) fn is_fresh(self, now: UnixSeconds) -> bool {
        let now = now.low_half();
        // Distances as RFC 1982 reckons; a clock that was set leaves one of them.
        let since = now.wrapping_sub(self.inception);
        let left = self.expiration.wrapping_sub(now);
        since <= LIFETIME && (REFRESH..=LIFETIME + 2 * BACKDATED).contains(&left)
    }

    pub(super) fn to_word(self) -> u64 {
        u64::from(self.inception) << 32 | u64::from(self.expiration)
    }

    pub(super) fn from_word(word: u64) -> Validity {
        let [a, b, c, d, e, f, g, h] = word.to_be_bytes();
        let [inception, expiration] = [[a, b, c, d], [e, f, g, h]].map(u32::from_be_bytes);
        Validity { inception, expiration }
    }
}

impl<'a, I: Iterator<Item = [&'a [u8]; 2]> + Clone> Covered<'a, I> {
    /// Stands for the RRset and the key that signs it. `secret`: only who knows it can find two that meet.
    pub(super) fn digest(&self, key: &SigningKey, secret: &[u8; 16]) -> u128 {
        let mut hasher = SipHasher13::new_with_key(secret);
        let [i0, i1, i2, i3, i4, i5, i6, i7] = key.id().to_le_bytes();
        let [[t0, t1, t2, t3], [_, _, r0, r1]] = [self.ttl, self.rtype.into()].map(u32::to_be_bytes);
        hasher.write(&[i0, i1, i2, i3, i4, i5, i6, i7, t0, t1, t2, t3, r0, r1]);
        self.owner.iter().for_each(|part| hasher.write(part));
        for [head, tail] in self.rdatas.clone() {
            let length = u32::try_from(head.len() + tail.len()).unwrap_or(u32::MAX);
            hasher.write(&length.to_be_bytes());
            hasher.write(head);
            hasher.write(tail);
        }
        hasher.finish128().as_u128()
    }

    /// What stands before the signer's name in a signature by `key` that holds for `validity`.
    pub(super) fn head(&self, key: &SigningKey, validity: Validity) -> [u8; HEAD_OCTETS] {
        let [[t0, t1], [k0, k1]] = [self.rtype, key.tag()].map(u16::to_be_bytes);
        let words = [self.ttl, validity.expiration, validity.inception].map(u32::to_be_bytes);
        let [[o0, o1, o2, o3], [e0, e1, e2, e3], [i0, i1, i2, i3]] = words;
        let (algorithm, labels) = (key.algorithm().number(), self.labels());
        [t0, t1, algorithm, labels, o0, o1, o2, o3, e0, e1, e2, e3, i0, i1, i2, i3, k0, k1]
    }

    /// The octets that a signature with this head covers (RFC 4034, section 3.1.8.1).
    pub(super) fn octets(&self, head: &[u8; HEAD_OCTETS], signer: &[u8]) -> Vec<u8> {
        let of_one = |parts: [&[u8]; 2]| canonical(RecordType(self.rtype), &parts.concat()).into_owned();
        let mut rdatas: Vec<Vec<u8>> = self.rdatas.clone().map(of_one).collect();
        rdatas.sort_unstable();
        rdatas.dedup();
        let mut octets = [head, signer].concat();
        for rdata in &rdatas {
            self.owner.iter().for_each(|part| octets.extend_from_slice(part));
            octets.extend_from_slice(&self.rtype.to_be_bytes());
            octets.extend_from_slice(&CLASS_IN);
            octets.extend_from_slice(&self.ttl.to_be_bytes());
            octets.extend_from_slice(&u16::try_from(rdata.len()).unwrap_or(u16::MAX).to_be_bytes());
            octets.extend_from_slice(rdata);
        }
        octets
    }

    /// Labels of the owner, neither the root nor a wildcard's asterisk counted (RFC 4034, section 3.1.3).
    fn labels(&self) -> u8 {
        let labels = || self.owner.iter().flat_map(|part| labels_of(part));
        let wildcard = labels().next() == Some(b"*");
        u8::try_from(labels().count() - usize::from(wildcard)).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn signatures_are_fresh_for_half_of_their_life_and_never_across_a_clock_that_was_set() {
        for seed in [0, u64::MAX, 0x1234_5678_9abc_def0] {
            for now in [NOW, 0xffff_ffff, 0x1_0000_0005] {
                let validity = Validity::at(UnixSeconds(now), seed);
                assert_eq!(Validity::from_word(validity.to_word()), validity);
                let fresh = |later: i64| validity.is_fresh(UnixSeconds(now.saturating_add_signed(later)));
                assert!(fresh(0) && fresh(5 * 86_400), "{now}");
                assert!(!fresh(7 * 86_400 + 1), "it is old");
                assert!(!fresh(30 * 86_400), "it is over");
                assert!(fresh(-3599), "a clock that is set back a little");
                assert!(!fresh(-2 * 3600 - 1) && !fresh(-400 * 86_400), "it is not yet");
                assert!(!fresh(40_000 * 86_400), "a century later");
            }
        }
    }
}
