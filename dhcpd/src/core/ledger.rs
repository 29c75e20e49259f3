//! Leases given, extended, ended and written down, whatever they are of: what both families' cores share.
//!
//! A promise is written down before it is made: who gives a lease learns which record its reply waits
//! for.

use inventory_core::mac::MacAddr;

use super::client::ClientKey;
use super::input::Now;
use super::journal::Journal;
use super::leases::{Lease, Leases};
use super::outputs::{Change, Changed};
use super::record::{Clock, Record, State};
use super::space::Space;
use crate::view::DhcpView;

/// Seconds that an address is on probation after a client declined it.
const DECLINED_SECONDS: u32 = 3600;
/// What is written down of a lease lies ahead of what the client is told by this part of it, and by no
/// more than an hour: a client that asks again soon needs no further record.
const AHEAD_PART: u32 = 4;
const AHEAD_SECONDS_MAX: u32 = 3600;
/// A step of the wall clock that is worth writing all leases anew.
const STEP_MS: i64 = 60_000;

/// Where a ledger tells what it has done.
pub(super) trait Told<Item> {
    /// To be made durable.
    fn record(&mut self, position: u64, record: Record);
    /// A lease has changed.
    fn change(&mut self, change: Change<Item>);
    /// So many clients have leases that the pools do not give any more.
    fn stranded(&mut self, leases: usize);
    /// The wall clock was stepped by so many milliseconds.
    fn clock_stepped(&mut self, by: i64);
}

/// Who a lease is for.
#[derive(Clone, Debug)]
pub(super) struct Tenant {
    pub(super) client: ClientKey,
    pub(super) mac: Option<MacAddr>,
    /// The name that it gives itself.
    pub(super) name: Option<Box<str>>,
    /// What the relay agent says of it (option 82), whole; `None`: it asks without one.
    pub(super) relay_agent: Option<Box<[u8]>>,
}

/// Leases cannot be written at the moment.
#[derive(Debug)]
pub(super) struct StoreFailing;

/// The leases of a space and where their writing is.
#[derive(Debug)]
pub(super) struct Ledger<S: Space> {
    pub(super) leases: Leases<S>,
    pub(super) journal: Journal,
    /// Which boot of the machine this is.
    boot: Option<u64>,
    /// Leases were written during another boot.
    must_rewrite: bool,
    /// Wall clock less the boot's clock, in milliseconds.
    wall_offset: Option<i64>,
}

impl<S: Space> Default for Ledger<S> {
    fn default() -> Ledger<S> {
        Ledger {
            leases: Leases::default(),
            journal: Journal::default(),
            boot: None,
            must_rewrite: false,
            wall_offset: None,
        }
    }
}

impl<S: Space> Ledger<S> {
    /// Goes on where the records say, which are in the order of their positions. `boot` tells the
    /// machine's boot, if that is known.
    pub(super) fn recover(
        records: impl IntoIterator<Item = (u64, Record)>,
        boot: Option<u64>,
        now: Now,
    ) -> Ledger<S> {
        let mut leases = Leases::default();
        let (mut last, mut must_rewrite, mut wall_offset) = (0, false, None);
        for (position, record) in records {
            last = last.max(position);
            let of_boot = record.wall_offset_ms(boot);
            // A clock that was stepped while nobody ran is found by this.
            wall_offset = of_boot.or(wall_offset);
            let covered = record.ends(now, boot);
            let Ok(item) = S::Item::try_from(record.address) else { continue };
            if record.state == State::Forgotten {
                leases.forget(item);
                continue;
            }
            let is_right =
                of_boot.is_some_and(|offset| !is_step(now.wall_offset_ms().saturating_sub(offset)));
            must_rewrite |= covered > now.ms() && !is_right && boot.is_some();
            let Record { client, mac, name, relay_agent, state, .. } = record;
            let state = if covered <= now.ms() { State::Released } else { state };
            let (ends, since) = (covered, now.ms());
            leases.set(item, Lease { client, mac, name, relay_agent, state, since, ends, covered, position });
        }
        Ledger { leases, journal: Journal::after(last), boot, must_rewrite, wall_offset }
    }

    /// Gives a lease of `item` to `tenant`; returns the position of the record that its reply waits for.
    pub(super) fn bind(
        &mut self,
        item: S::Item,
        tenant: Tenant,
        seconds: u32,
        now: Now,
        out: &mut impl Told<S::Item>,
    ) -> Result<Option<u64>, StoreFailing> {
        let ends = now.ms() + i64::from(seconds) * 1000;
        let before = self.leases.get(item);
        let before = before.filter(|lease| lease.client == tenant.client && lease.state == State::Bound);
        let has_it = before.is_some_and(|lease| lease.is_bound(now.ms()));
        let what = if has_it { Changed::Renewed } else { Changed::Granted };
        // A client that renews by unicast says nothing of its relay agent, nor always its name.
        let relay_agent = tenant.relay_agent.or_else(|| before?.relay_agent.clone());
        let name = tenant.name.or_else(|| before?.name.clone());
        // What it says anew is written down, too; while nothing can be, the address alone counts.
        let is_covered = |lease: &&Lease| {
            ends <= lease.covered
                && (self.journal.is_failing() || (&lease.relay_agent, &lease.name) == (&relay_agent, &name))
        };
        if let Some(lease) = before.filter(is_covered) {
            let lease = Lease { since: now.ms(), ends: ends.max(lease.ends), ..lease.clone() };
            let position = lease.position;
            out.change(Change::of(item, &lease, Changed::Renewed, seconds));
            self.leases.set(item, lease);
            return Ok(self.journal.waits_for(position));
        }
        if self.journal.is_failing() {
            return Err(StoreFailing);
        }
        let ahead = (seconds / AHEAD_PART).min(AHEAD_SECONDS_MAX);
        let Tenant { client, mac, .. } = tenant;
        let covered = ends + i64::from(ahead) * 1000;
        let (state, since) = (State::Bound, now.ms());
        let lease = Lease { client, mac, name, relay_agent, state, since, ends, covered, position: 0 };
        out.change(Change::of(item, &lease, what, seconds));
        let position = self.write(item, lease, now, out);
        Ok(self.journal.waits_for(position))
    }

    /// Makes `lease` the one of `item`, and has that written down.
    pub(super) fn write(
        &mut self,
        item: S::Item,
        mut lease: Lease,
        now: Now,
        out: &mut impl Told<S::Item>,
    ) -> u64 {
        let left = lease.covered.saturating_sub(now.ms()).max(0).unsigned_abs().div_ceil(1000);
        let record = Record {
            address: item.into(),
            client: lease.client.clone(),
            mac: lease.mac,
            name: lease.name.clone(),
            relay_agent: lease.relay_agent.clone(),
            state: lease.state,
            written: now.unix_ms.div_euclid(1000),
            seconds: u32::try_from(left).unwrap_or(u32::MAX),
            clock: self.boot.map(|boot| Clock { boot, ms: now.ms() }),
        };
        let position = self.journal.next();
        out.record(position, record);
        lease.position = position;
        self.leases.set(item, lease);
        position
    }

    /// Ends the lease of `item` before its time.
    pub(super) fn end(&mut self, item: S::Item, what: Changed, now: Now, out: &mut impl Told<S::Item>) {
        let Some(lease) = self.leases.get(item).filter(|lease| lease.is_bound(now.ms())) else { return };
        let ms = now.ms();
        let lease = Lease { state: State::Released, since: ms, ends: ms, covered: ms, ..lease.clone() };
        out.change(Change::of(item, &lease, what, 0));
        self.write(item, lease, now, out);
    }

    /// Puts an address on probation that its client found in use.
    pub(super) fn decline(&mut self, item: S::Item, tenant: Tenant, now: Now, out: &mut impl Told<S::Item>) {
        let ends = now.ms() + i64::from(DECLINED_SECONDS) * 1000;
        let Tenant { client, mac, .. } = tenant;
        let lease = Lease {
            client,
            mac,
            name: None,
            relay_agent: None,
            state: State::Declined,
            since: now.ms(),
            ends,
            covered: ends,
            position: 0,
        };
        out.change(Change::of(item, &lease, Changed::Declined, DECLINED_SECONDS));
        self.write(item, lease, now, out);
    }

    /// Does what is due at `now`: offers that lapse, leases that end, a clock that was stepped.
    pub(super) fn pass(&mut self, now: Now, out: &mut impl Told<S::Item>) {
        self.leases.lapse(now.ms());
        while let Some(item) = self.leases.next_ended(now.ms()) {
            let lease = self.leases.get(item).filter(|lease| lease.state == State::Bound);
            if let Some(lease) = lease {
                out.change(Change::of(item, lease, Changed::Ended, 0));
            }
            self.forget_if_useless(item, now, out);
        }
        self.check_clock(now, out);
    }

    /// Follows the networks of `view`; whether they are others than before.
    pub(super) fn follow(&mut self, now: Now, view: &DhcpView, out: &mut impl Told<S::Item>) -> bool {
        if !self.leases.follow(view) {
            return false;
        }
        let outside = self.leases.iter().filter(|(item, _)| !self.leases.gives(*item));
        let outside: Vec<_> = outside.map(|(item, lease)| (item, lease.is_held(now.ms()))).collect();
        let leases = outside.iter().filter(|(_, held)| *held).count();
        if leases > 0 {
            out.stranded(leases);
        }
        for (item, _) in outside {
            self.forget_if_useless(item, now, out);
        }
        true
    }

    /// Nobody will get an ended lease again that the pools do not give.
    fn forget_if_useless(&mut self, item: S::Item, now: Now, out: &mut impl Told<S::Item>) {
        let lease = self.leases.get(item).filter(|lease| !lease.is_held(now.ms()));
        let Some(lease) = lease.filter(|_| !self.leases.gives(item)) else { return };
        if lease.position > 0 {
            let lease = Lease { state: State::Forgotten, covered: now.ms(), ..lease.clone() };
            self.write(item, lease, now, out);
        }
        self.leases.forget(item);
    }

    /// Writes all leases anew where the wall clock was stepped, so that another boot reads them right, and
    /// after another boot, so that the wall clock matters to none of them any more.
    fn check_clock(&mut self, now: Now, out: &mut impl Told<S::Item>) {
        let offset = now.wall_offset_ms();
        let before = *self.wall_offset.get_or_insert(offset);
        let by = offset.saturating_sub(before);
        let stepped = is_step(by);
        if !(stepped || self.must_rewrite) || self.journal.is_failing() {
            return;
        }
        (self.wall_offset, self.must_rewrite) = (Some(offset), false);
        let held = self.leases.iter().filter(|(_, lease)| lease.position > 0 && lease.is_held(now.ms()));
        let held: Vec<_> = held.map(|(item, lease)| (item, lease.clone())).collect();
        for (item, lease) in held {
            self.write(item, lease, now, out);
        }
        if stepped {
            out.clock_stepped(by);
        }
    }
}

fn is_step(by: i64) -> bool {
    by.saturating_abs() >= STEP_MS
}

impl<Item> Change<Item> {
    fn of(address: Item, lease: &Lease, what: Changed, seconds: u32) -> Change<Item> {
        Change { address, what, client: Some(lease.client.clone()), mac: lease.mac, seconds }
    }
}
