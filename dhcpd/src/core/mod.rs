//! Deciding: one event in; datagrams, counts and notices out.
//!
//! A state machine without sockets, files, clocks or randomness: time is an argument. The same inputs
//! give the same outputs in production, in tests, in a simulation and under a fuzzer. A hostile packet
//! is never a panic and never an `Err`: it gets a reply or a [`Reason`].
//!
//! So far it answers for reservations, which need no state: the inventory is the truth. Pools and their
//! leases belong beside `Conflicts` in [`Core`], and are asked where `decide` finds a client without a
//! reservation.

#![deny(clippy::indexing_slicing, clippy::too_many_lines, clippy::wildcard_enum_match_arm)]

mod boot;
mod conflicts;
mod decide;
mod identify;
mod input;
mod options;
mod output;
mod packet;
mod parameters;
mod place;
mod reason;
mod reply;
pub mod v6;
mod write;

pub use input::{Input, Link, Now, Packet};
pub use options::{CodeSet, Malformed, Options};
pub use output::{
    CLIENT_PORT, Destination, Notice, Outcome, Outputs, Received, Reply, SERVER_PORT, Transaction,
};
pub use packet::{FIXED_OCTETS, Kind, Message};
pub use reason::{Event, Reason, Refusal};

use std::net::Ipv4Addr;

use crate::code;
use crate::view::DhcpView;

use conflicts::Conflicts;
use decide::{Decision, decide};
use place::{Place, is_own};
use reply::Replying;

/// The server's state between events.
#[derive(Debug, Default)]
pub struct Core {
    links: Vec<Link>,
    conflicts: Conflicts,
    /// HTTP port of the boot service, if there is one.
    boot_port: Option<u16>,
}

impl Core {
    /// A server without interfaces: the first input should be [`Input::Links`].
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
        match input {
            Input::Links(links) => self.links.clone_from(links),
            Input::Packet(packet) => {
                let transaction = self.packet(packet, now, view, out);
                out.transactions.push(transaction);
            }
        }
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

    fn answer(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let place = Place::find(view, &self.links, packet, message);
        let decision = decide(message, place, |address| is_own(&self.links, address));
        let replying = |network| -> Result<_, Reason> {
            let place = place?;
            let server = self.server_id(message, &place, network);
            Ok(Replying { message, place, server, boot_port: self.boot_port })
        };
        match decision {
            Decision::Offer(grant) => {
                replying(Some(grant.network))?.grant(reply::Kind::Offer, grant, out)?;
                out.events.push(Event::Offer);
                Ok(Outcome::Offered(grant.network.id, grant.address))
            }
            Decision::Ack(grant) => {
                replying(Some(grant.network))?.grant(reply::Kind::Ack, grant, out)?;
                out.events.push(Event::Ack);
                Ok(Outcome::Acknowledged(grant.network.id, grant.address))
            }
            Decision::Inform(network, nic) => {
                replying(Some(network))?.inform(network, nic, out)?;
                out.events.push(Event::Ack);
                Ok(Outcome::Informed(network.id))
            }
            Decision::Refuse(refusal) => {
                replying(None)?.refuse(refusal, out)?;
                out.events.push(Event::Nak);
                Ok(Outcome::Refused(refusal.reason()))
            }
            Decision::Conflict(grant) => {
                if let Some(host) = grant.nic.fqdn()
                    && self.conflicts.tell(grant.address, now)
                {
                    let (address, mac) = (grant.address, message.mac());
                    out.notices.push(Notice::AddressConflict { address, host: host.clone(), mac });
                }
                Err(Reason::Declined)
            }
            Decision::Silence(reason) => Err(reason),
        }
    }

    /// Our address as the client knows it: the one that it names if that is ours.
    fn server_id(
        &self,
        message: &Message<'_>,
        place: &Place<'_>,
        network: Option<&crate::view::NetworkView>,
    ) -> Ipv4Addr {
        let named = message.options.fixed::<4>(code::SERVER_ID).ok().flatten().map(Ipv4Addr::from);
        let named = named.filter(|address| is_own(&self.links, *address));
        named.unwrap_or_else(|| place.server_id(network))
    }
}

fn event_of(kind: Kind) -> Event {
    match kind {
        Kind::Discover => Event::Discover,
        Kind::Request => Event::Request,
        Kind::Decline => Event::Decline,
        Kind::Release => Event::Release,
        Kind::Inform => Event::Inform,
        Kind::Other(_) => Event::Other,
    }
}
