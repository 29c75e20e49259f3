//! DHCPv6 (RFC 8415, made a standard by RFC 9915): one event in; datagrams, counts and notices out.
//!
//! A state machine like its parent's, and as strict: no sockets, files, clocks or randomness; a hostile
//! packet is never a panic and never an `Err`. The families share the inventory's view and nothing of
//! their protocols.

mod assign;
mod decide;
mod ia;
mod identify;
mod input;
mod message;
mod options;
mod output;
mod place;
mod reason;
mod relays;
mod reply;
mod wire;
mod write;

pub use ia::{IAS_MAX, Ia, IaKind, Lease};
pub use input::{Input, Link, Packet};
pub use message::{DUID_OCTETS_MAX, Kind, Message};
pub use output::{CLIENT_PORT, Notice, Outcome, Outputs, Reply, SERVER_PORT, Transaction};
pub use reason::{Event, Reason};
pub use relays::{Hop, RELAYS_MAX};
pub use wire::{OPTIONS_MAX, Options};

use super::Now;
use super::conflicts::Conflicts;
use crate::view::DhcpView;

use decide::{Decision, Status, decide};
use place::Place;
use reply::Replying;

/// The server's state between events.
#[derive(Debug)]
pub struct Core {
    /// Our DUID.
    server: Box<[u8]>,
    links: Vec<Link>,
    conflicts: Conflicts,
}

impl Core {
    /// A server that is known by the DUID `server`, without interfaces: the first input should be
    /// [`Input::Links`].
    pub fn new(server: &[u8]) -> Core {
        Core { server: server.into(), links: Vec::new(), conflicts: Conflicts::default() }
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
        if !message.relays.is_empty() {
            out.events.push(Event::Relayed);
        }
        let received = Some((kind, message.xid()));
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
        let decision = decide(message, packet, place, &self.server)?;
        let replying = Replying { message, packet, place: place?, server: &self.server };
        match decision {
            Decision::Give(give) => {
                replying.give(&give, out)?;
                let address = give.assigned.iter().find_map(|ia| ia.given).map(|(lease, _)| lease.address);
                match (give.network, address) {
                    (Some(network), Some(_)) => Ok(Outcome::Answered(network.id, address)),
                    _ => Ok(Outcome::Refused(Reason::NothingToGive)),
                }
            }
            Decision::Inform(network, nic) => {
                replying.inform(network, nic, out)?;
                Ok(Outcome::Answered(network.id, None))
            }
            Decision::Say(status, assigned, reason) => {
                replying.say(status, &assigned, out)?;
                Ok(reason.map_or(Outcome::Acknowledged, Outcome::Refused))
            }
            Decision::Conflict(grant) => {
                replying.say(Status::Success, &[], out)?;
                if let Some(host) = grant.nic.fqdn()
                    && self.conflicts.tell(grant.address, now)
                {
                    out.notices.push(Notice::AddressConflict { address: grant.address, host: host.clone() });
                }
                Ok(Outcome::Acknowledged)
            }
        }
    }
}

fn event_of(kind: Kind) -> Event {
    match kind {
        Kind::Solicit => Event::Solicit,
        Kind::Request => Event::Request,
        Kind::Confirm => Event::Confirm,
        Kind::Renew => Event::Renew,
        Kind::Rebind => Event::Rebind,
        Kind::Release => Event::Release,
        Kind::Decline => Event::Decline,
        Kind::InformationRequest => Event::InformationRequest,
        Kind::Other(_) => Event::Other,
    }
}
