//! Addresses of hosts that somebody else had until an edit gave them away.
//!
//! Reservations write nothing, so it is not known whether the machine that had the address still uses it:
//! it learns of the edit when it renews. Until its lease must be over, the address is looked for on its
//! link before it is offered to its new owner, as addresses of pools are.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Core;
use super::client::ClientKey;
use super::decide::settled_at;
use super::decision::Grant;
use super::input::{Now, Packet};
use super::output::Outputs;
use super::packet::Message;
use super::reason::Reason;
use crate::view::DhcpView;

/// The addresses, each with when it was taken away and when the lease ends that its machine may have.
#[derive(Debug, Default)]
pub(super) struct Left {
    times: BTreeMap<Ipv4Addr, (i64, i64)>,
    /// Generation of the view that was looked at last.
    generation: u64,
}

impl Left {
    /// Takes notice of what edits have taken away since the last look.
    pub(super) fn follow(&mut self, view: &DhcpView, now: Now) {
        let seen = std::mem::replace(&mut self.generation, view.generation());
        if seen == self.generation {
            return;
        }
        self.times.retain(|_, (_, until)| now.ms() < *until);
        for left in view.left_since(seen) {
            let until = now.ms() + i64::from(left.seconds) * 1000;
            let before = self.times.get(&left.address).map_or(until, |(_, before)| *before);
            self.times.insert(left.address, (now.ms(), until.max(before)));
        }
    }

    /// When `address` was taken from a host for the last time, as far as that matters still.
    pub(super) fn since(&self, address: Ipv4Addr) -> i64 {
        self.times.get(&address).map_or(i64::MIN, |(since, _)| *since)
    }

    fn may_be_used(&self, address: Ipv4Addr, now: Now) -> bool {
        self.times.get(&address).is_some_and(|(_, until)| now.ms() < *until)
    }
}

impl Core {
    /// Looks for a machine that uses the address of a host. `Err(Probing)`: the answer comes later.
    pub(super) fn look_for_user(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        grant: &Grant<'_>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<(), Reason> {
        let address = grant.address;
        let holder = settled_at(&self.ledger.leases, address, now.ms());
        // Any machine may be at a port: also another one than had the address.
        let may_be_other = self.left.may_be_used(address, now) || grant.is_leased;
        let since = self.left.since(address).max(holder.unwrap_or(i64::MIN));
        let is_known = !may_be_other
            || self.is_own(grant, message, now)
            || self.probes.is_quiet(address, since, now.ms());
        if is_known || !grant.network.probe {
            return Ok(());
        }
        Err(self.probe(address, message, packet, now, out))
    }

    /// Whether the client leases the address already.
    fn is_own(&self, grant: &Grant<'_>, message: &Message<'_>, now: Now) -> bool {
        let key = ClientKey::of(message, grant.nic.as_ref());
        let lease = self.ledger.leases.get(grant.address).filter(|lease| lease.is_bound(now.ms()));
        grant.is_leased && lease.is_some_and(|lease| Some(&lease.client) == key.as_ref())
    }
}
