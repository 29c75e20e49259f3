//! The additional section: addresses of what the answer points to, and what NAPTR (RFC 3403, section 4.2) and
//! service bindings (RFC 9460, section 4.1) have asked for next.
//!
//! What the answer can do without is left out when there is no room. Glue that a referral is useless
//! without is not (RFC 9471): then the reply is truncated.

use crate::view::{DnsView, Labels, Node, Rdata, Rrset, ZoneNumber, rtype};

use super::chain::{Place, target_of};
use super::message::{Message, Owner, Section};

/// Most targets whose addresses are looked up for one answer that can do without.
const TARGETS_MAX: usize = 32;

/// What a record points to.
struct Target {
    name: Labels,
    /// Types that are asked for there next.
    rtypes: &'static [u16],
}

const ADDRESSES: &[u16] = &[rtype::A, rtype::AAAA];

/// Whether records of this type point to names whose records are asked for next.
#[inline]
pub(super) fn has_targets(rtype: u16) -> bool {
    matches!(
        rtype,
        rtype::NS
            | rtype::MX
            | rtype::AFSDB
            | rtype::RT
            | rtype::SRV
            | rtype::NAPTR
            | rtype::KX
            | rtype::SVCB
            | rtype::HTTPS
    )
}

/// Adds the records that are asked for next after those of `rrset`, which the name of `place` has, as far as they are
/// in zones of ours that the client may ask about, and there is room.
pub(super) fn targets(place: &Place<'_>, rrset: &Rrset<'_>, message: &mut Message<'_>) {
    let (view, owner) = (place.view, place.name);
    let mut done: Vec<Target> = Vec::new();
    for rdata in rrset.rdatas().take(TARGETS_MAX) {
        let Some(target) = target_in(rdata, rrset.rtype(), owner, view) else { continue };
        let name = target.name.as_wire();
        if let Some((zone, node)) = node_of(place, &target.name)
            && !node.is_special()
        {
            let is_said = |rtype| {
                let before = |of: &Target| of.name.as_wire() == name && of.rtypes.contains(&rtype);
                done.iter().any(before) || name == owner.as_wire() && rtype == rrset.rtype()
            };
            for rtype in target.rtypes.iter().filter(|rtype| !is_said(**rtype)) {
                record(place, (zone, &node), &target.name, *rtype, message);
            }
        }
        done.push(target);
    }
}

/// Adds the addresses of the servers of a delegation at `cut`. `false` if one was left out that is
/// below it, and so can be had nowhere else.
pub(super) fn glue(place: &Place<'_>, servers: &Rrset<'_>, cut: &[u8], message: &mut Message<'_>) -> bool {
    // What the referral is useless without goes first, however many servers there are; it ends with the room.
    for below in [true, false] {
        let most = if below { usize::MAX } else { TARGETS_MAX };
        for rdata in servers.rdatas().take(most) {
            let Some(target) = target_of(rdata, place.view) else { continue };
            if is_within(&target, cut) != below {
                continue;
            }
            let Some((zone, node)) = node_of(place, &target) else { continue };
            for rtype in ADDRESSES {
                if !record(place, (zone, &node), &target, *rtype, message) && below {
                    return false;
                }
            }
        }
    }
    true
}

/// Adds the records of one type of a target; `false` if there are some and they do not fit.
fn record(
    place: &Place<'_>,
    (zone, node): (ZoneNumber, &Node<'_>),
    target: &Labels,
    rtype: u16,
    message: &mut Message<'_>,
) -> bool {
    let Some(rrset) = node.rrset(rtype) else { return true };
    let owner = Owner::name(target.as_wire());
    // What lies at a delegation or below one is not the zone's to sign.
    let owner = if node.is_special() { owner } else { owner.of([target.as_wire(), &[]]) };
    message.rrset(Section::Additional, owner, &rrset, place.view, place.query, zone)
}

/// What RDATA of `rtype` points to; `owner` has it.
fn target_in(rdata: Rdata<'_>, rtype: u16, owner: &Labels, view: &DnsView) -> Option<Target> {
    let before = match rtype {
        rtype::MX | rtype::AFSDB | rtype::RT | rtype::KX => 2,
        rtype::SRV => 6,
        rtype::NAPTR => return rule_in(plain(rdata)?),
        rtype::SVCB | rtype::HTTPS => return service_in(plain(rdata)?, rtype, owner),
        _ => return Some(Target { name: target_of(rdata, view)?, rtypes: ADDRESSES }),
    };
    Some(Target { name: Labels::read(plain(rdata)?.get(before..)?).ok()?, rtypes: ADDRESSES })
}

fn plain(rdata: Rdata<'_>) -> Option<&[u8]> {
    match rdata {
        Rdata::Plain(octets) => Some(octets),
        Rdata::InZone(..) => None,
    }
}

/// What a NAPTR record points to, if its flag says of which type that is (RFC 3404, section 4.3).
fn rule_in(octets: &[u8]) -> Option<Target> {
    // Order and preference, then flags, services and a regular expression, each with its length.
    let mut rest = octets.get(4..)?;
    let mut flags: &[u8] = &[];
    for place in 0..3 {
        let (length, tail) = rest.split_first()?;
        let (text, tail) = tail.split_at_checked(usize::from(*length))?;
        if place == 0 {
            flags = text;
        }
        rest = tail;
    }
    let rtypes: &[u16] = match flags {
        [b's' | b'S'] => &[rtype::SRV],
        [b'a' | b'A'] => ADDRESSES,
        _ => return None,
    };
    Some(Target { name: Labels::read(rest).ok()?, rtypes })
}

/// What a service binding points to: the root stands for its owner, or, in an alias, for nothing (RFC 9460, section 2.5).
fn service_in(octets: &[u8], rtype: u16, owner: &Labels) -> Option<Target> {
    let (priority, rest) = octets.split_first_chunk::<2>()?;
    let name = Labels::read(rest).ok()?;
    let is_alias = *priority == [0, 0];
    match (name.count(), is_alias, rtype) {
        (0, true, _) => None,
        (0, false, _) => Some(Target { name: owner.clone(), rtypes: ADDRESSES }),
        (_, false, _) => Some(Target { name, rtypes: ADDRESSES }),
        (_, true, rtype::HTTPS) => Some(Target { name, rtypes: &[rtype::HTTPS, rtype::A, rtype::AAAA] }),
        (_, true, _) => Some(Target { name, rtypes: &[rtype::SVCB, rtype::A, rtype::AAAA] }),
    }
}

fn node_of<'p>(place: &Place<'p>, name: &Labels) -> Option<(ZoneNumber, Node<'p>)> {
    let view = place.view;
    let number = view.zones().find(name, name.count())?;
    let zone = view.zones().zone(number);
    if !zone.answers(place.peer) {
        return None;
    }
    Some((number, view.name(number, name.relative(name.count(), zone.depth))?))
}

/// Whether `name` is `ancestor` or lies below it.
pub(super) fn is_within(name: &Labels, ancestor: &[u8]) -> bool {
    (0..=name.count()).any(|depth| name.suffix(depth) == ancestor)
}
