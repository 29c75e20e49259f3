//! What each identity association of a message gets (RFC 8415, sections 18.3.1, 18.3.2, 18.3.4, 18.3.5).
//!
//! What the inventory reserves goes first, each thing once in a message; then what the client has or was
//! offered, then what it would like, then any of the pools. The inventory wins: what it does not give
//! any more gets the lifetime 0 at the next Renew, beside what it gives now.

use ipnet::Ipv6Net;

use super::asker::Asker;
use super::ia::{Ia, IaKind, Lease};
use super::input::Link;
use super::output::Outputs;
use super::reason::Reason;
use super::{Core, Status};
use crate::core::Now;
use crate::core::client::ClientKey;
use crate::core::leases::Offer;
use crate::core::outputs::Changed;
use crate::core::record::State;
use crate::core::space::group6;

/// How long an offer stands.
const OFFER_MS: i64 = 30_000;
/// Longest lease of a host whose own address another client still has.
const MEANWHILE_SECONDS: u32 = 300;

/// What a client asks for when it sends identity associations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// What it could have.
    Solicit,
    /// To have it: in two messages, if it was a Solicit.
    Request,
    /// To keep what we gave.
    Renew,
    /// To keep what anybody gave.
    Rebind,
}

/// The answer to one identity association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) kind: IaKind,
    pub(super) id: u32,
    /// What the client has from now on, and for how many seconds.
    pub(super) given: Option<(Ipv6Net, u32)>,
    /// What it must let go of at once.
    pub(super) withdrawn: Vec<Lease>,
    /// Why it has not what it wants.
    pub(super) status: Option<Status>,
}

/// The answers to all of a message.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// In the order of the message. One that is left out is one that other servers may know better.
    pub(super) answers: Vec<Assigned>,
    /// Whether any of it is the inventory's.
    pub(super) reserved: bool,
    /// Position of the record that must be durable before it is told.
    pub(super) after: Option<u64>,
}

/// What was found for an identity association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Reserved(Ipv6Net),
    /// Of a pool, for so many seconds at most.
    Pool(Ipv6Net, u32),
    Nothing,
    /// It has an address of another link.
    NotOnLink,
}

impl Assigned {
    /// Nothing but a status.
    pub(super) fn status(ia: &Ia<'_>, status: Status) -> Assigned {
        Assigned { kind: ia.kind, id: ia.id, given: None, withdrawn: Vec::new(), status: Some(status) }
    }
}

impl Assignment {
    /// The first that is given.
    pub(super) fn given(&self) -> Option<Ipv6Net> {
        self.answers.iter().find_map(|ia| ia.given).map(|(item, _)| item)
    }
}

/// Whether it is an address of this machine.
fn is_own(links: &[Link], item: Ipv6Net) -> bool {
    links.iter().any(|link| link.addresses.contains(&item.addr()))
}

impl Core {
    /// Answers the identity associations of `asker`. `commit`: the client has it from now on.
    pub(super) fn assign(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        asking: Asking,
        commit: bool,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Assignment, Reason> {
        let found = self.find_all(asker, asking, now);
        let mut assignment = Assignment::default();
        let mut failing = false;
        let mut given = Vec::with_capacity(found.len());
        for (ia, found) in asker.ias.iter().zip(&found) {
            let seconds = self.seconds(asker, *found);
            given.push(match *found {
                Found::Reserved(item) => {
                    assignment.reserved = true;
                    Some((item, seconds))
                }
                Found::Pool(item, _) if commit => {
                    match self.ledger.bind(item, asker.tenant(ia), seconds, now, out) {
                        Ok(after) => {
                            assignment.after = assignment.after.max(after);
                            Some((item, seconds))
                        }
                        Err(_) => {
                            failing = true;
                            None
                        }
                    }
                }
                Found::Pool(item, _) => {
                    let promised = self.promise(item, asker.key(ia), now);
                    failing |= !promised;
                    promised.then_some((item, seconds))
                }
                Found::Nothing | Found::NotOnLink => None,
            });
        }
        let keeps = matches!(asking, Asking::Renew | Asking::Rebind);
        // What is not known may be one of those that could not be read.
        failing |= keeps && self.ledger.journal.is_failing() && found.contains(&Found::Nothing);
        if failing && (keeps || given.iter().all(Option::is_none)) {
            return Err(Reason::StoreFailing);
        }
        let all: Vec<Ipv6Net> = given.iter().flatten().map(|(item, _)| *item).collect();
        for ((ia, found), given) in asker.ias.iter().zip(&found).zip(given) {
            let withdrawn = if keeps { self.withdrawn(asker, ia, asking, &all) } else { Vec::new() };
            if commit {
                self.end_others(asker, ia, &all, given.is_some(), &withdrawn, now, out);
            }
            let status = match (*found, given) {
                (Found::NotOnLink, _) => Some(Status::NotOnLink),
                (_, Some(_)) => None,
                (_, None) if !withdrawn.is_empty() => None,
                // Of a prefix or an address that we know nothing of, its own server may say more.
                (_, None) if asking == Asking::Rebind => continue,
                (_, None) if keeps => Some(Status::NoBinding),
                (_, None) if ia.kind == IaKind::Pd => Some(Status::NoPrefixes),
                (_, None) => Some(Status::NoAddresses),
            };
            assignment.answers.push(Assigned { kind: ia.kind, id: ia.id, given, withdrawn, status });
        }
        Ok(assignment)
    }

    /// What there is for each identity association.
    fn find_all(&mut self, asker: &Asker<'_, '_, '_>, asking: Asking, now: Now) -> Vec<Found> {
        let mut found = vec![None; asker.ias.len()];
        for kind in [IaKind::Na, IaKind::Pd] {
            let mut left = asker.reserved(kind);
            if left.is_empty() {
                continue;
            }
            let of_kind = || asker.ias.iter().enumerate().filter(|(_, ia)| ia.kind == kind);
            // Who has one keeps it; then the others in their order.
            let holding = of_kind().filter_map(|(at, ia)| Some((at, ia.item_of(&asker.reserved(kind))?)));
            for (at, item) in holding {
                if let (Some(place), Some(slot)) =
                    (left.iter().position(|one| *one == item), found.get_mut(at))
                {
                    *slot = Some(Found::Reserved(left.remove(place)));
                }
            }
            for (at, _) in of_kind() {
                if let Some(slot) = found.get_mut(at).filter(|slot| slot.is_none()) {
                    let next = (!left.is_empty()).then(|| left.remove(0));
                    *slot = Some(next.map_or(Found::Nothing, Found::Reserved));
                }
            }
        }
        let mut taken: Vec<Ipv6Net> = Vec::new();
        let mut all = Vec::with_capacity(found.len());
        for (ia, reserved) in asker.ias.iter().zip(found) {
            let moved = asking == Asking::Request
                && ia.kind != IaKind::Pd
                && ia.leases().any(|lease| !asker.place.holds(lease.address));
            let one = match reserved {
                // "MUST return the IA … with NotOnLink" (RFC 8415, section 18.3.2).
                _ if moved => Found::NotOnLink,
                // Whoever leased it before the inventory gave it away has it until it asks again.
                Some(Found::Reserved(item))
                    if self.ledger.leases.is_held_by_other(item, |key| asker.is_its(key, ia), now.ms()) =>
                {
                    self.find_pool(asker, ia, asking, &taken, MEANWHILE_SECONDS, now)
                }
                Some(found) => found,
                None => self.find_pool(asker, ia, asking, &taken, u32::MAX, now),
            };
            if let Found::Pool(item, _) = one {
                taken.push(item);
            }
            all.push(one);
        }
        all
    }

    /// What the pools have for `ia`; none of `taken`.
    fn find_pool(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        ia: &Ia<'_>,
        asking: Asking,
        taken: &[Ipv6Net],
        seconds_max: u32,
        now: Now,
    ) -> Found {
        if asker.is_host(ia.kind) && !self.is_turn(asker, ia) {
            return Found::Nothing;
        }
        let key = asker.key(ia);
        if let Some(item) = self.known_item(asker, ia, &key, asking, taken, now) {
            return Found::Pool(item, seconds_max);
        }
        // One that has lost its lease by an edit gets another; of one that never had any, others may know.
        if asking == Asking::Rebind && self.ledger.leases.of_client(&key).is_empty() {
            return Found::Nothing;
        }
        let links = &self.links;
        let usable = |item| !taken.contains(&item) && !is_own(links, item);
        let groups = asker.networks().map(|network| group6(network, ia.kind != IaKind::Pd));
        for group in groups {
            if let Some(item) = self.ledger.leases.choose(group, now.ms(), usable) {
                return Found::Pool(item, seconds_max);
            }
        }
        Found::Nothing
    }

    /// What the client has of the pools, or was offered, or would like and can have.
    fn known_item(
        &self,
        asker: &Asker<'_, '_, '_>,
        ia: &Ia<'_>,
        key: &ClientKey,
        asking: Asking,
        taken: &[Ipv6Net],
        now: Now,
    ) -> Option<Ipv6Net> {
        let (ms, leases) = (now.ms(), &self.ledger.leases);
        let good = |item: &Ipv6Net| {
            let group = leases.group(*item);
            let here = || asker.networks().any(|network| group == group6(network, ia.kind != IaKind::Pd));
            leases.gives(*item) && !taken.contains(item) && !is_own(&self.links, *item) && here()
        };
        let mut own = leases.of_client(key).iter().copied().filter(|item| {
            let usable = leases.get(*item).is_some_and(|lease| lease.state != State::Declined);
            let other = leases.offer_of(*item, ms).is_some_and(|offer| offer.client != *key);
            usable && !other
        });
        let offered = leases.offered_to(key, ms);
        let hints = ia.leases().filter_map(Lease::item).filter(|item| leases.is_free(*item, ms));
        match asking {
            // What another server gave is not ours to extend.
            Asking::Rebind => own.find(good),
            Asking::Solicit | Asking::Request | Asking::Renew => own.chain(offered).chain(hints).find(good),
        }
    }

    /// Whether `ia` is the one of its kind that a host's lease is told in: the one that has it, else the
    /// first.
    fn is_turn(&self, asker: &Asker<'_, '_, '_>, ia: &Ia<'_>) -> bool {
        let items = self.ledger.leases.of_client(&asker.key(ia));
        let mut of_kind = asker.ias.iter().filter(|other| other.kind == ia.kind);
        let first = of_kind.clone().next();
        let turn = of_kind.find(|other| other.item_of(items).is_some()).or(first);
        turn.is_some_and(|turn| std::ptr::eq(turn, ia))
    }

    /// Remembers that `item` was offered; false if it could not be given later.
    fn promise(&mut self, item: Ipv6Net, client: ClientKey, now: Now) -> bool {
        let lease = self.ledger.leases.get(item);
        if lease.is_some_and(|lease| lease.is_bound(now.ms()) && lease.client == client) {
            return true;
        }
        let offer = Offer { client, until: now.ms() + OFFER_MS };
        !self.ledger.journal.is_failing() && self.ledger.leases.offer(item, offer)
    }

    /// For how long it is given.
    fn seconds(&self, asker: &Asker<'_, '_, '_>, found: Found) -> u32 {
        let own = asker.known().and_then(|(nic, _)| nic.lease_seconds());
        let (network, most) = match found {
            Found::Reserved(_) => (asker.known().map(|(_, network)| network), u32::MAX),
            Found::Pool(item, most) => (
                asker.networks().find(|network| {
                    self.ledger.leases.group(item) == group6(network, item.prefix_len() == 128)
                }),
                most,
            ),
            Found::Nothing | Found::NotOnLink => return 0,
        };
        own.or_else(|| network.map(|network| network.lease_seconds)).unwrap_or(0).min(most)
    }

    /// What the client holds and must not; nothing that it is `given` in this message. Asked without
    /// being named, only what is ours is judged.
    fn withdrawn(
        &self,
        asker: &Asker<'_, '_, '_>,
        ia: &Ia<'_>,
        asking: Asking,
        given: &[Ipv6Net],
    ) -> Vec<Lease> {
        let is_address = ia.kind != IaKind::Pd;
        let held = ia.leases().filter(|lease| {
            let item = lease.item();
            let of_pool = item.is_some_and(|item| self.ledger.leases.gives(item));
            let of_link = is_address && asker.known().is_some() && asker.place.holds(lease.address);
            let ours = asking == Asking::Renew || of_link || of_pool;
            ours && !item.is_some_and(|item| given.contains(&item))
        });
        held.collect()
    }

    /// Ends the client's leases that it loses: those that are withdrawn, and those that `ia` had before.
    #[expect(clippy::too_many_arguments, reason = "what one answer consists of")]
    fn end_others(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        ia: &Ia<'_>,
        given: &[Ipv6Net],
        gets: bool,
        withdrawn: &[Lease],
        now: Now,
        out: &mut Outputs,
    ) {
        let is_address = ia.kind != IaKind::Pd;
        for key in asker.keys(ia).iter().flatten() {
            let lost = |item: &Ipv6Net| {
                let of_kind = (item.prefix_len() == 128) == is_address;
                let told = withdrawn.iter().any(|lease| lease.item() == Some(*item));
                of_kind && !given.contains(item) && (gets || told)
            };
            let lost: Vec<_> = self.ledger.leases.of_client(key).iter().copied().filter(lost).collect();
            for item in lost {
                self.ledger.end(item, Changed::Withdrawn, now, out);
            }
        }
    }
}
