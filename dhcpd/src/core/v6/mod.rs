//! DHCPv6 (RFC 8415, made a standard by RFC 9915): one event in; datagrams, counts and notices out.
//!
//! A state machine like its parent's, and as strict: no sockets, files, clocks or randomness; a hostile
//! packet is never a panic and never an `Err`. The families share the inventory's view and how leases are
//! kept, and nothing of their protocols.

mod answer;
mod asker;
mod assign;
mod auth;
mod boot;
mod ia;
mod identify;
mod input;
mod message;
mod options;
mod output;
mod place;
mod reason;
mod reconfigure;
mod relays;
mod reply;
mod valid;
mod wire;
mod write;

pub use auth::Keys;
pub use ia::{IAS_MAX, Ia, IaKind, Lease};
pub use input::{Input, Link, Packet};
pub use message::{DUID_OCTETS_MAX, Kind, Message};
pub use output::{CLIENT_PORT, Notice, Outcome, Outputs, Reply, SERVER_PORT, Transaction, V6};
pub use reason::{Event, Reason};
pub use reconfigure::{RECONFIGURED_MAX, Reconfigured};
pub use relays::{Hop, RELAYS_MAX};
pub use wire::{OPTIONS_MAX, Options};

use std::sync::Arc;

use ipnet::Ipv6Net;

use super::Now;
use super::conflicts::Conflicts;
use super::leases::Lease as Binding;
use super::ledger::Ledger;
use super::neighbours::{Heard, Neighbours};
use super::record::Record;
use crate::view::{DhcpView, Layout6};
use reconfigure::Reconfiguring;

/// The server's state between events.
#[derive(Debug)]
pub struct Core {
    /// Our DUID.
    server: Arc<[u8]>,
    /// Shared, so that a place can refer to it while leases change.
    links: Arc<[Link]>,
    conflicts: Conflicts,
    ledger: Ledger<Layout6>,
    /// HTTP port of the boot service, if there is one.
    boot_port: Option<u16>,
    reconfiguring: Reconfiguring,
    neighbours: Neighbours,
}

/// Status codes (RFC 8415, section 21.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
enum Status {
    Success = 0,
    NoAddresses = 2,
    NoBinding = 3,
    NotOnLink = 4,
    UseMulticast = 5,
    NoPrefixes = 6,
}

impl Core {
    /// A server that is known by the DUID `server`, without interfaces and leases: the first input should
    /// be [`Input::Links`].
    pub fn new(server: &[u8]) -> Core {
        Core {
            server: server.into(),
            links: Arc::default(),
            conflicts: Conflicts::default(),
            ledger: Ledger::default(),
            boot_port: None,
            reconfiguring: Reconfiguring::default(),
            neighbours: Neighbours::default(),
        }
    }

    /// The same beside a boot service that serves HTTP on `port`; without one nothing is said of booting.
    pub fn with_boot(mut self, port: Option<u16>) -> Core {
        self.boot_port = port;
        self
    }

    /// The same with keys for clients that take a Reconfigure, and those that it knows already. Without
    /// keys no client is told to ask again.
    pub fn with_reconfigure(mut self, keys: Option<Keys>, clients: Vec<Reconfigured>) -> Core {
        self.reconfiguring = Reconfiguring::new(keys, clients);
        self
    }

    /// The same with what `before` has learned: neighbours, and clients that take a Reconfigure.
    pub fn with_learned_of(mut self, before: &mut Core) -> Core {
        self.reconfiguring = std::mem::take(&mut before.reconfiguring);
        self.neighbours = std::mem::take(&mut before.neighbours);
        self
    }

    /// Hears a packet of neighbour discovery; false if it shows nobody's address.
    pub fn hear_neighbour(&mut self, heard: Heard<'_>, now: Now) -> bool {
        self.neighbours.hear(heard, now)
    }

    /// Machines that use addresses of their own making, or any others.
    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// Clients that take a Reconfigure.
    pub fn reconfigured(&self) -> impl Iterator<Item = &Reconfigured> {
        self.reconfiguring.iter()
    }

    /// Another number after each change of those.
    pub fn reconfigured_version(&self) -> u64 {
        self.reconfiguring.version()
    }

    /// A server that goes on where the records say, which are in the order of their positions. `boot`
    /// tells the machine's boot, if that is known.
    pub fn recover(
        server: &[u8],
        records: impl IntoIterator<Item = (u64, Record)>,
        boot: Option<u64>,
        now: Now,
    ) -> Core {
        Core { ledger: Ledger::recover(records, boot, now), ..Core::new(server) }
    }

    /// When [`Input::Tick`] is due next, in milliseconds of the boot's clock.
    pub fn deadline(&self) -> Option<u64> {
        let due = [self.ledger.leases.deadline(), self.reconfiguring.deadline()];
        due.into_iter().flatten().min().map(|ms| u64::try_from(ms).unwrap_or(0))
    }

    /// The latest leases by address or prefix, those that have ended included.
    pub fn leases(&self) -> impl Iterator<Item = (Ipv6Net, &Binding)> {
        self.ledger.leases.iter()
    }

    /// The lease of an address or prefix, ended or not.
    pub fn lease(&self, item: Ipv6Net) -> Option<&Binding> {
        self.ledger.leases.get(item)
    }

    /// Takes one event at `now` and appends to `out` what is to be done. `view` is what the inventory
    /// says at this moment; the whole event is decided by it.
    pub fn handle(&mut self, input: &Input<'_>, now: Now, view: &DhcpView, out: &mut Outputs) {
        self.ledger.follow(now, view, out);
        self.ledger.pass(now, out);
        match input {
            Input::Links(links) => self.links = links.as_slice().into(),
            Input::Committed(position) => self.ledger.journal.commit(*position),
            Input::StoreFailing => self.ledger.journal.fail(),
            Input::Tick => {}
            Input::Packet(packet) => {
                let transaction = self.packet(packet, now, view, out);
                out.transactions.push(transaction);
            }
        }
        self.follow_reconfigured(now, view);
        self.pass_reconfigured(now, view, out);
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
