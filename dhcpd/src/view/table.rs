//! Entries by the hash of their key, in small shards that successive views share.
//!
//! A view has thousands of shards of some sixteen entries each. An edit copies the shards that it
//! touches and nothing else.

use std::sync::Arc;

use daemon::prefetch;

use super::entry::Entry;
use super::key::KeyKind;

/// Entries that a shard should have.
const SHARD_ENTRIES: usize = 16;
/// Hashes in one line of the cache.
const LINE_HASHES: usize = 8;
/// How many times more make the table crowded, so that it is laid out anew.
const CROWDED: usize = 4;

/// All entries of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// A power of two.
    shards: Vec<Arc<Shard>>,
    /// How far a hash is shifted to the right to give a shard's index.
    shift: u32,
    /// Number of entries of each kind.
    kinds: [usize; KeyKind::COUNT],
}

/// Entries whose hashes have their high bits in common, sorted by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shard {
    hashes: Box<[u64]>,
    entries: Box<[Entry]>,
    /// The first labels of the nics' names, one after another.
    names: Box<[u8]>,
    /// Where each name ends.
    name_ends: Box<[u16]>,
}

/// An entry to be put in, or to stay.
#[derive(Clone, Copy, Debug)]
struct NewEntry<'a> {
    hash: u64,
    entry: Entry,
    /// First label of the nic's name, as text.
    name: &'a [u8],
}

/// A change of a table.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Numbers of the files whose entries go, sorted.
    pub(super) removed_files: Vec<u32>,
    /// Hashes of the keys of all those entries.
    pub(super) removed: Vec<u64>,
    /// Entries that come: hash of the key, entry, and where in `names` its name is.
    added: Vec<(u64, Entry, usize)>,
    /// Names, each with its length in front.
    names: Vec<u8>,
}

impl Edits {
    /// Adds an entry under a key with this hash; `name` is the first label of the nic's name.
    pub(super) fn add(&mut self, hash: u64, entry: Entry, name: &[u8]) {
        self.added.push((hash, entry, self.names.len()));
        // A label has at most 63 octets.
        self.names.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        self.names.extend_from_slice(name);
    }

    fn entry(&self, (hash, entry, at): (u64, Entry, usize)) -> NewEntry<'_> {
        let name = self.names.get(at..).and_then(|rest| rest.split_first());
        let name = name.and_then(|(length, rest)| rest.get(..usize::from(*length)));
        NewEntry { hash, entry, name: name.unwrap_or_default() }
    }
}

impl Table {
    /// A table for about so many entries.
    pub(super) fn empty(expected: usize) -> Table {
        let shards = (expected / SHARD_ENTRIES).next_power_of_two();
        // At most 64 bits are shifted out: with one shard there is nothing to choose by.
        Table {
            shards: vec![Arc::default(); shards],
            shift: 64 - shards.trailing_zeros(),
            kinds: [0; KeyKind::COUNT],
        }
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.kinds.iter().sum()
    }

    /// Whether there is an entry of this kind. Most inventories have those of one: nobody needs to look for others.
    #[inline]
    pub(super) fn has(&self, kind: KeyKind) -> bool {
        self.kinds.get(kind as usize).is_some_and(|count| *count > 0)
    }

    /// Whether there are so many more entries than expected that finding them costs more.
    pub(super) fn is_crowded(&self) -> bool {
        self.len() > self.shards.len() * SHARD_ENTRIES * CROWDED
    }

    /// Entries with this hash, each with its name.
    #[inline]
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = (&Entry, &[u8])> {
        let shard = self.shards.get(self.index(hash));
        shard.into_iter().flat_map(move |shard| {
            let first = shard.hashes.partition_point(|other| *other < hash);
            let same =
                shard.hashes.get(first..).unwrap_or_default().iter().take_while(move |other| **other == hash);
            (first..).zip(same).filter_map(|(at, _)| shard.at(at))
        })
    }

    /// Has what finding these hashes reads fetched into the cache. Each step needs what the one before it has fetched,
    /// so that all hashes wait together, and once a step.
    pub(super) fn fetch(&self, hashes: &[u64]) {
        for hash in hashes {
            prefetch(&self.shards, self.index(*hash));
        }
        let shards = || hashes.iter().filter_map(|hash| Some((self.shards.get(self.index(*hash))?, *hash)));
        for (shard, _) in shards() {
            prefetch(std::slice::from_ref(&**shard), 0);
        }
        for (shard, _) in shards() {
            for at in (0..shard.hashes.len()).step_by(LINE_HASHES) {
                prefetch(&shard.hashes, at);
            }
            prefetch(&shard.name_ends, 0);
        }
        for (shard, hash) in shards() {
            let first = shard.hashes.partition_point(|other| *other < hash);
            prefetch(&shard.entries, first);
            let name = first.checked_sub(1).and_then(|before| shard.name_ends.get(before));
            prefetch(&shard.names, name.map_or(0, |start| usize::from(*start)));
        }
    }

    /// Takes entries out and puts others in.
    pub(super) fn apply(&mut self, mut edits: Edits) {
        edits.removed.sort_unstable();
        edits.added.sort_by_key(|(hash, ..)| *hash);
        let (mut removed, mut added) = (edits.removed.as_slice(), edits.added.as_slice());
        while let Some(next) = removed.first().into_iter().chain(added.first().map(|(hash, ..)| hash)).min() {
            let index = self.index(*next);
            let shift = self.shift;
            let in_shard = |hash: u64| index_of(hash, shift) == index;
            let gone = removed.partition_point(|hash| in_shard(*hash));
            let come = added.partition_point(|(hash, ..)| in_shard(*hash));
            let (here, rest) = added.split_at(come);
            removed = removed.get(gone..).unwrap_or_default();
            added = rest;
            let Some(shard) = self.shards.get_mut(index) else { continue };
            let here = here.iter().map(|new| edits.entry(*new));
            let edited = Arc::new(shard.edited(&edits.removed_files, here));
            let before = std::mem::replace(shard, edited);
            for (kind, count) in KeyKind::ALL.into_iter().zip(&mut self.kinds) {
                *count = *count + shard.count(kind) - before.count(kind);
            }
        }
    }

    fn index(&self, hash: u64) -> usize {
        index_of(hash, self.shift)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a table has fewer shards than usize has values")]
fn index_of(hash: u64, shift: u32) -> usize {
    hash.checked_shr(shift).unwrap_or(0) as usize
}

impl Shard {
    fn count(&self, kind: KeyKind) -> usize {
        self.entries.iter().filter(|entry| entry.kind == kind).count()
    }

    #[inline]
    fn at(&self, at: usize) -> Option<(&Entry, &[u8])> {
        let start = match at.checked_sub(1) {
            Some(before) => usize::from(*self.name_ends.get(before)?),
            None => 0,
        };
        Some((self.entries.get(at)?, self.names.get(start..usize::from(*self.name_ends.get(at)?))?))
    }

    /// This shard without the entries of `removed_files`, and with `added`.
    fn edited<'a>(&'a self, removed_files: &[u32], added: impl Iterator<Item = NewEntry<'a>>) -> Shard {
        let kept = (0..).zip(&self.hashes).filter_map(|(at, hash)| {
            let (entry, name) = self.at(at)?;
            let stays = removed_files.binary_search(&entry.at.0).is_err();
            stays.then_some(NewEntry { hash: *hash, entry: *entry, name })
        });
        let mut all: Vec<NewEntry<'_>> = kept.chain(added).collect();
        all.sort_by_key(|new| (new.hash, new.entry.kind, new.entry.at));
        let (mut names, mut name_ends) = (Vec::new(), Vec::with_capacity(all.len()));
        for new in &all {
            names.extend_from_slice(new.name);
            // A label has at most 63 octets, and shards are laid out anew before they have a thousand.
            name_ends.push(u16::try_from(names.len()).unwrap_or(u16::MAX));
        }
        Shard {
            hashes: all.iter().map(|new| new.hash).collect(),
            entries: all.iter().map(|new| new.entry).collect(),
            names: names.into(),
            name_ends: name_ends.into(),
        }
    }
}
