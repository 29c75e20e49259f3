//! Deciding: one event in; datagrams, counts and notices out.
//!
//! A state machine without sockets, files, clocks or randomness: time is an argument. The same inputs
//! give the same outputs in production, in tests, in a simulation and under a fuzzer. A hostile packet
//! is never a panic and never an `Err`: it gets a reply or a [`Reason`].
//!
//! Reservations need no state: the inventory is the truth. Leases of the pools are kept in memory, and
//! every promise is written down before it is made: a reply says which record it waits for.

#![deny(clippy::indexing_slicing, clippy::too_many_lines, clippy::wildcard_enum_match_arm)]

mod boot;
pub mod bulk;
mod classes;
mod client;
mod conflicts;
mod decide;
mod decision;
mod dynamic;
mod fqdn;
mod identify;
mod input;
mod journal;
mod leasequery;
mod leases;
mod ledger;
mod left;
pub mod neighbours;
mod options;
mod output;
mod outputs;
mod packet;
mod parameters;
mod passing;
mod place;
mod probes;
mod proxy;
pub mod ra;
mod reason;
mod record;
mod reply;
mod seen;
mod space;
pub mod v6;
mod write;

pub use client::ClientKey;
pub use input::{Input, Link, Now, Packet};
pub use leases::Lease;
pub use options::{CodeSet, Malformed, Options};
pub use output::{
    BOOT_PORT, CLIENT_PORT, Destination, Notice, Outcome, Outputs, Probe, Received, Reply, SERVER_PORT,
    Transaction, V4,
};
pub use outputs::{Change, Changed, Family, Outputs as FamilyOutputs};
pub use packet::{FIXED_OCTETS, Kind, Message};
pub use reason::{Event, Reason, Refusal};
pub use record::{Clock, Leased, Record, State};
pub use seen::{SEEN_MAX, SeenMachine};

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::code;
use crate::view::{DhcpView, Layout, NetworkView};

use conflicts::Conflicts;
use decide::Deciding;
use decision::{Decision, Grant};
use identify::identify;
use leasequery::LEASE_QUERY;
use ledger::Ledger;
use left::Left;
use place::{Place, is_own, server_override};
use probes::Probes;
use reply::Replying;
use seen::Seen;

/// The server's state between events.
#[derive(Debug, Default)]
pub struct Core {
    /// Shared, so that a place can refer to it while leases change.
    links: Arc<[Link]>,
    conflicts: Conflicts,
    /// HTTP port of the boot service, if there is one.
    boot_port: Option<u16>,
    ledger: Ledger<Layout>,
    probes: Probes,
    left: Left,
    seen: Seen,
}

impl Core {
    /// A server without interfaces and leases: the first input should be [`Input::Links`].
    pub fn new() -> Core {
        Core::default()
    }

    /// The same server with a boot service beside it, which serves HTTP on this port.
    #[must_use]
    pub fn with_boot(mut self, port: Option<u16>) -> Core {
        self.boot_port = port;
        self
    }

    /// Takes one event at `now` and appends to `out` what is to be done. `view` is what the inventory
    /// says at this moment; the whole event is decided by it.
    pub fn handle(&mut self, input: &Input<'_>, now: Now, view: &DhcpView, out: &mut Outputs) {
        self.pass(now, view, out);
        match input {
            Input::Links(links) => self.links = links.as_slice().into(),
            Input::Committed(position) => self.ledger.journal.commit(*position),
            Input::StoreFailing => self.ledger.journal.fail(),
            Input::InUse { address, mac } => {
                let waiting = self.in_use(*address, *mac, now, view, out);
                self.answer_waiting(&waiting, now, view, out);
            }
            Input::Tick => {}
            Input::Packet(packet) => {
                let transaction = self.packet(packet, now, view, out);
                out.transactions.push(transaction);
            }
            Input::BootPacket(packet) => {
                let transaction = self.boot_packet(packet, view, out);
                out.transactions.push(transaction);
            }
        }
    }

    /// Has fetched into the cache what is read of `view` when these messages are decided about, which came in by
    /// `interface`: what they wait for memory, they wait for together. Who sent them is guessed by what is usual.
    pub fn look_ahead<'p>(&self, messages: impl Iterator<Item = &'p [u8]>, interface: u32, view: &DhcpView) {
        let link = self.links.iter().find(|link| link.index == interface);
        let here = link.and_then(|link| link.addresses.first().copied());
        view.fetch_macs(messages.filter_map(|octets| {
            let (agent, mac) = Message::origin(octets)?;
            let near = if agent.is_unspecified() { here? } else { agent };
            Some((view.network_of(near)?.id, mac))
        }));
    }

    fn packet(&mut self, packet: &Packet<'_>, now: Now, view: &DhcpView, out: &mut Outputs) -> Transaction {
        let message = match Message::read(&packet.bytes) {
            Ok(message) => message,
            Err(reason) => return Transaction { received: None, outcome: Outcome::Unanswered(reason) },
        };
        let kind = event_of(message.kind());
        out.events.push(kind);
        if message.options.are_cut_short() {
            out.events.push(Event::OptionsCutShort);
        }
        let received = Some(Received { kind, xid: message.xid(), mac: message.mac() });
        let outcome = self.answer(&message, packet, now, view, out).unwrap_or_else(Outcome::Unanswered);
        Transaction { received, outcome }
    }

    /// A datagram to the port where machines ask only what they boot.
    fn boot_packet(&self, packet: &Packet<'_>, view: &DhcpView, out: &mut Outputs) -> Transaction {
        let message = match Message::read(&packet.bytes) {
            Ok(message) => message,
            Err(reason) => return Transaction { received: None, outcome: Outcome::Unanswered(reason) },
        };
        let kind = event_of(message.kind());
        out.events.push(kind);
        let received = Some(Received { kind, xid: message.xid(), mac: message.mac() });
        let told = Place::find(view, &self.links, packet, &message).and_then(|place| {
            let told = self.proxy(&message, &place, Some(packet.from), out);
            told.unwrap_or(Err(Reason::DhcpOff))
        });
        Transaction { received, outcome: told.unwrap_or_else(Outcome::Unanswered) }
    }

    fn answer(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        if message.kind() == Kind::Other(LEASE_QUERY) {
            return self.lease_query(message, packet, now, view, out);
        }
        let links = Arc::clone(&self.links);
        let place = Place::find(view, &links, packet, message);
        let known = place.as_ref().ok().and_then(|place| identify(message, place));
        if let Ok(place) = &place
            && message.kind() == Kind::Discover
            && known.is_none()
        {
            self.seen.note(message, place, now);
        }
        if let Ok(place) = &place
            && let Some(told) = self.proxy(message, place, None, out)
        {
            return told;
        }
        let override_ = server_override(message);
        let is_own = |address| is_own(&links, address) || override_ == Some(address);
        let deciding = Deciding {
            message,
            known,
            leases: &self.ledger.leases,
            probes: &self.probes,
            now: now.ms(),
            is_store_failing: self.ledger.journal.is_failing(),
            is_own: &is_own,
        };
        let decision = deciding.decide(place);
        self.carry_out(message, packet, place, decision, now, out)
    }

    fn carry_out<'v>(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        place: Result<Place<'v>, Reason>,
        decision: Decision<'v>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        match decision {
            Decision::Offer(grant) => {
                self.look_for_user(message, packet, &grant, now, out)?;
                if !message.wants_rapid_commit() {
                    return self.offer(message, place?, grant, out);
                }
                self.acknowledge(message, place?, grant, now, out)
            }
            Decision::OfferLease(want) => {
                let place = place?;
                let grant = self.offer_lease(message, packet, &place, want, now, out)?;
                self.offer(message, place, grant, out)
            }
            Decision::Ack(grant) => self.acknowledge(message, place?, grant, now, out),
            Decision::Inform(network, nic) => {
                self.replying(message, place?, Some(network)).inform(network, nic, out)?;
                out.events.push(Event::Ack);
                Ok(Outcome::Informed(network.id))
            }
            Decision::Refuse(refusal, ends) => {
                if let Some(address) = ends {
                    self.ledger.end(address, Changed::Withdrawn, now, out);
                }
                self.replying(message, place?, None).refuse(refusal, out)?;
                out.events.push(Event::Nak);
                Ok(Outcome::Refused(refusal.reason()))
            }
            Decision::Decline(address) => {
                self.decline(address, message, now, out);
                Err(Reason::Declined)
            }
            Decision::Release(address) => {
                self.ledger.end(address, Changed::Released, now, out);
                Err(Reason::Released)
            }
            Decision::Conflict(grant) => Err(self.conflict(&grant, message, now, out)),
            Decision::Silence(reason) => Err(reason),
        }
    }

    /// Another machine uses the address of a host: the operator is told.
    fn conflict(&mut self, grant: &Grant<'_>, message: &Message<'_>, now: Now, out: &mut Outputs) -> Reason {
        if let Some(host) = grant.nic.and_then(|nic| nic.fqdn())
            && self.conflicts.tell(grant.address, now)
        {
            let (address, mac) = (grant.address, message.mac());
            out.notices.push(Notice::AddressConflict { address, host, mac });
        }
        Reason::Declined
    }

    fn offer<'v>(
        &self,
        message: &Message<'_>,
        place: Place<'v>,
        grant: Grant<'v>,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let replying = self.replying(message, place, Some(grant.network));
        if message.kind() == Kind::Bootp {
            replying.grant(reply::Kind::Boot, grant, out)?;
            out.events.push(Event::BootReply);
            return Ok(Outcome::Booted(grant.network.id, grant.address));
        }
        replying.grant(reply::Kind::Offer, grant, out)?;
        out.events.push(Event::Offer);
        Ok(Outcome::Offered(grant.network.id, grant.address))
    }

    /// A DHCPACK; where the address is leased, it waits for the record of that. Nothing is given away in
    /// a message that the client cannot take.
    fn acknowledge<'v>(
        &mut self,
        message: &Message<'_>,
        place: Place<'v>,
        grant: Grant<'v>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        self.replying(message, place, Some(grant.network)).grant(reply::Kind::Ack, grant, out)?;
        let after = if grant.is_leased { self.bind(&grant, message, now, out) } else { Ok(None) };
        match after {
            Ok(after) => out.last_waits_for(after),
            Err(reason) => {
                out.take_last_back();
                return Err(reason);
            }
        }
        if grant.is_reserved() {
            self.end_others(&grant, &place, message, now, out);
        }
        out.events.push(Event::Ack);
        Ok(Outcome::Acknowledged(grant.network.id, grant.address))
    }

    /// What the reply needs. Our address is the one that the client names, if that is ours.
    fn replying<'m, 'a, 'v>(
        &self,
        message: &'m Message<'a>,
        place: Place<'v>,
        network: Option<&NetworkView>,
    ) -> Replying<'m, 'a, 'v> {
        let named = message.options.fixed::<4>(code::SERVER_ID).ok().flatten().map(Ipv4Addr::from);
        let named = named.filter(|address| is_own(&self.links, *address));
        let server = named.unwrap_or_else(|| place.server_id(network));
        let server_id = server_override(message).unwrap_or(server);
        Replying { message, place, server, server_id, boot_port: self.boot_port }
    }
}

fn event_of(kind: Kind) -> Event {
    match kind {
        Kind::Discover => Event::Discover,
        Kind::Request => Event::Request,
        Kind::Decline => Event::Decline,
        Kind::Release => Event::Release,
        Kind::Inform => Event::Inform,
        Kind::Bootp => Event::Bootp,
        Kind::Other(LEASE_QUERY) => Event::LeaseQuery,
        Kind::Other(_) => Event::Other,
    }
}
