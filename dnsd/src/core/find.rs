//! What there is at a name: RFC 1034, section 4.3.2, step 3, with wildcards as RFC 4592 and
//! redirections as RFC 6672 say.
//!
//! Decides which node of the view answers for a name of a zone. Never writes anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dnssec::Subject;
use crate::view::{ARPA, Block, Classless, DnsView, Key, Labels, Node, ZoneNumber, rtype};

/// What there is at a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'v> {
    /// A node of this very name, perhaps without data.
    Name(Node<'v>),
    /// The name of a pool address; its A or AAAA record is all it has.
    PoolName(IpAddr),
    /// The owner of the PTR record of a pool address, whose name lies in this zone. It is all it has.
    PoolAddress(ZoneNumber, IpAddr),
    /// The reverse name of a pool address whose PTR record lies elsewhere: a CNAME record to it is all
    /// it has.
    PoolRedirect(&'v Classless, u32),
    /// The name exists, because there are names below it.
    NonTerminal,
    /// It does not exist, and this wildcard stands for it.
    Wildcard(Node<'v>),
    /// It is at or below this delegation, which has so many labels.
    Referral(Node<'v>, usize),
    /// It is below this name with a DNAME record, which has so many labels.
    Redirect(Node<'v>, usize),
    /// It does not exist.
    Nothing,
}

impl Found<'_> {
    /// Where signatures of what it says are remembered.
    pub(super) fn subject(&self) -> Subject {
        match self {
            // IPv6 pools have more of these than any table has room for.
            Found::PoolName(IpAddr::V6(_)) | Found::PoolAddress(_, IpAddr::V6(_)) | Found::NonTerminal => {
                Subject::Countless
            }
            Found::PoolName(IpAddr::V4(_))
            | Found::PoolAddress(_, IpAddr::V4(_))
            | Found::Name(_)
            | Found::PoolRedirect(..)
            | Found::Wildcard(_)
            | Found::Referral(..)
            | Found::Redirect(..)
            | Found::Nothing => Subject::Record,
        }
    }
}

/// What there is at `name` of `zone`, asked for records of type `qtype`.
///
/// Cost: one look-up, if the zone has neither wildcards nor delegations nor DNAMEs that somebody
/// wrote; else some more, as many as the logarithm of the number of labels.
#[inline]
pub(super) fn find<'v>(view: &'v DnsView, number: ZoneNumber, name: &Labels, qtype: u16) -> Found<'v> {
    let zone = view.zones().zone(number);
    let depth = name.count();
    let block = view.block(zone, name.as_wire());
    if zone.by_address
        && let Some(node) = block.and_then(|block| view.address(block))
    {
        return Found::Name(node);
    }
    if let Some(node) = view.name(number, name.relative(depth, zone.depth)) {
        if node.is_special() {
            return above(view, number, name, depth, qtype).unwrap_or(Found::Name(node));
        }
        if !node.is_empty() {
            return Found::Name(node);
        }
        // An empty non-terminal may still be the name of a pool address.
        return by_number(view, number, name, depth).unwrap_or(Found::NonTerminal);
    }
    if !zone.has_wildcards && !view.has_occluders(number) {
        return by_number(view, number, name, depth).unwrap_or(Found::Nothing);
    }
    let (encloser, encloser_depth) = closest_node(view, number, name);
    if encloser.is_some_and(|node| node.is_special() || node.is_redirect())
        && let Some(found) = above(view, number, name, encloser_depth, qtype)
    {
        return found;
    }
    if let Some(found) = by_number(view, number, name, depth) {
        return found;
    }
    // A name worked out between the encloser and this one is closer, and has no wildcard below it.
    if by_number(view, number, name, encloser_depth + 1).is_some() {
        return Found::Nothing;
    }
    wildcard(view, number, name, encloser_depth).map_or(Found::Nothing, Found::Wildcard)
}

/// What the last `depth` labels of `name` stand for without a node: a pool address, or some addresses
/// below them.
#[inline]
fn by_number<'v>(view: &'v DnsView, number: ZoneNumber, name: &Labels, depth: usize) -> Option<Found<'v>> {
    let (zone, pools) = (view.zones().zone(number), view.pools());
    if let Some(block) = view.block(zone, name.suffix(depth)) {
        return pool_address(view, block).or_else(|| view.any_address(block).then_some(Found::NonTerminal));
    }
    if zone.above_reverse && !pools.is_empty() && name.suffix(depth) == ARPA {
        return Some(Found::NonTerminal);
    }
    let relative = name.relative(depth, zone.depth);
    if let Some(address) = pools.address_named(number, relative) {
        return Some(Found::PoolName(address));
    }
    if let Some((pool, address)) = pools.classless_address(number, relative) {
        return Some(Found::PoolAddress(pool.zone, Ipv4Addr::from_bits(address).into()));
    }
    pools.is_above_classless(number, relative).then_some(Found::NonTerminal)
}

/// What the reverse name of a single address stands for, if that is in a pool.
#[inline]
fn pool_address(view: &DnsView, block: Block) -> Option<Found<'_>> {
    match block {
        Block::V4(first, last) => {
            let pool = view.pools().containing(first).filter(|_| first == last)?;
            Some(match view.pools().classless_of(pool) {
                Some(classless) => Found::PoolRedirect(classless, first),
                None => Found::PoolAddress(pool.zone, Ipv4Addr::from_bits(first).into()),
            })
        }
        Block::V6(first, last) => {
            let pool = view.pools().v6().containing(first).filter(|_| first == last)?;
            Some(Found::PoolAddress(pool.zone, Ipv6Addr::from_bits(first).into()))
        }
    }
}

/// The deepest node at or above `name`, and its number of labels. The apex has a node.
///
/// A node has nodes above it up to the apex, so that a binary search finds it.
fn closest_node<'v>(view: &'v DnsView, number: ZoneNumber, name: &Labels) -> (Option<Node<'v>>, usize) {
    let apex = view.zones().zone(number).depth;
    let node_at = |depth| view.name(number, name.relative(depth, apex));
    let (mut known, mut missing) = (apex, name.count() + 1);
    while missing - known > 1 {
        let middle = known + (missing - known) / 2;
        if node_at(middle).is_some() {
            known = middle;
        } else {
            missing = middle;
        }
    }
    (node_at(known), known)
}

/// The delegation or DNAME that answers for `name`, which has a node at `depth` labels: the highest
/// one, at or above that node. `None` if the zone itself answers.
fn above<'v>(
    view: &'v DnsView,
    number: ZoneNumber,
    name: &Labels,
    depth: usize,
    qtype: u16,
) -> Option<Found<'v>> {
    let apex = view.zones().zone(number).depth;
    for here in (apex..=depth).rev() {
        let node = view.name(number, name.relative(here, apex))?;
        if node.is_occluded() {
            continue;
        }
        let exact = here == name.count();
        if node.is_cut() {
            // The parent's side of a delegation has the DS records (RFC 4035, section 3.1.4.1).
            let own = exact && qtype == rtype::DS;
            return Some(if own { Found::Name(node) } else { Found::Referral(node, here) });
        }
        return (node.is_redirect() && !exact).then_some(Found::Redirect(node, here));
    }
    None
}

/// The wildcard right below the last `depth` labels of `name`. It exists also if only names below it
/// have data; then it stands for names without data (RFC 4592, section 3.3.1).
fn wildcard<'v>(view: &'v DnsView, number: ZoneNumber, name: &Labels, depth: usize) -> Option<Node<'v>> {
    let encloser = name.relative(depth, view.zones().zone(number).depth);
    let mut relative = [0; 2 + 255];
    let octets = relative.get_mut(..2 + encloser.len())?;
    octets.get_mut(..2)?.copy_from_slice(b"\x01*");
    octets.get_mut(2..)?.copy_from_slice(encloser);
    view.node(Key::Name(number, octets))
}
