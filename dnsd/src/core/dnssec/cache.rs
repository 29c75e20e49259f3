//! Signatures that were made, so that none is made twice.
//!
//! They are found by a digest of all that they cover, so an edit needs no word to this table: what
//! changed has another digest, and what did not keeps its signature from one view to the next. The
//! table has a fixed size. It takes no lock: an entry is written between two steps of its counter, and
//! who reads it while that happens has not found it.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use super::key::SIGNATURE_OCTETS;
use super::rrsig::Validity;

/// Entries that a digest may stand in.
const WAYS: usize = 4;
/// Words of a signature.
const SIGNATURE_WORDS: usize = SIGNATURE_OCTETS / 8;

/// A table of signatures.
#[derive(Debug)]
pub struct SignatureCache {
    /// A power of two of groups of [`WAYS`].
    entries: Box<[Entry]>,
}

#[derive(Debug, Default)]
struct Entry {
    /// Odd while it is written; zero if it never was.
    steps: AtomicU64,
    digest: [AtomicU64; 2],
    /// Inception and expiration.
    validity: AtomicU64,
    signature: [AtomicU64; SIGNATURE_WORDS],
}

/// A signature, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cached {
    /// From when to when.
    pub validity: Validity,
    /// The signature.
    pub signature: [u8; SIGNATURE_OCTETS],
}

impl SignatureCache {
    /// A table of so many entries at least. Cost: 96 octets each.
    pub fn new(entries: usize) -> SignatureCache {
        let entries = entries.next_power_of_two().max(WAYS);
        SignatureCache { entries: (0..entries).map(|_| Entry::default()).collect() }
    }

    /// Number of entries that there is room for.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// Number of entries in use.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.entries.iter().filter_map(Entry::read).count()
    }

    /// The signature of what has this digest.
    pub(super) fn get(&self, digest: u128) -> Option<Cached> {
        self.group(digest)?
            .iter()
            .find_map(|entry| entry.read().filter(|(of, _)| *of == digest))
            .map(|(_, found)| found)
    }

    /// Keeps a signature, perhaps in place of another.
    pub(super) fn put(&self, digest: u128, cached: &Cached) {
        let Some(group) = self.group(digest) else { return };
        let of = |entry: &&Entry| entry.read().is_some_and(|(of, _)| of == digest);
        let unused = |entry: &&Entry| entry.steps.load(Ordering::Relaxed) == 0;
        let any = (digest >> 96) as usize % WAYS;
        let entry = group.iter().find(of).or_else(|| group.iter().find(unused)).or_else(|| group.get(any));
        if let Some(entry) = entry {
            entry.write(digest, cached);
        }
    }

    /// Takes over what is in `other`.
    pub fn take_over(&self, other: &SignatureCache) {
        for (digest, cached) in other.entries.iter().filter_map(Entry::read) {
            self.put(digest, &cached);
        }
    }

    fn group(&self, digest: u128) -> Option<&[Entry]> {
        let start = digest as usize & (self.entries.len() - 1) & !(WAYS - 1);
        self.entries.get(start..start + WAYS)
    }
}

impl Entry {
    fn read(&self) -> Option<(u128, Cached)> {
        let steps = self.steps.load(Ordering::Acquire);
        if steps == 0 || steps & 1 == 1 {
            return None;
        }
        let [high, low] = self.digest.each_ref().map(|word| word.load(Ordering::Relaxed));
        let validity = Validity::from_word(self.validity.load(Ordering::Relaxed));
        let words = self.signature.each_ref().map(|word| word.load(Ordering::Relaxed).to_ne_bytes());
        fence(Ordering::Acquire);
        if self.steps.load(Ordering::Relaxed) != steps {
            return None;
        }
        let signature = words.as_flattened().try_into().ok()?;
        Some((u128::from(high) << 64 | u128::from(low), Cached { validity, signature }))
    }

    fn write(&self, digest: u128, cached: &Cached) {
        let steps = self.steps.load(Ordering::Relaxed);
        let taken = steps & 1 == 0
            && self.steps.compare_exchange(steps, steps + 1, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if !taken {
            // Somebody writes here: this signature is made once more, at worst.
            return;
        }
        fence(Ordering::Release);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
        let halves = [(digest >> 64) as u64, digest as u64];
        for (place, half) in self.digest.iter().zip(halves) {
            place.store(half, Ordering::Relaxed);
        }
        self.validity.store(cached.validity.to_word(), Ordering::Relaxed);
        for (place, word) in self.signature.iter().zip(cached.signature.as_chunks::<8>().0) {
            place.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
        }
        self.steps.store(steps + 2, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(number: u8) -> Cached {
        let validity = Validity { inception: number.into(), expiration: u32::from(number) + 9 };
        Cached { validity, signature: [number; SIGNATURE_OCTETS] }
    }

    #[test]
    fn what_is_put_is_found_until_it_is_displaced() {
        let cache = SignatureCache::new(8);
        assert_eq!(cache.get(1), None);
        cache.put(1, &cached(1));
        cache.put(1, &cached(2));
        assert_eq!(cache.get(1), Some(cached(2)));
        for digest in 0..1000 {
            cache.put(digest << 96 | 4, &cached(3));
        }
        assert_eq!(cache.get(1), Some(cached(2)), "another group");
        let found = (0..1000).filter(|digest| cache.get(digest << 96 | 4).is_some()).count();
        assert_eq!(found, WAYS);
        let larger = SignatureCache::new(64);
        larger.take_over(&cache);
        assert_eq!(larger.get(1), Some(cached(2)));
    }

    #[test]
    fn who_reads_while_others_write_finds_whole_entries_or_none() {
        let cache = SignatureCache::new(4);
        std::thread::scope(|scope| {
            for number in 1..4_u8 {
                let cache = &cache;
                scope.spawn(move || (0..20_000).for_each(|_| cache.put(7, &cached(number))));
            }
            for _ in 0..60_000 {
                if let Some(found) = cache.get(7) {
                    let [number, ..] = found.signature;
                    assert_eq!(found, cached(number));
                }
            }
        });
    }
}
