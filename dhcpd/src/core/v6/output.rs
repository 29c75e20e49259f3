//! What the core wants done: datagrams to be sent, things to be told and counted.
//!
//! A reservation's reply waits for nothing: the inventory is the truth, and nothing needs to be written.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::ops::Range;

use inventory_core::model::NetworkId;
use inventory_core::name::Name;

use super::reason::{Event, Reason};

/// Port of servers and relay agents.
pub const SERVER_PORT: u16 = 547;
/// Port of clients.
pub const CLIENT_PORT: u16 = 546;

/// What one or several inputs led to. Reused, so that nothing is allocated per packet.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Octets of all replies.
    pub(super) octets: Vec<u8>,
    pub(super) replies: Vec<Reply>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) notices: Vec<Notice>,
    pub(super) events: Vec<Event>,
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) octets: Range<usize>,
    /// Address to send from; `None`: the kernel knows best.
    pub source: Option<Ipv6Addr>,
    /// Index of the interface to send by.
    pub interface: u32,
    /// Where to.
    pub to: SocketAddrV6,
}

/// One message and what became of it, for counters and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Type and number of the exchange; `None` if it could not be read.
    pub received: Option<(Event, [u8; 3])>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An Advertise or a Reply with this address, if any.
    Answered(NetworkId, Option<Ipv6Addr>),
    /// A Reply that only says that all is well.
    Acknowledged,
    /// A Reply that says why not.
    Refused(Reason),
    /// Nothing was sent.
    Unanswered(Reason),
}

/// Something that an operator should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A reserved address is in use by another machine: its host says so and declines it.
    AddressConflict {
        /// The address.
        address: Ipv6Addr,
        /// The host that cannot use it.
        host: Name,
    },
}

impl Outputs {
    /// Forgets everything; the memory stays.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.replies.clear();
        self.transactions.clear();
        self.notices.clear();
        self.events.clear();
    }

    /// The replies in their order, each with its octets.
    pub fn replies(&self) -> impl Iterator<Item = (&Reply, &[u8])> {
        self.replies.iter().map(|reply| (reply, self.octets.get(reply.octets.clone()).unwrap_or_default()))
    }

    /// One for each packet, in their order.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// What an operator should know of.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What is to be counted beside the outcomes: messages received and sent.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
