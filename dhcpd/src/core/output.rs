//! What the core wants done: datagrams to be sent, things to be told and counted.
//!
//! A reservation's reply waits for nothing: the inventory is the truth, and nothing needs to be written.
//! A lease's reply waits until its record is durable: it is to be sent after [`super::Input::Committed`]
//! with that position or a higher one, and thrown away if the store fails.

use std::net::Ipv4Addr;
use std::ops::Range;

use inventory_core::mac::MacAddr;
use inventory_core::model::NetworkId;
use inventory_core::name::Name;

use super::outputs::{Changed, Family};
use super::reason::{Event, Reason};

/// Port of servers and relay agents.
pub const SERVER_PORT: u16 = 67;
/// Port of clients.
pub const CLIENT_PORT: u16 = 68;

/// Port where firmware asks once more what it boots, beside another server (PXE 2.1, section 2.2.4).
pub const BOOT_PORT: u16 = 4011;

/// A question whether anybody uses an address. An answer is to be given as [`super::Input::InUse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The address.
    pub address: Ipv4Addr,
    /// Interface of the link that the address is of: ask by ARP there. `None`: it is somewhere else, ask
    /// by ICMP echo.
    pub link: Option<u32>,
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) octets: Range<usize>,
    /// Position of the record that must be durable before it is sent.
    pub after: Option<u64>,
    /// Address to send from, with [`SERVER_PORT`].
    pub source: Ipv4Addr,
    /// Where to.
    pub destination: Destination,
}

/// Where a reply goes (RFC 2131, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To 255.255.255.255 and [`CLIENT_PORT`], out of this interface.
    Broadcast {
        /// Index of the interface.
        interface: u32,
    },
    /// To a machine that does not answer ARP yet, and [`CLIENT_PORT`].
    Link {
        /// Index of the interface.
        interface: u32,
        /// The machine's hardware address.
        mac: MacAddr,
        /// The address that it is given.
        address: Ipv4Addr,
    },
    /// To a client that has its address, or to a relay agent, by way of the interface that it came from.
    Udp {
        /// Index of the interface.
        interface: u32,
        /// Where to.
        address: Ipv4Addr,
        /// [`CLIENT_PORT`] or [`SERVER_PORT`].
        port: u16,
    },
    /// From [`BOOT_PORT`] to a machine that asked there.
    Boot {
        /// Index of the interface.
        interface: u32,
        /// Where to.
        address: Ipv4Addr,
        /// The port that it asked from.
        port: u16,
    },
}

impl Destination {
    /// Index of the interface that it leaves by.
    pub fn interface(&self) -> u32 {
        match *self {
            Destination::Broadcast { interface }
            | Destination::Link { interface, .. }
            | Destination::Udp { interface, .. }
            | Destination::Boot { interface, .. } => interface,
        }
    }
}

/// One message and what became of it, for counters and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What came; `None` if that could not be read.
    pub received: Option<Received>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A message that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its type.
    pub kind: Event,
    /// Number of the exchange.
    pub xid: u32,
    /// Hardware address, where it is an Ethernet one.
    pub mac: Option<MacAddr>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A DHCPOFFER of this address.
    Offered(NetworkId, Ipv4Addr),
    /// A DHCPACK for this address.
    Acknowledged(NetworkId, Ipv4Addr),
    /// A BOOTREPLY with this address.
    Booted(NetworkId, Ipv4Addr),
    /// Options only: a DHCPACK, or what a machine boots that another server gives its address.
    Informed(NetworkId),
    /// Who has an address, told to a relay agent.
    LeaseTold,
    /// A DHCPNAK.
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
        address: Ipv4Addr,
        /// The host that cannot use it.
        host: Name,
        /// Hardware address of that host, as it came.
        mac: Option<MacAddr>,
    },
    /// Clients have leases that the pools do not give any more: each keeps its address until it renews.
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

/// DHCPv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct V4;

/// What the DHCPv4 core wants done.
pub type Outputs = super::outputs::Outputs<V4>;

impl Outputs {
    /// Lets the last reply wait for a record.
    pub(super) fn last_waits_for(&mut self, after: Option<u64>) {
        if let Some(reply) = self.replies.last_mut() {
            reply.after = after;
        }
    }

    /// Takes the last reply back.
    pub(super) fn take_last_back(&mut self) {
        if let Some(reply) = self.replies.pop() {
            self.octets.truncate(reply.octets.start);
        }
    }
}

impl Family for V4 {
    type Item = Ipv4Addr;
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
            Outcome::Offered(..)
            | Outcome::Acknowledged(..)
            | Outcome::Booted(..)
            | Outcome::Informed(_)
            | Outcome::LeaseTold => None,
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
