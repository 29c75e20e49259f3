//! What a client is answered: RFC 8415, section 18.3.
//!
//! The same message gets the same answer again. Machines that nobody has written down are told that
//! there is nothing for them, unless `unknown = "ignore"` says to be silent: a client looks at every
//! server's Advertise, so another server on the link loses nothing.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::asker::{Asker, Client};
use super::assign::{Asking, Assigned, Assignment};
use super::ia::{Ia, IaKind, Lease};
use super::identify::identify;
use super::input::Packet;
use super::message::{Kind, Message};
use super::output::{Notice, Outcome, Outputs};
use super::place::Place;
use super::reason::Reason;
use super::reply::{Give, Replying};
use super::valid::{Naming, is_unicast, valid};
use super::{Core, Status};
use crate::code6;
use crate::core::Now;
use crate::core::outputs::Changed;
use crate::view::{DhcpView, NetworkView6};

impl Core {
    pub(super) fn answer(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        valid(message, &self.server)?;
        let (server, links) = (self.server.clone(), self.links.clone());
        let place = Place::find(view, &links, packet, message)?;
        let (boot_port, auth) = (self.boot_port, self.reconfiguring.auth(message));
        let replying = Replying { message, packet, place, server: &server, boot_port, auth, after: None };
        if is_unicast(message, packet) {
            if Naming::of(message.kind()) != Naming::Always {
                return Err(Reason::Unicast);
            }
            replying.say(Status::UseMulticast, &[], out)?;
            return Ok(Outcome::Refused(Reason::Unicast));
        }
        let asker = Asker::find(message, packet, place)?;
        if matches!(asker.client, Client::Off) {
            return Err(Reason::DhcpOff);
        }
        let outcome = self.act(&asker, packet, replying, now, out)?;
        let is_offer = message.kind() == Kind::Solicit && !message.options.has(code6::RAPID_COMMIT);
        if matches!(outcome, Outcome::Answered(..)) && !is_offer {
            self.remember(&asker, packet, now);
        }
        Ok(outcome)
    }

    fn act(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        packet: &Packet<'_>,
        replying: Replying<'_, '_, '_>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        match asker.message.kind() {
            Kind::Solicit => self.solicit(asker, replying, now, out),
            Kind::Request => self.give(asker, replying, Asking::Request, now, out),
            Kind::Renew => self.give(asker, replying, Asking::Renew, now, out),
            Kind::Rebind => self.rebind(asker, replying, now, out),
            Kind::Confirm => {
                let good = self.confirm(asker, now)?;
                replying.say(if good { Status::Success } else { Status::NotOnLink }, &[], out)?;
                Ok(if good { Outcome::Acknowledged } else { Outcome::Refused(Reason::NotOnLink) })
            }
            Kind::Release => {
                let unbound = self.release(asker, now, out);
                if let Ok(Some(duid)) = asker.message.duid() {
                    self.reconfiguring.forget(duid);
                }
                replying.say(Status::Success, &unbound, out)?;
                Ok(Outcome::Acknowledged)
            }
            Kind::Decline => {
                let unbound = self.decline(asker, now, out);
                replying.say(Status::Success, &unbound, out)?;
                Ok(Outcome::Acknowledged)
            }
            Kind::InformationRequest => inform(asker, packet, &replying, out),
            Kind::Other(_) => Err(Reason::MessageType),
        }
    }

    fn solicit(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        replying: Replying<'_, '_, '_>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        match asker.client {
            Client::Stranger if asker.networks().next().is_none() => return Err(Reason::UnknownMachine),
            Client::Withdrawn => return Err(Reason::NotServed),
            Client::Off => return Err(Reason::DhcpOff),
            Client::Known(..) | Client::Stranger => {}
        }
        if !asker.message.options.has(code6::RAPID_COMMIT) {
            let assignment = self.assign(asker, Asking::Solicit, false, now, out)?;
            return tell(asker, replying, assignment, (false, false), out);
        }
        let assignment = self.assign(asker, Asking::Solicit, true, now, out)?;
        let something = assignment.given().is_some();
        tell(asker, replying, assignment, (something, something), out)
    }

    fn give(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        replying: Replying<'_, '_, '_>,
        asking: Asking,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let assignment = self.assign(asker, asking, true, now, out)?;
        tell(asker, replying, assignment, (true, false), out)
    }

    /// Other servers may know a machine, or a lease, that we do not.
    fn rebind(
        &mut self,
        asker: &Asker<'_, '_, '_>,
        replying: Replying<'_, '_, '_>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let assignment = self.assign(asker, Asking::Rebind, true, now, out)?;
        if assignment.answers.is_empty() {
            let stranger = matches!(asker.client, Client::Stranger);
            return Err(if stranger { Reason::UnknownMachine } else { Reason::UnknownLease });
        }
        tell(asker, replying, assignment, (true, false), out)
    }

    /// Whether the client's addresses are good here. More than the link is looked at, as DHCPv4 does
    /// for a client that starts: one whose address the inventory has changed must not keep the old one.
    fn confirm(&self, asker: &Asker<'_, '_, '_>, now: Now) -> Result<bool, Reason> {
        let ias = || asker.ias.iter().filter(|ia| ia.kind != IaKind::Pd);
        let named: Vec<(&Ia<'_>, Ipv6Addr)> =
            ias().flat_map(|ia| ia.leases().map(move |lease| (ia, lease.address))).collect();
        if named.is_empty() {
            return Err(Reason::NoAddressNamed);
        }
        let reserved = asker.reserved(IaKind::Na);
        let leases = &self.ledger.leases;
        let is_good = |(ia, address): &(&Ia<'_>, Ipv6Addr)| {
            let item = Ipv6Net::from(*address);
            let ours = reserved.contains(&item) && ia.kind == IaKind::Na || self.has(asker, ia, item, now);
            ours && asker.place.holds(*address)
        };
        if matches!(asker.client, Client::Withdrawn) {
            return Ok(false);
        }
        if named.iter().all(is_good) {
            return Ok(true);
        }
        let on_link = named.iter().all(|(_, address)| asker.place.holds(*address));
        let judged = named
            .iter()
            .any(|(_, address)| leases.gives((*address).into()) || leases.get((*address).into()).is_some());
        if judged && self.ledger.journal.is_failing() {
            return Err(Reason::StoreFailing);
        }
        let ours = !reserved.is_empty() || judged || asker.networks().any(NetworkView6::has_pool);
        match (ours, on_link) {
            (false, _) => Err(Reason::UnknownMachine),
            // It may be another server's.
            (true, true) if reserved.is_empty() && !judged => Err(Reason::UnknownLease),
            (true, _) => Ok(false),
        }
    }

    /// Whether `item` is leased to `asker`.
    fn has(&self, asker: &Asker<'_, '_, '_>, ia: &Ia<'_>, item: Ipv6Net, now: Now) -> bool {
        let lease = self.ledger.leases.get(item).filter(|lease| lease.is_bound(now.ms()));
        lease.is_some_and(|lease| asker.is_its(&lease.client, ia))
    }

    /// Ends leases; a reservation stays what it is. Returns "no binding" for each identity association
    /// that holds nothing of ours.
    fn release(&mut self, asker: &Asker<'_, '_, '_>, now: Now, out: &mut Outputs) -> Vec<Assigned> {
        let mut unbound = Vec::new();
        for ia in &asker.ias {
            let items = ia.leases().filter_map(Lease::item);
            let leased: Vec<_> = items.filter(|item| self.has(asker, ia, *item, now)).collect();
            if leased.is_empty() && ia.item_of(&asker.reserved(ia.kind)).is_none() {
                unbound.push(Assigned::status(ia, Status::NoBinding));
            }
            for item in leased {
                self.ledger.end(item, Changed::Released, now, out);
            }
        }
        unbound
    }

    /// A client has found its address in use. A reservation stays what it is, and the operator must look
    /// for the other machine; an address of a pool is put on probation.
    fn decline(&mut self, asker: &Asker<'_, '_, '_>, now: Now, out: &mut Outputs) -> Vec<Assigned> {
        let mut unbound = Vec::new();
        for ia in &asker.ias {
            let reserved = ia.item_of(&asker.reserved(ia.kind));
            let items = ia.leases().filter_map(Lease::item);
            let leased: Vec<_> = items.filter(|item| self.has(asker, ia, *item, now)).collect();
            if let Some(item) = reserved
                && let Some(host) = asker.known().and_then(|(nic, _)| nic.fqdn())
                && self.conflicts.tell(item.addr(), now)
            {
                out.notices.push(Notice::AddressConflict { address: item.addr(), host });
            }
            if reserved.is_none() && leased.is_empty() {
                unbound.push(Assigned::status(ia, Status::NoBinding));
            }
            for item in leased {
                self.ledger.decline(item, asker.tenant(ia), now, out);
            }
        }
        unbound
    }
}

/// Sends what was assigned; `committed`: as a Reply; `rapid`: to a Solicit.
fn tell(
    asker: &Asker<'_, '_, '_>,
    replying: Replying<'_, '_, '_>,
    assignment: Assignment,
    (committed, rapid): (bool, bool),
    out: &mut Outputs,
) -> Result<Outcome, Reason> {
    let given = assignment.given();
    let known = asker.known();
    let network = known.map(|(_, network)| network);
    // A machine that nobody has written down gets the options of where its address is.
    let of_given = given.and_then(|item| asker.networks().find(|network| network.prefix.contains(&item)));
    let network = network.or(of_given).or_else(|| asker.served_network());
    let replying = Replying { after: assignment.after, ..replying };
    let reserved = assignment.reserved;
    let give = Give { committed, rapid, reserved, network, nic: known.map(|(nic, _)| nic), assignment };
    replying.give(&give, out)?;
    Ok(match (network, given) {
        (Some(network), Some(item)) => Outcome::Answered(network.id, Some(item.addr())),
        _ => Outcome::Refused(Reason::NothingToGive),
    })
}

/// Answered for machines that nobody has written down as well: nothing is given away.
fn inform(
    asker: &Asker<'_, '_, '_>,
    packet: &Packet<'_>,
    replying: &Replying<'_, '_, '_>,
    out: &mut Outputs,
) -> Result<Outcome, Reason> {
    if !asker.ias.is_empty() {
        return Err(Reason::AddressesNamed);
    }
    if matches!(asker.client, Client::Withdrawn) {
        return Err(Reason::NotServed);
    }
    let known = identify(asker.message, packet, &asker.place);
    let network = known.map(|(_, network)| network).or_else(|| asker.served_network());
    let network = network.ok_or(Reason::NoNetwork)?;
    replying.inform(network, known.map(|(nic, _)| nic), out)?;
    Ok(Outcome::Answered(network.id, None))
}
