//! Finding a key among many: a hash table over the children of large tables.
//!
//! Most tables have a handful of keys, which are compared one by one. A table that outgrows
//! [`SMALL`] (the hosts of a file) has its children here, all such tables of a file in one.

/// Children up to which a table is searched one by one.
pub(super) const SMALL: usize = 12;

/// Hash of a key. Not keyed: whoever can make keys collide can as well write a larger file.
pub(super) fn hash(key: &[u8]) -> u32 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, word: u64| (h.rotate_left(23) ^ word).wrapping_mul(K);
    let mut h = key.len() as u64;
    let mut rest = key;
    while let Some((word, tail)) = rest.split_first_chunk::<8>() {
        h = mix(h, u64::from_le_bytes(*word));
        rest = tail;
    }
    let word = if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else {
        rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    (mix(h, word) >> 32) as u32
}

/// The upper half of a hash, which nodes carry.
pub(super) const fn upper(hash: u32) -> u16 {
    (hash >> 16) as u16
}

/// Open addressing with linear probing; a slot is a hash and a node, node 0 is free.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<(u32, u32)>,
    used: usize,
}

impl Index {
    /// The node below `parent` whose key has `hash` and for which `is` holds.
    pub(super) fn find(&self, parent: u32, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let hash = under(parent, hash);
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&(_, 0)) | None => return None,
                Some(&(found, node)) if found == hash && is(node) => return Some(node),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a node; the caller knows that it is not there.
    pub(super) fn insert(&mut self, parent: u32, hash: u32, node: u32) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![(0, 0); (self.slots.len() * 2).max(64)];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot.1 != 0 {
                    self.place(slot);
                }
            }
        }
        self.used += 1;
        self.place((under(parent, hash), node));
    }

    fn place(&mut self, slot: (u32, u32)) {
        let mask = self.slots.len() - 1;
        let mut at = slot.0 as usize & mask;
        while self.slots[at].1 != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

/// The hash of a key below one parent.
const fn under(parent: u32, hash: u32) -> u32 {
    hash.wrapping_add(parent.wrapping_mul(0x9e37_79b1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_below_its_own_parent_only() {
        let mut index = Index::default();
        let keys: Vec<String> = (0..1000).map(|n| format!("host{n}")).collect();
        for parent in [0_u32, 7] {
            for (n, key) in keys.iter().enumerate() {
                index.insert(parent, hash(key.as_bytes()), u32::try_from(n + 1).unwrap() + parent * 1000);
            }
        }
        for (n, key) in keys.iter().enumerate() {
            let node = u32::try_from(n + 1).unwrap();
            let find = |parent: u32| {
                index.find(parent, hash(key.as_bytes()), |node| keys[(node as usize - 1) % 1000] == *key)
            };
            assert_eq!(find(0), Some(node));
            assert_eq!(find(7), Some(node + 7000));
        }
        assert_eq!(index.find(0, hash(b"nobody"), |_| true), None);
    }

    #[test]
    fn hashes_of_similar_names_differ() {
        let mut seen: Vec<u32> = (0..50_000).map(|n| hash(format!("web{n:05}").as_bytes())).collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 49_990);
    }
}
