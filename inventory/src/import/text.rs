//! What was settled, as a file of the inventory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::book::{Card, Net};
use super::settle::{Host, Settled};
use crate::edit::{key, quote};

/// The file. `site`: the name servers of the `[site]` that is there.
pub(super) fn text(settled: &Settled, mut site: Vec<String>, origin: &str) -> String {
    let mut text = format!("# Imported from {origin}.\n");
    if site.is_empty()
        && let Some(zone) = main_zone(settled)
    {
        let read = settled.nameservers.get(zone).or_else(|| settled.nameservers.values().next());
        site = read.cloned().unwrap_or_else(|| vec![format!("ns1.{zone}")]);
        let contact = settled.contact.clone().unwrap_or_else(|| format!("hostmaster@{zone}"));
        table(&mut text, "site", &[("nameservers", list(site.iter())), ("contact", quote(&contact))]);
    }
    let of_site: BTreeSet<&String> = site.iter().collect();
    for (zone, lines) in &settled.zones {
        let own = settled.nameservers.get(zone).filter(|own| own.iter().collect::<BTreeSet<_>>() != of_site);
        let mut entries: Vec<_> = own.map(|own| ("nameservers", list(own.iter()))).into_iter().collect();
        entries.extend(settled.ttls.get(zone).map(|seconds| ("ttl", duration((*seconds).into()))));
        table(&mut text, &format!("zone.{}", key(zone)), &entries);
        if !lines.is_empty() {
            let _ = writeln!(text, "records = '''");
            for line in lines {
                let _ = writeln!(text, "{}", relative(line, zone));
            }
            let _ = writeln!(text, "'''");
        }
    }
    for net in &settled.networks {
        network(&mut text, net);
    }
    for one in &settled.hosts {
        host(&mut text, one);
    }
    text
}

/// The zone that most hosts are in; of several the first.
fn main_zone(settled: &Settled) -> Option<&String> {
    let hosts_in = |zone: &String| settled.hosts.iter().filter(|host| host.zone == *zone).count();
    settled.zones.keys().rev().max_by_key(|zone| hosts_in(zone))
}

/// A record line with its owner relative to the zone.
fn relative(line: &str, zone: &str) -> String {
    let Some((owner, rest)) = line.split_once(' ') else { return line.to_owned() };
    let whole = owner.trim_end_matches('.');
    let own = match whole.strip_suffix(zone) {
        Some("") => "@",
        Some(head) => head.trim_end_matches('.'),
        None => owner,
    };
    format!("{own} {rest}")
}

fn network(text: &mut String, net: &Net) {
    let mut entries: Vec<(&str, String)> = Vec::new();
    entries.extend(net.link.as_ref().map(|link| ("link", quote(link))));
    entries.extend(net.zone.as_ref().map(|zone| ("zone", quote(zone))));
    for prefix in &net.prefixes {
        let family = if prefix.addr().is_ipv4() { "ipv4" } else { "ipv6" };
        entries.push((family, quote(&prefix.trunc().to_string())));
    }
    entries.extend(net.gateway.map(|gateway| ("gateway", quote(&gateway.to_string()))));
    if !net.dns.is_empty() {
        entries.push(("dns", list(net.dns.iter())));
    }
    if !net.pools.is_empty() {
        entries.push(("pool", list(net.pools.iter())));
    }
    entries.extend(net.lease_seconds.map(|seconds| ("lease", lease(seconds))));
    if !net.options.is_empty() {
        let all: Vec<String> =
            net.options.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
        entries.push(("options", format!("{{ {} }}", all.join(", "))));
    }
    table(text, &format!("network.{}", key(&net.name)), &entries);
}

fn lease(seconds: u64) -> String {
    duration(seconds.clamp(60, u64::from(u32::MAX) - 1))
}

fn duration(seconds: u64) -> String {
    quote(&inventory_core::units::show_duration(seconds).replace(' ', ""))
}

fn host(text: &mut String, host: &Host) {
    let machine = &host.machine;
    let label = host.fqdn.strip_suffix(&format!(".{}", host.zone)).unwrap_or(&host.fqdn);
    let plain = !label.contains('.') && host.is_short;
    let name = if plain { key(label) } else { quote(&host.fqdn) };
    let mut entries: Vec<(&str, String)> = Vec::new();
    if let [only] = machine.cards.as_slice() {
        entries.extend(card(only));
    }
    if !machine.aliases.is_empty() {
        let own = |alias: &String| match alias.strip_suffix(&format!(".{}", host.zone)) {
            Some(label) if !label.contains('.') => label.to_owned(),
            _ => alias.clone(),
        };
        entries.push(("alias", list(machine.aliases.iter().map(own))));
    }
    if !machine.tags.is_empty() {
        entries.push(("tags", list(machine.tags.iter())));
    }
    // Identifiers and lease are an interface's; the first one's where there are several.
    let of_card = ["client-id", "duid", "lease", "dhcp"];
    let (first, own): (Vec<_>, Vec<_>) =
        machine.keys.iter().partition(|(key, _)| of_card.contains(&key.as_str()));
    let several = machine.cards.len() > 1;
    entries.extend(own.into_iter().map(|(key, value)| (key.as_str(), value.clone())));
    if !several {
        entries.extend(first.iter().map(|(key, value)| (key.as_str(), (*value).clone())));
    }
    table(text, &format!("host.{name}"), &entries);
    if several {
        for (index, one) in machine.cards.iter().enumerate() {
            let nic = if one.key.is_empty() { format!("nic{index}") } else { one.key.clone() };
            let mut entries = card(one);
            if index == 0 {
                entries.extend(first.iter().map(|(key, value)| (key.as_str(), (*value).clone())));
            }
            text.push_str(&entries_text(&format!("[host.{name}.nic.{}]", key(&nic)), &entries));
        }
    }
}

fn card(card: &Card) -> Vec<(&'static str, String)> {
    let mut entries = vec![("network", quote(card.network.as_deref().unwrap_or_default()))];
    entries.extend(card.mac.map(|mac| ("mac", quote(&mac.to_string()))));
    match card.addresses.as_slice() {
        [] => {}
        [only] => entries.push(("ip", quote(&only.to_string()))),
        several => entries.push(("ip", list(several.iter().map(IpAddr::to_string)))),
    }
    entries.extend(card.name.as_ref().map(|name| ("name", quote(name))));
    entries
}

fn list(items: impl Iterator<Item = impl ToString>) -> String {
    format!("[{}]", items.map(|item| quote(&item.to_string())).collect::<Vec<_>>().join(", "))
}

fn table(text: &mut String, header: &str, entries: &[(&str, String)]) {
    text.push('\n');
    text.push_str(&entries_text(&format!("[{header}]"), entries));
}

/// A table with its values below each other.
fn entries_text(header: &str, entries: &[(&str, String)]) -> String {
    let width = entries.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut text = format!("{header}\n");
    for (key, value) in entries {
        let _ = writeln!(text, "{key:<width$} = {value}");
    }
    text
}
