//! Going over the addresses that an answer tells of.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use inventory_core::mac::MacAddr;
use inventory_core::model::NetworkId;

use super::Leased;
use super::answer::{State, Told, push};
use super::query::{Query, What};
use crate::core::input::Now;
use crate::core::leases::Lease;
use crate::core::record;
use crate::view::{DhcpView, NetworkView, Reservation};

/// Addresses of one page.
const PAGE_MAX: usize = 256;

/// An answer under way, by one view from its beginning to its end.
#[derive(Debug)]
pub struct Walk {
    query: Query,
    view: Arc<DhcpView>,
    agent: Ipv4Addr,
    server: Ipv4Addr,
    /// Networks that the agent may ask about, by their first addresses.
    networks: Vec<NetworkId>,
    /// Addresses of hosts that are asked for.
    hosts: BTreeSet<Ipv4Addr>,
}

/// What a page has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Number of messages.
    pub told: u64,
    /// Where the next one begins; `None`: this was the last.
    pub next: Option<Ipv4Addr>,
}

impl Walk {
    /// The answer to the agent's `query`, from our address `server`; `None`: it may not ask. Cost: linear in the hosts
    /// where all addresses are asked for.
    pub fn new(query: Query, view: Arc<DhcpView>, agent: Ipv4Addr, server: Ipv4Addr) -> Option<Walk> {
        let may_ask = |network: &NetworkView| network.leasequery.contains(&agent);
        let mut asked: Vec<&NetworkView> = view.networks().filter(|network| may_ask(network)).collect();
        asked.sort_by_key(|network| network.prefix.network());
        let networks: Vec<NetworkId> = asked.iter().map(|network| network.id).collect();
        let hosts = match &query.what {
            What::All => {
                let all = view.addresses();
                all.filter(|(network, _)| view.network(*network).is_some_and(may_ask))
                    .map(|(_, own)| own)
                    .collect()
            }
            What::Hardware(_, mac) => of_hosts(&asked, |network| view.by_mac(network.id, (*mac)?)),
            What::Identifier(id) => of_hosts(&asked, |network| view.by_client_id(network.id, id)),
            What::Agent(..) => BTreeSet::new(),
        };
        (!networks.is_empty()).then_some(Walk { query, view, agent, server, networks, hosts })
    }

    /// Appends to `out` what is to be told of the addresses from `from` on, as far as `known` reaches; of so few of
    /// them that others have their turn.
    pub fn page(&self, from: Ipv4Addr, known: &Leased, now: Now, out: &mut Vec<u8>) -> Page {
        let mut leases = known.leases.iter().peekable();
        let (mut at, mut looked, mut told) = (Some(from), 0, 0);
        while let Some(here) = at {
            while leases.next_if(|(address, _)| *address < here).is_some() {}
            let lease = leases.peek().map(|(address, _)| *address);
            let host = self.hosts.range(here..).next().copied();
            let pool = self.query.is_about_all().then(|| self.pool_from(here)).flatten();
            let Some(address) = [lease, host, pool].into_iter().flatten().min() else {
                return Page { told, next: known.next };
            };
            if let Some(next) = known.next.filter(|next| *next <= address) {
                return Page { told, next: Some(next) };
            }
            if looked >= PAGE_MAX {
                return Page { told, next: Some(address) };
            }
            looked += 1;
            let lease = leases.next_if(|(other, _)| *other == address).map(|(_, lease)| lease);
            told += u64::from(self.tell(address, lease, now, out));
            at = address.to_bits().checked_add(1).map(Ipv4Addr::from_bits);
        }
        Page { told, next: None }
    }

    /// The first address from `from` on that a pool gives.
    fn pool_from(&self, from: Ipv4Addr) -> Option<Ipv4Addr> {
        let network = |id: &NetworkId| self.view.network(*id);
        let first =
            self.networks.partition_point(|id| network(id).is_some_and(|one| one.prefix.broadcast() < from));
        let mut rest = self.networks.get(first..).unwrap_or_default().iter().filter_map(network);
        rest.find_map(|network| network.pool.from(from))
    }

    fn network_of(&self, address: Ipv4Addr) -> Option<&NetworkView> {
        self.view.network_of(address).filter(|network| network.leasequery.contains(&self.agent))
    }

    /// Tells of an address; whether there was anything to tell.
    fn tell(&self, address: Ipv4Addr, lease: Option<&Lease>, now: Now, out: &mut Vec<u8>) -> bool {
        let Some(network) = self.network_of(address) else { return false };
        let base = u32::try_from(now.unix_ms.div_euclid(1000)).unwrap_or(0);
        if let Some(lease) = lease.filter(|lease| lease.is_bound(now.ms()) || !self.hosts.contains(&address))
        {
            let (state, changed) = state_of(lease, now.ms());
            let age = now.ms().saturating_sub(changed).max(0) / 1000;
            if !self.query.wants(lease, i64::from(base) - age) {
                return false;
            }
            let mac = lease.mac.as_ref().map(|MacAddr(octets)| (1, octets.as_slice()));
            let told = Told {
                address,
                state,
                hardware: mac.or_else(|| lease.client.hardware()),
                client_id: lease.client.identifier(),
                seconds: u32::try_from((lease.ends - now.ms()).max(0) / 1000).unwrap_or(u32::MAX),
                age: u32::try_from(age).ok(),
                agent: lease.relay_agent.as_deref(),
            };
            push(out, self.query.xid, self.server, base, &told);
            return true;
        }
        let nobody = Told {
            address,
            state: State::Available,
            hardware: None,
            client_id: None,
            seconds: 0,
            age: None,
            agent: None,
        };
        let host = self.hosts.contains(&address).then(|| self.view.by_address(network.id, address)).flatten();
        let mac = host.and_then(|nic| nic.mac().filter(|_| is_given(&nic, network)));
        if let (Some(MacAddr(octets)), Some(nic)) = (&mac, &host) {
            let seconds = nic.lease_seconds().unwrap_or(network.lease_seconds);
            let held = Told { state: State::Active, hardware: Some((1, octets)), seconds, ..nobody };
            push(out, self.query.xid, self.server, base, &held);
            return true;
        }
        let is_told = self.query.is_about_all() && network.pool.contains(address);
        if is_told {
            push(out, self.query.xid, self.server, base, &nobody);
        }
        is_told
    }
}

/// Addresses of the reservations that `find` finds in these networks.
fn of_hosts<'v>(
    networks: &[&'v NetworkView],
    find: impl Fn(&'v NetworkView) -> Option<Reservation<'v>>,
) -> BTreeSet<Ipv4Addr> {
    networks.iter().filter_map(|network| find(network)?.address()).collect()
}

/// Whether DHCP gives the machine of this reservation its address.
fn is_given(nic: &Reservation<'_>, network: &NetworkView) -> bool {
    nic.is_served() && nic.has_dhcp() && network.dhcp
}

/// What the address of a lease is at `now`, and since when, or when its client asked for the last time.
fn state_of(lease: &Lease, now: i64) -> (State, i64) {
    match lease.state {
        record::State::Bound if now < lease.ends => (State::Active, lease.since),
        record::State::Bound => (State::Expired, lease.ends),
        record::State::Declined if now < lease.ends => (State::Abandoned, lease.since),
        record::State::Declined => (State::Available, lease.ends),
        record::State::Released | record::State::Forgotten => (State::Released, lease.since),
    }
}
