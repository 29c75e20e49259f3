//! What each identity association of a message gets (RFC 8415, sections 18.3.2, 18.3.4, 18.3.5).

use std::net::Ipv6Addr;

use super::decide::{Grant, Status};
use super::ia::{Ia, IaKind, Lease};
use super::place::Place;

/// What a client asks for when it sends identity associations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// What it could have.
    Solicit,
    /// To have it.
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
    pub(super) given: Option<(Lease, u32)>,
    /// What it must let go of at once.
    pub(super) withdrawn: Vec<Lease>,
    /// Why it has not what it wants.
    pub(super) status: Option<Status>,
}

impl Assigned {
    /// Nothing but a status.
    pub(super) fn status(ia: &Ia<'_>, status: Status) -> Assigned {
        Assigned { kind: ia.kind, id: ia.id, given: None, withdrawn: Vec::new(), status: Some(status) }
    }
}

/// Answers `ias`, in their order. An identity association that is left out is one that other servers
/// may know better.
pub(super) fn assign(
    ias: &[Ia<'_>],
    asking: Asking,
    reserved: Option<Grant<'_>>,
    place: &Place<'_>,
) -> Vec<Assigned> {
    let own = reserved.map(|grant| grant.address);
    let chosen = own.and_then(|own| chosen(ias, own));
    let keeps = matches!(asking, Asking::Renew | Asking::Rebind);
    let answer = |(at, ia): (usize, &Ia<'_>)| {
        let given = reserved.filter(|_| chosen == Some(at)).map(|grant| {
            let seconds = grant.nic.lease_seconds().unwrap_or(grant.network.lease_seconds);
            (Lease { address: grant.address, prefix_len: 128 }, seconds)
        });
        let withdrawn: Vec<Lease> =
            if keeps { withdrawn(ia, asking, own, place).collect() } else { Vec::new() };
        let status = match (given, keeps) {
            (Some(_), _) => None,
            (None, true) if !withdrawn.is_empty() => None,
            // Of a prefix or an address that we know nothing of, its own server may say more.
            (None, true) if asking == Asking::Rebind => return None,
            (None, true) => Some(Status::NoBinding),
            (None, false) if ia.kind == IaKind::Pd => Some(Status::NoPrefixes),
            (None, false) => Some(Status::NoAddresses),
        };
        Some(Assigned { kind: ia.kind, id: ia.id, given, withdrawn, status })
    };
    ias.iter().enumerate().filter_map(answer).collect()
}

/// Which of them gets the reserved address: the one that has it, else the first.
fn chosen(ias: &[Ia<'_>], own: Ipv6Addr) -> Option<usize> {
    let mut candidates = ias.iter().enumerate().filter(|(_, ia)| ia.kind == IaKind::Na);
    let first = candidates.clone().next();
    candidates.find(|(_, ia)| ia.holds(own)).or(first).map(|(at, _)| at)
}

/// What the client holds and must not. The reserved address is never among it, wherever it stands.
/// Asked without being named, only what lies in our own networks is judged.
fn withdrawn(
    ia: &Ia<'_>,
    asking: Asking,
    own: Option<Ipv6Addr>,
    place: &Place<'_>,
) -> impl Iterator<Item = Lease> {
    let is_address = ia.kind != IaKind::Pd;
    ia.leases().filter(move |lease| {
        let ours = asking == Asking::Renew || is_address && place.holds(lease.address);
        ours && !(is_address && own == Some(lease.address))
    })
}
