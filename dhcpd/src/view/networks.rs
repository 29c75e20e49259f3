//! Networks as DHCPv4 sees them: found by address, with what every client there is told.

use std::net::{IpAddr, Ipv4Addr};

use inventory_core::model::{Globals, Network, NetworkId, Range, Unknown};
use inventory_core::name::Name;
use ipnet::Ipv4Net;

use super::block::{self, OptionBlock};
use super::by_prefix::{ByPrefix, OfFamily};
use super::matching::{MatchView, Traits};
use super::pool::Pool;
use crate::code;

/// The networks of a snapshot that have an IPv4 prefix.
pub(super) type Networks = ByPrefix<NetworkView>;

/// What DHCPv4 knows of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// Its id in the snapshot.
    pub id: NetworkId,
    /// Its name in the inventory.
    pub name: Box<str>,
    /// Its prefix.
    pub prefix: Ipv4Net,
    /// Whether DHCP serves it.
    pub dhcp: bool,
    /// Whether machines are told what to boot beside another DHCP server.
    pub proxy: bool,
    /// Relay agents that may ask who has an address here.
    pub leasequery: Box<[Ipv4Addr]>,
    /// Whether whoever is elsewhere may ask for an address here.
    pub subnet_selection: bool,
    /// Where machines load what they boot, if that is not the server that answers them.
    pub boot_server: Option<Ipv4Addr>,
    /// Whether machines that nobody has written down boot a profile here.
    pub boots_unknown: bool,
    /// Addresses for machines that nobody has written down, and for hosts without one.
    pub pool: Pool<Ipv4Addr>,
    /// Those of them that are not for some clients alone.
    pub open: Pool<Ipv4Addr>,
    /// Whether machines that nobody has written down get any of them.
    pub serves_strangers: bool,
    /// Whether a machine that asks for a lease that is not known here is refused.
    pub authoritative: bool,
    /// Whether an address of the pool is probed before it is offered.
    pub probe: bool,
    /// Apex of the zone of names here.
    pub zone: Option<Name>,
    /// Whether machines with a lease have the names that they give themselves.
    pub dynamic_names: bool,
    /// Lease time in seconds where neither a nic nor a description of clients says one.
    pub lease_seconds: u32,
    /// Seconds until a client renews, where that is written.
    pub renew_seconds: Option<u32>,
    /// Seconds until it rebinds, where that is written.
    pub rebind_seconds: Option<u32>,
    /// What clients are told on request: from `options`, else from `gateway`, `dns`, `zone`, `ipv4`.
    pub options: OptionBlock,
    /// Further options for some clients.
    pub matches: Box<[MatchView]>,
    /// Whether the domain name (option 15) is written, and so is the same for every host.
    pub writes_domain: bool,
    /// Subnet mask (option 1), encoded.
    pub mask: [u8; 6],
}

impl OfFamily for NetworkView {
    type Address = Ipv4Addr;

    fn of(globals: &Globals, id: NetworkId, network: &Network) -> Option<NetworkView> {
        let prefix = network.ipv4?;
        let [a, b, c, d] = prefix.netmask().octets();
        let pool_of = |ranges: &[Range]| Pool::v4(network, ranges, prefix);
        let pool = pool_of(&network.pools);
        let is_open = |range: &&Range| !network.matches.iter().any(|one| one.pools.contains(range));
        let open: Vec<Range> = network.pools.iter().filter(is_open).copied().collect();
        let serves_strangers = network.unknown != Unknown::Ignore;
        Some(NetworkView {
            id,
            name: network.name.clone(),
            prefix,
            dhcp: network.dhcp,
            proxy: network.proxy,
            leasequery: network.leasequery.clone(),
            subnet_selection: network.subnet_selection,
            boot_server: network.boot_server,
            boots_unknown: matches!(network.unknown, Unknown::Boot(_)),
            serves_strangers,
            authoritative: network.authoritative.unwrap_or(serves_strangers && !pool.is_empty()),
            pool,
            open: pool_of(&open),
            probe: network.probe,
            zone: network.zone.map(|zone| globals.zone(zone).name.clone()),
            dynamic_names: network.dynamic_names.is_some(),
            lease_seconds: network.lease_seconds,
            renew_seconds: network.renew_seconds,
            rebind_seconds: network.rebind_seconds,
            options: options(globals, network, prefix),
            matches: network.matches.iter().map(|one| MatchView::new(one, pool_of)).collect(),
            writes_domain: block::find(&network.options, code::DOMAIN_NAME).is_some(),
            mask: [code::SUBNET_MASK, 4, a, b, c, d],
        })
    }

    fn first(&self) -> Ipv4Addr {
        self.prefix.network()
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        self.prefix.contains(&address)
    }
}

impl NetworkView {
    /// Seconds of a lease: those of the client's nic (`own`), else of the first description that the client
    /// answers to and that has any, else the network's.
    pub fn lease_seconds_of(&self, own: Option<u32>, traits: &Traits<'_>) -> u32 {
        let described =
            || self.matches.iter().find_map(|one| one.lease_seconds.filter(|_| one.holds(traits)));
        own.or_else(described).unwrap_or(self.lease_seconds)
    }

    /// Whether a description of clients has a lease time.
    pub(crate) fn has_leases_by_match(&self) -> bool {
        self.matches.iter().any(|one| one.lease_seconds.is_some())
    }

    /// Whether `address` can be a machine's here: in the prefix, and neither its first nor its last
    /// address, which are the network and its broadcast unless it has only two (RFC 3021).
    pub fn has_host(&self, address: Ipv4Addr) -> bool {
        let special = address == self.prefix.network() || address == self.prefix.broadcast();
        self.prefix.contains(&address) && (self.prefix.prefix_len() >= 31 || !special)
    }
}

/// Options of a network: written ones before those that follow from its keys.
fn options(globals: &Globals, network: &Network, prefix: Ipv4Net) -> OptionBlock {
    let routers = network.gateway.map(|gateway| gateway.octets().to_vec());
    let dns = network.dns.iter().filter_map(|server| match server {
        IpAddr::V4(v4) => Some(v4.octets()),
        IpAddr::V6(_) => None,
    });
    let dns: Vec<u8> = dns.flatten().collect();
    let domain = network.zone.map(|zone| domain_text(&globals.zone(zone).name));
    let broadcast = (prefix.prefix_len() < 31).then(|| prefix.broadcast().octets().to_vec());
    let derived = [
        (code::ROUTERS, routers),
        (code::DOMAIN_NAME_SERVERS, (!dns.is_empty()).then_some(dns)),
        (code::DOMAIN_NAME, domain),
        (code::BROADCAST_ADDRESS, broadcast),
    ];
    let written = network.options.iter().filter_map(|option| {
        let code = u8::try_from(option.code).ok()?;
        Some((code, &*option.data))
    });
    let derived = derived.iter().filter_map(|(code, data)| Some((*code, data.as_deref()?)));
    OptionBlock::new(written.chain(derived))
}

/// A zone's name as option 15 has it: without the last dot (RFC 2132, section 3.17).
pub(crate) fn domain_text(name: &Name) -> Vec<u8> {
    name.to_string().trim_end_matches('.').as_bytes().to_vec()
}
