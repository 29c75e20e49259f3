//! `[host.X]` and `[profile.X]`: the same keys.

use std::net::IpAddr;

use ipnet::Ipv6Net;

use super::addresses;
use super::field::{Field, Spanned};
use super::network::{lease, read_options};
use super::port;
use super::read::{self, Findings};
use super::services::{self, ServiceDecl};
use super::site::{self, TTL_MAX};
use super::ssh;
use super::sshfp;
use super::unquoted;
use crate::diag::{Finding, Rule};
use crate::mac::MacAddr;
use crate::model::{Disk, Firmware, PortId, SshHostKey, State};
use crate::name::Name;
use crate::options::{DhcpOption, Family};
use crate::span::Span;
use crate::toml::{Entry, Kind, Table, Value};

/// `[host.X]` or `[profile.X]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDecl {
    /// The key.
    pub key: Spanned<Box<str>>,
    /// Whether something in the table could not be read, so that what seems missing may be there.
    pub vague: bool,
    /// Profiles to take keys from; later ones win over earlier ones.
    pub profiles: Field<Vec<Spanned<Box<str>>>>,
    /// State.
    pub state: Field<State>,
    /// What stands on the host itself: for its one nic, or for all of them.
    pub own: NicDecl,
    /// `nic.NAME` tables in text order.
    pub nics: Vec<NicDecl>,
    /// Other names.
    pub alias: Field<Vec<Spanned<Box<str>>>>,
    /// Tags.
    pub tags: Field<Vec<Spanned<Box<str>>>>,
    /// TTL in seconds.
    pub ttl: Field<u32>,
    /// Public keys of its ssh server.
    pub ssh_host_key: Field<Vec<Spanned<SshHostKey>>>,
    /// RDATA of SSHFP records.
    pub sshfp: Field<Vec<Spanned<Box<[u8]>>>>,
    /// What it offers.
    pub services: Field<Vec<Spanned<ServiceDecl>>>,
    /// Login name for configuration by ssh.
    pub ssh_user: Field<Box<str>>,
    /// Boot profile.
    pub boot: Field<Box<str>>,
    /// Whether it boots its profile at every start.
    pub netboot: Field<bool>,
    /// Which installation is wanted.
    pub reinstall: Field<Box<str>>,
    /// Number of processors.
    pub cpu: Field<u32>,
    /// Octets of memory.
    pub memory: Field<u64>,
    /// Disks.
    pub disks: Vec<Disk>,
    /// What starts it.
    pub firmware: Field<Firmware>,
    /// The machine it runs on.
    pub vmhost: Field<Box<str>>,
}

/// Keys of an interface, on a host itself or in a `nic.NAME` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicDecl {
    /// Key of the table; empty on the host itself.
    pub key: Box<str>,
    /// The key or header.
    pub span: Span,
    /// Whether what seems missing may be there.
    pub vague: bool,
    /// Network.
    pub network: Field<Box<str>>,
    /// Hardware address.
    pub mac: Field<MacAddr>,
    /// Addresses.
    pub ip: Field<Vec<Spanned<IpAddr>>>,
    /// Where `ip` says `auto6`: the address that the machine makes itself of its hardware address.
    pub auto6: Option<Span>,
    /// Prefixes that are delegated to it.
    pub pd: Field<Vec<Spanned<Ipv6Net>>>,
    /// Name servers of the reverse names of those.
    pub pd_nameservers: Field<Vec<Spanned<Name>>>,
    /// Name instead of the derived one; only in a `nic.NAME` table.
    pub name: Field<Box<str>>,
    /// Whether it carries the host's name; only in a `nic.NAME` table.
    pub primary: Field<bool>,
    /// DUID.
    pub duid: Field<Box<[u8]>>,
    /// DHCPv4 client identifier.
    pub client_id: Field<Box<[u8]>>,
    /// Relay port.
    pub port: Field<PortId>,
    /// DHCPv4 options.
    pub options: Vec<DhcpOption>,
    /// DHCPv6 options.
    pub options6: Vec<DhcpOption>,
    /// Lease time in seconds.
    pub lease: Field<u32>,
    /// Whether DHCP serves it.
    pub dhcp: Field<bool>,
}

pub(super) const HOST_KEYS: &[&str] = &[
    "network",
    "mac",
    "ip",
    "pd",
    "pd-nameservers",
    "alias",
    "tags",
    "state",
    "boot",
    "netboot",
    "reinstall",
    "use",
    "cpu",
    "memory",
    "disk",
    "firmware",
    "vmhost",
    "ttl",
    "ssh-host-key",
    "sshfp",
    "services",
    "ssh-user",
    "nic",
    "duid",
    "client-id",
    "port",
    "options",
    "options6",
    "lease",
    "dhcp",
];
pub(super) const NIC_KEYS: &[&str] = &[
    "network",
    "mac",
    "ip",
    "pd",
    "pd-nameservers",
    "name",
    "primary",
    "duid",
    "client-id",
    "port",
    "options",
    "options6",
    "lease",
    "dhcp",
];
/// `netboot`: whether a host boots its profile at every start, or as its state says.
const NETBOOT: &[(&str, bool)] = &[("always", true), ("state", false)];
const FIRMWARE: &[(&str, Firmware)] = &[("bios", Firmware::Bios), ("uefi", Firmware::Uefi)];
const STATES: &[(&str, State)] = &[
    ("planned", State::Planned),
    ("install", State::Install),
    ("active", State::Active),
    ("retired", State::Retired),
];

/// Refused if the host's own name lacks its quotes.
pub(super) fn read_host(
    key: Spanned<&str>,
    table: Table<'_, '_>,
    what: &str,
    findings: Findings<'_>,
) -> Result<HostDecl, Box<str>> {
    let mut host = HostDecl {
        key: Spanned { value: key.value.into(), span: key.span },
        vague: false,
        profiles: Field::Absent,
        state: Field::Absent,
        own: NicDecl::new("", table.span()),
        nics: Vec::new(),
        alias: Field::Absent,
        tags: Field::Absent,
        ttl: Field::Absent,
        ssh_host_key: Field::Absent,
        sshfp: Field::Absent,
        services: Field::Absent,
        ssh_user: Field::Absent,
        boot: Field::Absent,
        netboot: Field::Absent,
        reinstall: Field::Absent,
        cpu: Field::Absent,
        memory: Field::Absent,
        disks: Vec::new(),
        firmware: Field::Absent,
        vmhost: Field::Absent,
    };
    for entry in table.entries() {
        if read_nic_key(&mut host.own, entry, findings) || read_host_key(&mut host, entry, findings) {
            continue;
        }
        match entry.value().kind() {
            Kind::Table(nested) if unquoted::looks_like(nested, HOST_KEYS) => {
                return Err(unquoted::report(key, entry, what, HOST_KEYS, findings));
            }
            _ => {
                read::unknown_key(entry, what, HOST_KEYS, findings);
                host.vague = true;
            }
        }
    }
    Ok(host)
}

/// Reads a key that a host has and an interface has not; `false` if it is none of them.
fn read_host_key(host: &mut HostDecl, entry: Entry<'_, '_>, findings: Findings<'_>) -> bool {
    match entry.key() {
        "use" => host.profiles = read::list(entry, findings, read::boxed),
        "state" => host.state = read::field(entry, findings, |v, f| read::choice(v, STATES, f)),
        "alias" => host.alias = read::good_items(entry, findings, read::boxed),
        "tags" => host.tags = read::good_items(entry, findings, tag),
        "ttl" => host.ttl = read::field(entry, findings, |v, f| read::seconds(v, 0, TTL_MAX, f)),
        "ssh-host-key" => host.ssh_host_key = read::good_items(entry, findings, ssh::host_key),
        "services" => host.services = read::list(entry, findings, services::read),
        "sshfp" => host.sshfp = read::good_items(entry, findings, sshfp::fingerprint),
        "ssh-user" => host.ssh_user = read::field(entry, findings, ssh::user),
        "boot" => host.boot = read::field(entry, findings, read::boxed),
        "netboot" => host.netboot = read::field(entry, findings, |v, f| read::choice(v, NETBOOT, f)),
        "reinstall" => host.reinstall = read::field(entry, findings, reinstall),
        "cpu" => host.cpu = read::field(entry, findings, |v, f| read::number(v, 1, 65_536, f)),
        "memory" => host.memory = read::field(entry, findings, read::size),
        "disk" => host.disks = read_disks(entry, findings),
        "firmware" => host.firmware = read::field(entry, findings, |v, f| read::choice(v, FIRMWARE, f)),
        "vmhost" => host.vmhost = read::field(entry, findings, read::boxed),
        "nic" => read_nics(host, entry, findings),
        _ => return false,
    }
    true
}

/// Reads a key that an interface has, on the host or in its own table; `false` if it is none.
fn read_nic_key(nic: &mut NicDecl, entry: Entry<'_, '_>, findings: Findings<'_>) -> bool {
    match entry.key() {
        "network" => nic.network = read::field(entry, findings, read::boxed),
        "mac" => nic.mac = read::field(entry, findings, addresses::mac),
        "ip" => read_ip(nic, entry, findings),
        "pd" => nic.pd = read::list(entry, findings, addresses::delegation),
        "pd-nameservers" => nic.pd_nameservers = read::list(entry, findings, site::host_fqdn),
        "duid" => nic.duid = read::field(entry, findings, |v, f| read::octets(v, "DUID", f)),
        "client-id" => {
            nic.client_id = read::field(entry, findings, |v, f| read::octets(v, "client identifier", f));
        }
        "port" => nic.port = read::field(entry, findings, port::port),
        "options" => nic.options = read_options(Family::V4, entry, findings),
        "options6" => nic.options6 = read_options(Family::V6, entry, findings),
        "lease" => nic.lease = read::field(entry, findings, lease),
        "dhcp" => nic.dhcp = read::field(entry, findings, read::boolean),
        _ => return false,
    }
    true
}

/// Addresses, and the word for the one that the machine makes itself.
fn read_ip(nic: &mut NicDecl, entry: Entry<'_, '_>, findings: Findings<'_>) {
    let mut auto6 = None;
    let all = read::good_items(entry, findings, |value, findings| match value.kind() {
        Kind::String("auto6") => {
            auto6 = Some(value.span());
            Some(None)
        }
        _ => addresses::address(value, findings).map(Some),
    });
    nic.auto6 = auto6;
    nic.ip = all.map(|items| {
        let written = items.into_iter();
        written.filter_map(|Spanned { value, span }| Some(Spanned { value: value?, span })).collect()
    });
}

fn read_nics(host: &mut HostDecl, entry: Entry<'_, '_>, findings: Findings<'_>) {
    let Some(table) = read::table(entry, findings) else {
        host.vague = true;
        return;
    };
    for entry in table.entries() {
        let Some(keys) = read::table(entry, findings) else {
            host.vague = true;
            continue;
        };
        let mut nic = NicDecl::new(entry.key(), keys.span());
        for entry in keys.entries() {
            match entry.key() {
                "name" => nic.name = read::field(entry, findings, read::boxed),
                "primary" => nic.primary = read::field(entry, findings, read::boolean),
                _ if read_nic_key(&mut nic, entry, findings) => {}
                _ => {
                    read::unknown_key(entry, "a nic", NIC_KEYS, findings);
                    nic.vague = true;
                }
            }
        }
        host.nics.push(nic);
    }
}

fn read_disks(entry: Entry<'_, '_>, findings: Findings<'_>) -> Vec<Disk> {
    let Some(table) = read::table(entry, findings) else {
        return Vec::new();
    };
    let mut disks = Vec::new();
    for entry in table.entries() {
        if let Field::Set(size, _) = read::field(entry, findings, read::size) {
            disks.push(Disk { name: entry.key().into(), size });
        }
    }
    disks
}

/// Any text that is not empty; a date or a number for most people.
fn reinstall(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    match read::string(value, findings)? {
        "" => read::refuse(Rule::InvalidChoice, value, "`reinstall` is empty", REINSTALL_HELP, findings),
        text => Some(text.into()),
    }
}

const REINSTALL_HELP: &str =
    "write anything that it was not before, such as the date: `reinstall = \"2026-11-25\"`";

/// A tag: no blanks, commas or control characters, since lists of tags are written with them.
pub(super) fn tag(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = read::string(value, findings)?;
    if !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',') {
        return Some(text.into());
    }
    let message = format!("tag `{text}` is empty or has blanks or commas");
    let finding = Finding::new(Rule::InvalidName, value.span(), message);
    findings.push(finding.help("several tags are a list: `tags = [\"web\", \"prod\"]`"));
    None
}

impl NicDecl {
    /// An interface of which nothing is said.
    pub(crate) fn new(key: &str, span: Span) -> NicDecl {
        NicDecl {
            key: key.into(),
            span,
            vague: false,
            network: Field::Absent,
            mac: Field::Absent,
            ip: Field::Absent,
            auto6: None,
            pd: Field::Absent,
            pd_nameservers: Field::Absent,
            name: Field::Absent,
            primary: Field::Absent,
            duid: Field::Absent,
            client_id: Field::Absent,
            port: Field::Absent,
            options: Vec::new(),
            options6: Vec::new(),
            lease: Field::Absent,
            dhcp: Field::Absent,
        }
    }
}
