//! All records of one zone, some at a time: a zone of a million names is copied without a copy of it in
//! memory.

use super::node::{Key, Node};
use super::records::{Scratch, WireRecord};
use super::reverse::Block;
use super::shard::Shard;
use super::zone::ZoneNumber;
use super::{DnsView, Pool, labels};

/// How far a walk has come.
#[derive(Debug)]
pub struct Walk {
    zone: ZoneNumber,
    /// The addresses that names of the zone can stand for.
    block: Option<Block>,
    /// The zone's nodes, in their order; those up to `next`'s place have been.
    nodes: Vec<Place>,
    next: Next,
    scratch: Scratch,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Node(usize),
    /// A pool and an address in it.
    Pool(usize, u32),
    Nothing,
}

/// Where a node is. Places compare as the nodes' names do in canonical order (RFC 4034, section 6.1), as far as 16
/// octets tell.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The high and the low half of a number.
    order: [u64; 2],
    shard: u32,
    offset: u32,
}

/// Nodes that are read at a time: so many fit the nearest cache.
const NODES: usize = 128;
/// Pool addresses that are worked out at a time.
const ADDRESSES: u32 = 256;

impl Walk {
    /// A walk through `zone`.
    ///
    /// Cost: a look at every name of the view, and sorting those of the zone, which take 24 octets each until the
    /// walk has come past all of them.
    pub fn new(view: &DnsView, zone: ZoneNumber) -> Walk {
        let entry = view.zones.zone(zone);
        let block = view.block(entry, entry.name.as_wire());
        let scratch = Scratch::default();
        let mut walk = Walk { zone, block, nodes: Vec::new(), next: Next::Node(0), scratch };
        let mut nodes = Vec::new();
        for (shard, own) in (0..).zip(&view.shards) {
            let held = own.places().filter(|(_, node)| walk.may_hold(node));
            nodes.extend(held.map(|(offset, node)| Place { order: order_of(node.key()), shard, offset }));
        }
        nodes.sort_unstable_by_key(Place::order);
        walk.nodes = nodes;
        walk
    }

    /// Calls `take` with some of the records, the SOA record not among them: those of nodes in the order of their
    /// names, nearly, which is the one that makes copying cheap, then those of pools. `false` when there are no more.
    /// The view is always the one that the walk began with.
    pub fn step(&mut self, view: &DnsView, mut take: impl FnMut(WireRecord<'_>)) -> bool {
        let zone = self.zone;
        let mut own = |number, record: WireRecord<'_>| {
            if number == zone {
                take(record);
            }
        };
        match self.next {
            Next::Node(first) => {
                let rest = self.nodes.get(first..).unwrap_or(&[]);
                let (now, later) = rest.split_at(rest.len().min(NODES));
                let found = || now.iter().filter_map(|place| Some((shard_of(view, place)?, place.offset)));
                found().for_each(|(shard, offset)| shard.fetch_place(offset));
                let nodes = found().filter_map(|(shard, offset)| shard.at(offset));
                nodes.for_each(|node| view.for_each_of_node(&node, &mut self.scratch, &mut own));
                self.next = if later.is_empty() { start_of(view, 0) } else { Next::Node(first + NODES) };
                if later.is_empty() {
                    self.nodes = Vec::new();
                }
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

impl Place {
    /// What it is compared by: one number, so that sorting needs no branch for it.
    fn order(&self) -> u128 {
        let [high, low] = self.order;
        u128::from(high) << 64 | u128::from(low)
    }
}

fn shard_of<'v>(view: &'v DnsView, place: &Place) -> Option<&'v Shard> {
    view.shards.get(usize::try_from(place.shard).ok()?)
}

/// The first octets of the name's labels from the right, each ended by a zero; of an address those of itself.
fn order_of(key: Key<'_>) -> [u64; 2] {
    let order = match key {
        Key::V4(address) => u128::from(address),
        Key::V6(address) => address,
        Key::Name(_, relative) => {
            let mut octets = [0; 16];
            // Of as many octets as it has on the wire, those of its first label are the last.
            let mut start = relative.len();
            for label in labels::iter(relative) {
                start = start.saturating_sub(label.len() + 1);
                let place = octets.iter_mut().skip(start);
                place.zip(label).for_each(|(to, from)| *to = *from);
            }
            u128::from_be_bytes(octets)
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
    [(order >> 64) as u64, order as u64]
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
