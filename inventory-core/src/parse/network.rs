//! `[network.X]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::addresses;
use super::field::{Field, Spanned};
use super::matching::{self, MatchDecl};
use super::ra;
use super::read::{self, Findings};
use super::updates;
use crate::diag::{Finding, Rule};
use crate::model::{Network, Range, RouterAdvertisement, is_interface_name};
use crate::name::{Name, reject_host_label};
use crate::options::{self, DhcpOption, Family};
use crate::span::Span;
use crate::toml::{Entry, Kind, Table, Value};

/// `[network.X]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkDecl {
    /// Its name.
    pub name: Box<str>,
    /// The header.
    pub span: Span,
    /// The name in the header.
    pub key_span: Span,
    /// Whether something in the table could not be read, so that what seems missing may be there.
    pub vague: bool,
    /// The link that it shares with others.
    pub link: Field<Box<str>>,
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
    /// Prefixes that others are delegated from.
    pub pd_pool: Field<Vec<Spanned<Ipv6Net>>>,
    /// Length of those that are delegated.
    pub pd_length: Field<u32>,
    /// What router advertisements say; `None`: there are none.
    pub ra: Field<Option<RouterAdvertisement>>,
    /// Lease time in seconds.
    pub lease: Field<u32>,
    /// Seconds until a client renews.
    pub renew: Field<u32>,
    /// Seconds until a client rebinds.
    pub rebind: Field<u32>,
    /// DHCPv4 options.
    pub options: Vec<DhcpOption>,
    /// Further DHCPv4 options, and addresses, for some clients.
    pub matches: Vec<MatchDecl>,
    /// DHCPv6 options.
    pub options6: Vec<DhcpOption>,
    /// Whether DHCP serves it.
    pub dhcp: Field<DhcpDecl>,
    /// What machines get that nobody has written down.
    pub unknown: Field<UnknownDecl>,
    /// Relay agents that may ask who has an address here.
    pub leasequery: Field<Vec<Spanned<Ipv4Addr>>>,
    /// Whether whoever is elsewhere may ask for an address here.
    pub subnet_selection: Field<bool>,
    /// Where machines load what they boot, by the family that they boot by.
    pub boot_server: Field<Vec<Spanned<IpAddr>>>,
    /// What the bridge into it is called on machines that run virtual ones.
    pub bridge: Field<Box<str>>,
    /// Whether its unknown leases are refused.
    pub authoritative: Field<bool>,
    /// Whether an address of a pool is probed before it is offered.
    pub probe: Field<bool>,
    /// RFC 2317 reverse zone, instead of the enclosing /24.
    pub reverse: Field<Name>,
    /// Whose clients see its addresses in the DNS.
    pub view: Field<Box<str>>,
    /// Servers that look up for its clients what is in no zone of ours.
    pub forward: Field<Vec<Spanned<SocketAddr>>>,
    /// Whether machines with a lease get the names that they give themselves.
    pub dynamic_names: Field<bool>,
}

/// What DHCP does in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DhcpDecl {
    /// `true`.
    On,
    /// `false`.
    Off,
    /// `proxy`: another server gives addresses.
    Proxy,
}

/// What machines get that nobody has written down, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownDecl {
    /// `ignore`.
    Ignore,
    /// `pool`.
    Pool,
    /// `boot:PROFILE`.
    Boot(Box<str>),
}

pub(super) const KEYS: &[&str] = &[
    "link",
    "zone",
    "ipv4",
    "ipv6",
    "gateway",
    "dns",
    "pool",
    "exclude",
    "pd-pool",
    "pd-length",
    "ra",
    "lease",
    "renew",
    "rebind",
    "options",
    "options6",
    "match",
    "dhcp",
    "unknown",
    "leasequery",
    "subnet-selection",
    "boot-server",
    "bridge",
    "authoritative",
    "probe",
    "reverse",
    "dynamic-names",
    "view",
    "forward",
];

/// Shortest lease that is served: renewals at half of less would be a flood.
pub(super) const LEASE_SECONDS_MIN: u32 = 60;

impl NetworkDecl {
    /// One that says nothing yet.
    fn new(key: Spanned<&str>, table: Table<'_, '_>) -> NetworkDecl {
        NetworkDecl {
            name: key.value.into(),
            span: table.span(),
            key_span: key.span,
            vague: false,
            link: Field::Absent,
            zone: Field::Absent,
            ipv4: Field::Absent,
            ipv6: Field::Absent,
            gateway: Field::Absent,
            dns: Field::Absent,
            pool: Field::Absent,
            exclude: Field::Absent,
            pd_pool: Field::Absent,
            pd_length: Field::Absent,
            ra: Field::Absent,
            lease: Field::Absent,
            renew: Field::Absent,
            rebind: Field::Absent,
            options: Vec::new(),
            matches: Vec::new(),
            options6: Vec::new(),
            dhcp: Field::Absent,
            unknown: Field::Absent,
            leasequery: Field::Absent,
            subnet_selection: Field::Absent,
            boot_server: Field::Absent,
            bridge: Field::Absent,
            authoritative: Field::Absent,
            probe: Field::Absent,
            reverse: Field::Absent,
            dynamic_names: Field::Absent,
            view: Field::Absent,
            forward: Field::Absent,
        }
    }

    /// Its pools, those of its descriptions of clients among them.
    pub fn pools(&self) -> impl Iterator<Item = &Spanned<Range>> {
        let of_matches = self.matches.iter().map(|one| &one.pool);
        std::iter::once(&self.pool).chain(of_matches).filter_map(Field::get).flatten()
    }

    /// Whether not all of its pools are known, because something was refused.
    pub fn has_vague_pools(&self) -> bool {
        self.vague || self.pool.is_broken() || self.matches.iter().any(|one| one.pool.is_broken())
    }
}

pub(super) fn read_network(key: Spanned<&str>, table: Table<'_, '_>, findings: Findings<'_>) -> NetworkDecl {
    let mut network = NetworkDecl::new(key, table);
    for entry in table.entries() {
        match entry.key() {
            "link" => network.link = read::field(entry, findings, link),
            "zone" => network.zone = read::field(entry, findings, read::domain_name),
            "ipv4" => network.ipv4 = read::field(entry, findings, addresses::ipv4_net),
            "ipv6" => network.ipv6 = read::field(entry, findings, addresses::ipv6_net),
            "gateway" => network.gateway = read::field(entry, findings, addresses::ipv4),
            "dns" => network.dns = read::good_items(entry, findings, addresses::address),
            "pool" => network.pool = read::good_items(entry, findings, addresses::range),
            "exclude" => network.exclude = read::list(entry, findings, addresses::range),
            "pd-pool" => network.pd_pool = read::list(entry, findings, addresses::delegation),
            "pd-length" => network.pd_length = read::field(entry, findings, pd_length),
            "ra" => network.ra = read::field(entry, findings, ra::read),
            "lease" => network.lease = read::field(entry, findings, lease),
            "renew" => network.renew = read::field(entry, findings, timer),
            "rebind" => network.rebind = read::field(entry, findings, timer),
            "options" => network.options = read_options(Family::V4, entry, findings),
            "options6" => network.options6 = read_options(Family::V6, entry, findings),
            "dhcp" => network.dhcp = read::field(entry, findings, dhcp),
            "unknown" => network.unknown = read::field(entry, findings, unknown),
            "match" => network.matches = matching::read_matches(entry, findings),
            "leasequery" => network.leasequery = read::list(entry, findings, addresses::ipv4),
            "subnet-selection" => network.subnet_selection = read::field(entry, findings, read::boolean),
            "boot-server" => network.boot_server = read::list(entry, findings, addresses::address),
            "bridge" => network.bridge = read::field(entry, findings, interface),
            "authoritative" => network.authoritative = read::field(entry, findings, read::boolean),
            "probe" => network.probe = read::field(entry, findings, read::boolean),
            "reverse" => network.reverse = read::field(entry, findings, read::domain_name),
            "view" => network.view = read::field(entry, findings, view),
            "forward" => network.forward = read::list(entry, findings, updates::server),
            "dynamic-names" => network.dynamic_names = read::field(entry, findings, read::boolean),
            _ => {
                read::unknown_key(entry, "a network", KEYS, findings);
                network.vague = true;
            }
        }
    }
    if network.ipv4.is_absent() && network.ipv6.is_absent() && !network.vague {
        let message = format!("network `{}` has neither `ipv4` nor `ipv6`", network.name);
        findings.push(
            Finding::new(Rule::MissingKey, table.span(), message)
                .help("add the network's addresses, as in `ipv4 = \"10.20.0.0/24\"`"),
        );
    }
    one_way_to_say_it(&network, table, findings);
    timers_in_order(&network, table, findings);
    network
}

fn dhcp(value: Value<'_, '_>, findings: Findings<'_>) -> Option<DhcpDecl> {
    match value.kind() {
        Kind::Boolean(true) => Some(DhcpDecl::On),
        Kind::Boolean(false) => Some(DhcpDecl::Off),
        Kind::String("proxy") => Some(DhcpDecl::Proxy),
        _ => read::wrong_type(value, "`true`, `false` or \"proxy\"", findings),
    }
}

fn unknown(value: Value<'_, '_>, findings: Findings<'_>) -> Option<UnknownDecl> {
    let text = read::string(value, findings)?;
    match (text, text.strip_prefix("boot:")) {
        ("ignore", _) => Some(UnknownDecl::Ignore),
        ("pool", _) => Some(UnknownDecl::Pool),
        (_, Some(profile)) if !profile.is_empty() => Some(UnknownDecl::Boot(profile.into())),
        _ => {
            let help = "one of: `ignore`, `pool`, `boot:PROFILE`";
            let why = format!("`{text}` is not what unknown machines can get");
            read::refuse(Rule::InvalidChoice, value, why, help, findings)
        }
    }
}

/// What a key of its own says is not said by an option as well: one of the two would be ignored.
fn one_way_to_say_it(network: &NetworkDecl, table: Table<'_, '_>, findings: Findings<'_>) {
    let resolver = |wanted: fn(&IpAddr) -> bool| {
        network.dns.get().is_some_and(|all| all.iter().any(|one| wanted(&one.value)))
    };
    let pairs = [
        ("gateway", network.gateway.get().is_some(), "options", Family::V4, 3),
        ("dns", resolver(IpAddr::is_ipv4), "options", Family::V4, 6),
        ("dns", resolver(IpAddr::is_ipv6), "options6", Family::V6, 23),
    ];
    for (key, _, options_key, family, code) in pairs.into_iter().filter(|(_, said, ..)| *said) {
        let (Some(own), Some(options)) = (table.get(key), table.get(options_key)) else {
            continue;
        };
        let Kind::Table(options) = options.value().kind() else {
            continue;
        };
        let same = |entry: &Entry<'_, '_>| options::code_of(family, entry.key()) == Some(code);
        if let Some(option) = options.entries().find(same) {
            let message = format!("`{key}` and option `{}` say the same", option.key());
            let finding = Finding::new(Rule::ConflictingKeys, option.key_span(), message);
            findings.push(
                finding
                    .other(own.key_span(), format!("`{key}` is that option"))
                    .help(format!("keep `{key}`; a host may still have the option, for itself")),
            );
        }
    }
}

/// A client renews, rebinds, and loses its lease, in this order (RFC 2131, section 4.4.5).
fn timers_in_order(network: &NetworkDecl, table: Table<'_, '_>, findings: Findings<'_>) {
    let lease =
        network.lease.get().copied().or(network.lease.is_absent().then_some(Network::LEASE_SECONDS_DEFAULT));
    let timers = [
        ("renew", network.renew.get().copied()),
        ("rebind", network.rebind.get().copied()),
        ("lease", lease),
    ];
    for (at, (earlier, first)) in timers.iter().enumerate() {
        let later = timers
            .iter()
            .skip(at + 1)
            .find(|(_, second)| second.is_some_and(|second| first.is_some_and(|first| first >= second)));
        let (Some((later, _)), Some(entry)) = (later, table.get(earlier)) else { continue };
        let message = format!("`{earlier}` is not before `{later}`");
        let mut finding = Finding::new(Rule::ConflictingKeys, entry.value().span(), message)
            .help("a client renews, rebinds and loses its lease, in this order: `renew`, `rebind`, `lease`");
        if let Some(other) = table.get(later) {
            finding = finding.other(other.value().span(), format!("`{later}` is here"));
        }
        findings.push(finding);
    }
}

/// A time of a lease after which its client asks again.
fn timer(value: Value<'_, '_>, findings: Findings<'_>) -> Option<u32> {
    read::seconds(value, 1, u32::MAX - 1, findings)
}

/// The name of a network interface, as Linux takes it.
fn interface(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = read::string(value, findings)?;
    if is_interface_name(text) {
        return Some(text.into());
    }
    let why = format!("`{text}` is no name of a network interface");
    let help = "at most 15 octets, without blanks, `/` and `:`, as in `bridge = \"br-servers\"`";
    read::refuse(Rule::InvalidChoice, value, why, help, findings)
}

/// The name of a link.
fn link(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = read::string(value, findings)?;
    if !text.trim().is_empty() {
        return Some(text.into());
    }
    let help = "write the same name in all networks that share the link, as in `link = \"floor\"`";
    read::refuse(Rule::InvalidChoice, value, "a link must have a name", help, findings)
}

/// The name of a view.
fn view(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = read::string(value, findings)?;
    let Some(why) = reject_host_label(text) else { return Some(text.into()) };
    let help = "write the same word in all networks whose clients see each other's addresses, as in `view = \"inside\"`";
    read::refuse(Rule::InvalidName, value, format!("`{text}` is no name of a view: it {why}"), help, findings)
}

/// Length of a prefix that is delegated.
fn pd_length(value: Value<'_, '_>, findings: Findings<'_>) -> Option<u32> {
    read::number(value, 4, 64, findings)
}

/// A lease time.
pub(super) fn lease(value: Value<'_, '_>, findings: Findings<'_>) -> Option<u32> {
    read::seconds(value, LEASE_SECONDS_MIN, u32::MAX - 1, findings)
}

/// A table of DHCP options.
pub(super) fn read_options(family: Family, entry: Entry<'_, '_>, findings: Findings<'_>) -> Vec<DhcpOption> {
    read::table(entry, findings).map_or_else(Vec::new, |table| options::read_options(family, table, findings))
}
