//! Hosts: machines, physical and virtual alike.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::Ipv6Net;

use super::few::Few;
use super::rare::Rare;
use super::seen::Families;
use super::service::Service;
use super::ssh_key::SshHostKey;
use super::{BootId, NetworkId, ZoneId, reverse_names_v6};
use crate::mac::MacAddr;
use crate::name::Name;
use crate::options::DhcpOption;
use crate::span::Span;

/// Where a host is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Holds its addresses and names, serves nothing.
    Planned,
    /// Served, and boots its boot profile once.
    Install,
    /// Served, boots from disk.
    #[default]
    Active,
    /// Silent like planned; frees nothing until the entry goes.
    Retired,
}

impl State {
    /// Every state, in the order of a host's life.
    pub const ALL: [State; 4] = [State::Planned, State::Install, State::Active, State::Retired];

    /// The word in the inventory.
    pub const fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Install => "install",
            State::Active => "active",
            State::Retired => "retired",
        }
    }

    /// Whether DHCP and DNS answer for the host.
    pub const fn is_served(self) -> bool {
        matches!(self, State::Install | State::Active)
    }
}

/// A host. Its identity is its FQDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name and zone.
    pub name: HostName,
    /// The header of its table.
    pub span: Span,
    /// Where it is in its life.
    pub state: State,
    /// Its interfaces, the primary one first; never empty.
    pub nics: Few<Nic, 1>,
    /// Other names for it, CNAMEs to its FQDN.
    pub aliases: Box<[Alias]>,
    /// Tags, sorted, each once.
    pub tags: Rare<Box<[Arc<str>]>>,
    /// Boot profile.
    pub boot: Option<BootId>,
    /// Processors, memory, disks, and the machine it runs on if it is virtual.
    pub hardware: Hardware,
    /// Where `hardware` says memory and machine.
    pub(crate) memory_at: Option<Span>,
    pub(crate) vmhost_at: Option<Span>,
    /// What most hosts do not have.
    pub rest: Rare<HostRest>,
}

/// What most hosts do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRest {
    /// TTL of its records in seconds; the zone's if none.
    pub ttl: Option<u32>,
    /// Public keys of its ssh server; none: they are not known.
    pub ssh_host_keys: Box<[SshHostKey]>,
    /// RDATA of the SSHFP records at its name, which it has with an address (RFC 4255).
    pub sshfp: Box<[Box<[u8]>]>,
    /// What it offers, to be found by browsing (RFC 6763).
    pub services: Box<[Service]>,
    /// Who logs in to configure it; none: nobody has said.
    pub ssh_user: Option<Box<str>>,
    /// When it boots its profile, where that is not by its state alone.
    pub netboot: Netboot,
}

/// When a host boots over the network, beside what its state says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netboot {
    /// It boots its profile at every start, not only to be installed.
    pub always: bool,
    /// Which installation is wanted; another text than last time means another installation.
    pub reinstall: Option<Box<str>>,
}

/// An owner name and the zone it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// FQDN.
    pub fqdn: Name,
    /// The zone with the longest apex above it.
    pub zone: ZoneId,
}

/// Another name for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Name and zone.
    pub name: HostName,
    /// Where it is written.
    pub span: Span,
}

/// A network interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Its key, or the header of its table.
    pub span: Span,
    /// The network it is plugged into.
    pub network: NetworkId,
    /// Hardware address; unique in its network.
    pub mac: Option<MacAddr>,
    /// Whether DHCP serves it.
    pub dhcp: bool,
    /// Where `mac` is written; its own place if nowhere.
    pub(crate) mac_at: Span,
    /// Its addresses. DHCP gives the first of each family.
    pub addresses: Few<IpAddr, 2>,
    /// Where each address is written.
    pub(crate) addresses_at: Few<Span, 2>,
    /// What most interfaces do not have.
    pub rest: Rare<NicRest>,
}

/// What most interfaces do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NicRest {
    /// Key of its table; `None` when `network`, `mac` and `ip` stand on the host itself.
    pub key: Option<Box<str>>,
    /// Its own name; `None` for the primary nic, which carries the host's.
    pub name: Option<HostName>,
    /// Where `name` is written, if it is.
    pub name_span: Option<Span>,
    /// What is delegated to it.
    pub delegated: Delegated,
    /// Other things a client is known by.
    pub identifiers: Option<Box<Identifiers>>,
    /// DHCPv4 options over those of the network, sorted by code.
    pub options: Arc<[DhcpOption]>,
    /// DHCPv6 options over those of the network, sorted by code.
    pub options6: Arc<[DhcpOption]>,
    /// Lease time in seconds; the network's if none.
    pub lease_seconds: Option<u32>,
    /// Families of whose addresses others stand at its name, as clients of a view see it; none in an inventory as it
    /// is written. See [`super::Inventory::seen_in`].
    pub replaced: Families,
}

/// Prefixes that are delegated to an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegated {
    /// Each with its place.
    pub prefixes: Box<[(Ipv6Net, Span)]>,
    /// Name servers that their reverse names are delegated to, each with its place; none: they are not.
    pub nameservers: Box<[(Name, Span)]>,
}

/// What a client is known by when not by its hardware address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// DHCP unique identifier (RFC 8415, section 11).
    pub duid: Option<(Box<[u8]>, Span)>,
    /// DHCPv4 client identifier (option 61, RFC 2132, section 9.14), whole value.
    pub client_id: Option<(Box<[u8]>, Span)>,
    /// Switch port as the relay agent reports it.
    pub port: Option<(PortId, Span)>,
}

/// A relay agent's name for a port: "whatever is plugged in here".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId {
    /// Agent Remote ID (option 82.2, RFC 3046); any if none.
    pub remote_id: Option<Box<[u8]>>,
    /// Agent Circuit ID (option 82.1).
    pub circuit_id: Box<[u8]>,
}

/// What a machine is made of; the same keys for physical and virtual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// Number of processors.
    pub cpu: Option<u32>,
    /// Octets of memory.
    pub memory: Option<u64>,
    /// Disks by name.
    pub disks: Arc<[Disk]>,
    /// What starts it, where that is said.
    pub firmware: Option<Firmware>,
    /// The host that it runs on as a virtual machine, as written (see [`super::HostIndex::find`]).
    pub vmhost: Option<Arc<str>>,
}

/// What starts a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// A PC's BIOS.
    Bios,
    /// UEFI.
    Uefi,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Its key.
    pub name: Box<str>,
    /// Octets.
    pub size: u64,
}

impl Host {
    /// The interface that carries the host's name.
    ///
    /// # Panics
    /// Never: a host has at least one interface by construction.
    pub fn primary(&self) -> &Nic {
        self.nics.first().expect("a host has at least one nic by construction")
    }

    /// Interfaces with their names, the primary one first.
    pub fn named_nics(&self) -> impl Iterator<Item = (&HostName, &Nic)> {
        self.nics.iter().map(|nic| (nic.rest.name.as_ref().unwrap_or(&self.name), nic))
    }

    /// Whether it boots its profile at every start.
    pub fn always_netboots(&self) -> bool {
        self.rest.netboot.always
    }

    /// Which installation is wanted, as written; empty if nothing is.
    pub fn reinstall(&self) -> &str {
        self.rest.netboot.reinstall.as_deref().unwrap_or_default()
    }

    /// The machine that it runs on, as written; `None` for a physical machine.
    pub fn vmhost(&self) -> Option<&str> {
        self.hardware.vmhost.as_deref()
    }

    /// Where its memory is written; `None` if nowhere.
    pub fn memory_span(&self) -> Option<Span> {
        self.memory_at
    }

    /// Where [`Host::vmhost`] is written; `None` if nowhere.
    pub fn vmhost_span(&self) -> Option<Span> {
        self.vmhost_at
    }
}

impl Nic {
    /// Where its name is written; its own place if nowhere.
    pub fn name_span(&self) -> Span {
        self.rest.name_span.unwrap_or(self.span)
    }

    /// Where its hardware address is written; its own place if nowhere.
    pub fn mac_span(&self) -> Span {
        self.mac_at
    }

    /// Where each address is written.
    pub fn address_spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.addresses_at.iter().copied()
    }

    /// Prefixes that are delegated to it, each with its place.
    pub fn delegations(&self) -> &[(Ipv6Net, Span)] {
        &self.rest.delegated.prefixes
    }

    /// The reverse names that are delegated to name servers, sorted as the prefixes are written, and those.
    pub fn delegated_names(&self) -> impl Iterator<Item = (Name, &[(Name, Span)])> {
        let delegated = &self.rest.delegated;
        let prefixes = delegated.prefixes.iter().filter(|_| !delegated.nameservers.is_empty());
        let names = prefixes.flat_map(|(prefix, _)| reverse_names_v6(*prefix));
        names.map(|name| (name, &*delegated.nameservers))
    }

    /// The address that DHCPv4 gives; `None`: one from the pool.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    }

    /// The address that DHCPv6 gives; `None`: one from the pool.
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpAddr::V6(v6) => Some(*v6),
            IpAddr::V4(_) => None,
        })
    }
}
