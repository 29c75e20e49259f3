//! The leases as others see them: in status, in metrics, as JSON lines.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use inventory_core::model::NetworkId;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use serde_json::{Value, json};

use super::clock::now;
use super::inquiry::Inquirer;
use crate::boot::Architecture;
use crate::core::{Core, Lease, Leased, State, v6};
use crate::view::{DhcpView, Layout6};

/// The leases of one network, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    id: Option<NetworkId>,
    name: Box<str>,
    prefix: String,
    dhcp: bool,
    pool: u64,
    bound: u64,
    ended: u64,
    probation: u64,
    /// Bound, and no address of the pool.
    outside: u64,
}

/// A lease's state in a word.
fn word(lease: &Lease, now: i64) -> &'static str {
    match lease.state {
        State::Bound if lease.is_bound(now) => "bound",
        State::Declined if lease.is_held(now) => "declined",
        State::Released => "released",
        State::Bound | State::Declined | State::Forgotten => "ended",
    }
}

/// Every network with IPv4 and its leases. Cost: linear in the leases.
pub(super) fn uses(core: &Core, view: &DhcpView) -> Vec<Use> {
    let networks = view.networks().map(|network| Use {
        id: Some(network.id),
        name: network.name.clone(),
        prefix: network.prefix.to_string(),
        dhcp: network.dhcp,
        pool: network.pool.len(),
        ..Use::default()
    });
    let mut uses: Vec<Use> = networks.collect();
    let now = now().ms();
    for (address, lease) in core.leases() {
        let Some(network) = view.network_of(address) else { continue };
        let Ok(at) = uses.binary_search_by_key(&Some(network.id), |one| one.id) else { continue };
        let Some(one) = uses.get_mut(at) else { continue };
        match word(lease, now) {
            "bound" if !network.pool.contains(address) => one.outside += 1,
            "bound" => one.bound += 1,
            "declined" => one.probation += 1,
            _ => one.ended += 1,
        }
    }
    uses
}

impl Use {
    /// For status.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "prefix": self.prefix,
            "dhcp": self.dhcp,
            "pool": { "addresses": self.pool, "bound": self.bound, "probation": self.probation },
            "ended": self.ended,
            "outside": self.outside,
        })
    }
}

/// Every network with IPv6 and its leases, for status. Cost: linear in the leases.
pub(super) fn uses6(core: &v6::Core, view: &DhcpView) -> Vec<Value> {
    let (layout, now) = (Layout6::new(view), now().ms());
    let mut counts: BTreeMap<NetworkId, [u64; 3]> = BTreeMap::new();
    for (item, lease) in core.leases() {
        let Some(network) = layout.network_of(item) else { continue };
        let [addresses, prefixes, probation] = counts.entry(network.id).or_default();
        match (word(lease, now), item.prefix_len()) {
            ("bound", 128) => *addresses += 1,
            ("bound", _) => *prefixes += 1,
            ("declined", _) => *probation += 1,
            _ => {}
        }
    }
    let networks = view.networks6().map(|network| {
        let [bound, prefixes, probation] = counts.get(&network.id).copied().unwrap_or_default();
        json!({
            "name": network.name,
            "prefix": network.prefix.to_string(),
            "dhcp": network.dhcp,
            "pool": { "addresses": network.pool.len(), "bound": bound, "probation": probation },
            "delegated": prefixes,
        })
    });
    networks.collect()
}

/// Every lease of DHCPv4 as a JSON object, by address. Cost: linear in the leases.
pub(super) fn leases(core: &Core, view: &DhcpView) -> Vec<Value> {
    let network = |address| view.network_of(address).map(|network| &*network.name);
    core.leases().map(|(address, lease)| lease_to_json(address.into(), network(address), lease)).collect()
}

/// Every lease of DHCPv6 as a JSON object, by address or prefix. Cost: linear in the leases.
pub(super) fn leases6(core: &v6::Core, view: &DhcpView) -> Vec<Value> {
    let layout = Layout6::new(view);
    let network = |item| layout.network_of(item).map(|network| &*network.name);
    core.leases().map(|(item, lease)| lease_to_json(item.into(), network(item), lease)).collect()
}

fn lease_to_json(address: Leased, network: Option<&str>, lease: &Lease) -> Value {
    let now = now();
    let left = lease.ends - now.ms();
    json!({
        "address": address.to_string(),
        "network": network,
        "client": lease.client.to_string(),
        "mac": lease.mac.map(|mac| mac.to_string()),
        "name": lease.name,
        "state": word(lease, now.ms()),
        "seconds_left": left.max(0) / 1000,
        "ends": (now.unix_ms + left).div_euclid(1000),
    })
}

/// Machines that nobody has written down, the latest first.
pub(super) fn seen(core: &Core, view: &DhcpView) -> Value {
    let known_in = |mac| view.network_knowing(mac).map(|network| &network.name);
    // Whoever was written down since then is no stranger any more.
    let strangers = core
        .seen()
        .filter(|(mac, machine)| machine.network.is_none() || known_in(*mac) != machine.network.as_ref());
    let seen = strangers.map(|(mac, machine)| {
        json!({
            "mac": mac.to_string(),
            "uuid": machine.uuid.map(uuid_text),
            "architecture": machine.architecture.map(architecture_text),
            "network": machine.network,
            "relay": machine.relay.map(|relay| relay.to_string()),
            "circuit_id": machine.circuit_id,
            "remote_id": machine.remote_id,
            "name": machine.name,
            "class": machine.class,
            "asked": machine.asked,
            "first": machine.first.div_euclid(1000),
            "last": machine.last.div_euclid(1000),
            "count": machine.count,
            // Its card is written down, but for another network.
            "known_in": known_in(mac),
        })
    });
    seen.collect()
}

/// Machines with addresses that are not written down and that no pool has given, in the same form.
pub(super) fn neighbours(core: &v6::Core, view: &DhcpView) -> Vec<Value> {
    let unwritten = core.neighbours().unwritten(view);
    let shown = unwritten.map(|(address, neighbour, network)| {
        let host = view.by_mac(network.id, neighbour.mac).and_then(|nic| nic.fqdn());
        json!({
            "mac": neighbour.mac.to_string(),
            "network": network.name,
            "address": address.to_string(),
            // The address is what is not written down.
            "host": host.map(|host| host.to_string()),
            "first": neighbour.first.div_euclid(1000),
            "last": neighbour.last.div_euclid(1000),
            "count": neighbour.count,
        })
    });
    shown.collect()
}

/// As firmware, dmidecode and hypervisors show it: the first three fields are little-endian on the wire
/// (SMBIOS 2.6, section 7.2.1).
fn uuid_text(uuid: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = uuid;
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let (two, six) = rest.split_at(2);
    format!("{}-{}-{}-{}-{}", hex(&[d, c, b, a]), hex(&[f, e]), hex(&[h, g]), hex(two), hex(six))
}

fn architecture_text(number: u16) -> String {
    Architecture::of(number).map_or_else(|| number.to_string(), |(one, _)| one.word().to_owned())
}

/// Leases by network and state, for metrics.
pub(super) struct LeaseGauges(pub(super) Arc<Inquirer<Core>>);

impl fmt::Debug for LeaseGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseGauges")
    }
}

impl Collector for LeaseGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let uses = self.0.ask(uses).unwrap_or_default();
        let mut leases = encoder.encode_descriptor(
            "hostbook_dhcpd_leases",
            "Leases of IPv4 addresses, by network and state",
            None,
            MetricType::Gauge,
        )?;
        for one in &uses {
            let states = [
                ("bound", one.bound),
                ("ended", one.ended),
                ("probation", one.probation),
                ("outside", one.outside),
            ];
            for (state, count) in states {
                let labels = [("network", &*one.name), ("state", state)];
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                ConstGauge::new(count).encode(leases.encode_family(&labels)?)?;
            }
        }
        let mut pools = encoder.encode_descriptor(
            "hostbook_dhcpd_pool_addresses",
            "IPv4 addresses that the pools have, by network",
            None,
            MetricType::Gauge,
        )?;
        for one in &uses {
            let size = i64::try_from(one.pool).unwrap_or(i64::MAX);
            ConstGauge::new(size).encode(pools.encode_family(&[("network", &*one.name)])?)?;
        }
        Ok(())
    }
}
