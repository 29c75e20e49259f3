//! A sorted set of addresses that shares its unchanged parts with the one before it.
//!
//! Answers one question: is any address of a block in it? See [`super::reverse`].

#![deny(clippy::indexing_slicing)]

use std::sync::Arc;

/// Addresses in one chunk when it is written; twice as many make it split.
const CHUNK: usize = 256;

/// The set. `A` is an address as a number.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressSet<A> {
    /// Sorted within and among themselves; none is empty.
    chunks: Vec<Arc<[A]>>,
}

impl<A: Copy + Ord> AddressSet<A> {
    /// The set without `removed` and with `added`, removed first.
    ///
    /// Cost: a comparison per chunk and per change, and the chunks that change are copied.
    pub(crate) fn updated(&self, mut removed: Vec<A>, mut added: Vec<A>) -> AddressSet<A> {
        removed.sort_unstable();
        added.sort_unstable();
        added.dedup();
        let mut next = AddressSet { chunks: Vec::with_capacity(self.chunks.len() + added.len() / CHUNK + 1) };
        let (mut removed, mut added) = (removed.as_slice(), added.as_slice());
        let mut chunks = self.chunks.iter().peekable();
        while let Some(chunk) = chunks.next() {
            // What lies before the next chunk goes into this one.
            let end = chunks.peek().and_then(|next| next.first()).copied();
            let split = |list: &[A]| end.map_or(list.len(), |end| list.partition_point(|a| *a < end));
            let (gone, later) = removed.split_at(split(removed));
            let (new, rest) = added.split_at(split(added));
            (removed, added) = (later, rest);
            if gone.is_empty() && new.is_empty() {
                next.chunks.push(Arc::clone(chunk));
                continue;
            }
            let mut merged: Vec<A> =
                chunk.iter().copied().filter(|address| gone.binary_search(address).is_err()).collect();
            merged.extend_from_slice(new);
            merged.sort_unstable();
            merged.dedup();
            next.push(&merged);
        }
        if self.chunks.is_empty() {
            next.push(added);
        }
        next
    }

    /// Whether any address from `first` to `last` is in it.
    pub(crate) fn any_within(&self, first: A, last: A) -> bool {
        // The last chunk that starts at or below `last` holds the highest address that could do.
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|start| *start <= last));
        let Some(chunk) = after.checked_sub(1).and_then(|index| self.chunks.get(index)) else { return false };
        let above = chunk.partition_point(|address| *address <= last);
        above.checked_sub(1).and_then(|index| chunk.get(index)).is_some_and(|highest| *highest >= first)
    }

    /// Octets in memory, roughly.
    pub(crate) fn octets(&self) -> usize {
        self.chunks.iter().map(|chunk| size_of_val(&**chunk) + 32).sum()
    }

    fn push(&mut self, addresses: &[A]) {
        let parts =
            if addresses.len() > 2 * CHUNK { addresses.chunks(CHUNK) } else { addresses.chunks(2 * CHUNK) };
        self.chunks.extend(parts.map(Arc::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set_after_any_edits(
            edits in prop::collection::vec(
                (prop::collection::vec(0..4_000_u32, 0..700), prop::collection::vec(0..4_000_u32, 0..700)),
                1..6,
            ),
            blocks in prop::collection::vec((0..4_100_u32, 0..60_u32), 50),
        ) {
            let (mut set, mut plain) = (AddressSet::default(), BTreeSet::<u32>::new());
            for (removed, added) in edits {
                for address in &removed { plain.remove(address); }
                plain.extend(&added);
                set = set.updated(removed, added);
                let all: Vec<u32> = set.chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
                prop_assert_eq!(&all, &plain.iter().copied().collect::<Vec<_>>());
                prop_assert!(set.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= 2 * CHUNK));
                for (first, size) in &blocks {
                    let last = first + size;
                    prop_assert_eq!(set.any_within(*first, last), plain.range(first..=&last).next().is_some());
                }
            }
        }
    }
}
