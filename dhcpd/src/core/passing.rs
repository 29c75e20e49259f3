//! What time does: probes that nobody answered, offers that lapse, leases that end, clocks that step,
//! networks that change.

use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;

use super::Core;
use super::input::Now;
use super::leases::Lease;
use super::ledger::Ledger;
use super::output::Outputs;
use super::probes::Waiting;
use super::record::Record;
use super::seen::SeenMachine;
use crate::view::DhcpView;

impl Core {
    /// A server that goes on where the records say, which are in the order of their positions. `boot`
    /// tells the machine's boot, if that is known.
    pub fn recover(records: impl IntoIterator<Item = (u64, Record)>, boot: Option<u64>, now: Now) -> Core {
        Core { ledger: Ledger::recover(records, boot, now), ..Core::default() }
    }

    /// When [`super::Input::Tick`] is due next, in milliseconds of the boot's clock.
    pub fn deadline(&self) -> Option<u64> {
        let due = [self.ledger.leases.deadline(), self.probes.deadline()].into_iter().flatten().min();
        due.map(|ms| u64::try_from(ms).unwrap_or(0))
    }

    /// The latest leases by address, those that have ended included.
    pub fn leases(&self) -> impl Iterator<Item = (Ipv4Addr, &Lease)> {
        self.ledger.leases.iter()
    }

    /// The lease of `address`, ended or not.
    pub fn lease(&self, address: Ipv4Addr) -> Option<&Lease> {
        self.ledger.leases.get(address)
    }

    /// Machines that asked and are in no inventory of their link, the latest first.
    pub fn seen(&self) -> impl Iterator<Item = (MacAddr, &SeenMachine)> {
        self.seen.iter()
    }

    /// Another number after each change of [`Core::seen`].
    pub fn seen_version(&self) -> u64 {
        self.seen.version()
    }

    /// What it has seen, the latest first, when it ends.
    pub fn into_seen(self) -> Vec<(MacAddr, SeenMachine)> {
        self.seen.iter().map(|(mac, machine)| (mac, machine.clone())).collect()
    }

    /// The same server, which has seen these machines before, the latest first.
    #[must_use]
    pub fn with_seen(mut self, machines: impl DoubleEndedIterator<Item = (MacAddr, SeenMachine)>) -> Core {
        machines.rev().for_each(|(mac, machine)| self.seen.put(mac, machine));
        self
    }

    /// Number of offers that wait for their clients.
    pub fn offer_count(&self) -> usize {
        self.ledger.leases.offer_count()
    }

    /// Does what is due at `now`.
    pub(super) fn pass(&mut self, now: Now, view: &DhcpView, out: &mut Outputs) {
        self.ledger.follow(now, view, out);
        self.left.follow(view, now);
        while let Some(waiting) = self.probes.next_over(now) {
            self.answer_waiting(&waiting, now, view, out);
        }
        self.ledger.pass(now, out);
    }

    /// Answers messages that waited.
    pub(super) fn answer_waiting(
        &mut self,
        waiting: &[Waiting],
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) {
        for message in waiting {
            let events = out.events.len();
            let transaction = self.packet(&message.packet(), now, view, out);
            // It was counted as received when it came.
            if out.events.len() > events {
                out.events.remove(events);
            }
            out.transactions.push(transaction);
        }
    }
}
