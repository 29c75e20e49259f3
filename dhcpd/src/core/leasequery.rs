//! Who has an address: DHCPLEASEQUERY of relay agents (RFC 4388).
//!
//! A network names the agents that may ask about it; all others get no answer, and a question must come
//! from the address that the answer goes to. An address of a host counts as its card's at any time: a
//! reservation is what the inventory says, and nobody writes down when it was last given.

use std::net::Ipv4Addr;

use inventory_core::mac::MacAddr;

use super::Core;
use super::client::ClientKey;
use super::input::{Now, Packet};
use super::leases::Lease;
use super::output::{Destination, Outcome, Outputs, Reply, SERVER_PORT};
use super::packet::Message;
use super::place::is_own;
use super::reason::{Event, Reason};
use super::write::{Fields, Writer, octets_max};
use crate::code;
use crate::view::{DhcpView, NetworkView, Traits};

/// The message's type (option 53).
pub(super) const LEASE_QUERY: u8 = 10;
/// Types of answers.
const UNASSIGNED: u8 = 11;
const UNKNOWN: u8 = 12;
const ACTIVE: u8 = 13;
/// Addresses of one client that are named in an answer.
const ADDRESSES_MAX: usize = 32;

/// A client that has an address.
struct Holder {
    address: Ipv4Addr,
    client: ClientKey,
    mac: Option<MacAddr>,
    seconds: u32,
}

/// What is known.
enum Found {
    /// Of the address, or of the client: nothing.
    Unknown,
    /// The address is ours to give, and nobody has it.
    Unassigned,
    /// The client's addresses, the one that it has for longest first.
    Active(Vec<Holder>),
}

impl Core {
    /// Answers a relay agent that may ask.
    pub(super) fn lease_query(
        &self,
        message: &Message<'_>,
        packet: &Packet<'_>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let agent = message.giaddr();
        let may_ask = |network: &NetworkView| network.leasequery.contains(&agent);
        if *packet.from.ip() != agent || !view.networks().any(may_ask) {
            return Err(Reason::QueryRefused);
        }
        let link = self.links.iter().find(|link| link.index == packet.interface);
        let link = link.ok_or(Reason::OtherInterface)?;
        let asked = packet.destination.filter(|address| is_own(&self.links, *address));
        let server = asked.or(link.addresses.first().copied()).ok_or(Reason::NoServerAddress)?;
        let question = Question { core: self, view, may_ask: &may_ask, now: now.ms() };
        let found = question.find(message)?;

        let start = out.octets.len();
        let (kind, holders) = match &found {
            Found::Unknown => (UNKNOWN, &[][..]),
            Found::Unassigned => (UNASSIGNED, &[][..]),
            Found::Active(holders) => (ACTIVE, &**holders),
        };
        let holder = holders.first();
        let none = Ipv4Addr::UNSPECIFIED;
        let ciaddr = holder.map_or(message.ciaddr(), |holder| holder.address);
        let fields = Fields { ciaddr, yiaddr: none, siaddr: none, broadcast: false };
        let mut writer = Writer::new(&mut out.octets, message, fields, octets_max(message, link.mtu));
        let fits = writer.option(code::MESSAGE_TYPE, &[kind])
            && writer.option(code::SERVER_ID, &server.octets())
            && holder.is_none_or(|holder| holder.write(message, &mut writer));
        if !fits {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        if let [_, others @ ..] = holders
            && !others.is_empty()
        {
            let all = holders.iter().take(ADDRESSES_MAX).flat_map(|holder| holder.address.octets());
            writer.option(code::ASSOCIATED_IP, &all.collect::<Vec<u8>>());
        }
        writer.finish();
        if let Some(holder) = holder {
            holder.write_hardware(out.octets.get_mut(start..).unwrap_or_default());
        }
        let destination = Destination::Udp { interface: link.index, address: agent, port: SERVER_PORT };
        let octets = start..out.octets.len();
        out.replies.push(Reply { octets, after: None, source: server, destination });
        out.events.push(Event::LeaseTold);
        Ok(Outcome::LeaseTold)
    }
}

/// A question, and where the answer is.
struct Question<'q> {
    core: &'q Core,
    view: &'q DhcpView,
    may_ask: &'q dyn Fn(&NetworkView) -> bool,
    now: i64,
}

impl Question<'_> {
    /// By address, by client identifier, or by hardware address (RFC 4388, section 6.2).
    fn find(&self, message: &Message<'_>) -> Result<Found, Reason> {
        if !message.ciaddr().is_unspecified() {
            return Ok(self.by_address(message.ciaddr()));
        }
        let leases = &self.core.ledger.leases;
        let found = match message.options.get(code::CLIENT_ID) {
            Some(id) => {
                let keys = ClientKey::of_identifier(&id);
                let hosts = self.hosts(|network| self.view.by_client_id(network.id, &id)?.holder(network));
                self.clients(hosts, keys.iter().flatten().flat_map(|key| leases.of_client(key)))
            }
            None => {
                let key = ClientKey::of_hardware(message).ok_or(Reason::NoIdentity)?;
                let mac = message.mac();
                let hosts = self.hosts(|network| self.view.by_mac(network.id, mac?)?.holder(network));
                let by_another_key = mac.map_or(&[][..], |mac| leases.of_card(mac));
                self.clients(hosts, leases.of_client(&key).iter().chain(by_another_key))
            }
        };
        Ok(if found.is_empty() { Found::Unknown } else { Found::Active(found) })
    }

    fn by_address(&self, address: Ipv4Addr) -> Found {
        let network = self.view.network_of(address);
        let Some(network) = network.filter(|network| (self.may_ask)(network) && network.has_host(address))
        else {
            return Found::Unknown;
        };
        if let Some(lease) = self.core.ledger.leases.get(address).filter(|lease| lease.is_bound(self.now)) {
            return Found::Active(vec![self.leased(address, lease)]);
        }
        let host = self.view.by_address(network.id, address).and_then(|nic| nic.holder(network));
        host.map_or(Found::Unassigned, |holder| Found::Active(vec![holder]))
    }

    /// Reservations in the networks that may be asked about.
    fn hosts(&self, find: impl Fn(&NetworkView) -> Option<Holder>) -> Vec<Holder> {
        self.view.networks().filter(|network| (self.may_ask)(network)).filter_map(find).collect()
    }

    /// `hosts`, and the leases of these addresses.
    fn clients<'l>(
        &self,
        mut found: Vec<Holder>,
        addresses: impl Iterator<Item = &'l Ipv4Addr>,
    ) -> Vec<Holder> {
        found.extend(addresses.filter_map(|address| {
            let lease = self.core.ledger.leases.get(*address).filter(|lease| lease.is_bound(self.now))?;
            self.view.network_of(*address).filter(|network| (self.may_ask)(network))?;
            Some(self.leased(*address, lease))
        }));
        found.sort_by_key(|holder| std::cmp::Reverse(holder.seconds));
        found
    }

    fn leased(&self, address: Ipv4Addr, lease: &Lease) -> Holder {
        let seconds = u32::try_from((lease.ends - self.now).max(0) / 1000).unwrap_or(u32::MAX);
        Holder { address, client: lease.client.clone(), mac: lease.mac, seconds }
    }
}

impl crate::view::Reservation<'_> {
    /// Who has this reservation's address; `None`: nobody is given one.
    fn holder(&self, network: &NetworkView) -> Option<Holder> {
        let mac = self.mac().filter(|_| self.is_served() && self.has_dhcp() && network.dhcp)?;
        let traits = Traits { tags: self.tags(), ..Traits::default() };
        let seconds = network.lease_seconds_of(self.lease_seconds(), &traits);
        Some(Holder { address: self.address()?, client: ClientKey::of_mac(mac), mac: Some(mac), seconds })
    }
}

impl Holder {
    fn write(&self, message: &Message<'_>, writer: &mut Writer<'_, '_>) -> bool {
        // One that stands in the question comes back with it.
        let id = self.client.identifier().filter(|_| !message.options.has(code::CLIENT_ID));
        writer.option(code::LEASE_TIME, &self.seconds.to_be_bytes())
            && id.is_none_or(|id| writer.option(code::CLIENT_ID, id))
    }

    /// Puts its hardware address into the fixed fields of a reply.
    fn write_hardware(&self, reply: &mut [u8]) {
        let of_key = self.client.hardware();
        let (htype, address) = match &self.mac {
            Some(MacAddr(octets)) => (1, &octets[..]),
            None => of_key.unwrap_or((0, &[])),
        };
        let Some(([_, kind, len, ..], rest)) = reply.split_first_chunk_mut::<28>() else { return };
        let Some((field, _)) = rest.split_first_chunk_mut::<16>() else { return };
        let Some(room) = field.get_mut(..address.len()) else { return };
        room.copy_from_slice(address);
        if let Some(after) = field.get_mut(address.len()..) {
            after.fill(0);
        }
        (*kind, *len) = (htype, u8::try_from(address.len()).unwrap_or(0));
    }
}
