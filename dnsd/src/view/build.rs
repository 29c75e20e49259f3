//! Making a view, from nothing or from the one before.
//!
//! Both ways are one: edits are gathered, empty non-terminals are derived from them, and the shards
//! that they touch are written. From nothing, everything is an edit to an empty view.

use std::cmp::Reverse as Descending;
use std::collections::BTreeMap;
use std::sync::Arc;

use inventory_core::model::{Globals, Inventory, Shard as HostShard, Snapshot, State};

use super::clients::Clients;
use super::edits::{Change, Edits, Place};
use super::encode::Encoder;
use super::hosts::Hosts;
use super::labels;
use super::leases::LeaseNetworks;
use super::node::Key;
use super::pool::Pools;
use super::services;
use super::shard::{Shard, ShardFull};
use super::written::Written;
use super::zone::{Zone, ZoneIndex, ZoneNumber};
use super::{AddressSet, DnsView, ZoneState, record_digest};

/// Nodes that a shard should have: few enough to be copied for one edit.
const SHARD_NODES: usize = 48;
/// How many times as many they may become before a view is built anew.
const GROWTH_MAX: usize = 8;
/// Fewest and most bits of a hash that choose a shard.
const SHARD_BITS: std::ops::RangeInclusive<u32> = 4..=20;

impl DnsView {
    /// The view of all of `snapshot`, made from that of an earlier inventory if there is one.
    pub(super) fn one(snapshot: &Snapshot, last: Option<(&Inventory, &DnsView)>) -> DnsView {
        match last {
            Some((old, view)) => view.patched_to(old, snapshot),
            None => DnsView::build_all(snapshot),
        }
    }

    fn build_all(snapshot: &Snapshot) -> DnsView {
        let inventory = &snapshot.inventory;
        let zones = ZoneIndex::new(&inventory.globals);
        let mut bits = shard_bits(expected_nodes(inventory));
        loop {
            let empty = DnsView::empty(snapshot, Arc::clone(&zones), bits);
            match empty.patched(snapshot, &[], &inventory.shards, true) {
                Ok(view) => {
                    let nodes = services::all(inventory);
                    return view.with_leases(&inventory.globals, &nodes).unwrap_or(view);
                }
                // Only names with megabytes of records can fill a shard: spread them wider.
                Err(ShardFull) if bits < *SHARD_BITS.end() => bits += 1,
                Err(ShardFull) => return empty,
            }
        }
    }

    fn patched_to(&self, old: &Inventory, snapshot: &Snapshot) -> DnsView {
        let changes = snapshot.inventory.changes_since(old);
        let crowded = self.node_count() > self.shards.len() * SHARD_NODES * GROWTH_MAX;
        if changes.globals || crowded && self.shards.len() < 1 << SHARD_BITS.end() {
            return DnsView::build_all(snapshot);
        }
        let patched = self.patched(snapshot, &changes.removed, &changes.added, false);
        let patched = match patched {
            Ok(patched) if services::concern(&changes) => {
                let nodes = services::changed(old, &snapshot.inventory);
                patched.with_leases(&snapshot.inventory.globals, &nodes)
            }
            Ok(patched) => Some(patched),
            Err(ShardFull) => None,
        };
        patched.unwrap_or_else(|| DnsView::build_all(snapshot))
    }

    fn empty(snapshot: &Snapshot, zones: Arc<ZoneIndex>, bits: u32) -> DnsView {
        let globals = &snapshot.inventory.globals;
        let pools = Pools::new(globals, &zones);
        let states = zones.iter().map(|(number, zone)| initial_state(number, zone, &zones, &pools)).collect();
        DnsView {
            generation: snapshot.generation,
            hash: snapshot.hash,
            states,
            shards: vec![Shard::empty(); 1 << bits],
            shift: 64 - bits,
            v4: AddressSet::default(),
            v6: AddressSet::default(),
            pools: Arc::new(pools),
            clients: Arc::new(Clients::new(globals)),
            leases: Arc::new(LeaseNetworks::new(globals)),
            problems: Vec::new(),
            signing: Arc::default(),
            inside: None,
            zones,
        }
    }

    /// This view without the hosts of `removed` and with those of `added`; with what the zones
    /// themselves say if `written`.
    fn patched(
        &self,
        snapshot: &Snapshot,
        removed: &[Arc<HostShard>],
        added: &[Arc<HostShard>],
        write_zones: bool,
    ) -> Result<DnsView, ShardFull> {
        let globals = &*snapshot.inventory.globals;
        let written = Written::new(globals, &self.zones);
        let mut next = DnsView { generation: snapshot.generation, hash: snapshot.hash, ..self.clone() };
        let mut edits = Edits::default();
        for (shards, are_added) in [(removed, false), (added, true)] {
            let (edits, delegations) = (&mut edits, Vec::new());
            let mut hosts = Hosts { globals, zones: &self.zones, are_added, delegations, edits };
            let served = shards.iter().flat_map(|shard| shard.in_state(State::is_served));
            served.for_each(|host| hosts.host(&host));
            let more = if are_added { 1 } else { -1 };
            for zone in hosts.delegations {
                if let Some(state) = next.states.get_mut(zone.0 as usize) {
                    state.delegations = state.delegations.saturating_add_signed(more);
                }
            }
        }
        if write_zones {
            for (zone, relative) in written.names() {
                edits.push(zone, Key::Name(zone, relative), Change::Written, |_| {});
            }
        }
        next.edited(globals, edits)
    }

    /// This view after `edits`.
    pub(super) fn edited(&self, globals: &Globals, mut edits: Edits) -> Result<DnsView, ShardFull> {
        let written = Written::new(globals, &self.zones);
        let mut next = self.clone();
        (next.v4, next.v6) = self.addresses_after(&edits);
        self.add_non_terminals(written, &mut edits);
        edits.sort();
        let mut encoder = Encoder::new(&self.zones, written);
        let mut of_shard = Vec::new();
        let same_shard = |a: &Place, b: &Place| a.hash >> self.shift == b.hash >> self.shift;
        let mut groups = edits.places().chunk_by(same_shard).peekable();
        while let Some(places) = groups.next() {
            groups.peek().into_iter().flat_map(|later| *later).for_each(|place| edits.fetch(*place));
            of_shard.clear();
            of_shard.extend(places.iter().filter_map(|place| edits.at(*place)));
            let place = places.first().and_then(|first| usize::try_from(first.hash >> self.shift).ok());
            if let Some(shard) = place.and_then(|place| next.shards.get_mut(place)) {
                *shard = encoder.rewrite(shard, &of_shard, &mut next.states)?.unwrap_or_else(Shard::empty);
            }
        }
        next.problems.append(&mut encoder.problems);
        Ok(next)
    }

    /// The sets of addresses with nodes, after `edits`.
    fn addresses_after(&self, edits: &Edits) -> (AddressSet<u32>, AddressSet<u128>) {
        let (mut v4, mut v6) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for edit in edits.iter() {
            let [removed4, added4] = &mut v4;
            let [removed6, added6] = &mut v6;
            match (edit.key, edit.change) {
                (Key::V4(address), Change::Remove) => removed4.push(address),
                (Key::V4(address), _) => added4.push(address),
                (Key::V6(address), Change::Remove) => removed6.push(address),
                (Key::V6(address), _) => added6.push(address),
                (Key::Name(..), _) => {}
            }
        }
        let ([removed4, added4], [removed6, added6]) = (v4, v6);
        (self.v4.updated(removed4, added4), self.v6.updated(removed6, added6))
    }

    /// Derives from `edits` which names come into being or go because of names below them, and how many
    /// names each has right below it then.
    ///
    /// Names right below an apex change nothing above them, and they are most: only deeper ones are
    /// looked at, the deepest first.
    fn add_non_terminals(&self, written: Written<'_>, edits: &mut Edits) {
        let mut names: BTreeMap<Deepest, Counted> = BTreeMap::new();
        for edit in edits.iter() {
            let Key::Name(zone, relative) = edit.key else { continue };
            let depth = labels::iter(relative).count();
            if depth >= 2 {
                let name = names.entry((Descending(depth), zone, relative.into())).or_default();
                let has_data = edit.change.gives_data();
                name.data = Some(name.data.unwrap_or(false) || has_data);
            }
        }
        while let Some(((Descending(depth), zone, relative), change)) = names.pop_first() {
            let before = self.name(zone, &relative);
            let children = before.map_or(0, |node| node.children()).saturating_add_signed(change.children);
            let data = change.data.map(|data| data || written.has(zone, &relative));
            let data = data.unwrap_or_else(|| before.is_some_and(|node| !node.is_empty()));
            let exists = data || children > 0;
            if exists != before.is_some()
                && depth >= 2
                && let Some(above) = labels::parent(&relative)
            {
                let above = names.entry((Descending(depth - 1), zone, above.into())).or_default();
                above.children += if exists { 1 } else { -1 };
            }
            if change.children != 0 {
                edits.push(zone, Key::Name(zone, &relative), Change::Children(children), |_| {});
            }
        }
    }
}

/// Depth, zone and name relative to the apex: deep names come first.
type Deepest = (Descending<usize>, ZoneNumber, Box<[u8]>);

/// What edits do to a name two or more labels below its apex, or to one above such a name.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Whether hosts or the edits' zone give it data afterwards; `None`: as before.
    data: Option<bool>,
    /// How many more names are right below it.
    children: i32,
}

/// What a zone has before any name: its SOA record and the names of pool addresses.
fn initial_state(number: ZoneNumber, zone: &Zone, zones: &ZoneIndex, pools: &Pools) -> ZoneState {
    let soa = [&b"soa"[..], &zone.soa.ttl.to_be_bytes(), &zone.soa.plain].concat();
    let (content, names) = pools.content(number, zone, zones);
    ZoneState { content: record_digest(&soa).wrapping_add(content), names, serial: 0, delegations: 0 }
}

/// A name and an address of each family.
const NODES_OF_HOST: usize = 3;

/// Names that the hosts of `inventory` will have, roughly.
fn expected_nodes(inventory: &Inventory) -> usize {
    inventory.host_count() * NODES_OF_HOST
}

fn shard_bits(nodes: usize) -> u32 {
    let bits = (nodes / SHARD_NODES).next_power_of_two().trailing_zeros();
    bits.clamp(*SHARD_BITS.start(), *SHARD_BITS.end())
}
