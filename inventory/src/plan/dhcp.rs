//! What DHCP gives to known machines, and tells the clients of a network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dhcpd::view::{DhcpView, NetworkView, Reservation, Traits};
use inventory_core::model::{BootId, Globals, Network, NetworkId, RouterAdvertisement, Snapshot, Unknown};
use inventory_core::options::DhcpOption;
use inventory_core::units::show_duration;
use serde::Serialize;

use super::Sign;

/// A machine in a network that DHCP treats otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ReservationChange {
    pub(crate) sign: Sign,
    /// What it is known by, as in `mac 52:54:00:aa:00:11`.
    pub(crate) client: String,
    /// Name of the network.
    pub(crate) network: String,
    pub(crate) before: Option<Given>,
    pub(crate) after: Option<Given>,
}

/// What a known machine gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Given {
    /// Its name.
    pub(crate) host: String,
    /// Its address, or why it has none: `from the pool`, `none` where there is no pool, `not served`, `dhcp off`.
    pub(crate) address: String,
    /// The same by DHCPv6; empty where the network has no IPv6.
    pub(crate) address6: String,
    /// Prefixes that are delegated to it.
    pub(crate) delegated: Vec<String>,
    /// Lease time in seconds, unless what the machine says of itself decides.
    pub(crate) lease_seconds: u32,
    /// Its own options: code and data in hexadecimal digits.
    pub(crate) options: Vec<String>,
    /// Its own options of DHCPv6, in the same form.
    pub(crate) options6: Vec<String>,
}

/// A network whose clients are told something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NetworkChange {
    pub(crate) sign: Sign,
    /// Its name.
    pub(crate) network: String,
    /// What differs: key, before, after.
    pub(crate) keys: Vec<(String, String, String)>,
}

/// Reservations that change, by network and client.
pub(super) fn reservations(before: &Snapshot, after: &Snapshot) -> Vec<ReservationChange> {
    let (old, new) = (all(before), all(after));
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let changed = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    changed
        .map(|key| {
            let (was, is) = (old.get(key).cloned(), new.get(key).cloned());
            let sign = match (&was, &is) {
                (None, _) => Sign::Added,
                (_, None) => Sign::Removed,
                _ => Sign::Changed,
            };
            ReservationChange { sign, client: key.1.clone(), network: key.0.clone(), before: was, after: is }
        })
        .collect()
}

/// Every client that dhcpd knows, by network and what it is known by.
fn all(snapshot: &Snapshot) -> BTreeMap<(String, String), Given> {
    let view = DhcpView::build(snapshot);
    let globals = &snapshot.inventory.globals;
    let mut all = BTreeMap::new();
    for nic in snapshot.inventory.hosts().flat_map(|host| &host.nics) {
        let network = globals.network(nic.network);
        let mut add = |client: String, found: Option<Reservation<'_>>| {
            if let Some(found) = found {
                let given = given(&found, network, view.network(nic.network));
                all.insert((network.name.to_string(), client), given);
            }
        };
        if let Some(mac) = nic.mac {
            add(format!("mac {mac}"), view.by_mac(nic.network, mac));
        }
        let Some(identifiers) = &nic.rest.identifiers else { continue };
        if let Some((id, _)) = &identifiers.client_id {
            add(format!("client-id {}", hex(id)), view.by_client_id(nic.network, id));
        }
        if let Some((id, _)) = &identifiers.duid {
            add(format!("duid {}", hex(id)), view.by_duid(nic.network, id));
        }
        if let Some((port, _)) = &identifiers.port {
            let remote = port.remote_id.as_deref();
            let name =
                remote.map(|remote| String::from_utf8_lossy(remote).into_owned() + "/").unwrap_or_default();
            let client = format!("port {name}{}", String::from_utf8_lossy(&port.circuit_id));
            add(client, view.by_port(nic.network, &port.circuit_id, remote));
        }
    }
    all
}

fn given(found: &Reservation<'_>, network: &Network, four: Option<&NetworkView>) -> Given {
    let traits = Traits { tags: found.tags(), ..Traits::default() };
    let lease_seconds = four.map(|four| four.lease_seconds_of(found.lease_seconds(), &traits));
    // What is said where no address is.
    let none = match found.has_dhcp() && network.dhcp {
        false => Some("dhcp off"),
        true if !found.is_served() => Some("not served"),
        true => None,
    };
    let of = |has: bool, own: Option<IpAddr>, is_family: fn(&IpAddr) -> bool| match (none, own) {
        _ if !has => String::new(),
        (Some(why), _) => why.to_owned(),
        (None, Some(address)) => address.to_string(),
        (None, None) if network.pools.iter().any(|pool| is_family(&pool.first())) => {
            "from the pool".to_owned()
        }
        (None, None) => "none".to_owned(),
    };
    let options = |options: &[DhcpOption]| {
        options.iter().map(|option| format!("{} {}", option.code, hex(&option.data))).collect()
    };
    Given {
        host: found.fqdn().map(|name| name.to_string()).unwrap_or_default(),
        address: of(network.ipv4.is_some(), found.address().map(IpAddr::V4), IpAddr::is_ipv4),
        address6: of(network.ipv6.is_some(), found.address6().map(IpAddr::V6), IpAddr::is_ipv6),
        delegated: found.delegations().map(|prefix| prefix.to_string()).collect(),
        lease_seconds: lease_seconds.or(found.lease_seconds()).unwrap_or(network.lease_seconds),
        options: options(found.options()),
        options6: options(found.options6()),
    }
}

/// Networks that change in what concerns DHCP.
pub(super) fn networks(before: &Globals, after: &Globals) -> Vec<NetworkChange> {
    let (old, new) = (keyed(before), keyed(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let empty = BTreeMap::new();
    let mut changes = Vec::new();
    for name in names {
        let (was, is) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
        let keys: std::collections::BTreeSet<_> = was.keys().chain(is.keys()).collect();
        let side = |side: &BTreeMap<&'static str, String>, key| side.get(key).cloned().unwrap_or_default();
        let keys: Vec<_> = keys
            .into_iter()
            .map(|key| ((*key).to_owned(), side(was, key), side(is, key)))
            .filter(|(_, was, is)| was != is)
            .collect();
        let sign = match (old.contains_key(name), new.contains_key(name)) {
            (false, _) => Sign::Added,
            (_, false) => Sign::Removed,
            _ => Sign::Changed,
        };
        if !keys.is_empty() {
            changes.push(NetworkChange { sign, network: name.clone(), keys });
        }
    }
    changes
}

fn keyed(globals: &Globals) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let ids = (0..).map(NetworkId).take(globals.networks.len());
    let networks = ids.map(|id| globals.network(id));
    networks.map(|network| (network.name.to_string(), keys_of(network, globals))).collect()
}

/// What of a network its clients see.
fn keys_of(network: &Network, globals: &Globals) -> BTreeMap<&'static str, String> {
    let joined = |texts: Vec<String>| texts.join(" ");
    let timer =
        |seconds: Option<u32>| seconds.map(|seconds| show_duration(seconds.into())).unwrap_or_default();
    let mut keys = BTreeMap::from([
        ("ipv4", network.ipv4.map(|net| net.to_string()).unwrap_or_default()),
        ("ipv6", network.ipv6.map(|net| net.to_string()).unwrap_or_default()),
        ("gateway", network.gateway.map(|address| address.to_string()).unwrap_or_default()),
        ("dns", joined(network.dns.iter().map(ToString::to_string).collect())),
        ("pool", joined(network.pools.iter().map(ToString::to_string).collect())),
        ("exclude", joined(network.exclude.iter().map(ToString::to_string).collect())),
        ("lease", show_duration(network.lease_seconds.into())),
        ("renew", timer(network.renew_seconds)),
        ("rebind", timer(network.rebind_seconds)),
        ("dhcp", if network.proxy { "proxy".to_owned() } else { network.dhcp.to_string() }),
        ("unknown", unknown(network.unknown, globals)),
        ("boot-server", network.boot_server.map(|server| server.to_string()).unwrap_or_default()),
        ("zone", network.zone.map(|zone| globals.zone(zone).name.to_string()).unwrap_or_default()),
    ]);
    if !network.pd_pools.is_empty() {
        keys.insert("pd-pool", joined(network.pd_pools.iter().map(ToString::to_string).collect()));
        keys.insert("pd-length", network.pd_length.to_string());
    }
    keys.extend(network.link.as_ref().map(|link| {
        let others = link.others.iter().map(|id| globals.network(*id).name.to_string());
        ("link", format!("{} with {}", link.name, joined(others.collect())))
    }));
    keys.extend(network.ra.as_deref().map(|ra| ("ra", advertised(ra))));
    let named = network.dynamic_names.as_ref();
    keys.extend(named.map(|to| ("dynamic-names", format!("to {} by key {}", to.server, to.key))));
    keys.extend(network.view.as_deref().map(|view| ("view", view.to_owned())));
    keys.insert("forward", joined(network.forward.iter().map(ToString::to_string).collect()));
    let options = |options: &[DhcpOption]| {
        joined(options.iter().map(|option| format!("{}={}", option.code, hex(&option.data))).collect())
    };
    keys.insert("options", options(&network.options));
    keys.insert("options6", options(&network.options6));
    let matches = network.matches.iter().map(|one| {
        let pools = one.pools.iter().map(|pool| format!(" pool={pool}"));
        let lease = one.lease_seconds.map(|seconds| format!(" lease={}", show_duration(seconds.into())));
        let (pools, lease) = (joined(pools.collect()), lease.unwrap_or_default());
        format!("{}: {}{pools}{lease}", one.name, options(&one.options))
    });
    keys.insert("match", joined(matches.collect()));
    keys.retain(|_, value| !value.is_empty());
    keys
}

/// What machines get that nobody has written down, as `unknown` says it.
fn unknown(unknown: Unknown, globals: &Globals) -> String {
    let boot = |id: BootId| format!("boot {}", globals.boot(id).name);
    match unknown {
        Unknown::Ignore => "ignore".to_owned(),
        Unknown::Pool => "pool".to_owned(),
        Unknown::Boot(id) => boot(id),
    }
}

/// What router advertisements say, as `ra` says it.
fn advertised(ra: &RouterAdvertisement) -> String {
    let fields = [
        ra.lifetime.map(|lifetime| format!("lifetime={lifetime}")),
        ra.mtu.map(|mtu| format!("mtu={mtu}")),
        ra.slaac.map(|slaac| format!("slaac={slaac}")),
        ra.pref64.map(|prefix| format!("pref64={prefix}")),
    ];
    let said: Vec<String> = fields.into_iter().flatten().collect();
    if said.is_empty() { "on".to_owned() } else { said.join(" ") }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}
