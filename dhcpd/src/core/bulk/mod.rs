//! All that is known of many addresses at once: bulk leasequery (RFC 6926), for the relay agents that a network
//! names for leasequery.
//!
//! A query is answered address by address, in their order. What is told next follows from an address and from
//! leases that the core hands out a few at a time, so nothing is kept of an answer but how far it is.

mod answer;
mod query;
mod walk;

pub use answer::{Status, done};
pub use query::{BadQuery, Query};
pub use walk::{Page, Walk};

use std::net::Ipv4Addr;

use super::Core;
use super::leases::Lease;

/// Some leases, by address.
#[derive(Clone, Debug)]
pub struct Leased {
    /// With their addresses.
    pub leases: Vec<(Ipv4Addr, Lease)>,
    /// Where the next ones begin; `None`: these were the last.
    pub next: Option<Ipv4Addr>,
}

impl Core {
    /// At most `most` leases, ended ones among them, of addresses from `from` on.
    pub fn leases_from(&self, from: Ipv4Addr, most: usize) -> Leased {
        let mut all = self.ledger.leases.from(from);
        let leases = all.by_ref().take(most).map(|(address, lease)| (address, lease.clone())).collect();
        Leased { leases, next: all.next().map(|(address, _)| address) }
    }
}

daemon::counted_reasons! {
    /// What happens to those who ask for many leases at once.
    pub enum BulkEvent {
        /// A connection of an agent that may ask.
        Connection => "connection",
        /// A connection of somebody who may not.
        Refused => "refused",
        /// A connection too many.
        TooMany => "too-many",
        /// A query received.
        Query => "query",
        /// A query that makes no sense.
        BadQuery => "bad-query",
        /// An address was told of.
        Told => "told",
        /// A query was answered to its end.
        Done => "done",
        /// A query was answered in part: leases could not be read, or the daemon ends.
        Terminated => "terminated",
        /// The agent was silent for too long, or did not take its answer.
        Slow => "slow",
    }
}
