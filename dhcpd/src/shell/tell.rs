//! The worker's log: a line for each change of a lease, and what an operator must know.
//!
//! Strangers can change leases as fast as they can make up hardware addresses, so there is a budget of
//! lines; what goes beyond is counted, and that is told. Machines of the inventory have a budget of their own,
//! which no stranger can use up.

use std::time::{Duration, Instant};

use tracing::{Level, debug, enabled, info, warn};

use crate::core::{Change, Changed, Family, FamilyOutputs, Leased, Notice, Outputs, Transaction};
use crate::view::DhcpView;

/// Lines that may come at once.
const BURST: u32 = 100;
/// Time for another one.
const PER_LINE: Duration = Duration::from_secs(1);

/// Lines about leases that may be written.
#[derive(Debug)]
pub(super) struct Budget {
    known: Lines,
    strangers: Lines,
}

/// Lines that may be written about some.
#[derive(Debug)]
struct Lines {
    left: u32,
    /// Up to when lines were granted.
    since: Instant,
    untold: u64,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Budget {
        Budget { known: Lines::new(now), strangers: Lines::new(now) }
    }
}

impl Lines {
    fn new(now: Instant) -> Lines {
        Lines { left: BURST, since: now, untold: 0 }
    }

    /// Whether a line may be written at `now`; how many were not since the last one.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let earned = now.saturating_duration_since(self.since).as_secs();
        self.since += PER_LINE * u32::try_from(earned).unwrap_or(BURST);
        self.left = self.left.saturating_add(u32::try_from(earned).unwrap_or(BURST)).min(BURST);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Some(std::mem::take(&mut self.untold))
            }
            None => {
                self.untold += 1;
                None
            }
        }
    }
}

/// Tells what one input led to.
pub(super) fn tell(out: &Outputs, view: &DhcpView, budget: &mut Budget, now: Instant) {
    if enabled!(Level::DEBUG) {
        out.transactions().iter().for_each(trace);
    }
    tell_changes(out, |change| is_known(change, view), budget, now);
    out.notices().iter().for_each(notify);
}

/// Whether the client is a machine of the inventory, in the network of its lease.
fn is_known(change: &Change, view: &DhcpView) -> bool {
    let network = view.network_of(change.address);
    network.zip(change.mac).is_some_and(|(network, mac)| {
        view.by_mac(network.id, mac).is_some() || view.by_port_address(network.id, change.address).is_some()
    })
}

/// Tells which leases have changed; `is_known` says whether one is of a machine of the inventory.
pub(super) fn tell_changes<F: Family>(
    out: &FamilyOutputs<F>,
    is_known: impl Fn(&Change<F::Item>) -> bool,
    budget: &mut Budget,
    now: Instant,
) {
    for change in out.changes() {
        if change.what == Changed::Renewed {
            let address: Leased = change.address.into();
            debug!(%address, seconds = change.seconds, "lease renewed");
            continue;
        }
        let lines = if is_known(change) { &mut budget.known } else { &mut budget.strangers };
        if let Some(untold) = lines.take(now) {
            line(change, untold);
        }
    }
}

fn line<Item: Copy + Into<Leased>>(change: &Change<Item>, untold: u64) {
    let client = change.client.as_ref().map(ToString::to_string).unwrap_or_default();
    let mac = change.mac.map(|mac| mac.to_string()).unwrap_or_default();
    let (address, seconds): (Leased, u32) = (change.address.into(), change.seconds);
    if untold > 0 {
        info!(untold, "more changes of leases than are logged");
    }
    match change.what {
        Changed::Granted => info!(%address, %client, %mac, seconds, "lease granted"),
        Changed::Renewed => info!(%address, %client, %mac, seconds, "lease renewed"),
        Changed::Released => info!(%address, %client, %mac, "lease released"),
        Changed::Ended => info!(%address, %client, %mac, "lease ended"),
        Changed::Withdrawn => info!(%address, %client, %mac, "lease withdrawn: the inventory says otherwise"),
        Changed::Declined => {
            warn!(%address, %client, %mac, seconds, "lease declined: another machine uses the address");
        }
        Changed::InUse => {
            warn!(%address, %mac, seconds, "a machine without a lease uses an address that was to be offered");
        }
    }
}

fn notify(notice: &Notice) {
    match notice {
        Notice::AddressConflict { address, host, mac } => {
            let mac = mac.map(|mac| mac.to_string()).unwrap_or_default();
            warn!(
                %address, %host, %mac,
                "another machine uses the address of this host, which has declined it: find that machine \
                 (`arping -D` or the switch's tables tell where it is), or give the host another address"
            );
        }
        Notice::Stranded { leases } => tell_of_stranded(*leases),
        Notice::ClockStepped { by } => tell_of_clock(*by),
    }
}

pub(super) fn tell_of_stranded(leases: usize) {
    warn!(leases, "clients have leases outside the pools; each gets another one when it renews");
}

pub(super) fn tell_of_clock(by: i64) {
    warn!(milliseconds = by, "the system's clock was set: leases are written anew, none changes");
}

#[cold]
fn trace(transaction: &Transaction) {
    let outcome = &transaction.outcome;
    match &transaction.received {
        Some(received) => {
            let mac = received.mac.map(|mac| mac.to_string()).unwrap_or_default();
            let xid = format_args!("{:08x}", received.xid);
            debug!(message = ?received.kind, %xid, %mac, ?outcome, "transaction");
        }
        None => debug!(?outcome, "a datagram that is no request"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_changes_is_a_burst_of_lines_and_then_one_a_second() {
        let start = Instant::now();
        let mut budget = Lines::new(start);
        let written = (0..10_000).filter(|_| budget.take(start).is_some()).count();
        assert_eq!(written, 100);
        assert_eq!(budget.take(start + Duration::from_secs(1)), Some(9_900));
        assert_eq!(budget.take(start + Duration::from_millis(1_500)), None);
        assert_eq!(budget.take(start + Duration::from_secs(2)), Some(1));
        let later = start + Duration::from_secs(100_000);
        assert_eq!((0..10_000).filter(|_| budget.take(later).is_some()).count(), 100);
    }
}
