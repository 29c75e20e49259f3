//! What a client is answered: RFC 2131, section 4.3, for machines that the inventory knows.
//!
//! A pure function of the view: the same message gets the same answer again, as clients that repeat
//! themselves need (RFC 2131, section 4.1).

use std::net::Ipv4Addr;

use super::identify::identify;
use super::options::Malformed;
use super::packet::{Kind, Message};
use super::place::Place;
use super::reason::{Reason, Refusal};
use crate::code;
use crate::view::{NetworkView, Reservation};

/// What to do about a message.
#[derive(Debug)]
pub(super) enum Decision<'v> {
    /// DHCPOFFER.
    Offer(Grant<'v>),
    /// DHCPACK.
    Ack(Grant<'v>),
    /// DHCPACK with options only.
    Inform(&'v NetworkView, Option<Reservation<'v>>),
    /// DHCPNAK.
    Refuse(Refusal),
    /// Nothing, since another machine uses this host's address.
    Conflict(Grant<'v>),
    /// Nothing.
    Silence(Reason),
}

/// An address for a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant<'v> {
    /// The network that it is of.
    pub(super) network: &'v NetworkView,
    /// The nic that it belongs to.
    pub(super) nic: Reservation<'v>,
    /// The address.
    pub(super) address: Ipv4Addr,
}

/// What the inventory says of a client.
enum Client<'v> {
    /// It has this address.
    Reserved(Grant<'v>),
    /// It is known and needs an address from a pool. Leases will be looked up here.
    Pool,
    /// Nobody has written it down. Leases will be looked up here.
    Unknown,
    /// It is planned or retired.
    Withdrawn,
    /// DHCP is off for it.
    Off,
}

/// Where a client is in its life when it sends a DHCPREQUEST (RFC 2131, section 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    /// It accepts the offer of this server.
    Selecting(Ipv4Addr),
    /// It has started and wants the address that it had.
    InitReboot,
    /// It wants to keep its address, and asks us (renewing) or anybody (rebinding).
    Keeping,
}

impl From<Malformed> for Reason {
    fn from(_: Malformed) -> Reason {
        Reason::BadOption
    }
}

/// Decides about a message. `is_own` tells our own addresses.
pub(super) fn decide<'v>(
    message: &Message<'_>,
    place: Result<Place<'v>, Reason>,
    is_own: impl Fn(Ipv4Addr) -> bool,
) -> Decision<'v> {
    let decision = match (message.kind(), place) {
        (Kind::Release, _) => Err(Reason::Released),
        (Kind::Other(_), _) => Err(Reason::MessageType),
        (_, Err(reason)) => Err(reason),
        (Kind::Discover, Ok(place)) => discover(message, &place),
        (Kind::Request, Ok(place)) => request(message, &place, is_own),
        (Kind::Inform, Ok(place)) => inform(message, &place),
        (Kind::Decline, Ok(place)) => decline(message, &place, is_own),
    };
    decision.unwrap_or_else(Decision::Silence)
}

fn client<'v>(message: &Message<'_>, place: &Place<'v>) -> Client<'v> {
    match identify(message, place) {
        Some((nic, network)) if !nic.has_dhcp() || !network.dhcp => Client::Off,
        Some((nic, _)) if !nic.is_served() => Client::Withdrawn,
        Some((nic, network)) => match nic.address() {
            Some(address) => Client::Reserved(Grant { network, nic, address }),
            None => Client::Pool,
        },
        None if place.networks().all(|network| !network.dhcp) => Client::Off,
        None => Client::Unknown,
    }
}

/// Why a machine without a reservation gets nothing.
fn unknown(place: &Place<'_>) -> Reason {
    let pool = place.networks().any(|network| network.has_pool && network.dhcp);
    if pool { Reason::NoLeaseYet } else { Reason::UnknownMachine }
}

fn discover<'v>(message: &Message<'_>, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
    match client(message, place) {
        Client::Reserved(grant) => Ok(Decision::Offer(grant)),
        Client::Pool => Err(Reason::NoLeaseYet),
        Client::Unknown => Err(unknown(place)),
        Client::Withdrawn => Err(Reason::NotServed),
        Client::Off => Err(Reason::DhcpOff),
    }
}

fn request<'v>(
    message: &Message<'_>,
    place: &Place<'v>,
    is_own: impl Fn(Ipv4Addr) -> bool,
) -> Result<Decision<'v>, Reason> {
    let (asking, wanted) = state(message)?;
    if let Asking::Selecting(server) = asking
        && !is_own(server)
    {
        return Err(Reason::OtherServer);
    }
    let client = client(message, place);
    if matches!(client, Client::Off) {
        return Err(Reason::DhcpOff);
    }
    // The network comes first, and concerns machines that nobody has written down as well: only a
    // server of their link can tell them that they have moved.
    if place.network_of(wanted).is_none() {
        return Ok(Decision::Refuse(Refusal::WrongNetwork));
    }
    let selecting = matches!(asking, Asking::Selecting(_));
    match client {
        Client::Reserved(grant) if grant.address == wanted => Ok(Decision::Ack(grant)),
        Client::Reserved(_) => Ok(Decision::Refuse(Refusal::WrongAddress)),
        Client::Withdrawn => Ok(Decision::Refuse(Refusal::NotServed)),
        // It waits for us and for nobody else (RFC 2131, section 3.1, step 4).
        Client::Pool | Client::Unknown if selecting => Ok(Decision::Refuse(Refusal::NotOffered)),
        // "MUST remain silent": other servers may know it.
        Client::Pool => Err(Reason::NoLeaseYet),
        Client::Unknown => Err(unknown(place)),
        Client::Off => Err(Reason::DhcpOff),
    }
}

/// The state of the client and the address that it wants.
fn state(message: &Message<'_>) -> Result<(Asking, Ipv4Addr), Reason> {
    let address = |code| message.options.fixed::<4>(code).map(|octets| octets.map(Ipv4Addr::from));
    let server = address(code::SERVER_ID)?;
    let requested = address(code::REQUESTED_ADDRESS)?;
    let has = Some(message.ciaddr()).filter(|ciaddr| !ciaddr.is_unspecified());
    match (server, requested, has) {
        // Table 5 wants option 50 and no ciaddr; some old clients say it the other way round.
        (Some(server), requested, has) => {
            let wanted = requested.or(has).ok_or(Reason::NoAddressNamed)?;
            Ok((Asking::Selecting(server), wanted))
        }
        (None, _, Some(has)) => Ok((Asking::Keeping, has)),
        (None, Some(requested), None) => Ok((Asking::InitReboot, requested)),
        (None, None, None) => Err(Reason::NoAddressNamed),
    }
}

/// A client with an address from elsewhere wants options (RFC 2131, section 4.3.5). Leases are not
/// asked, so machines that nobody has written down are answered too.
fn inform<'v>(message: &Message<'_>, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
    if message.ciaddr().is_unspecified() {
        return Err(Reason::NoAddressNamed);
    }
    // The reply goes there, so it must be an address that a machine of ours can have.
    let network = place.network_of(message.ciaddr()).filter(|network| network.has_host(message.ciaddr()));
    let network = network.ok_or(Reason::NoNetwork)?;
    if !network.dhcp {
        return Err(Reason::DhcpOff);
    }
    match client(message, place) {
        Client::Off => Err(Reason::DhcpOff),
        Client::Withdrawn => Err(Reason::NotServed),
        Client::Reserved(_) | Client::Pool | Client::Unknown => {
            let known = identify(message, place).filter(|(_, own)| own.id == network.id);
            Ok(Decision::Inform(network, known.map(|(nic, _)| nic)))
        }
    }
}

/// A client has found its address in use (RFC 2131, section 4.3.3). A reservation stays what it is; the
/// operator must look for the other machine.
fn decline<'v>(
    message: &Message<'_>,
    place: &Place<'v>,
    is_own: impl Fn(Ipv4Addr) -> bool,
) -> Result<Decision<'v>, Reason> {
    let server = message.options.fixed::<4>(code::SERVER_ID)?;
    if server.is_some_and(|server| !is_own(Ipv4Addr::from(server))) {
        return Err(Reason::OtherServer);
    }
    let declined = message.options.fixed::<4>(code::REQUESTED_ADDRESS)?.map(Ipv4Addr::from);
    match client(message, place) {
        Client::Reserved(grant) if Some(grant.address) == declined => Ok(Decision::Conflict(grant)),
        Client::Reserved(_) | Client::Pool | Client::Unknown | Client::Withdrawn | Client::Off => {
            Err(Reason::Declined)
        }
    }
}
