//! What the core wants done of DHCPv6: datagrams to be sent, things to be told.
//!
//! A reservation's reply waits for nothing: the inventory is the truth, and nothing needs to be written.
//! One that gives a lease waits until its record is durable, as in DHCPv4.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::ops::Range;

use inventory_core::model::NetworkId;
use inventory_core::name::Name;
use ipnet::Ipv6Net;

use super::reason::{Event, Reason};
use crate::core::outputs::{Changed, Family};

/// Port of servers and relay agents.
pub const SERVER_PORT: u16 = 547;
/// Port of clients.
pub const CLIENT_PORT: u16 = 546;

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) octets: Range<usize>,
    /// Position of the record that must be durable before it is sent.
    pub after: Option<u64>,
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
    /// Clients have leases that the pools do not give any more: each loses it when it renews.
    Stranded {
        /// How many.
        leases: usize,
    },
    /// The wall clock was stepped; leases were written anew.
    ClockStepped {
        /// By how many milliseconds.
        by: i64,
    },
}

/// DHCPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct V6;

/// What the DHCPv6 core wants done.
pub type Outputs = crate::core::outputs::Outputs<V6>;

impl Family for V6 {
    type Item = Ipv6Net;
    type Reply = Reply;
    type Transaction = Transaction;
    type Notice = Notice;
    type Event = Event;
    type Reason = Reason;
    const TOO_LONG: Reason = Reason::TooLong;

    fn octets(reply: &Reply) -> Range<usize> {
        reply.octets.clone()
    }

    fn after(reply: &Reply) -> Option<u64> {
        reply.after
    }

    fn unanswered(transaction: &Transaction) -> Option<Reason> {
        match transaction.outcome {
            Outcome::Refused(reason) | Outcome::Unanswered(reason) => Some(reason),
            Outcome::Answered(..) | Outcome::Acknowledged => None,
        }
    }

    fn event_of(changed: Changed) -> Event {
        match changed {
            Changed::Granted => Event::LeaseGranted,
            Changed::Renewed => Event::LeaseRenewed,
            Changed::Released => Event::LeaseReleased,
            Changed::Ended => Event::LeaseEnded,
            Changed::Withdrawn => Event::LeaseWithdrawn,
            Changed::Declined | Changed::InUse => Event::AddressInUse,
        }
    }

    fn stranded(leases: usize) -> Notice {
        Notice::Stranded { leases }
    }

    fn clock_stepped(by: i64) -> Notice {
        Notice::ClockStepped { by }
    }
}
