//! What hosts put into a view, as edits to single names.
//!
//! All records that hosts give one name come from one host: names, aliases and addresses are unique
//! in an inventory. So when the file of a host changes, every name of the old file loses what hosts
//! gave it, and every name of the new file gets it anew.

use std::net::IpAddr;

use inventory_core::model::{Globals, Host, HostName, NetworkId};
use inventory_core::name::Name;
use inventory_core::span::Span;

use super::draft::Draft;
use super::labels::Labels;
use super::leases::LeaseNode;
use super::node::{Key, rtype};
use super::shard::hash_of;
use super::zone::{ZoneIndex, ZoneNumber};

/// A change to one name.
#[derive(Clone, Debug)]
pub(crate) struct Edit<'a> {
    /// Hash of its key.
    pub(crate) hash: u64,
    /// Zone that the name lies in.
    pub(crate) zone: ZoneNumber,
    /// What happens to it.
    pub(crate) change: Change<'a>,
}

/// What happens to a name.
#[derive(Clone, Debug)]
pub(crate) enum Change<'a> {
    /// This has it no longer.
    Remove(Source<'a>),
    /// This has it now.
    Add(Source<'a>),
    /// The zone itself gives it data: [`super::written`].
    Written(&'a [u8]),
    /// So many names are right below it.
    Children(Box<[u8]>, u32),
    /// Leases give it this, and nothing else does.
    Lease(&'a LeaseNode),
}

impl Change<'_> {
    /// Whether a name that nothing else changes has no data afterwards.
    pub(crate) fn takes_away(&self) -> bool {
        match self {
            Change::Remove(_) => true,
            Change::Lease(node) => node.records.is_empty(),
            Change::Add(_) | Change::Written(_) | Change::Children(..) => false,
        }
    }

    /// Whether it gives data to its name.
    pub(crate) fn gives_data(&self) -> bool {
        match self {
            Change::Add(_) | Change::Written(_) => true,
            Change::Lease(node) => !node.records.is_empty(),
            Change::Remove(_) | Change::Children(..) => false,
        }
    }
}

/// Something of a host that has a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// An interface, by number: A and AAAA records, and the SSHFP records of the first.
    Nic(&'a Host, u16),
    /// An interface, by number, that a zone around its own delegates to: A and AAAA records, as glue.
    Glue(&'a Host, u16),
    /// An alias, by number: a CNAME record.
    Alias(&'a Host, u16),
    /// An interface's address, both by number: a PTR record.
    Address(&'a Host, u16, u16),
    /// The same in a network with a classless reverse zone: a CNAME record to where the PTR record is
    /// (RFC 2317, section 4), if the zone around is ours too.
    Redirect(&'a Host, u16, u16),
    /// A reverse name of an interface's delegated prefixes, both by number: NS records.
    Delegation(&'a Host, u16, u16),
}

/// Appends the edits that take `hosts` out of a view, or put them into it.
pub(crate) fn of_hosts<'a>(
    hosts: &'a [Host],
    globals: &Globals,
    zones: &ZoneIndex,
    change: fn(Source<'a>) -> Change<'a>,
    edits: &mut Vec<Edit<'a>>,
) {
    let mut scratch = Labels::root();
    let mut push = |source: Source<'a>, zone: ZoneNumber| {
        let hash = hash_of(source.key(zone, globals, zones, &mut scratch));
        edits.push(Edit { hash, zone, change: change(source) });
    };
    for host in hosts {
        for ((name, nic), number) in host.named_nics().zip(0..u16::MAX) {
            if !nic.addresses.is_empty() {
                push(Source::Nic(host, number), name.zone.into());
                for around in zones.glue_of(name.fqdn.as_wire()) {
                    push(Source::Glue(host, number), around);
                }
            }
            for (address, place) in nic.addresses.iter().zip(0..u16::MAX) {
                let network = globals.network(nic.network);
                let owner = Labels::of(&network.ptr_owner(*address));
                if let Some(zone) = zones.find(&owner, owner.count()) {
                    push(Source::Address(host, number, place), zone);
                }
                if network.reverse.is_none() || address.is_ipv6() {
                    continue;
                }
                let plain = Labels::of(&Name::reverse(*address));
                if let Some(zone) = zones.find(&plain, plain.count()) {
                    push(Source::Redirect(host, number, place), zone);
                }
            }
            for ((owner, _), place) in nic.delegated_names().zip(0..u16::MAX) {
                let owner = Labels::of(&owner);
                if let Some(zone) = zones.find(&owner, owner.count()) {
                    push(Source::Delegation(host, number, place), zone);
                }
            }
        }
        for (alias, number) in host.aliases.iter().zip(0..u16::MAX) {
            push(Source::Alias(host, number), alias.name.zone.into());
        }
    }
}

impl Edit<'_> {
    /// The key of the name; `scratch` holds it if need be.
    pub(crate) fn key<'k>(
        &'k self,
        globals: &Globals,
        zones: &ZoneIndex,
        scratch: &'k mut Labels,
    ) -> Key<'k> {
        match &self.change {
            Change::Remove(source) | Change::Add(source) => source.key(self.zone, globals, zones, scratch),
            Change::Written(relative) => Key::Name(self.zone, relative),
            Change::Children(relative, _) => Key::Name(self.zone, relative),
            Change::Lease(node) => node.key(self.zone, zones, scratch),
        }
    }
}

impl<'a> Source<'a> {
    /// The key of its name, which lies in `zone`.
    pub(crate) fn key<'k>(
        self,
        zone: ZoneNumber,
        globals: &Globals,
        zones: &ZoneIndex,
        scratch: &'k mut Labels,
    ) -> Key<'k> {
        let zone_of = zones.zone(zone);
        match (self, self.address()) {
            (_, Some((_, IpAddr::V4(v4)))) if zone_of.by_address => return Key::V4(v4.to_bits()),
            (_, Some((_, IpAddr::V6(v6)))) if zone_of.by_address => return Key::V6(v6.to_bits()),
            (Source::Address(..), Some((network, address))) => {
                *scratch = Labels::of(&globals.network(network).ptr_owner(address));
            }
            (Source::Alias(host, number), _) => {
                let alias = host.aliases.get(usize::from(number)).map(|alias| &alias.name);
                *scratch = Labels::of(&alias.unwrap_or(&host.name).fqdn);
            }
            (Source::Delegation(host, number, place), _) => {
                let owner = delegation(host, number, place).map(|(owner, _)| owner);
                *scratch = owner.as_ref().map_or_else(Labels::root, Labels::of);
            }
            (Source::Redirect(..), Some((_, address))) => *scratch = Labels::of(&Name::reverse(address)),
            (
                Source::Nic(host, number)
                | Source::Glue(host, number)
                | Source::Address(host, number, _)
                | Source::Redirect(host, number, _),
                _,
            ) => {
                *scratch = Labels::of(&nic_name(host, number).fqdn);
            }
        }
        Key::Name(zone, scratch.relative(scratch.count(), zone_of.depth))
    }

    /// Adds its records to `draft`; `ttl` is the zone's.
    pub(crate) fn add_to(self, draft: &mut Draft, globals: &Globals, ttl: u32) {
        match self {
            Source::Glue(host, number) => {
                let own = globals.zone(nic_name(host, number).zone).ttl;
                add_addresses(host, number, host.rest.ttl.unwrap_or(own), draft);
            }
            Source::Nic(host, number) => {
                let ttl = host.rest.ttl.unwrap_or(ttl);
                add_addresses(host, number, ttl, draft);
                // Other interfaces may be another machine's: a management controller has keys of its own.
                for fingerprint in host.rest.sshfp.iter().filter(|_| number == 0) {
                    draft.add(rtype::SSHFP, ttl, fingerprint);
                }
            }
            Source::Alias(host, _) => {
                draft.add(rtype::CNAME, host.rest.ttl.unwrap_or(ttl), host.name.fqdn.as_wire());
            }
            Source::Address(host, number, _) => {
                draft.add(rtype::PTR, host.rest.ttl.unwrap_or(ttl), nic_name(host, number).fqdn.as_wire());
            }
            Source::Delegation(host, number, place) => {
                let servers = delegation(host, number, place).map_or(&[][..], |(_, servers)| servers);
                for (server, _) in servers {
                    draft.add(rtype::NS, host.rest.ttl.unwrap_or(ttl), server.as_wire());
                }
            }
            Source::Redirect(host, ..) => {
                if let Some((network, address)) = self.address() {
                    let owner = globals.network(network).ptr_owner(address);
                    draft.add(rtype::CNAME, host.rest.ttl.unwrap_or(ttl), owner.as_wire());
                }
            }
        }
    }

    fn address(self) -> Option<(NetworkId, IpAddr)> {
        match self {
            Source::Address(host, nic, place) | Source::Redirect(host, nic, place) => {
                let nic = host.nics.get(usize::from(nic))?;
                Some((nic.network, *nic.addresses.get(usize::from(place))?))
            }
            Source::Nic(..) | Source::Glue(..) | Source::Alias(..) | Source::Delegation(..) => None,
        }
    }
}

/// A reverse name of an interface's delegated prefixes, and its name servers.
fn delegation(host: &Host, number: u16, place: u16) -> Option<(Name, &[(Name, Span)])> {
    host.nics.get(usize::from(number))?.delegated_names().nth(place.into())
}

fn add_addresses(host: &Host, number: u16, ttl: u32, draft: &mut Draft) {
    let nic = host.nics.get(usize::from(number));
    let own = nic
        .into_iter()
        .flat_map(|nic| nic.addresses.iter().filter(|address| !nic.rest.replaced.have(**address)));
    for address in own {
        match address {
            IpAddr::V4(v4) => draft.add(rtype::A, ttl, &v4.octets()),
            IpAddr::V6(v6) => draft.add(rtype::AAAA, ttl, &v6.octets()),
        }
    }
}

/// Name of an interface: its own, else the host's.
fn nic_name(host: &Host, number: u16) -> &HostName {
    let own = host.nics.get(usize::from(number)).and_then(|nic| nic.rest.name.as_ref());
    own.unwrap_or(&host.name)
}
