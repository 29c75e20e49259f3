//! What a core wants done, in either family: datagrams to be sent, records to be written, things to be
//! told and counted.

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::ops::Range;

use daemon::metrics::CountedReason;
use inventory_core::mac::MacAddr;

use super::client::ClientKey;
use super::ledger::Told;
use super::output::Probe;
use super::record::{Leased, Record};

/// What differs between the outputs of DHCPv4 and DHCPv6.
pub trait Family: Debug + 'static {
    /// What one lease is of.
    type Item: Copy + Debug + Into<Leased>;
    /// A datagram to be sent.
    type Reply: Clone + Debug;
    /// One message and what became of it.
    type Transaction: Copy + Debug;
    /// Something that an operator should know of.
    type Notice: Debug;
    /// What is to be counted beside the outcomes.
    type Event: CountedReason;
    /// Why a message was not answered, or refused.
    type Reason: CountedReason;

    /// More octets came than the buffer has.
    const TOO_LONG: Self::Reason;

    /// Where the reply's octets are.
    fn octets(reply: &Self::Reply) -> Range<usize>;
    /// Position of the record that must be durable before it is sent.
    fn after(reply: &Self::Reply) -> Option<u64>;
    /// Why the message was not answered or refused, if it was not.
    fn unanswered(transaction: &Self::Transaction) -> Option<Self::Reason>;
    /// How a change of a lease is counted.
    fn event_of(changed: Changed) -> Self::Event;
    /// So many leases are in no pool any more.
    fn stranded(leases: usize) -> Self::Notice;
    /// The wall clock was stepped by so many milliseconds.
    fn clock_stepped(by: i64) -> Self::Notice;
}

/// What one or several inputs led to. Reused, so that nothing is allocated per packet.
#[derive(Debug)]
pub struct Outputs<F: Family> {
    /// Octets of all replies.
    pub(super) octets: Vec<u8>,
    pub(super) replies: Vec<F::Reply>,
    pub(super) transactions: Vec<F::Transaction>,
    pub(super) notices: Vec<F::Notice>,
    pub(super) events: Vec<F::Event>,
    pub(super) records: Vec<(u64, Record)>,
    pub(super) probes: Vec<Probe>,
    pub(super) changes: Vec<Change<F::Item>>,
}

/// A lease that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<Item = Ipv4Addr> {
    /// What it is of.
    pub address: Item,
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

impl<F: Family> Default for Outputs<F> {
    fn default() -> Outputs<F> {
        Outputs {
            octets: Vec::new(),
            replies: Vec::new(),
            transactions: Vec::new(),
            notices: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            probes: Vec::new(),
            changes: Vec::new(),
        }
    }
}

impl<F: Family> Told<F::Item> for Outputs<F> {
    fn record(&mut self, position: u64, record: Record) {
        self.records.push((position, record));
    }

    fn change(&mut self, change: Change<F::Item>) {
        self.events.push(F::event_of(change.what));
        self.changes.push(change);
    }

    fn stranded(&mut self, leases: usize) {
        self.notices.push(F::stranded(leases));
    }

    fn clock_stepped(&mut self, by: i64) {
        self.notices.push(F::clock_stepped(by));
    }
}

impl<F: Family> Outputs<F> {
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
    pub fn take_records(&mut self) -> impl Iterator<Item = (u64, Record)> + '_ {
        self.records.drain(..)
    }

    /// Addresses to be probed: DHCPv4's alone, since clients of DHCPv6 look themselves.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Leases that have changed, for the log.
    pub fn changes(&self) -> &[Change<F::Item>] {
        &self.changes
    }

    /// The replies in their order, each with its octets.
    pub fn replies(&self) -> impl Iterator<Item = (&F::Reply, &[u8])> {
        self.replies.iter().map(|reply| (reply, self.octets.get(F::octets(reply)).unwrap_or_default()))
    }

    /// One for each packet, in their order.
    pub fn transactions(&self) -> &[F::Transaction] {
        &self.transactions
    }

    /// What an operator should know of.
    pub fn notices(&self) -> &[F::Notice] {
        &self.notices
    }

    /// What is to be counted beside the outcomes: messages received and sent.
    pub fn events(&self) -> &[F::Event] {
        &self.events
    }
}
