//! Kea's DHCPv4 configuration: subnets, pools, options, reservations.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use dhcpd::view::{DhcpView, NetworkView};
use inventory_core::model::{Host, Network, NetworkId, Nic, Range, Snapshot};
use serde_json::{Value, json};

use super::{pretty, served};

pub(super) fn text(snapshot: &Snapshot) -> String {
    let view = DhcpView::build(snapshot);
    let globals = &snapshot.inventory.globals;
    let networks = view.networks().filter(|network| network.dhcp);
    let mut alone = Vec::new();
    let mut shared: BTreeMap<(&str, NetworkId), Vec<Value>> = BTreeMap::new();
    for (id, network) in (1..).zip(networks) {
        let written = globals.network(network.id);
        let subnet = json!({
            "id": id,
            "subnet": network.prefix.to_string(),
            "user-context": { "name": network.name },
            "valid-lifetime": network.lease_seconds,
            "pools": pools(written),
            "option-data": options(network, written),
            "reservations": reservations(snapshot, network.id),
        });
        match &written.link {
            Some(link) => {
                // Joined inventories may have links of one name.
                let first = link.others.first().map_or(network.id, |other| network.id.min(*other));
                shared.entry((&link.name, first)).or_default().push(subnet);
            }
            None => alone.push(subnet),
        }
    }
    let mut server = json!({
        "interfaces-config": { "interfaces": ["*"] },
        "lease-database": { "type": "memfile" },
        "subnet4": alone,
    });
    if !shared.is_empty() {
        let shared =
            shared.into_iter().map(|((name, _), subnets)| json!({ "name": name, "subnet4": subnets }));
        server["shared-networks"] = Value::from_iter(shared);
    }
    pretty(&json!({ "Dhcp4": server }))
}

fn pools(network: &Network) -> Value {
    let ranges = ranges(network).into_iter();
    Value::from_iter(ranges.map(|(first, last)| json!({ "pool": format!("{first} - {last}") })))
}

/// The IPv4 pools of a network that are for everybody; one with exclusions is several.
pub(super) fn ranges(network: &Network) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let bits = |range: &Range| match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => Some((first.to_bits(), last.to_bits())),
        _ => None,
    };
    let holes: Vec<(u32, u32)> = network.exclude.iter().filter_map(bits).collect();
    let of_some = |pool: &&Range| network.matches.iter().any(|one| one.pools.contains(pool));
    let mut parts = Vec::new();
    for (first, last) in network.pools.iter().filter(|pool| !of_some(pool)).filter_map(bits) {
        let mut here = Some(first);
        for (from, to) in holes.iter().filter(|(from, to)| *from <= last && first <= *to) {
            if let Some(start) = here.filter(|start| start < from) {
                parts.push((start, from - 1));
            }
            here = to.checked_add(1);
        }
        parts.extend(here.filter(|start| *start <= last).map(|start| (start, last)));
    }
    parts.into_iter().map(|(first, last)| (Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(last))).collect()
}

/// Every option that clients of the network are told, as octets.
fn options(network: &NetworkView, written: &Network) -> Value {
    let mut all: Vec<(u16, Vec<u8>)> = Vec::new();
    all.extend(written.gateway.map(|gateway| (3, gateway.octets().to_vec())));
    let dns: Vec<u8> = written
        .dns
        .iter()
        .filter_map(|address| match address {
            IpAddr::V4(v4) => Some(v4.octets()),
            IpAddr::V6(_) => None,
        })
        .flatten()
        .collect();
    if !dns.is_empty() {
        all.push((6, dns));
    }
    all.extend(network.zone.as_ref().map(|zone| (15, zone.to_string().into_bytes())));
    for option in &written.options {
        all.retain(|(code, _)| *code != option.code);
        all.push((option.code, option.data.to_vec()));
    }
    Value::from_iter(all.into_iter().map(|(code, data)| {
        let digits: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
        json!({ "code": code, "csv-format": false, "data": digits })
    }))
}

fn reservations(snapshot: &Snapshot, network: NetworkId) -> Value {
    let hosts = served(&snapshot.inventory, &[]);
    let nics = hosts.flat_map(|host| host.nics.iter().map(move |nic| (host, nic)));
    let own = nics.filter(|(_, nic)| nic.network == network && nic.dhcp);
    Value::from_iter(own.filter_map(|(host, nic)| reservation(host, nic)))
}

fn reservation(host: &Host, nic: &Nic) -> Option<Value> {
    let mut entry = json!({});
    let ids = nic.rest.identifiers.as_deref();
    if let Some(mac) = nic.mac {
        entry["hw-address"] = json!(mac.to_string());
    } else if let Some((id, _)) = ids.and_then(|ids| ids.client_id.as_ref()) {
        entry["client-id"] = json!(super::hex(id));
    } else if let Some((id, _)) = ids.and_then(|ids| ids.duid.as_ref()) {
        entry["duid"] = json!(super::hex(id));
    } else {
        return None;
    }
    if let Some(address) = nic.ipv4() {
        entry["ip-address"] = json!(address.to_string());
    }
    entry["hostname"] = json!(nic.rest.name.as_ref().unwrap_or(&host.name).fqdn.to_string());
    Some(entry)
}
