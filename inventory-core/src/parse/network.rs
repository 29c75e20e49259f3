//! `[network.X]`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::model::Range;
use crate::name::Name;
use crate::options::{self, DhcpOption, Family};
use crate::span::Span;
use crate::toml::Table;

/// `[network.X]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkDecl {
    /// Its name.
    pub name: Box<str>,
    /// The header.
    pub span: Span,
    /// Zone of its hosts' names.
    pub zone: Field<Name>,
    /// IPv4 prefix.
    pub ipv4: Field<Ipv4Net>,
    /// IPv6 prefix.
    pub ipv6: Field<Ipv6Net>,
    /// IPv4 router.
    pub gateway: Field<Ipv4Addr>,
    /// Resolvers.
    pub dns: Field<Vec<Spanned<IpAddr>>>,
    /// Addresses for unknown machines.
    pub pool: Field<Vec<Spanned<Range>>>,
    /// Addresses that no pool gives.
    pub exclude: Field<Vec<Spanned<Range>>>,
    /// Lease time in seconds.
    pub lease: Field<u32>,
    /// DHCPv4 options.
    pub options: Vec<DhcpOption>,
    /// DHCPv6 options.
    pub options6: Vec<DhcpOption>,
    /// Whether DHCP serves it.
    pub dhcp: Field<bool>,
    /// RFC 2317 reverse zone, instead of the enclosing /24.
    pub reverse: Field<Name>,
}

const KEYS: &[&str] = &[
    "zone", "ipv4", "ipv6", "gateway", "dns", "pool", "exclude", "lease", "options", "options6", "dhcp",
    "reverse",
];

/// Shortest lease that is served: renewals at half of less would be a flood.
pub(super) const LEASE_SECONDS_MIN: u32 = 60;

pub(super) fn read_network(key: Spanned<&str>, table: Table<'_, '_>, findings: Findings<'_>) -> NetworkDecl {
    let mut network = NetworkDecl {
        name: key.value.into(),
        span: table.span(),
        zone: Field::Absent,
        ipv4: Field::Absent,
        ipv6: Field::Absent,
        gateway: Field::Absent,
        dns: Field::Absent,
        pool: Field::Absent,
        exclude: Field::Absent,
        lease: Field::Absent,
        options: Vec::new(),
        options6: Vec::new(),
        dhcp: Field::Absent,
        reverse: Field::Absent,
    };
    for entry in table.entries() {
        match entry.key() {
            "zone" => network.zone = read::field(entry, findings, read::domain_name),
            "ipv4" => network.ipv4 = read::field(entry, findings, read::ipv4_net),
            "ipv6" => network.ipv6 = read::field(entry, findings, read::ipv6_net),
            "gateway" => network.gateway = read::field(entry, findings, read::ipv4),
            "dns" => network.dns = read::list(entry, findings, read::address),
            "pool" => network.pool = read::list(entry, findings, read::range),
            "exclude" => network.exclude = read::list(entry, findings, read::range),
            "lease" => network.lease = read::field(entry, findings, lease),
            "options" => network.options = read_options(Family::V4, entry.value(), findings),
            "options6" => network.options6 = read_options(Family::V6, entry.value(), findings),
            "dhcp" => network.dhcp = read::field(entry, findings, read::boolean),
            "reverse" => network.reverse = read::field(entry, findings, read::domain_name),
            _ => read::unknown_key(entry, "a network", KEYS, findings),
        }
    }
    if network.ipv4.is_absent() && network.ipv6.is_absent() {
        let message = format!("network `{}` has neither `ipv4` nor `ipv6`", network.name);
        findings.push(
            Finding::new(Rule::MissingKey, table.span(), message).help("add `ipv4 = \"10.20.0.0/24\"`"),
        );
    }
    network
}

/// A lease time.
pub(super) fn lease(value: crate::toml::Value<'_, '_>, findings: Findings<'_>) -> Option<u32> {
    read::seconds(value, LEASE_SECONDS_MIN, u32::MAX - 1, findings)
}

/// A table of DHCP options.
pub(super) fn read_options(
    family: Family,
    value: crate::toml::Value<'_, '_>,
    findings: Findings<'_>,
) -> Vec<DhcpOption> {
    read::table(value, findings).map_or_else(Vec::new, |table| options::read_options(family, table, findings))
}
