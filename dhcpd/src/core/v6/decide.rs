//! What a client is answered: RFC 8415, section 18.3, for machines that the inventory knows.
//!
//! A pure function of the view: the same message gets the same answer again. A reserved address belongs
//! to the host and not to one of its identity associations, since firmware uses several in one boot;
//! within one message it is given once.
//!
//! The inventory wins: an address that it does not give any more gets the lifetime 0 at the next Renew,
//! beside the one that it gives now.

use std::net::Ipv6Addr;

use super::assign::{Asking, Assigned, assign};
use super::ia::{Ia, IaKind};
use super::identify::identify;
use super::input::Packet;
use super::message::{Kind, Message};
use super::place::Place;
use super::reason::Reason;
use crate::code6;
use crate::view::{NetworkView6, Reservation};

/// What to do about a message that is answered.
#[derive(Debug)]
pub(super) enum Decision<'v> {
    /// An Advertise, or a Reply if it commits, with identity associations and options.
    Give(Give<'v>),
    /// A Reply with options only.
    Inform(&'v NetworkView6, Option<Reservation<'v>>),
    /// A Reply with a status and identity associations, as they are.
    Say(Status, Vec<Assigned>, Option<Reason>),
    /// As `Say(Success)`, and another machine uses this host's address.
    Conflict(Grant<'v>),
}

/// Addresses for a client.
#[derive(Debug)]
pub(super) struct Give<'v> {
    /// Whether the client can use them now.
    pub(super) committed: bool,
    /// Committed without being asked twice.
    pub(super) rapid: bool,
    /// Where options come from; `None`: there are none.
    pub(super) network: Option<&'v NetworkView6>,
    /// The nic, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// Answers to the identity associations.
    pub(super) assigned: Vec<Assigned>,
}

/// An address for a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant<'v> {
    /// The network that it is of.
    pub(super) network: &'v NetworkView6,
    /// The nic that it belongs to.
    pub(super) nic: Reservation<'v>,
    /// The address.
    pub(super) address: Ipv6Addr,
}

/// Status codes (RFC 8415, section 21.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Status {
    Success = 0,
    NoAddresses = 2,
    NoBinding = 3,
    NotOnLink = 4,
    UseMulticast = 5,
    NoPrefixes = 6,
}

/// What the inventory says of a client.
#[derive(Clone, Copy)]
enum Client<'v> {
    /// It has this address.
    Reserved(Grant<'v>),
    /// It is known and needs an address from a pool. Leases will be looked up here.
    Pool(&'v NetworkView6, Reservation<'v>),
    /// Nobody has written it down. Leases will be looked up here.
    Unknown,
    /// It is planned or retired.
    Withdrawn,
    /// DHCP is off for it.
    Off,
}

/// A message and what is known of who sent it.
struct Asker<'m, 'a, 'v> {
    message: &'m Message<'a>,
    place: Place<'v>,
    client: Client<'v>,
    ias: Vec<Ia<'a>>,
}

/// Decides about a message. `server` is our DUID.
pub(super) fn decide<'v>(
    message: &Message<'_>,
    packet: &Packet<'_>,
    place: Result<Place<'v>, Reason>,
    server: &[u8],
) -> Result<Decision<'v>, Reason> {
    valid(message, server)?;
    let place = place?;
    if is_unicast(message, packet) {
        return match naming(message.kind()) {
            Naming::Always => Ok(Decision::Say(Status::UseMulticast, Vec::new(), Some(Reason::Unicast))),
            Naming::Never | Naming::Perhaps => Err(Reason::Unicast),
        };
    }
    let client = client(message, packet, &place);
    if matches!(client, Client::Off) {
        return Err(Reason::DhcpOff);
    }
    let asker = Asker { message, place, client, ias: Ia::read_all(&message.options)? };
    match message.kind() {
        Kind::Solicit => asker.solicit(),
        Kind::Request => Ok(asker.request()),
        Kind::Confirm => asker.confirm(),
        Kind::Renew => Ok(asker.renew()),
        Kind::Rebind => asker.rebind(),
        Kind::Release => Ok(asker.release()),
        Kind::Decline => Ok(asker.decline()),
        Kind::InformationRequest => asker.inform(packet),
        Kind::Other(_) => Err(Reason::MessageType),
    }
}

/// Whether a message says which server is meant.
enum Naming {
    Always,
    Never,
    Perhaps,
}

fn naming(kind: Kind) -> Naming {
    match kind {
        Kind::Request | Kind::Renew | Kind::Release | Kind::Decline => Naming::Always,
        Kind::Solicit | Kind::Confirm | Kind::Rebind => Naming::Never,
        Kind::InformationRequest | Kind::Other(_) => Naming::Perhaps,
    }
}

/// What a message must and must not have (RFC 8415, section 16).
fn valid(message: &Message<'_>, server: &[u8]) -> Result<(), Reason> {
    if matches!(message.kind(), Kind::Other(_)) {
        return Err(Reason::MessageType);
    }
    let client = message.duid()?;
    let named = message.options.get(code6::SERVER_ID);
    match (naming(message.kind()), named) {
        (Naming::Never, Some(_)) => return Err(Reason::ServerIdPresent),
        (Naming::Always, None) => return Err(Reason::NoServerId),
        (Naming::Always | Naming::Never | Naming::Perhaps, _) => {}
    }
    if client.is_none() && message.kind() != Kind::InformationRequest {
        return Err(Reason::NoClientId);
    }
    if named.is_some_and(|named| named != server) { Err(Reason::OtherServer) } else { Ok(()) }
}

/// Whether a client sent it to our own address. RFC 9915 has taken the option out that permitted it; a
/// client of RFC 8415 is told so.
fn is_unicast(message: &Message<'_>, packet: &Packet<'_>) -> bool {
    message.relays.is_empty() && packet.destination.is_some_and(|to| !to.is_multicast())
}

fn client<'v>(message: &Message<'_>, packet: &Packet<'_>, place: &Place<'v>) -> Client<'v> {
    match identify(message, packet, place) {
        Some((nic, network)) if !nic.has_dhcp() || !network.dhcp => Client::Off,
        Some((nic, _)) if !nic.is_served() => Client::Withdrawn,
        Some((nic, network)) => match nic.address6() {
            Some(address) => Client::Reserved(Grant { network, nic, address }),
            None => Client::Pool(network, nic),
        },
        None if place.networks().all(|network| !network.dhcp) => Client::Off,
        None => Client::Unknown,
    }
}

impl<'v> Asker<'_, '_, 'v> {
    fn solicit(&self) -> Result<Decision<'v>, Reason> {
        match self.client {
            Client::Unknown => Err(self.why_unknown()),
            Client::Withdrawn => Err(Reason::NotServed),
            Client::Off => Err(Reason::DhcpOff),
            Client::Reserved(_) | Client::Pool(..) => {
                let mut give = self.give(Asking::Solicit);
                let something = give.assigned.iter().any(|ia| ia.given.is_some());
                give.rapid = something && self.message.options.has(code6::RAPID_COMMIT);
                give.committed = give.rapid;
                Ok(Decision::Give(give))
            }
        }
    }

    fn request(&self) -> Decision<'v> {
        // "MUST return the IA … with NotOnLink" (RFC 8415, section 18.3.2).
        let moved =
            |ia: &Ia<'_>| ia.kind == IaKind::Na && ia.leases().any(|lease| !self.place.holds(lease.address));
        let mut give = self.give(Asking::Request);
        for (ia, assigned) in self.ias.iter().zip(&mut give.assigned) {
            if moved(ia) {
                *assigned = Assigned::status(ia, Status::NotOnLink);
            }
        }
        Decision::Give(give)
    }

    fn renew(&self) -> Decision<'v> {
        Decision::Give(self.give(Asking::Renew))
    }

    /// Other servers may know a machine that we do not.
    fn rebind(&self) -> Result<Decision<'v>, Reason> {
        match self.client {
            Client::Unknown => Err(self.why_unknown()),
            Client::Off => Err(Reason::DhcpOff),
            Client::Reserved(_) | Client::Pool(..) | Client::Withdrawn => {
                Ok(Decision::Give(self.give(Asking::Rebind)))
            }
        }
    }

    /// Whether the client's addresses are good here. More than the link is looked at, as DHCPv4 does
    /// for a client that starts: one whose address the inventory has changed must not keep the old one.
    fn confirm(&self) -> Result<Decision<'v>, Reason> {
        let mut named = self.ias.iter().filter(|ia| ia.kind != IaKind::Pd).flat_map(Ia::leases).peekable();
        if named.peek().is_none() {
            return Err(Reason::NoAddressNamed);
        }
        let good = match self.client {
            Client::Reserved(grant) => named.all(|lease| lease.address == grant.address),
            Client::Withdrawn => false,
            Client::Off => return Err(Reason::DhcpOff),
            Client::Unknown | Client::Pool(..) if !self.has_pool() => return Err(self.why_unknown()),
            Client::Unknown | Client::Pool(..) => {
                if named.all(|lease| self.place.holds(lease.address)) {
                    return Err(Reason::NoLeaseYet);
                }
                false
            }
        };
        let status = if good { Status::Success } else { Status::NotOnLink };
        Ok(Decision::Say(status, Vec::new(), (!good).then_some(Reason::NotOnLink)))
    }

    /// A reservation stays what it is.
    fn release(&self) -> Decision<'v> {
        Decision::Say(Status::Success, self.unbound(), None)
    }

    /// A client has found its address in use. A reservation stays what it is; the operator must look
    /// for the other machine.
    fn decline(&self) -> Decision<'v> {
        match self.client {
            Client::Reserved(grant) if self.ias.iter().any(|ia| ia.holds(grant.address)) => {
                Decision::Conflict(grant)
            }
            Client::Reserved(_) | Client::Pool(..) | Client::Unknown | Client::Withdrawn | Client::Off => {
                Decision::Say(Status::Success, self.unbound(), None)
            }
        }
    }

    /// Answered for machines that nobody has written down as well: nothing is given away.
    fn inform(&self, packet: &Packet<'_>) -> Result<Decision<'v>, Reason> {
        if !self.ias.is_empty() {
            return Err(Reason::AddressesNamed);
        }
        match self.client {
            Client::Off => Err(Reason::DhcpOff),
            Client::Withdrawn => Err(Reason::NotServed),
            Client::Reserved(_) | Client::Pool(..) | Client::Unknown => {
                let known = identify(self.message, packet, &self.place);
                let network = known.map(|(_, network)| network).or_else(|| self.served_network());
                Ok(Decision::Inform(network.ok_or(Reason::NoNetwork)?, known.map(|(nic, _)| nic)))
            }
        }
    }

    fn give(&self, asking: Asking) -> Give<'v> {
        let reserved = match self.client {
            Client::Reserved(grant) => Some(grant),
            Client::Pool(..) | Client::Unknown | Client::Withdrawn | Client::Off => None,
        };
        let (network, nic) = match self.client {
            Client::Reserved(Grant { network, nic, .. }) | Client::Pool(network, nic) => {
                (Some(network), Some(nic))
            }
            Client::Unknown | Client::Withdrawn | Client::Off => (None, None),
        };
        let assigned = assign(&self.ias, asking, reserved, &self.place);
        Give { committed: asking != Asking::Solicit, rapid: false, network, nic, assigned }
    }

    /// "No binding" for each identity association that holds nothing of ours.
    fn unbound(&self) -> Vec<Assigned> {
        let own = match self.client {
            Client::Reserved(grant) => Some(grant.address),
            Client::Pool(..) | Client::Unknown | Client::Withdrawn | Client::Off => None,
        };
        let unbound = self.ias.iter().filter(|ia| !own.is_some_and(|own| ia.holds(own)));
        unbound.map(|ia| Assigned::status(ia, Status::NoBinding)).collect()
    }

    fn served_network(&self) -> Option<&'v NetworkView6> {
        self.place.networks().find(|network| network.dhcp)
    }

    fn has_pool(&self) -> bool {
        self.place.networks().any(|network| network.has_pool && network.dhcp)
    }

    /// Why a machine without a reservation gets nothing.
    fn why_unknown(&self) -> Reason {
        if self.has_pool() { Reason::NoLeaseYet } else { Reason::UnknownMachine }
    }
}
