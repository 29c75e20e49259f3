//! dnsmasq's configuration: ranges, hosts, options and records.

use std::fmt::Write as _;
use std::net::IpAddr;

use dhcpd::view::DhcpView;
use inventory_core::model::Snapshot;
use inventory_core::options::{DhcpOption, Family, OptionKind, by_code};
use inventory_core::records::present;

use super::{hex, served};
use crate::explain::value;

pub(super) fn text(snapshot: &Snapshot) -> String {
    let mut text = String::from("# Written by `hostbook export dnsmasq`.\nlocalise-queries\nno-hosts\n");
    networks(snapshot, &mut text);
    hosts(snapshot, &mut text);
    records(snapshot, &mut text);
    text
}

fn networks(snapshot: &Snapshot, text: &mut String) {
    let globals = &snapshot.inventory.globals;
    let view = DhcpView::build(snapshot);
    for network in view.networks().filter(|network| network.dhcp) {
        let (name, mask, lease) = (&network.name, network.prefix.netmask(), network.lease_seconds);
        let written = globals.network(network.id);
        let ranges = super::kea::ranges(written);
        let _ = writeln!(text, "\n# network {name}");
        if ranges.is_empty() {
            let _ =
                writeln!(text, "dhcp-range=set:{name},{},static,{mask},{lease}", network.prefix.network());
        }
        for (first, last) in ranges {
            let _ = writeln!(text, "dhcp-range=set:{name},{first},{last},{mask},{lease}");
        }
        if let Some(zone) = &network.zone {
            let _ = writeln!(text, "domain={zone},{}", network.prefix);
        }
        let mut option = |code: u16, data: &str| {
            let _ = writeln!(text, "dhcp-option=tag:{name},{code},{data}");
        };
        let dns: Vec<String> =
            written.dns.iter().filter(|address| address.is_ipv4()).map(ToString::to_string).collect();
        let own = |code: u16| written.options.iter().any(|option| option.code == code);
        if let Some(gateway) = written.gateway.filter(|_| !own(3)) {
            option(3, &gateway.to_string());
        }
        if !dns.is_empty() && !own(6) {
            option(6, &dns.join(","));
        }
        if let Some(zone) = network.zone.as_ref().filter(|_| !own(15)) {
            option(15, &zone.to_string());
        }
        for one in &written.options {
            option(one.code, &data_of(one));
        }
    }
}

/// The data in the form that dnsmasq wants for the option; octets where it has none.
fn data_of(option: &DhcpOption) -> String {
    let kind = by_code(Family::V4, option.code).map(|def| def.kind);
    let shown = value::value(Family::V4, option.code, &option.data);
    match (kind, &*option.data) {
        (Some(OptionKind::Ip4 | OptionKind::Ip4List | OptionKind::CompressedDomains), _) => {
            shown.replace(' ', ",")
        }
        (Some(OptionKind::Text | OptionKind::DomainText | OptionKind::Words), _) => format!("\"{shown}\""),
        (Some(OptionKind::Integer(_)), _) => shown,
        (Some(OptionKind::Seconds { .. }), _) => shown.trim_end_matches(" s").to_owned(),
        // One octet alone is a number.
        (_, [octet]) => octet.to_string(),
        (_, octets) => hex(octets),
    }
}

fn hosts(snapshot: &Snapshot, text: &mut String) {
    text.push_str("\n# hosts\n");
    for host in served(&snapshot.inventory, &[]) {
        for (name, nic) in host.named_nics() {
            let label = name.fqdn.labels().next().map(String::from_utf8_lossy).unwrap_or_default();
            let addresses: Vec<String> = nic.addresses.iter().map(ToString::to_string).collect();
            if let Some(mac) = nic.mac.filter(|_| nic.dhcp) {
                let mut words = vec![mac.to_string(), label.to_string()];
                words.extend(nic.addresses.iter().map(|address| match address {
                    IpAddr::V4(v4) => v4.to_string(),
                    IpAddr::V6(v6) => format!("[{v6}]"),
                }));
                words.extend(nic.rest.lease_seconds.map(|seconds| seconds.to_string()));
                let _ = writeln!(text, "dhcp-host={}", words.join(","));
            }
            if !addresses.is_empty() {
                let _ = writeln!(text, "host-record={},{}", name.fqdn, addresses.join(","));
            }
        }
        for alias in &host.aliases {
            let _ = writeln!(text, "cname={},{}", alias.name.fqdn, host.name.fqdn);
        }
    }
}

/// Records that are written in zones, of the types that dnsmasq has.
fn records(snapshot: &Snapshot, text: &mut String) {
    text.push_str("\n# records\n");
    for zone in &snapshot.inventory.globals.zones {
        for record in zone.records.iter() {
            let data = present(record.rtype, &record.rdata);
            let words: Vec<&str> = data.split_whitespace().map(|word| word.trim_end_matches('.')).collect();
            let line = match (record.rtype.mnemonic(), words.as_slice()) {
                (Some("MX"), [preference, target]) => {
                    format!("mx-host={},{target},{preference}", record.owner)
                }
                (Some("SRV"), [priority, weight, port, target]) => {
                    format!("srv-host={},{target},{port},{priority},{weight}", record.owner)
                }
                (Some("CNAME"), [target]) => format!("cname={},{target}", record.owner),
                (Some("A" | "AAAA"), [address]) => format!("host-record={},{address}", record.owner),
                (Some("TXT"), _) => format!("txt-record={},{}", record.owner, data.replace("\" \"", "\",\"")),
                _ => format!("# not in dnsmasq: {}. {} {data}", record.owner, record.rtype),
            };
            let _ = writeln!(text, "{line}");
        }
    }
}
