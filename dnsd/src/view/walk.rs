//! All records of one zone, some at a time: a zone of a million names is copied without a copy of it in
//! memory.

use super::node::{Key, Node};
use super::records::ZoneRecord;
use super::reverse::Block;
use super::shard::Shard;
use super::zone::ZoneNumber;
use super::{DnsView, Pool};

/// How far a walk has come.
#[derive(Clone, Debug)]
pub struct Walk {
    zone: ZoneNumber,
    /// The addresses that names of the zone can stand for.
    block: Option<Block>,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Shard(usize),
    /// A pool and an address in it.
    Pool(usize, u32),
    Nothing,
}

/// Pool addresses that are worked out at a time.
const ADDRESSES: u32 = 256;

impl Walk {
    /// A walk through `zone`.
    pub fn new(view: &DnsView, zone: ZoneNumber) -> Walk {
        let entry = view.zones.zone(zone);
        Walk { zone, block: view.block(entry, entry.name.as_wire()), next: Next::Shard(0) }
    }

    /// Calls `take` with some of the records, in no order that means anything, the SOA record not among
    /// them. `false` when there are no more. The view is always the one that the walk began with.
    ///
    /// Cost: a look at every name of a shard, few of which may be the zone's.
    pub fn step(&mut self, view: &DnsView, mut take: impl FnMut(ZoneRecord)) -> bool {
        let zone = self.zone;
        let mut own = |number, record| {
            if number == zone {
                take(record);
            }
        };
        match self.next {
            Next::Shard(place) => {
                for node in view.shards.get(place).into_iter().flat_map(Shard::nodes) {
                    if self.may_hold(&node) {
                        view.for_each_of_node(&node, &mut own);
                    }
                }
                let more = place + 1 < view.shards.len();
                self.next = if more { Next::Shard(place + 1) } else { start_of(view, 0) };
            }
            Next::Pool(place, first) => {
                let Some(pool) = view.pools.iter().nth(place) else { return false };
                let last = first.saturating_add(ADDRESSES - 1).min(pool.last);
                if self.may_hold_pool(pool, view) {
                    for address in first..=last {
                        view.for_each_of_pool_address(pool, address, &mut own);
                    }
                }
                let more = last < pool.last;
                self.next = if more { Next::Pool(place, last + 1) } else { start_of(view, place + 1) };
            }
            Next::Nothing => return false,
        }
        true
    }

    fn may_hold(&self, node: &Node<'_>) -> bool {
        match (node.key(), self.block) {
            (Key::Name(zone, _), _) => zone == self.zone,
            (Key::V4(address), Some(Block::V4(first, last))) => (first..=last).contains(&address),
            (Key::V6(address), Some(Block::V6(first, last))) => (first..=last).contains(&address),
            (Key::V4(_) | Key::V6(_), _) => false,
        }
    }

    fn may_hold_pool(&self, pool: &Pool, view: &DnsView) -> bool {
        let reverse =
            matches!(self.block, Some(Block::V4(first, last)) if first <= pool.last && pool.first <= last);
        let around = view.zones.zone(self.zone).above_reverse;
        reverse || around || pool.zone == self.zone || view.pools.classless_of(pool).is_some()
    }
}

fn start_of(view: &DnsView, place: usize) -> Next {
    view.pools.iter().nth(place).map_or(Next::Nothing, |pool| Next::Pool(place, pool.first))
}

/// Whether a pool's name is that of `key`, so that records come and go with what is written for it.
pub(super) fn is_of_pool(view: &DnsView, key: Key<'_>) -> bool {
    match key {
        Key::V4(address) => view.pools.containing(address).is_some(),
        Key::V6(_) => false,
        Key::Name(zone, relative) => {
            view.pools.address_named(zone, relative).is_some_and(|address| address.is_ipv4())
                || view.pools.classless_address(zone, relative).is_some()
                || is_reverse_of_pool(view, zone, relative)
        }
    }
}

/// The same for a reverse name in a zone that somebody wrote.
fn is_reverse_of_pool(view: &DnsView, zone: ZoneNumber, relative: &[u8]) -> bool {
    let entry = view.zones.zone(zone);
    if entry.reverse.is_none() && !entry.above_reverse {
        return false;
    }
    let name = [relative, entry.name.as_wire()].concat();
    match view.block(entry, &name) {
        Some(block) => block.single_v4().is_some_and(|address| view.pools.containing(address).is_some()),
        None => false,
    }
}
