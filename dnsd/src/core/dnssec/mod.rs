//! DNSSEC, signed while answering (RFC 4033 to 4035).
//!
//! A [`Signing`] belongs to a view: which zones are signed, with which keys, and the signatures that
//! were made before. What is signed is decided where the answer is written; nothing here looks at a
//! zone's data. Private keys are made and kept by the shell.
//!
//! What does not exist is denied by NSEC records over the least range there is (RFC 4470, "white
//! lies"): see [`denial`].

mod cache;
pub(super) mod denial;
mod key;
pub mod lifecycle;
mod rrsig;

use std::sync::Arc;

use inventory_core::name::Name;
use ring::rand::SystemRandom;

use crate::core::serial::UnixSeconds;
use crate::view::{ZoneNumber, record_digest, rtype};

pub use cache::SignatureCache;
pub use key::{Algorithm, Role, SIGNATURE_OCTETS, SigningKey};
pub use rrsig::{Covered, HEAD_OCTETS, LIFETIME, REFRESH, Rrsig, Validity};

use cache::Cached;

/// Entries of the table for what is not there. Names that do not exist are as many as anybody likes, so
/// they have a table of their own.
const DENIALS: usize = 1 << 14;
/// Entries of the other table, at least and at most.
const RECORDS: std::ops::RangeInclusive<usize> = 1 << 10..=1 << 20;

/// Which zones of a view are signed, and by what.
#[derive(Clone, Debug, Default)]
pub struct Signing {
    /// By zone number.
    zones: Box<[Option<Arc<ZoneSigner>>]>,
    signatures: Option<Arc<Signatures>>,
}

/// The signatures that were made.
#[derive(Debug)]
pub struct Signatures {
    records: SignatureCache,
    denials: SignatureCache,
    secret: [u8; 16],
    random: SystemRandom,
}

/// A zone's keys in use.
#[derive(Debug)]
pub struct ZoneSigner {
    apex: Name,
    /// Seconds that its keys' records live.
    ttl: u32,
    /// Sign the sets of keys.
    key_keys: Box<[Arc<SigningKey>]>,
    /// Signs everything else.
    zone_key: Arc<SigningKey>,
    sets: Box<[ApexSet]>,
    /// Stands for its keys and its edition.
    content: u128,
}

/// The keys that a zone has at one time.
#[derive(Clone, Debug)]
pub struct ZoneKeySet {
    /// Every key of the DNSKEY set.
    pub published: Vec<Arc<SigningKey>>,
    /// Those that sign the sets of keys.
    pub key_keys: Vec<Arc<SigningKey>>,
    /// The one that signs everything else.
    pub zone_key: Arc<SigningKey>,
    /// Those that the parent is asked to name (RFC 7344, section 4).
    pub delegated: Vec<Arc<SigningKey>>,
}

/// Records at a signed zone's apex that no inventory has: DNSKEY, CDS, CDNSKEY.
#[derive(Debug)]
pub struct ApexSet {
    /// Number of the type.
    pub rtype: u16,
    /// RDATA of each, sorted.
    pub rdatas: Box<[Box<[u8]>]>,
}

/// Where a signature is remembered: what there is too much of drives nothing else out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A record of the zone, or an NSEC record of a name that exists.
    Record,
    /// An NSEC record over a name that does not exist, or what is worked out for an address of an IPv6 pool.
    Countless,
}

impl Signatures {
    /// Room for the signatures of so many RRsets, as far as that is bounded. `secret`: octets that nobody
    /// can guess.
    pub fn new(rrsets: usize, secret: [u8; 16]) -> Signatures {
        Signatures {
            records: SignatureCache::new(rrsets.clamp(*RECORDS.start(), *RECORDS.end())),
            denials: SignatureCache::new(DENIALS),
            secret,
            random: SystemRandom::new(),
        }
    }

    /// RRsets that there is room for.
    pub fn capacity(&self) -> usize {
        self.records.capacity()
    }

    /// The same with room for so many RRsets, if that is much more.
    pub fn grown(&self, rrsets: usize) -> Option<Signatures> {
        let wanted = rrsets.clamp(*RECORDS.start(), *RECORDS.end());
        if wanted <= self.capacity() {
            return None;
        }
        let larger = Signatures::new(wanted, self.secret);
        larger.records.take_over(&self.records);
        larger.denials.take_over(&self.denials);
        Some(larger)
    }
}

impl Signing {
    /// Zones by number with what signs them.
    pub fn new(zones: Vec<Option<Arc<ZoneSigner>>>, signatures: Arc<Signatures>) -> Signing {
        Signing { zones: zones.into(), signatures: Some(signatures) }
    }

    /// Whether any zone is signed.
    pub fn is_on(&self) -> bool {
        self.signatures.is_some()
    }

    /// Signatures over what is not there that are remembered.
    #[cfg(test)]
    pub(crate) fn denials(&self) -> usize {
        self.signatures.as_ref().map_or(0, |signatures| signatures.denials.count())
    }

    /// What signs `zone`; `None` if nothing does.
    #[inline]
    pub fn zone(&self, zone: ZoneNumber) -> Option<&ZoneSigner> {
        self.zones.get(zone.0 as usize)?.as_deref()
    }

    /// The signature of an RRset of the zone of `signer`, made at `now` if need be. `None` if there is no
    /// randomness.
    ///
    /// Cost: a hash of the RRset if it was asked for before, else some ten microseconds.
    #[inline]
    pub fn rrsig<'a, I>(
        &self,
        signer: &ZoneSigner,
        covered: &Covered<'a, I>,
        subject: Subject,
        now: UnixSeconds,
    ) -> Option<Rrsig>
    where
        I: Iterator<Item = [&'a [u8]; 2]> + Clone,
    {
        self.signature(signer, &signer.zone_key, covered, subject, now)
    }

    /// The signatures of a set of keys.
    pub fn key_rrsigs<'s>(
        &'s self,
        signer: &'s ZoneSigner,
        set: &'s ApexSet,
        now: UnixSeconds,
    ) -> impl Iterator<Item = Option<Rrsig>> + 's {
        let covered = signer.covered(set);
        signer.key_keys.iter().map(move |key| self.signature(signer, key, &covered, Subject::Record, now))
    }

    fn signature<'a, I>(
        &self,
        signer: &ZoneSigner,
        key: &SigningKey,
        covered: &Covered<'a, I>,
        subject: Subject,
        now: UnixSeconds,
    ) -> Option<Rrsig>
    where
        I: Iterator<Item = [&'a [u8]; 2]> + Clone,
    {
        let signatures = self.signatures.as_deref()?;
        let digest = covered.digest(key, &signatures.secret);
        let cache = match subject {
            Subject::Record => &signatures.records,
            Subject::Countless => &signatures.denials,
        };
        if let Some(Cached { validity, signature }) = cache.get(digest).filter(|it| it.validity.is_fresh(now))
        {
            return Some(Rrsig { head: covered.head(key, validity), signature });
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits of it do")]
        let validity = Validity::at(now, (digest >> 32) as u64);
        let head = covered.head(key, validity);
        let signature = key.sign(&covered.octets(&head, signer.apex.as_wire()), &signatures.random)?;
        cache.put(digest, &Cached { validity, signature });
        Some(Rrsig { head, signature })
    }
}

impl ZoneSigner {
    /// What signs `apex`, whose keys' records live for `ttl` seconds. `edition`: secondaries need new
    /// signatures when it changes.
    pub fn new(apex: Name, ttl: u32, keys: ZoneKeySet, edition: u64) -> ZoneSigner {
        let set = |rtype, mut rdatas: Vec<Box<[u8]>>| {
            rdatas.sort_unstable();
            ApexSet { rtype, rdatas: rdatas.into() }
        };
        let dnskeys = |keys: &[Arc<SigningKey>]| keys.iter().map(|key| Box::from(key.dnskey())).collect();
        let ds = keys.delegated.iter().map(|key| key.ds(apex.as_wire())).collect();
        let sets = [
            set(rtype::DNSKEY, dnskeys(&keys.published)),
            set(rtype::CDS, ds),
            set(rtype::CDNSKEY, dnskeys(&keys.delegated)),
        ];
        let mut content = record_digest(&[edition, keys.zone_key.id()].map(u64::to_be_bytes).concat());
        for set in &sets {
            for rdata in &set.rdatas {
                let octets = [&set.rtype.to_be_bytes()[..], &ttl.to_be_bytes(), rdata].concat();
                content = content.wrapping_add(record_digest(&octets));
            }
        }
        let ZoneKeySet { key_keys, zone_key, .. } = keys;
        ZoneSigner { apex, ttl, key_keys: key_keys.into(), zone_key, sets: sets.into(), content }
    }

    /// A number that stands for its keys and its edition: another one is another content of the zone.
    pub fn content(&self) -> u128 {
        self.content
    }

    /// Name of the zone.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Seconds that the records of its keys live.
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// The records of its keys, by type.
    pub fn sets(&self) -> &[ApexSet] {
        &self.sets
    }

    /// Those of type `rtype`.
    pub fn set(&self, rtype: u16) -> Option<&ApexSet> {
        self.sets.iter().find(|set| set.rtype == rtype)
    }

    /// What is signed of a set of keys.
    pub(super) fn covered<'s>(
        &'s self,
        set: &'s ApexSet,
    ) -> Covered<'s, impl Iterator<Item = [&'s [u8]; 2]> + Clone + use<'s>> {
        let rdatas = set.rdatas.iter().map(|rdata| [&**rdata, &[][..]]);
        Covered { owner: [self.apex.as_wire(), &[]], rtype: set.rtype, ttl: self.ttl, rdatas }
    }
}
