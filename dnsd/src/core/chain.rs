//! From a question to the sections of its answer: RFC 1034, section 4.3.2.
//!
//! CNAME and DNAME records are followed as long as they lead to names in our zones. The response code
//! is that of the last name (RFC 6604), the AA flag that of the first.

use std::net::IpAddr;

use inventory_core::model::PoolLabel;

use crate::view::{DnsView, Key, Labels, Node, Rdata, Rrset, ZoneNumber, rtype};

use super::dnssec::Subject;
use super::extra;
use super::find::{self, Found};
use super::message::{Message, Owner, QUESTION_NAME, Section, pointer_to};
use super::prove;
use super::query::Query;
use super::reason::{Answer, Reason};

/// Most CNAME and DNAME records that are followed. Nobody needs as many; loops end earlier.
const HOPS_MAX: usize = 16;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// The sections are written.
    Answered { answer: Answer, authoritative: bool, truncated: bool },
    /// The records up to the DNAME are written; what it leads to is too long for a name.
    RedirectTooLong,
    /// There is nothing to answer with.
    Failed(Reason),
}

/// How one name of a chain ends.
enum Step {
    /// The answer is complete.
    Done(Answer),
    /// There was no room for what belongs there.
    Cut(Answer),
    /// Go on at another name.
    Follow(Box<Next>),
    /// A DNAME leads to a name that is too long.
    TooLong,
}

/// The next name of a chain.
struct Next {
    name: Labels,
    /// Where it stands in the message.
    at: usize,
}

/// Where a chain is.
pub(super) struct Place<'p> {
    pub(super) view: &'p DnsView,
    pub(super) query: &'p Query,
    pub(super) name: &'p Labels,
    /// Where the name stands in the message.
    pub(super) at: u16,
    pub(super) zone: ZoneNumber,
    /// Who asks.
    pub(super) peer: IpAddr,
    /// Whether the name is the question's.
    first: bool,
}

/// Writes the answer to `query`.
#[inline]
pub(super) fn resolve(view: &DnsView, query: &Query, peer: IpAddr, message: &mut Message<'_>) -> Resolution {
    let Some(zone) = zone_for(view, &query.name, query.qtype) else {
        return Resolution::Failed(Reason::OutsideZones);
    };
    if !view.zones().zone(zone).answers(peer) {
        return Resolution::Failed(Reason::NotAllowed);
    }
    let place = Place { view, query, name: &query.name, at: QUESTION_NAME, zone, peer, first: true };
    match step(&place, message) {
        Step::Done(answer) => {
            let authoritative = answer != Answer::Referral;
            let truncated = !prove::noted(view, query, message);
            Resolution::Answered { answer, authoritative, truncated }
        }
        Step::Cut(answer) => {
            let authoritative = answer != Answer::Referral;
            Resolution::Answered { answer, authoritative, truncated: true }
        }
        Step::TooLong => Resolution::RedirectTooLong,
        Step::Follow(next) => follow(view, query, *next, peer, message),
    }
}

/// Goes on where a first CNAME or DNAME leads.
fn follow(
    view: &DnsView,
    query: &Query,
    mut next: Next,
    peer: IpAddr,
    message: &mut Message<'_>,
) -> Resolution {
    let mut seen: Vec<Labels> = vec![query.name.clone()];
    let answered = |answer, truncated| Resolution::Answered { answer, authoritative: true, truncated };
    loop {
        let loops = seen.iter().any(|name| name.as_wire() == next.name.as_wire());
        let zone = zone_for(view, &next.name, query.qtype);
        let leads_out = zone.is_none();
        let zone = zone.filter(|zone| view.zones().zone(*zone).answers(peer));
        let (Some(zone), Some(at), false) = (zone, pointer_to(next.at), loops || seen.len() >= HOPS_MAX)
        else {
            let fits = prove::noted(view, query, message);
            return answered(if leads_out { Answer::Alias } else { Answer::Records }, !fits);
        };
        let place = Place { view, query, name: &next.name, at, zone, peer, first: false };
        // The records so far are an answer, whatever the chain ends with.
        let whole = |answer| if answer == Answer::Referral { Answer::Alias } else { answer };
        match step(&place, message) {
            Step::Done(answer) => {
                let fits = prove::noted(view, query, message);
                return answered(whole(answer), !fits);
            }
            Step::Cut(answer) => return answered(whole(answer), true),
            Step::TooLong => return Resolution::RedirectTooLong,
            Step::Follow(after) => seen.push(std::mem::replace(&mut next, *after).name),
        }
    }
}

/// The zone that answers for `name`: the one with the longest apex; for DS records of an apex, the one
/// above it, if that is ours (RFC 4035, section 3.1.4.1).
#[inline]
pub(super) fn zone_for(view: &DnsView, name: &Labels, qtype: u16) -> Option<ZoneNumber> {
    let zone = view.zones().find(name, name.count())?;
    if qtype == rtype::DS && view.zones().zone(zone).depth == name.count() {
        return Some(view.zones().zone(zone).parent.unwrap_or(zone));
    }
    Some(zone)
}

impl Place<'_> {
    /// The name as an owner, of records of `node` or, without one, of the name itself.
    #[inline]
    fn owner<'a>(&'a self, node: Option<&Node<'a>>) -> Owner<'a> {
        let in_zone = match node.map(Node::key) {
            Some(Key::Name(zone, relative)) => [relative, self.view.zones().wire(zone)],
            Some(Key::V4(_) | Key::V6(_)) | None => [self.name.as_wire(), &[]],
        };
        Owner::at(self.at).of(in_zone)
    }
}

#[inline]
fn step(place: &Place<'_>, message: &mut Message<'_>) -> Step {
    let found = find::find(place.view, place.zone, place.name, place.query.qtype);
    if let Some(fits) = prove::own(place, &found, message) {
        return end(fits, Answer::Records);
    }
    match found {
        Found::Name(node) | Found::Wildcard(node) => from_node(place, &found, node, message),
        Found::NonTerminal => negative(place, Answer::NoData, &found, message),
        Found::Nothing => negative(place, Answer::NoName, &found, message),
        Found::Referral(cut, depth) => referral(place, &found, (cut, depth), message),
        Found::Redirect(node, depth) => redirect(place, node, depth, message),
        Found::PoolName(IpAddr::V4(v4)) => from_pool(place, &found, rtype::A, [&v4.octets(), &[]], message),
        Found::PoolName(IpAddr::V6(v6)) => {
            from_pool(place, &found, rtype::AAAA, [&v6.octets(), &[]], message)
        }
        Found::PoolAddress(zone, address) => {
            let label = PoolLabel::new(address);
            let zone = place.view.zones().wire(zone);
            from_pool(place, &found, rtype::PTR, [label.as_wire(), zone], message)
        }
        Found::PoolRedirect(classless, address) => {
            let target = Labels::of(&classless.owner(address));
            let parts = [target.as_wire(), &[][..]];
            let written = message.worked_out(
                place.owner(None),
                (rtype::CNAME, Subject::Record),
                parts,
                place.view,
                place.query,
                place.zone,
            );
            let ends = matches!(place.query.qtype, rtype::CNAME | rtype::ANY);
            leads_to(written, target, ends)
        }
    }
}

/// The records of a node: those asked for, else its CNAME, else none.
#[inline]
fn from_node(place: &Place<'_>, found: &Found<'_>, node: Node<'_>, message: &mut Message<'_>) -> Step {
    let qtype = place.query.qtype;
    let owner = place.owner(Some(&node));
    prove::note_expansion(place, found, message);
    if qtype == rtype::SOA && is_apex(&node) {
        let apex = place.first.then_some(place.at.into());
        let fits = message.soa(Section::Answer, place.view, place.zone, apex, place.query);
        return end(fits, Answer::Records);
    }
    if let Some(signer) = place.view.signing().zone(place.zone)
        && let Some(set) = signer.set(qtype).filter(|_| is_apex(&node))
    {
        let fits = message.apex_set(Owner::at(place.at), set, signer, place.view, place.query);
        return end(fits, Answer::Records);
    }
    let rrset = if qtype == rtype::ANY { node.rrsets().next() } else { node.rrset(qtype) };
    if let Some(rrset) = rrset {
        if rrset.rtype() == rtype::DNAME && message.has_redirect(place.name.as_wire()) {
            return Step::Done(Answer::Records);
        }
        let mut fits = message.rrset(Section::Answer, owner, &rrset, place.view, place.query, place.zone);
        if rrset.rtype() == rtype::RRSIG && qtype != rtype::ANY {
            let others = node.rrsets().filter(|other| other.rtype() == qtype).skip(1);
            fits = others.fold(fits, |fits, other| {
                fits && message.rrset(Section::Answer, owner, &other, place.view, place.query, place.zone)
            });
        }
        let fits = fits && prove::noted(place.view, place.query, message);
        if fits && extra::has_targets(rrset.rtype()) {
            extra::targets(place, &rrset, message);
        }
        return end(fits, Answer::Records);
    }
    match node.rrset(rtype::CNAME) {
        Some(cname) => alias(place, &node, &cname, message),
        None => negative(place, Answer::NoData, found, message),
    }
}

fn is_apex(node: &Node<'_>) -> bool {
    matches!(node.key(), Key::Name(_, []))
}

fn alias(place: &Place<'_>, node: &Node<'_>, cname: &Rrset<'_>, message: &mut Message<'_>) -> Step {
    let owner = place.owner(Some(node));
    let Some(at) = message.first_record(owner, cname, place.view, place.query, place.zone) else {
        return Step::Cut(Answer::Records);
    };
    let target = cname.rdatas().next().and_then(|rdata| target_of(rdata, place.view));
    target.map_or(Step::Done(Answer::Records), |name| Step::Follow(Box::new(Next { name, at })))
}

/// The name that RDATA is.
pub(super) fn target_of(rdata: Rdata<'_>, view: &DnsView) -> Option<Labels> {
    let mut wire = Vec::with_capacity(255);
    rdata.expand(view.zones(), &mut wire);
    Labels::read(&wire).ok()
}

/// The DNAME record, and the CNAME record that follows from it (RFC 6672, section 3.2).
fn redirect(place: &Place<'_>, node: Node<'_>, depth: usize, message: &mut Message<'_>) -> Step {
    let Some(dname) = node.rrset(rtype::DNAME) else {
        return negative(place, Answer::NoName, &Found::Nothing, message);
    };
    let owner = place.name.suffix(depth);
    let passed = message.has_redirect(owner);
    // A chain may pass a DNAME record again; one record is not written twice.
    if !passed {
        let owner = Owner::name(owner).of([owner, &[]]);
        if message.first_record(owner, &dname, place.view, place.query, place.zone).is_none() {
            return Step::Cut(Answer::Records);
        }
        message.note_redirect(place.name.suffix(depth));
    }
    let Some(target) = dname.rdatas().next().and_then(|rdata| target_of(rdata, place.view)) else {
        return Step::Done(Answer::Records);
    };
    if passed && extra::is_within(&target, place.name.suffix(depth)) {
        // It leads to names below itself, longer and longer: following it once says all.
        return Step::Done(Answer::Records);
    }
    let head = place.name.relative(place.name.count(), depth);
    let Ok(name) = Labels::read(&[head, target.as_wire()].concat()) else { return Step::TooLong };
    // It is not signed: it follows from the DNAME record, which is (RFC 6672, section 5.3.1).
    let parts = [name.as_wire(), &[][..]];
    let written = message.plain(Owner::at(place.at), rtype::CNAME, dname.ttl(), parts, place.query);
    leads_to(written, name, place.query.qtype == rtype::CNAME)
}

/// What follows a CNAME record that nobody wrote, which was written at this offset.
fn leads_to(written: Option<usize>, name: Labels, ends: bool) -> Step {
    match written {
        Some(_) if ends => Step::Done(Answer::Records),
        Some(at) => Step::Follow(Box::new(Next { name, at })),
        None => Step::Cut(Answer::Records),
    }
}

/// A record worked out for a pool address.
fn from_pool(
    place: &Place<'_>,
    found: &Found<'_>,
    rtype: u16,
    parts: [&[u8]; 2],
    message: &mut Message<'_>,
) -> Step {
    if place.query.qtype != rtype && place.query.qtype != rtype::ANY {
        return negative(place, Answer::NoData, found, message);
    }
    let owner = place.owner(None);
    let written =
        message.worked_out(owner, (rtype, found.subject()), parts, place.view, place.query, place.zone);
    end(written.is_some(), Answer::Records)
}

/// No records: the zone's SOA record says for how long (RFC 2308, section 2).
#[inline]
fn negative(place: &Place<'_>, answer: Answer, found: &Found<'_>, message: &mut Message<'_>) -> Step {
    let depth = place.view.zones().zone(place.zone).depth;
    let apex = place.first.then(|| usize::from(place.at) + place.name.offset(depth));
    let fits = message.soa(Section::Authority, place.view, place.zone, apex, place.query)
        && prove::absence(place, found, message);
    end(fits, answer)
}

/// The servers of a zone below, and where they are (RFC 1034, section 4.3.2, step 3b).
fn referral(
    place: &Place<'_>,
    found: &Found<'_>,
    (cut, depth): (Node<'_>, usize),
    message: &mut Message<'_>,
) -> Step {
    let Some(servers) = cut.rrset(rtype::NS) else {
        return negative(place, Answer::NoName, &Found::Nothing, message);
    };
    let name = place.name.suffix(depth);
    let owner = Owner::name(name);
    let fits = message.rrset(Section::Authority, owner, &servers, place.view, place.query, place.zone)
        && prove::delegation(place, found, (&cut, name), message)
        && prove::noted(place.view, place.query, message)
        && extra::glue(place, &servers, name, message);
    end(fits, Answer::Referral)
}

#[inline]
fn end(fits: bool, answer: Answer) -> Step {
    if fits { Step::Done(answer) } else { Step::Cut(answer) }
}
