//! Leases from the pools: offering, giving, ending them.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::Core;
use super::classes::{lease_seconds, may_have, part_for};
use super::client::{ClientKey, ClientKeys};
use super::decision::{Grant, Want};
use super::fqdn;
use super::input::{Now, Packet};
use super::leases::{Lease, Offer};
use super::ledger::{StoreFailing, Tenant, Told};
use super::output::{Outputs, Probe};
use super::outputs::{Change, Changed};
use super::packet::Message;
use super::place::{Place, is_own};
use super::probes::Waiting;
use super::reason::{Event, Reason};
use super::record::State;
use super::space::group4;
use crate::code;
use crate::view::{DhcpView, NetworkView};

/// How long an offer stands.
const OFFER_MS: i64 = 30_000;
/// Seconds that an address is on probation after a machine answered a probe. That is not written down: the next probe finds it again.
const IN_USE_SECONDS: u32 = 600;
/// Octets of a client's own name that are kept.
const NAME_OCTETS: usize = 63;
/// Octets of what a relay agent says that are kept.
const AGENT_OCTETS: usize = 255;

impl Core {
    /// Finds an address for a client and remembers it as offered. `Err(Probing)`: the answer comes later.
    pub(super) fn offer_lease<'v>(
        &mut self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        place: &Place<'v>,
        want: Want<'v>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Grant<'v>, Reason> {
        let nic = want.known.map(|(nic, _)| nic);
        let keys = ClientKeys::of(message, nic.as_ref()).ok_or(Reason::NoIdentity)?;
        let (network, address) = self.address_for(message, &keys, place, want, now)?;
        let seconds = lease_seconds(message, network, nic.as_ref()).min(want.seconds_max);
        let grant = Grant { network, nic, address, seconds, is_leased: true };
        let is_offered = self.ledger.leases.offer_of(address, now.ms()).is_some();
        let is_bound = self.ledger.leases.get(address).is_some_and(|lease| lease.is_bound(now.ms()));
        // An offer that could not be kept would only hold the client up.
        if self.ledger.journal.is_failing() && !is_bound {
            return Err(Reason::StoreFailing);
        }
        let was_probed = is_offered && !self.probes.is_running(address);
        let is_known = is_bound || was_probed || self.is_quiet(address, now);
        let offer = Offer { client: keys.own, until: now.ms() + OFFER_MS };
        if !self.ledger.leases.offer(address, offer) {
            return Err(Reason::Busy);
        }
        if network.probe && !is_known {
            return Err(self.probe(address, message, packet, now, out));
        }
        Ok(grant)
    }

    /// Whether nobody uses `address`, as far as is known from a probe after the last edit that concerns it.
    pub(super) fn is_quiet(&self, address: Ipv4Addr, now: Now) -> bool {
        self.probes.is_quiet(address, self.left.since(address), now.ms())
    }

    /// Lets a message wait until it is known whether anybody uses `address`; asks that, unless it was asked
    /// a moment ago. Returns why the message is not answered yet.
    pub(super) fn probe(
        &mut self,
        address: Ipv4Addr,
        message: &Message<'_>,
        packet: &Packet<'_>,
        now: Now,
        out: &mut Outputs,
    ) -> Reason {
        let on_link = message.giaddr().is_unspecified();
        match self.probes.wait(address, packet, on_link, now) {
            Ok(false) => {}
            Ok(true) => {
                out.events.push(Event::Probe);
                out.probes.push(Probe { address, link: on_link.then_some(packet.interface) });
            }
            Err(reason) => return reason,
        }
        Reason::Probing
    }

    /// The client's own address, else what it was offered, else what it asks for, else any.
    fn address_for<'v>(
        &mut self,
        message: &Message<'_>,
        keys: &ClientKeys,
        place: &Place<'v>,
        want: Want<'v>,
        now: Now,
    ) -> Result<(&'v NetworkView, Ipv4Addr), Reason> {
        let nic = want.known.as_ref().map(|(nic, _)| nic);
        let home = want.known.map(|(_, network)| network.id);
        let here = |network: &&NetworkView| {
            network.dhcp && home.map_or(network.serves_strangers, |home| home == network.id)
        };
        let links = &self.links;
        let of_pool = |address: Ipv4Addr| {
            place
                .networks()
                .filter(here)
                .find(|network| may_have(message, network, nic, address, false) && !is_own(links, address))
        };
        let (leases, ms) = (&self.ledger.leases, now.ms());
        let own = keys.iter().flat_map(|key| leases.of_client(key)).copied().filter(|address| {
            let lease = leases.get(*address);
            let usable = lease.is_some_and(|lease| lease.state != State::Declined);
            let other = leases.offer_of(*address, ms).is_some_and(|offer| !keys.have(&offer.client));
            usable && !other
        });
        let offered = leases.offered_to(&keys.own, ms);
        let requested =
            message.options.fixed::<4>(code::REQUESTED_ADDRESS).ok().flatten().map(Ipv4Addr::from);
        let requested = requested.filter(|address| leases.is_free(*address, ms));
        let known =
            own.chain(offered).chain(requested).find_map(|address| Some((of_pool(address)?, address)));
        if let Some(known) = known {
            return Ok(known);
        }
        for network in place.networks().filter(here) {
            let group = group4(network, part_for(message, network, nic));
            if let Some(address) = self.ledger.leases.choose(group, ms, |address| !is_own(links, address)) {
                return Ok((network, address));
            }
        }
        Err(Reason::PoolFull)
    }

    /// Gives a lease; returns the position of the record that its reply waits for.
    pub(super) fn bind(
        &mut self,
        grant: &Grant<'_>,
        message: &Message<'_>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Option<u64>, Reason> {
        let keys = ClientKeys::of(message, grant.nic.as_ref()).ok_or(Reason::NoIdentity)?;
        if !self.ledger.journal.is_failing()
            && self.ledger.leases.is_held_by_other(grant.address, |key| keys.have(key), now.ms())
        {
            self.ledger.end(grant.address, Changed::Withdrawn, now, out);
        }
        let relay_agent = message.options.get(code::RELAY_AGENT).filter(|all| all.len() <= AGENT_OCTETS);
        let relay_agent = relay_agent.map(|all| (*all).into());
        let tenant = Tenant { client: keys.own, mac: message.mac(), name: own_name(message), relay_agent };
        let bound = self.ledger.bind(grant.address, tenant, grant.seconds, now, out);
        bound.map_err(|StoreFailing| Reason::StoreFailing)
    }

    /// Ends the other leases of a client on the link where it has got its own address.
    pub(super) fn end_others(
        &mut self,
        grant: &Grant<'_>,
        place: &Place<'_>,
        message: &Message<'_>,
        now: Now,
        out: &mut Outputs,
    ) {
        let keys = ClientKeys::of(message, grant.nic.as_ref());
        for key in keys.iter().flat_map(ClientKeys::iter) {
            let is_other =
                |address: &Ipv4Addr| *address != grant.address && place.network_of(*address).is_some();
            let others: Vec<_> = self.ledger.leases.of_client(key).iter().copied().filter(is_other).collect();
            for address in others {
                self.ledger.end(address, Changed::Withdrawn, now, out);
            }
        }
    }

    /// Puts an address on probation that its client found in use.
    pub(super) fn decline(&mut self, address: Ipv4Addr, message: &Message<'_>, now: Now, out: &mut Outputs) {
        let client = ClientKey::of(message, None).unwrap_or_else(ClientKey::nobody);
        self.ledger.decline(
            address,
            Tenant { client, mac: message.mac(), name: None, relay_agent: None },
            now,
            out,
        );
    }

    /// Takes an address that answered a probe out of use for a while; returns the messages that waited.
    pub(super) fn in_use(
        &mut self,
        address: Ipv4Addr,
        mac: Option<[u8; 6]>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Vec<Waiting> {
        // A client that still uses its old address may answer itself.
        let Some(waiting) = self.probes.answered(address, mac) else { return Vec::new() };
        if let Some(lease) = self.ledger.leases.get(address).filter(|lease| lease.is_bound(now.ms())) {
            // It is whoever leases it, who is there.
            let lease = Lease { since: now.ms(), ..lease.clone() };
            self.ledger.leases.set(address, lease);
            return waiting;
        }
        self.ledger.leases.withdraw(address);
        // What is at a port must not cost the machine its address that is written down with it.
        let nic = view.network_of(address).and_then(|network| view.by_port_address(network.id, address));
        let owner = nic.and_then(|nic| nic.mac());
        let ends = now.ms() + i64::from(IN_USE_SECONDS) * 1000;
        let lease = Lease {
            client: owner.map_or_else(ClientKey::nobody, ClientKey::of_mac),
            mac: mac.map(inventory_core::mac::MacAddr),
            name: None,
            relay_agent: None,
            state: State::Declined,
            since: now.ms(),
            ends,
            covered: ends,
            position: 0,
        };
        let mac = lease.mac;
        out.change(Change { address, what: Changed::InUse, client: None, mac, seconds: IN_USE_SECONDS });
        self.ledger.leases.set(address, lease);
        waiting
    }
}

/// The name that the client gives itself (option 12, else 81), if it looks like one.
pub(super) fn own_name(message: &Message<'_>) -> Option<Box<str>> {
    let name = match message.options.get(code::HOST_NAME) {
        Some(name) => name,
        None => Cow::Owned(fqdn::name_of(message)?),
    };
    let fits = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > NAME_OCTETS || !name.iter().all(fits) {
        return None;
    }
    Some(std::str::from_utf8(&name).ok()?.into())
}
