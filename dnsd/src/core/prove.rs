//! Proofs that something is not there (RFC 4035, section 3.1.3), by NSEC records made for the question.
//!
//! A name that exists has an NSEC record of its own, which ends right behind it and lists its types. A
//! name that does not lies in the gap of one: see [`super::dnssec::denial`]. Every record that is made
//! is true of the zone, also where labels of odd octets stand in the way of a small gap.

use std::net::IpAddr;

use inventory_core::records::bitmap;

use crate::view::{DnsView, Labels, Node, ZoneNumber, rtype};

use super::chain::Place;
use super::dnssec::Subject;
use super::dnssec::denial::{after, first_below, last_below, sibling_before};
use super::find::{self, Found};
use super::message::{Message, Owner};
use super::query::Query;

/// What there is at a name of a zone.
enum Presence {
    /// Nothing, nor anything below it.
    Absent,
    /// These types, perhaps none.
    Present(Vec<u16>),
    /// A delegation or redirection: nothing below it is the zone's.
    Closed(Vec<u16>),
}

/// Shows that there is no record of the type that is asked for. `false` if there is no room.
pub(super) fn absence(place: &Place<'_>, found: &Found<'_>, message: &mut Message<'_>) -> bool {
    if !message.signs(place.view, place.zone) {
        return true;
    }
    let Place { view, query, name, zone, .. } = *place;
    let writer = Writer { view, query, zone };
    if let Found::Nothing = found {
        return writer.no_name(name, message);
    }
    if let Found::Wildcard(node) = found {
        return writer.types_of(&owner_of(view, node, name), types_in(node), found.subject(), message);
    }
    let types = match presence_of(view, zone, name, found) {
        Presence::Present(types) | Presence::Closed(types) => types,
        Presence::Absent => Vec::new(),
    };
    writer.types_of(name, types, found.subject(), message)
}

/// Answers a question for the NSEC record of a name that exists, be it an alias (RFC 4035, section 2.5), or for
/// signatures: that of the NSEC record, the one that every name has, stands for all, as one RRset does for those
/// who ask for ANY. `None` if nobody asks for either, or the zone is not signed; `false` in it if there is no room.
#[inline]
pub(super) fn own(place: &Place<'_>, found: &Found<'_>, message: &mut Message<'_>) -> Option<bool> {
    if !matches!(place.query.qtype, rtype::NSEC | rtype::RRSIG) {
        return None;
    }
    let Place { view, query, name, at, zone, .. } = *place;
    view.signing().zone(zone)?;
    let (source, types) = match found {
        // Both sides of a delegation have one: who is asked sends on to the other.
        Found::Referral(..) => return None,
        // Its record stands for names that do not exist only where just that is asked for (RFC 4592, section 4.7).
        Found::Wildcard(node) => (owner_of(view, node, name), types_in(node)),
        Found::Name(_)
        | Found::PoolName(_)
        | Found::PoolAddress(..)
        | Found::PoolRedirect(..)
        | Found::NonTerminal
        | Found::Redirect(..)
        | Found::Nothing => match presence_of(view, zone, name, found) {
            Presence::Present(types) | Presence::Closed(types) => (name.clone(), types),
            Presence::Absent => return None,
        },
    };
    note_expansion(place, found, message);
    let writer = Writer { view, query, zone };
    let (next, types) = (writer.behind(&source, &types), with_own(types));
    let owner = Owner::at(at).of([source.as_wire(), &[]]);
    Some(message.own_nsec(owner, [&next, &types], view, (zone, query)))
}

/// Shows whether a delegation is signed: its DS records, or that there are none. `false` if there is no
/// room.
pub(super) fn delegation(
    place: &Place<'_>,
    found: &Found<'_>,
    (cut, owner): (&Node<'_>, &[u8]),
    message: &mut Message<'_>,
) -> bool {
    if !message.signs(place.view, place.zone) {
        return true;
    }
    let Place { view, query, zone, .. } = *place;
    if let Some(ds) = cut.rrset(rtype::DS) {
        return message.delegation_signer(owner, &ds, view, query, zone);
    }
    let name = Labels::of_wire(owner);
    let (Presence::Present(types) | Presence::Closed(types)) = presence_of(view, zone, &name, found) else {
        return true;
    };
    Writer { view, query, zone }.types_of(&name, types, found.subject(), message)
}

/// Remembers that a wildcard stands for the name, if it does: who validates wants to see that the name
/// itself is not there (RFC 4035, section 3.1.3.3).
pub(super) fn note_expansion(place: &Place<'_>, found: &Found<'_>, message: &mut Message<'_>) {
    if matches!(found, Found::Wildcard(_)) && message.signs(place.view, place.zone) {
        message.note_expansion(place.zone, place.name.clone());
    }
}

/// Shows of all names remembered that they do not exist. `false` if there is no room.
#[inline]
pub(super) fn noted(view: &DnsView, query: &Query, message: &mut Message<'_>) -> bool {
    message.take_expansions().into_iter().all(|(zone, name)| {
        let writer = Writer { view, query, zone };
        let closer = writer.next_closer(&name);
        writer.gap_around(&closer, message)
    })
}

/// Writes NSEC records of one zone.
struct Writer<'w> {
    view: &'w DnsView,
    query: &'w Query,
    zone: ZoneNumber,
}

impl Writer<'_> {
    /// Shows that neither `name` exists nor a wildcard that stands for it.
    fn no_name(&self, name: &Labels, message: &mut Message<'_>) -> bool {
        let closer = self.next_closer(name);
        let encloser = closer.suffix(closer.count().saturating_sub(1));
        let wildcard = [b"\x01*", encloser].concat();
        let wildcard = Labels::read(&wildcard).ok();
        self.gap_around(&closer, message)
            && wildcard.is_none_or(|wildcard| self.gap_around(&wildcard, message))
    }

    /// The name of one label more than the closest encloser of `name`, which does not exist (RFC 5155,
    /// section 1.3).
    fn next_closer(&self, name: &Labels) -> Labels {
        let apex = self.view.zones().zone(self.zone).depth;
        let depth = (apex..name.count())
            .rev()
            .find(|depth| self.exists(&Labels::of_wire(name.suffix(*depth))))
            .unwrap_or(apex);
        Labels::of_wire(name.suffix(depth + 1))
    }

    fn exists(&self, name: &Labels) -> bool {
        !matches!(self.presence(name), Presence::Absent)
    }

    fn presence(&self, name: &Labels) -> Presence {
        let found = find::find(self.view, self.zone, name, rtype::ANY);
        presence_of(self.view, self.zone, name, &found)
    }

    /// An NSEC record that `name` and all below it lie in the gap of.
    fn gap_around(&self, name: &Labels, message: &mut Message<'_>) -> bool {
        let next = after(name, self.view.zones().zone(self.zone).depth);
        let (owner, types) = self.before(name);
        self.write(&owner, &next, types, Subject::Countless, message)
    }

    /// A name before `name` with no name of the zone between, and the types that it has.
    fn before(&self, name: &Labels) -> (Vec<u8>, Vec<u16>) {
        let above = || name.suffix(name.count().saturating_sub(1)).to_vec();
        let mut owner = sibling_before(name).unwrap_or_else(above);
        loop {
            let at = Labels::of_wire(&owner);
            match self.presence(&at) {
                Presence::Absent => return (owner, Vec::new()),
                Presence::Closed(types) => return (owner, types),
                Presence::Present(types) => {
                    let is_above = at.count() < name.count();
                    match last_below(&owner).filter(|_| !is_above) {
                        Some(below) => owner = below,
                        None => return (owner, types),
                    }
                }
            }
        }
    }

    /// The NSEC record of a name that exists.
    fn types_of(&self, name: &Labels, types: Vec<u16>, subject: Subject, message: &mut Message<'_>) -> bool {
        let next = self.behind(name, &types);
        self.write(name.as_wire(), &next, types, subject, message)
    }

    /// Where the NSEC record of a name that exists, with these types, ends.
    fn behind(&self, name: &Labels, types: &[u16]) -> Vec<u8> {
        // Names below a delegation are not the zone's.
        let closed = types.contains(&rtype::NS) && !types.contains(&rtype::SOA);
        let apex = self.view.zones().zone(self.zone).depth;
        first_below(name.as_wire()).filter(|_| !closed).unwrap_or_else(|| after(name, apex))
    }

    fn write(
        &self,
        owner: &[u8],
        next: &[u8],
        types: Vec<u16>,
        subject: Subject,
        message: &mut Message<'_>,
    ) -> bool {
        let types = with_own(types);
        message.nsec(owner, [next, &types], subject, self.view, (self.zone, self.query))
    }
}

/// The bitmap of these types and of those that every name with an NSEC record has.
fn with_own(mut types: Vec<u16>) -> Vec<u8> {
    types.extend([rtype::RRSIG, rtype::NSEC]);
    bitmap(types)
}

/// The name that a node of a zone has; `name` if it is an address.
fn owner_of(view: &DnsView, node: &Node<'_>, name: &Labels) -> Labels {
    match node.key() {
        crate::view::Key::Name(zone, relative) => {
            Labels::of_wire(&[relative, view.zones().wire(zone)].concat())
        }
        crate::view::Key::V4(_) | crate::view::Key::V6(_) => name.clone(),
    }
}

fn types_in(node: &Node<'_>) -> Vec<u16> {
    node.rrsets().map(|rrset| rrset.rtype()).collect()
}

/// What `found` says of `name`, for which it was found.
fn presence_of(view: &DnsView, zone: ZoneNumber, name: &Labels, found: &Found<'_>) -> Presence {
    match found {
        // Of a delegation only this is the parent's to say (RFC 4035, section 2.3).
        Found::Name(node) if node.is_cut() => Presence::Closed(cut_types(node)),
        Found::Referral(node, depth) if *depth == name.count() => Presence::Closed(cut_types(node)),
        Found::Name(node) => {
            let mut types = types_in(node);
            let apex = view.zones().zone(zone).depth == name.count();
            if let Some(signer) = view.signing().zone(zone).filter(|_| apex) {
                types.push(rtype::SOA);
                types.extend(signer.sets().iter().map(|set| set.rtype));
            }
            if node.is_redirect() && !apex { Presence::Closed(types) } else { Presence::Present(types) }
        }
        Found::NonTerminal => Presence::Present(Vec::new()),
        Found::PoolName(IpAddr::V4(_)) => Presence::Present(vec![rtype::A]),
        Found::PoolName(IpAddr::V6(_)) => Presence::Present(vec![rtype::AAAA]),
        Found::PoolAddress(..) => Presence::Present(vec![rtype::PTR]),
        Found::PoolRedirect(..) => Presence::Present(vec![rtype::CNAME]),
        Found::Referral(..) | Found::Redirect(..) | Found::Wildcard(_) | Found::Nothing => Presence::Absent,
    }
}

fn cut_types(node: &Node<'_>) -> Vec<u16> {
    types_in(node).into_iter().filter(|rtype| matches!(*rtype, rtype::NS | rtype::DS)).collect()
}
