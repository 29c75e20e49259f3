//! Networks as DHCPv6 sees them: found by address, with what every client there is told.

use std::net::{IpAddr, Ipv6Addr};

use inventory_core::model::{Globals, Network, NetworkId, RouterAdvertisement, Unknown};
use inventory_core::name::Name;
use ipnet::Ipv6Net;

use super::block6::OptionBlock6;
use super::by_prefix::{ByPrefix, OfFamily};
use super::pool::Pool;
use crate::code6;

/// The networks of a snapshot that have an IPv6 prefix.
pub(super) type Networks6 = ByPrefix<NetworkView6>;

/// What DHCPv6 knows of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView6 {
    /// Its id in the snapshot.
    pub id: NetworkId,
    /// Its name in the inventory.
    pub name: Box<str>,
    /// Zone of the names of its hosts and pool addresses.
    pub zone: Option<Name>,
    /// Its prefix.
    pub prefix: Ipv6Net,
    /// Whether DHCP serves it.
    pub dhcp: bool,
    /// Where machines load what they boot, if that is not the server that answers them.
    pub boot_server: Option<Ipv6Addr>,
    /// Whether machines that nobody has written down boot a profile here.
    pub boots_unknown: bool,
    /// Addresses for machines that nobody has written down, and for hosts without one.
    pub pool: Pool<Ipv6Addr>,
    /// Prefixes that others are delegated from, sorted.
    pub pd_pools: Box<[Ipv6Net]>,
    /// Length of those.
    pub pd_length: u8,
    /// Whether machines that nobody has written down get any of both.
    pub serves_strangers: bool,
    /// What routers' advertisements say, if there are any.
    pub ra: Option<Box<RouterAdvertisement>>,
    /// Valid lifetime in seconds where a nic says none.
    pub lease_seconds: u32,
    /// What clients are told on request: from `options6`, else from `dns` and `zone`.
    pub options: OptionBlock6,
    /// Whether the search list (option 24) is written, and so is the same for every host.
    pub writes_search: bool,
}

impl OfFamily for NetworkView6 {
    type Address = Ipv6Addr;

    fn of(globals: &Globals, id: NetworkId, network: &Network) -> Option<NetworkView6> {
        let prefix = network.ipv6?;
        let options = options(globals, network);
        let writes_search = network.options6.iter().any(|option| option.code == code6::DOMAIN_SEARCH);
        Some(NetworkView6 {
            id,
            name: network.name.clone(),
            zone: network.zone.map(|zone| globals.zone(zone).name.clone()),
            prefix,
            dhcp: network.dhcp,
            boot_server: network.boot_server6,
            boots_unknown: matches!(network.unknown, Unknown::Boot(_)),
            pool: Pool::v6(network, prefix),
            pd_pools: network.pd_pools.clone(),
            pd_length: network.pd_length,
            serves_strangers: network.unknown != Unknown::Ignore,
            ra: network.ra.clone(),
            lease_seconds: network.lease_seconds,
            options,
            writes_search,
        })
    }

    fn first(&self) -> Ipv6Addr {
        self.prefix.network()
    }

    fn holds(&self, address: Ipv6Addr) -> bool {
        self.prefix.contains(&address)
    }
}

impl NetworkView6 {
    /// Whether it gives anything to whom the inventory gives nothing.
    pub fn has_pool(&self) -> bool {
        !self.pool.is_empty() || !self.pd_pools.is_empty()
    }

    /// The first prefix that it delegates.
    pub(crate) fn first_delegation(&self) -> Option<Ipv6Net> {
        Ipv6Net::new(self.pd_pools.first()?.network(), self.pd_length).ok()
    }

    /// The prefix that it delegates after `prefix`, one of those.
    pub(crate) fn delegation_after(&self, prefix: Ipv6Net) -> Option<Ipv6Net> {
        let (last, length) = (prefix.broadcast(), self.pd_length);
        let next = last.to_bits().checked_add(1).map(Ipv6Addr::from_bits)?;
        let within = self.pd_pools.iter().find(|pool| pool.contains(&next)).map(|_| next);
        let first =
            within.or_else(|| Some(self.pd_pools.iter().find(|pool| pool.network() > last)?.network()));
        Ipv6Net::new(first?, length).ok()
    }

    /// Whether `prefix` is one that it delegates.
    pub(crate) fn delegates(&self, prefix: Ipv6Net) -> bool {
        prefix.prefix_len() == self.pd_length && self.pd_pools.iter().any(|pool| pool.contains(&prefix))
    }
}

/// Options of a network: written ones before those that follow from its keys.
fn options(globals: &Globals, network: &Network) -> OptionBlock6 {
    let dns = network.dns.iter().filter_map(|server| match server {
        IpAddr::V6(v6) => Some(v6.octets()),
        IpAddr::V4(_) => None,
    });
    let dns: Vec<u8> = dns.flatten().collect();
    let search = network.zone.map(|zone| search_list([&globals.zone(zone).name])).unwrap_or_default();
    let derived = [(code6::DNS_SERVERS, dns), (code6::DOMAIN_SEARCH, search)];
    let is_written = |code: u16| network.options6.iter().any(|option| option.code == code);
    let mut all: Vec<(u16, &[u8])> =
        network.options6.iter().map(|option| (option.code, &*option.data)).collect();
    let derived = derived.iter().filter(|(code, data)| !data.is_empty() && !is_written(*code));
    all.extend(derived.map(|(code, data)| (*code, data.as_slice())));
    all.sort_by_key(|(code, _)| *code);
    OptionBlock6::new(all)
}

/// Names in wire format, one after the other and uncompressed (RFC 8415, section 10).
pub(crate) fn search_list<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<u8> {
    names.into_iter().flat_map(|name| name.as_wire().iter().copied()).collect()
}
