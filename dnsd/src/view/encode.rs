//! Writing the shards that edits touch.

use std::sync::Arc;

use inventory_core::name::Name;

use super::draft::{self, Draft};
use super::edits::{Change, Edit};
use super::node::Key;
use super::shard::{Shard, ShardFull, ShardWriter, hash_of};
use super::written::Written;
use super::zone::{ZoneIndex, ZoneNumber};
use super::{Problem, ZoneState};

/// Rewrites shards; keeps its buffers from one to the next.
pub(crate) struct Encoder<'a> {
    zones: &'a Arc<ZoneIndex>,
    written: Written<'a>,
    draft: Draft,
    writer: ShardWriter,
    /// RRsets that no answer could hold.
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(zones: &'a Arc<ZoneIndex>, written: Written<'a>) -> Encoder<'a> {
        Encoder {
            zones,
            written,
            draft: Draft::default(),
            writer: ShardWriter::default(),
            problems: Vec::new(),
        }
    }

    /// `old` after `edits`, which are sorted by hash and all belong to it; `None` if nothing is left.
    /// The zones' contents follow.
    pub(crate) fn rewrite(
        &mut self,
        old: &Shard,
        edits: &[Edit<'_>],
        states: &mut [ZoneState],
    ) -> Result<Option<Shard>, ShardFull> {
        for node in old.nodes() {
            let hash = hash_of(node.key());
            if !touches(edits, hash, node.key()) {
                draft::rewrite(&node, node.children(), self.writer.node(hash));
            }
        }
        for same_hash in edits.chunk_by(|a, b| a.hash == b.hash) {
            for (index, edit) in same_hash.iter().enumerate() {
                let (earlier, later) = same_hash.split_at(index);
                if earlier.iter().all(|other| other.key != edit.key) {
                    self.name(old, edit, later, states);
                }
            }
        }
        self.writer.finish()
    }

    /// Writes the node of the name that `first` is about, after those of `edits` that are about it too; it is one of
    /// them.
    fn name(&mut self, old: &Shard, first: &Edit<'_>, edits: &[Edit<'_>], states: &mut [ZoneState]) {
        let (zones, key) = (self.zones, first.key);
        let before = old.find(first.hash, key);
        let mut children = before.map_or(0, |node| node.children());
        let mut data_changes = false;
        self.draft.clear();
        for edit in edits.iter().filter(|edit| edit.key == key) {
            if let Change::Children(count) = edit.change {
                children = count;
                continue;
            }
            data_changes = true;
            if edit.change == Change::AddUnlessWritten && self.written.has_key(key) {
                continue;
            }
            for (rtype, ttl, rdata) in edit.records() {
                self.draft.add(rtype, ttl, rdata);
            }
        }
        if !data_changes {
            if let Some(node) = before.filter(|node| !node.is_empty() || children > 0) {
                draft::rewrite(&node, children, self.writer.node(first.hash));
            } else if children > 0 {
                self.draft.write(key, children, zones, self.writer.node(first.hash));
            }
            return;
        }
        if let Key::Name(zone, relative) = key {
            self.written.add_to(&mut self.draft, zone, relative);
        }
        let mut content = 0;
        if !self.draft.is_empty() || children > 0 {
            content = self.draft.write(key, children, zones, self.writer.node(first.hash));
        }
        for (rtype, reason) in self.draft.left_out.drain(..) {
            self.problems.push(Problem::LeftOut { owner: owner(key, zones), rtype, reason });
        }
        if let Some(state) = states.get_mut(first.zone.0 as usize) {
            let gone = before.map_or(0, |node| draft::digest(&node, zones));
            state.content = state.content.wrapping_add(content).wrapping_sub(gone);
            state.names = (state.names + usize::from(content != 0)).saturating_sub(usize::from(gone != 0));
        }
    }
}

/// Whether an edit is about `key`.
fn touches(edits: &[Edit<'_>], hash: u64, key: Key<'_>) -> bool {
    let from = edits.partition_point(|edit| edit.hash < hash);
    edits.iter().skip(from).take_while(|edit| edit.hash == hash).any(|edit| edit.key == key)
}

/// The name that `key` stands for.
pub(crate) fn owner(key: Key<'_>, zones: &ZoneIndex) -> Name {
    match key {
        Key::V4(bits) => Name::reverse(std::net::Ipv4Addr::from_bits(bits).into()),
        Key::V6(bits) => Name::reverse(std::net::Ipv6Addr::from_bits(bits).into()),
        Key::Name(zone, relative) => name_in(zone, relative, zones),
    }
}

/// The name `relative` in `zone`.
pub(crate) fn name_in(zone: ZoneNumber, relative: &[u8], zones: &ZoneIndex) -> Name {
    Name::from_wire(&[relative, zones.wire(zone)].concat()).unwrap_or_else(Name::root)
}
