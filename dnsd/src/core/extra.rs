//! The additional section: addresses of what the answer points to.
//!
//! What the answer can do without is left out when there is no room. Glue that a referral is useless
//! without is not (RFC 9471): then the reply is truncated.

use crate::view::{DnsView, Labels, Node, Rdata, Rrset, ZoneNumber, rtype};

use super::chain::target_of;
use super::message::{Message, Owner, Section};
use super::query::Query;

/// Most targets whose addresses are looked up for one answer that can do without.
const TARGETS_MAX: usize = 32;

/// Whether records of this type point to names whose addresses are asked for next.
#[inline]
pub(super) fn has_targets(rtype: u16) -> bool {
    matches!(rtype, rtype::NS | rtype::MX | rtype::SRV)
}

/// Adds the addresses of what `rrset` points to, as far as they are in our zones and there is room.
pub(super) fn targets(view: &DnsView, query: &Query, rrset: &Rrset<'_>, message: &mut Message<'_>) {
    let mut done: Vec<Labels> = Vec::new();
    for rdata in rrset.rdatas().take(TARGETS_MAX) {
        let Some(target) = target_in(rdata, rrset.rtype(), view) else { continue };
        if done.iter().any(|name| name.as_wire() == target.as_wire()) {
            continue;
        }
        if let Some((zone, node)) = node_of(view, &target)
            && !node.is_special()
        {
            for rtype in [rtype::A, rtype::AAAA] {
                address(view, query, zone, &node, &target, rtype, message);
            }
        }
        done.push(target);
    }
}

/// Adds the addresses of the servers of a delegation at `cut`. `false` if one was left out that is
/// below it, and so can be had nowhere else.
pub(super) fn glue(
    view: &DnsView,
    query: &Query,
    servers: &Rrset<'_>,
    cut: &[u8],
    message: &mut Message<'_>,
) -> bool {
    // What the referral is useless without goes first, however many servers there are; it ends with the room.
    for below in [true, false] {
        let most = if below { usize::MAX } else { TARGETS_MAX };
        for rdata in servers.rdatas().take(most) {
            let Some(target) = target_in(rdata, rtype::NS, view) else { continue };
            if is_within(&target, cut) != below {
                continue;
            }
            let Some((zone, node)) = node_of(view, &target) else { continue };
            for rtype in [rtype::A, rtype::AAAA] {
                if !address(view, query, zone, &node, &target, rtype, message) && below {
                    return false;
                }
            }
        }
    }
    true
}

/// Adds the records of one type of a target; `false` if there are some and they do not fit.
fn address(
    view: &DnsView,
    query: &Query,
    zone: ZoneNumber,
    node: &Node<'_>,
    target: &Labels,
    rtype: u16,
    message: &mut Message<'_>,
) -> bool {
    let Some(rrset) = node.rrset(rtype) else { return true };
    let owner = Owner::name(target.as_wire());
    // What lies at a delegation or below one is not the zone's to sign.
    let owner = if node.is_special() { owner } else { owner.of([target.as_wire(), &[]]) };
    message.rrset(Section::Additional, owner, &rrset, view, query, zone)
}

/// The name that RDATA of `rtype` points to.
fn target_in(rdata: Rdata<'_>, rtype: u16, view: &DnsView) -> Option<Labels> {
    let before = match rtype {
        rtype::MX => 2,
        rtype::SRV => 6,
        _ => return target_of(rdata, view),
    };
    match rdata {
        Rdata::Plain(octets) => Labels::read(octets.get(before..)?).ok(),
        Rdata::InZone(..) => None,
    }
}

fn node_of<'v>(view: &'v DnsView, name: &Labels) -> Option<(ZoneNumber, Node<'v>)> {
    let zone = view.zones().find(name, name.count())?;
    let depth = view.zones().zone(zone).depth;
    Some((zone, view.name(zone, name.relative(name.count(), depth))?))
}

/// Whether `name` is `ancestor` or lies below it.
pub(super) fn is_within(name: &Labels, ancestor: &[u8]) -> bool {
    (0..=name.count()).any(|depth| name.suffix(depth) == ancestor)
}
