//! What time does: probes that nobody answered, offers that lapse, leases that end, clocks that step,
//! networks that change.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;

use super::Core;
use super::input::{Now, Packet};
use super::journal::Journal;
use super::leases::{Lease, Leases, Parked};
use super::output::{Change, Changed, Notice, Outputs};
use super::reason::Event;
use super::record::{Record, State};
use super::seen::SeenMachine;
use crate::view::DhcpView;

/// A step of the wall clock that is worth writing all leases anew.
const STEP_MS: i64 = 60_000;
/// How long a probe that nobody answered is believed.
const PROBED_MS: i64 = 60_000;
/// Probes that are remembered.
const PROBED_MAX: usize = 4096;

/// Addresses that nobody used a moment ago.
#[derive(Debug, Default)]
pub(super) struct Probed(BTreeMap<Ipv4Addr, i64>);

impl Probed {
    /// Whether a recent probe of `address` had no answer.
    pub(super) fn knows(&self, address: Ipv4Addr, now: Now) -> bool {
        self.0.get(&address).is_some_and(|at| now.ms() - at < PROBED_MS)
    }

    fn add(&mut self, address: Ipv4Addr, now: Now) {
        if self.0.len() >= PROBED_MAX {
            self.0.retain(|_, at| now.ms() - *at < PROBED_MS);
        }
        if self.0.len() < PROBED_MAX {
            self.0.insert(address, now.ms());
        }
    }
}

impl Core {
    /// A server that goes on where the records say, which are in the order of their positions. `boot`
    /// tells the machine's boot, if that is known.
    pub fn recover(records: impl IntoIterator<Item = (u64, Record)>, boot: Option<u64>, now: Now) -> Core {
        let mut leases = Leases::default();
        let (mut last, mut of_other_boot) = (0, false);
        for (position, record) in records {
            last = last.max(position);
            let covered = record.ends(now, boot);
            if record.state == State::Forgotten {
                leases.forget(record.address);
                continue;
            }
            of_other_boot |= covered > now.ms() && record.clock.map(|clock| clock.boot) != boot;
            let Record { address, client, mac, name, state, .. } = record;
            let state = if covered <= now.ms() { State::Released } else { state };
            leases.set(address, Lease { client, mac, name, state, ends: covered, covered, position });
        }
        Core { leases, journal: Journal::after(last), boot, must_rewrite: of_other_boot, ..Core::default() }
    }

    /// When [`super::Input::Tick`] is due next, in milliseconds of the boot's clock.
    pub fn deadline(&self) -> Option<u64> {
        self.leases.deadline().map(|ms| u64::try_from(ms).unwrap_or(0))
    }

    /// The latest leases by address, those that have ended included.
    pub fn leases(&self) -> impl Iterator<Item = (Ipv4Addr, &Lease)> {
        self.leases.iter()
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
        self.leases.offer_count()
    }

    /// Does what is due at `now`.
    pub(super) fn pass(&mut self, now: Now, view: &DhcpView, out: &mut Outputs) {
        self.follow(now, view, out);
        self.left.follow(view, now);
        while let Some((address, parked)) = self.leases.next_probed(now.ms()) {
            self.probed.add(address, now);
            self.answer_parked(&parked, now, view, out);
        }
        self.leases.lapse(now.ms());
        while let Some(address) = self.leases.next_ended(now.ms()) {
            self.ended(address, now, view, out);
        }
        self.check_clock(now, out);
    }

    /// Answers a message that waited.
    pub(super) fn answer_parked(&mut self, parked: &Parked, now: Now, view: &DhcpView, out: &mut Outputs) {
        let packet = Packet {
            bytes: (&*parked.bytes).into(),
            interface: parked.interface,
            from: parked.from,
            destination: parked.destination,
        };
        let events = out.events.len();
        let transaction = self.packet(&packet, now, view, out);
        // It was counted as received when it came.
        if out.events.len() > events {
            out.events.remove(events);
        }
        out.transactions.push(transaction);
    }

    fn ended(&mut self, address: Ipv4Addr, now: Now, view: &DhcpView, out: &mut Outputs) {
        let Some(lease) = self.leases.get(address) else { return };
        if lease.state == State::Bound {
            out.events.push(Event::LeaseEnded);
            let (client, mac) = (Some(lease.client.clone()), lease.mac);
            out.changes.push(Change { address, what: Changed::Ended, client, mac, seconds: 0 });
        }
        self.forget_if_useless(address, now, view, out);
    }

    /// Nobody will get an ended lease again that the pools do not give.
    fn forget_if_useless(&mut self, address: Ipv4Addr, now: Now, view: &DhcpView, out: &mut Outputs) {
        let of_pool = view.network_of(address).is_some_and(|network| network.pool.contains(address));
        let Some(lease) = self.leases.get(address).filter(|lease| !of_pool && !lease.is_held(now.ms()))
        else {
            return;
        };
        if lease.position > 0 {
            let lease = Lease { state: State::Forgotten, covered: now.ms(), ..lease.clone() };
            self.write(address, lease, now, out);
        }
        self.leases.forget(address);
    }

    /// Follows the networks of `view`.
    fn follow(&mut self, now: Now, view: &DhcpView, out: &mut Outputs) {
        if !self.leases.follow(view) {
            return;
        }
        // A host may have got and lost the address since.
        self.probed = Probed::default();
        let of_pool =
            |address| view.network_of(address).is_some_and(|network| network.pool.contains(address));
        let outside = self.leases.iter().filter(|(address, _)| !of_pool(*address));
        let outside: Vec<_> = outside.map(|(address, lease)| (address, lease.is_held(now.ms()))).collect();
        let leases = outside.iter().filter(|(_, held)| *held).count();
        if leases > 0 {
            out.notices.push(Notice::Stranded { leases });
        }
        for (address, _) in outside {
            self.forget_if_useless(address, now, view, out);
        }
    }

    /// Writes all leases anew where the wall clock was stepped, so that another boot reads them right, and
    /// after another boot, so that the wall clock matters to none of them any more.
    fn check_clock(&mut self, now: Now, out: &mut Outputs) {
        let offset = now.unix_ms.saturating_sub(now.ms());
        let before = *self.wall_offset.get_or_insert(offset);
        let by = offset.saturating_sub(before);
        let stepped = by.saturating_abs() >= STEP_MS;
        if !(stepped || self.must_rewrite) || self.journal.is_failing() {
            return;
        }
        (self.wall_offset, self.must_rewrite) = (Some(offset), false);
        let held = self.leases.iter().filter(|(_, lease)| lease.position > 0 && lease.is_held(now.ms()));
        let held: Vec<_> = held.map(|(address, lease)| (address, lease.clone())).collect();
        for (address, lease) in held {
            self.write(address, lease, now, out);
        }
        if stepped {
            out.notices.push(Notice::ClockStepped { by });
        }
    }
}
