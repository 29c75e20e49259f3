//! What a client is answered: RFC 2131, section 4.3.
//!
//! A pure function of the message, the view and the leases: the same message gets the same answer again,
//! as clients that repeat themselves need (RFC 2131, section 4.1). The inventory goes before any lease.

use std::net::Ipv4Addr;

use super::classes::{lease_seconds, may_have, part_for};
use super::client::{ClientKey, ClientKeys};
use super::decision::{Decision, Grant, Want};
use super::identify::Identified;
use super::leases::Leases;
use super::options::Malformed;
use super::packet::{Kind, Message};
use super::place::Place;
use super::probes::Probes;
use super::reason::{Reason, Refusal};
use super::record::State;
use crate::code;
use crate::view::{Layout, NetworkView, Reservation};

/// Longest lease of a host whose own address another client still has.
const MEANWHILE_SECONDS: u32 = 300;
/// For how long a client that has just got or extended its lease is not looked for: it may not use its address
/// yet.
const SETTLING_MS: i64 = 60_000;

/// What the inventory says of a client.
enum Client<'v> {
    /// It has this address.
    Reserved(Grant<'v>),
    /// It needs an address from a pool.
    Pool(Want<'v>),
    /// Its address is still another client's, and there is no pool.
    Waits,
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

/// What is known when a message is decided about.
pub(super) struct Deciding<'d, 'a, 'v> {
    pub(super) message: &'d Message<'a>,
    /// Who sent it, if the inventory knows.
    pub(super) known: Option<Identified<'v>>,
    pub(super) leases: &'d Leases<Layout>,
    pub(super) probes: &'d Probes,
    /// Milliseconds of the boot's clock.
    pub(super) now: i64,
    /// Leases cannot be written at the moment, or could not be read yet.
    pub(super) is_store_failing: bool,
    /// Tells our own addresses.
    pub(super) is_own: &'d dyn Fn(Ipv4Addr) -> bool,
}

impl<'v> Deciding<'_, '_, 'v> {
    /// Decides about the message of a client that is there.
    pub(super) fn decide(&self, place: Result<Place<'v>, Reason>) -> Decision<'v> {
        let decision = match (self.message.kind(), place) {
            (Kind::Release, _) => self.release(),
            (Kind::Other(_), _) => Err(Reason::MessageType),
            (_, Err(reason)) => Err(reason),
            (Kind::Bootp, Ok(place)) => self.bootp(&place),
            (Kind::Discover, Ok(place)) => self.discover(&place),
            (Kind::Request, Ok(place)) => self.request(&place),
            (Kind::Inform, Ok(place)) => self.inform(&place),
            (Kind::Decline, Ok(place)) => self.decline(&place),
        };
        decision.unwrap_or_else(Decision::Silence)
    }

    fn client(&self, place: &Place<'v>) -> Client<'v> {
        let Some(Identified { nic, network }) = self.known else {
            let all_off = place.networks().all(|network| !network.dhcp);
            let want = Want { known: None, seconds_max: u32::MAX };
            return if all_off { Client::Off } else { Client::Pool(want) };
        };
        if !nic.has_dhcp() || !network.dhcp {
            return Client::Off;
        }
        if !nic.is_served() {
            return Client::Withdrawn;
        }
        let Some(address) = nic.address() else {
            return Client::Pool(Want { known: Some((nic, network)), seconds_max: u32::MAX });
        };
        // Whoever leased it before the inventory gave it away has it until it asks again; so has the machine
        // that was at the port before, unless it has gone.
        let is_held = self.leases.is_held_by_other(address, |key| self.is_its(key, Some(&nic)), self.now);
        if is_held && !(nic.is_by_port() && self.may_replace(network, address))
            || nic.is_by_port() && self.is_on_probation(address)
        {
            let want = Want { known: Some((nic, network)), seconds_max: MEANWHILE_SECONDS };
            return if self.has_pool(network, Some(&nic)) { Client::Pool(want) } else { Client::Waits };
        }
        let seconds = lease_seconds(self.message, network, Some(&nic));
        Client::Reserved(Grant { network, nic: Some(nic), address, seconds, is_leased: nic.is_by_port() })
    }

    /// Whether `network` has addresses to give to the client.
    fn has_pool(&self, network: &NetworkView, nic: Option<&Reservation<'_>>) -> bool {
        let part = network.part(part_for(self.message, network, nic));
        part.is_some_and(|pool| !pool.is_empty())
    }

    /// Whether a client has found somebody else using `address`.
    fn is_on_probation(&self, address: Ipv4Addr) -> bool {
        let lease = self.leases.get(address).filter(|lease| lease.is_held(self.now));
        lease.is_some_and(|lease| lease.state == State::Declined)
    }

    /// Whether the address of a port may go from the machine that leases it to another one at that port:
    /// where there is a probe to tell that the former has gone. A lease is not broken without.
    fn may_replace(&self, network: &NetworkView, address: Ipv4Addr) -> bool {
        let Some(settled) = settled_at(self.leases, address, self.now) else { return false };
        network.probe
            && settled <= self.now
            && match self.message.kind() {
                Kind::Discover => true,
                Kind::Request => self.probes.is_quiet(address, settled, self.now),
                Kind::Decline | Kind::Release | Kind::Inform | Kind::Bootp | Kind::Other(_) => false,
            }
    }

    /// Whether leases of `client` are those of the client that asks, which may have had them by its card alone.
    fn is_its(&self, client: &ClientKey, nic: Option<&Reservation<'_>>) -> bool {
        ClientKeys::of(self.message, nic).is_some_and(|keys| keys.have(client))
            || ClientKey::of_hardware(self.message).as_ref() == Some(client)
    }

    fn discover(&self, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
        match self.client(place) {
            Client::Reserved(grant) => Ok(Decision::Offer(grant)),
            Client::Pool(want) => {
                let is_served = match &want.known {
                    Some((nic, network)) => network.dhcp && self.has_pool(network, Some(nic)),
                    None => place.networks().any(|network| {
                        network.dhcp && network.serves_strangers && self.has_pool(network, None)
                    }),
                };
                match want.known {
                    _ if is_served => Ok(Decision::OfferLease(want)),
                    Some(_) => Err(Reason::NoPool),
                    None => Err(Reason::UnknownMachine),
                }
            }
            Client::Waits => Err(Reason::AddressHeld),
            Client::Withdrawn => Err(Reason::NotServed),
            Client::Off => Err(Reason::DhcpOff),
        }
    }

    /// BOOTP (RFC 1534): hosts of the inventory alone, since nobody would ever take an address back.
    fn bootp(&self, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
        match self.client(place) {
            Client::Reserved(grant) => Ok(Decision::Offer(grant)),
            Client::Pool(_) => Err(Reason::Bootp),
            Client::Waits => Err(Reason::AddressHeld),
            Client::Withdrawn => Err(Reason::NotServed),
            Client::Off => Err(Reason::DhcpOff),
        }
    }

    fn request(&self, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
        let (asking, wanted) = self.state()?;
        if let Asking::Selecting(server) = asking
            && !(self.is_own)(server)
        {
            return Err(Reason::OtherServer);
        }
        let client = self.client(place);
        if matches!(client, Client::Off) {
            return Err(Reason::DhcpOff);
        }
        let selecting = matches!(asking, Asking::Selecting(_));
        // The network comes first, and concerns machines that nobody has written down as well: only a
        // server of their link can tell them that they have moved.
        let Some(network) = place.network_of(wanted) else {
            let stranger = matches!(client, Client::Pool(Want { known: None, .. }));
            if stranger && !selecting && !place.is_authoritative() {
                return Err(Reason::WrongNetwork);
            }
            return Ok(Decision::Refuse(Refusal::WrongNetwork, None));
        };
        match client {
            Client::Reserved(grant) if grant.address == wanted => {
                let is_open = self.may_be_its_own_machines(&grant);
                Ok(if is_open { Decision::Refuse(Refusal::NotOffered, None) } else { Decision::Ack(grant) })
            }
            Client::Reserved(grant) => {
                Ok(Decision::Refuse(Refusal::WrongAddress, self.own_lease(wanted, grant.nic.as_ref())))
            }
            Client::Withdrawn => Ok(Decision::Refuse(Refusal::NotServed, self.own_lease(wanted, None))),
            Client::Waits => Ok(Decision::Refuse(Refusal::WrongAddress, None)),
            Client::Pool(want) => self.lease(place, network, wanted, want, selecting),
            Client::Off => Err(Reason::DhcpOff),
        }
    }

    /// Whether the machine that is written down with a port may use the address, while another one at that port
    /// asks for it: the former leases nothing, so it must have been looked for.
    fn may_be_its_own_machines(&self, grant: &Grant<'_>) -> bool {
        grant.is_leased
            && grant.nic.is_some_and(|nic| nic.mac().is_some())
            && grant.network.probe
            && self.own_lease(grant.address, grant.nic.as_ref()).is_none()
            && !self.probes.is_quiet(grant.address, i64::MIN, self.now)
    }

    /// A DHCPREQUEST for an address that must be leased.
    fn lease(
        &self,
        place: &Place<'v>,
        network: &'v NetworkView,
        wanted: Ipv4Addr,
        want: Want<'v>,
        selecting: bool,
    ) -> Result<Decision<'v>, Reason> {
        if !network.dhcp {
            return Err(Reason::DhcpOff);
        }
        let nic = want.known.map(|(nic, _)| nic);
        let by_port = place.view().by_port_address(network.id, wanted);
        let by_port = by_port.filter(|nic| nic.is_served() && nic.has_dhcp());
        let keys = ClientKeys::of(self.message, nic.or(by_port).as_ref()).ok_or(Reason::NoIdentity)?;
        let lease = self.leases.get(wanted);
        let own = lease.filter(|lease| keys.have(&lease.client) && !matches!(lease.state, State::Declined));
        let is_here = want.known.is_none_or(|(_, home)| home.id == network.id);
        let is_served = nic.is_some() || network.serves_strangers;
        let may_have = may_have(self.message, network, nic.as_ref(), wanted, place.is_direct());
        let of_pool = is_here && is_served && may_have && !(self.is_own)(wanted);
        let by_port = by_port.filter(|_| own.is_some());
        let offer = self.leases.offer_of(wanted, self.now).map(|offer| keys.have(&offer.client));
        let own_still = own.is_some_and(|lease| lease.is_held(self.now) || offer != Some(false));
        let offered = offer == Some(true) && !self.probes.is_running(wanted);
        if (of_pool && (own_still || (selecting && offered))) || by_port.is_some() {
            let nic = nic.or(by_port);
            let seconds = lease_seconds(self.message, network, nic.as_ref()).min(want.seconds_max);
            return Ok(Decision::Ack(Grant { network, nic, address: wanted, seconds, is_leased: true }));
        }
        if own.is_some() {
            return Ok(Decision::Refuse(Refusal::NotGiven, Some(wanted)));
        }
        // It may be one of those that could not be read.
        if self.is_store_failing {
            return Err(Reason::StoreFailing);
        }
        // It waits for us and for nobody else (RFC 2131, section 3.1, step 4).
        if selecting {
            return Ok(Decision::Refuse(Refusal::NotOffered, None));
        }
        if lease.is_some_and(|lease| lease.is_held(self.now)) {
            return Ok(Decision::Refuse(Refusal::OtherClient, None));
        }
        // "If the DHCP server has no record of this client, then it MUST remain silent": it must not if
        // it is known to be the only one, or the one that was asked.
        if network.authoritative || place.is_direct() {
            return Ok(Decision::Refuse(Refusal::UnknownLease, None));
        }
        Err(if network.pool.is_empty() { Reason::UnknownMachine } else { Reason::UnknownLease })
    }

    /// The client's lease of `address`, to be ended.
    fn own_lease(&self, address: Ipv4Addr, nic: Option<&Reservation<'_>>) -> Option<Ipv4Addr> {
        let lease = self.leases.get(address).filter(|lease| lease.is_bound(self.now))?;
        self.is_its(&lease.client, nic).then_some(address)
    }

    /// The state of the client and the address that it wants.
    fn state(&self) -> Result<(Asking, Ipv4Addr), Reason> {
        let message = self.message;
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
    fn inform(&self, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
        let address = self.message.ciaddr();
        if address.is_unspecified() {
            return Err(Reason::NoAddressNamed);
        }
        // The reply goes there, so it must be an address that a machine of ours can have.
        let network = place.network_of(address).filter(|network| network.has_host(address));
        let network = network.ok_or(Reason::NoNetwork)?;
        if !network.dhcp {
            return Err(Reason::DhcpOff);
        }
        match self.client(place) {
            Client::Off => Err(Reason::DhcpOff),
            Client::Withdrawn => Err(Reason::NotServed),
            Client::Reserved(_) | Client::Pool(_) | Client::Waits => {
                let known = self.known.filter(|found| found.network.id == network.id);
                Ok(Decision::Inform(network, known.map(|found| found.nic)))
            }
        }
    }

    /// A client has found its address in use (RFC 2131, section 4.3.3). A reservation stays what it is:
    /// the operator must look for the other machine. An address of a pool is put on probation.
    fn decline(&self, place: &Place<'v>) -> Result<Decision<'v>, Reason> {
        let options = &self.message.options;
        let server = options.fixed::<4>(code::SERVER_ID)?;
        if server.is_some_and(|server| !(self.is_own)(Ipv4Addr::from(server))) {
            return Err(Reason::OtherServer);
        }
        let declined = options.fixed::<4>(code::REQUESTED_ADDRESS)?.map(Ipv4Addr::from);
        let declined = declined.ok_or(Reason::NoAddressNamed)?;
        match self.client(place) {
            Client::Reserved(grant) if grant.address == declined => {
                // Nobody else is known to have the address of a port.
                let is_of_port = grant.is_leased && grant.nic.is_some_and(|nic| nic.mac().is_none());
                let lease = self.own_lease(declined, grant.nic.as_ref()).filter(|_| is_of_port);
                Ok(lease.map_or(Decision::Conflict(grant), Decision::Decline))
            }
            Client::Pool(want) => {
                // An offer is not enough: it costs a stranger nothing to be offered every address.
                let lease = self.own_lease(declined, want.known.map(|(nic, _)| nic).as_ref());
                lease.map(Decision::Decline).ok_or(Reason::Declined)
            }
            Client::Reserved(_) | Client::Waits | Client::Withdrawn | Client::Off => Err(Reason::Declined),
        }
    }

    fn release(&self) -> Result<Decision<'v>, Reason> {
        let address = self.message.ciaddr();
        self.own_lease(address, None).map(Decision::Release).ok_or(Reason::Released)
    }
}

/// When the client that leases `address` at `now` has had time to use it; `None`: no client leases it.
pub(super) fn settled_at(leases: &Leases<Layout>, address: Ipv4Addr, now: i64) -> Option<i64> {
    leases.get(address).filter(|lease| lease.is_bound(now)).map(|lease| lease.since + SETTLING_MS)
}
