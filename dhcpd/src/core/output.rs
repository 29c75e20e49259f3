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

use super::client::ClientKey;
use super::reason::{Event, Reason};
use super::record::Record;

/// Port of servers and relay agents.
pub const SERVER_PORT: u16 = 67;
/// Port of clients.
pub const CLIENT_PORT: u16 = 68;

/// What one or several inputs led to. Reused, so that nothing is allocated per packet.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Octets of all replies.
    pub(super) octets: Vec<u8>,
    pub(super) replies: Vec<Reply>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) notices: Vec<Notice>,
    pub(super) events: Vec<Event>,
    pub(super) records: Vec<(u64, Record)>,
    pub(super) probes: Vec<Probe>,
    pub(super) changes: Vec<Change>,
}

/// A question whether anybody uses an address. An answer is to be given as [`super::Input::InUse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The address.
    pub address: Ipv4Addr,
    /// Interface of the link that the address is of: ask by ARP there. `None`: it is somewhere else, ask
    /// by ICMP echo.
    pub link: Option<u32>,
}

/// A lease that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The address.
    pub address: Ipv4Addr,
    /// What happened.
    pub what: Changed,
    /// Whose the lease is or was; `None` for machines that don't lease.
    pub client: Option<ClientKey>,
    /// Hardware address of the client, where it is an Ethernet one.
    pub mac: Option<MacAddr>,
    /// Seconds that it is given for; 0 if it ended.
    pub seconds: u32,
}

/// What happened to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Given to a client that did not have it.
    Granted,
    /// Given for longer.
    Renewed,
    /// Given back.
    Released,
    /// Run out.
    Ended,
    /// Taken back, since the inventory says otherwise.
    Withdrawn,
    /// Its client found another machine using the address.
    Declined,
    /// Another machine answered when the address was probed.
    InUse,
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
}

impl Destination {
    /// Index of the interface that it leaves by.
    pub fn interface(&self) -> u32 {
        match *self {
            Destination::Broadcast { interface }
            | Destination::Link { interface, .. }
            | Destination::Udp { interface, .. } => interface,
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
    /// A DHCPACK with options only.
    Informed(NetworkId),
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

impl Outputs {
    /// Forgets everything; the memory stays.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.replies.clear();
        self.transactions.clear();
        self.notices.clear();
        self.events.clear();
        self.records.clear();
        self.probes.clear();
        self.changes.clear();
    }

    /// Records to be made durable, each with its position, in ascending order.
    pub fn records(&self) -> &[(u64, Record)] {
        &self.records
    }

    /// Takes the records out.
    pub fn take_records(&mut self) -> Vec<(u64, Record)> {
        std::mem::take(&mut self.records)
    }

    /// Addresses to be probed.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Leases that have changed, for the log.
    pub fn changes(&self) -> &[Change] {
        &self.changes
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
