//! Shards: small open-addressing tables of nodes, each in one allocation.
//!
//! A view is some thousands of them. Successive views share all but the ones that an edit touches;
//! those are written anew ([`ShardWriter`]), because copying a few kilobytes is cheaper than any
//! structure that could be patched.
//!
//! ```text
//! shard   slots 4 | nodes 4 | slot 4 each | nodes one after another
//! slot    zero, or an octet of the hash and the node's offset in three octets
//! ```

#![deny(clippy::indexing_slicing)]

use std::sync::Arc;

use daemon::prefetch;

use super::hash::name_hash;
use super::node::{Key, Node};

/// Octets before the slots.
const HEAD: usize = 8;
/// Offsets have three octets.
const OCTETS_MAX: usize = 1 << 24;
/// The offset within a slot.
const OFFSET_MASK: u32 = 0x00ff_ffff;
/// Slots that are looked at ahead.
const PROBES_AHEAD: u32 = 8;

/// Some nodes of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard(Arc<[u8]>);

/// A shard has more octets than offsets reach.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShardFull;

impl Shard {
    pub(crate) fn empty() -> Shard {
        Shard(Arc::from([0; HEAD]))
    }

    /// The node with this key. `hash` is [`hash_of`] the key.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: Key<'_>) -> Option<Node<'_>> {
        let slots = self.word(0)?;
        let mut slot = slot_of(hash, slots);
        for _ in 0..slots {
            let word = self.word(HEAD + slot * 4)?;
            if word == 0 {
                return None;
            }
            if word >> 24 == tag_of(hash) {
                let node = self.at(word & OFFSET_MASK)?;
                if node.key() == key {
                    return Some(node);
                }
            }
            slot = (slot + 1) & (slots as usize).wrapping_sub(1);
        }
        None
    }

    /// Has the beginning fetched into the cache, which the next step needs.
    #[inline]
    pub(crate) fn fetch(&self) {
        prefetch(&self.0, 0);
    }

    /// Has the home slot of `hash` fetched into the cache.
    #[inline]
    pub(crate) fn fetch_slot(&self, hash: u64) {
        let Some(slots) = self.word(0) else { return };
        prefetch(&self.0, HEAD + slot_of(hash, slots) * 4);
    }

    /// Has the node fetched into the cache that is in the first slot with this `hash`, if it is near.
    #[inline]
    pub(crate) fn fetch_node(&self, hash: u64) {
        let Some(slots) = self.word(0) else { return };
        let mut slot = slot_of(hash, slots);
        for _ in 0..slots.min(PROBES_AHEAD) {
            let Some(word) = self.word(HEAD + slot * 4).filter(|word| *word != 0) else { return };
            if word >> 24 == tag_of(hash) {
                return self.fetch_place(word & OFFSET_MASK);
            }
            slot = (slot + 1) & (slots as usize).wrapping_sub(1);
        }
    }

    /// Every node, in no order that means anything.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.places().map(|(_, node)| node)
    }

    /// Every node and where it is.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u32, Node<'_>)> {
        let slots = self.word(0).unwrap_or(0) as usize;
        (0..slots).filter_map(|slot| {
            let offset = self.word(HEAD + slot * 4)? & OFFSET_MASK;
            if offset == 0 { None } else { Some((offset, self.at(offset)?)) }
        })
    }

    /// The node at a place that [`Shard::places`] said.
    #[inline]
    pub(crate) fn at(&self, offset: u32) -> Option<Node<'_>> {
        Node::read(self.0.get(offset as usize..)?)
    }

    /// Has the node at a place fetched into the cache.
    #[inline]
    pub(crate) fn fetch_place(&self, offset: u32) {
        prefetch(&self.0, offset as usize);
        // Most nodes lie in two lines.
        prefetch(&self.0, offset as usize + 64);
    }

    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.word(4).unwrap_or(0) as usize
    }

    /// Whether both are one allocation.
    pub(crate) fn is_same(&self, other: &Shard) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Octets in memory.
    pub(crate) fn octets(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn word(&self, at: usize) -> Option<u32> {
        let octets = self.0.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*octets))
    }
}

/// Hash by which a node is found. The view's choice of shard uses the high bits.
#[inline]
pub(crate) fn hash_of(key: Key<'_>) -> u64 {
    match key {
        Key::Name(zone, relative) => name_hash(zone.seed(), relative),
        Key::V4(address) => name_hash(4, &address.to_le_bytes()),
        Key::V6(address) => name_hash(6, &address.to_le_bytes()),
    }
}

/// Home slot: the low bits of the hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
fn slot_of(hash: u64, slots: u32) -> usize {
    (hash as u32 & slots.wrapping_sub(1)) as usize
}

/// Eight bits between those of the slot and those of the shard.
#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32 & 0xff
}

/// Writes a shard.
#[derive(Debug, Default)]
pub(crate) struct ShardWriter {
    nodes: Vec<(u64, usize)>,
    octets: Vec<u8>,
    out: Vec<u8>,
}

impl ShardWriter {
    /// Starts a node; the caller appends it to what comes back.
    pub(crate) fn node(&mut self, hash: u64) -> &mut Vec<u8> {
        self.nodes.push((hash, self.octets.len()));
        &mut self.octets
    }

    /// The shard, if there is anything in it. The writer is empty again.
    pub(crate) fn finish(&mut self) -> Result<Option<Shard>, ShardFull> {
        if self.nodes.is_empty() {
            self.octets.clear();
            return Ok(None);
        }
        // At most three quarters full: short runs of probes, even for names that are not there.
        let slots = (self.nodes.len() + self.nodes.len() / 3 + 1).next_power_of_two();
        let start = HEAD + slots * 4;
        if start + self.octets.len() > OCTETS_MAX {
            self.clear();
            return Err(ShardFull);
        }
        self.out.clear();
        self.out.resize(start, 0);
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        put_word(&mut self.out, 0, word(slots));
        put_word(&mut self.out, 4, word(self.nodes.len()));
        for (hash, offset) in &self.nodes {
            let mut slot = slot_of(*hash, word(slots));
            while self.out.get(HEAD + slot * 4..HEAD + slot * 4 + 4).is_some_and(|octets| octets != [0; 4]) {
                slot = (slot + 1) & (slots - 1);
            }
            put_word(&mut self.out, HEAD + slot * 4, tag_of(*hash) << 24 | word(start + offset));
        }
        self.out.extend_from_slice(&self.octets);
        let shard = Shard(Arc::from(self.out.as_slice()));
        self.clear();
        Ok(Some(shard))
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.octets.clear();
    }
}

fn put_word(octets: &mut [u8], at: usize, word: u32) {
    if let Some(place) = octets.get_mut(at..at + 4) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}
