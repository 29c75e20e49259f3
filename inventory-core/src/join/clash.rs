//! What two sources cannot both have.

use std::fmt;

use ipnet::Ipv6Net;

use super::Part;
use crate::check::delegation::{delegating, nested};
use crate::diag::{Finding, Rule};
use crate::model::{Host, Inventory, Network, Nic, Zone};
use crate::name::Name;
use crate::span::Span;

/// NS, DS, RRSIG and NSEC: what a zone says of the zone below it.
const DELEGATING: [u16; 4] = [2, 43, 46, 47];

/// Why `later` cannot be served beside `earlier`; its spans are those of `later`. Empty: it can.
pub fn clashes(earlier: &[Part<'_>], later: &Inventory) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in earlier {
        networks(part, later, &mut findings);
        zones(part, later, &mut findings);
        keys(part, later, &mut findings);
    }
    prefixes(earlier, later, &mut findings);
    findings
}

/// Who knows one secret is not to be taken for who knows the other.
fn keys(earlier: &Part<'_>, later: &Inventory, findings: &mut Vec<Finding>) {
    for key in &later.globals.keys {
        let before = earlier.snapshot.inventory.globals.keys.iter().find(|other| other.name == key.name);
        if before.is_some_and(|other| (&other.file, other.algorithm) != (&key.file, key.algorithm)) {
            let message = format!("key `{}` is another one of `{}`", key.name, earlier.label);
            findings.push(clash(Rule::DefinedTwice, key.span, message, earlier.label));
        }
    }
}

fn networks(earlier: &Part<'_>, later: &Inventory, findings: &mut Vec<Finding>) {
    for network in &later.globals.networks {
        for other in &earlier.snapshot.inventory.globals.networks {
            let v4 = network.ipv4.zip(other.ipv4).filter(|(a, b)| a.contains(b) || b.contains(a));
            let v6 = network.ipv6.zip(other.ipv6).filter(|(a, b)| a.contains(b) || b.contains(a));
            let shared = v4
                .map(|(a, b)| (a.to_string(), b.to_string()))
                .or_else(|| v6.map(|(a, b)| (a.to_string(), b.to_string())));
            let Some((own, others)) = shared else { continue };
            let message = format!(
                "network `{}` ({own}) shares addresses with network `{}` ({others}) of `{}`",
                network.name, other.name, earlier.label
            );
            findings.push(clash(Rule::NetworkOverlap, network.span, message, earlier.label));
        }
    }
}

/// Prefixes that are delegated, against each other and against networks.
fn prefixes(earlier: &[Part<'_>], later: &Inventory, findings: &mut Vec<Finding>) {
    let own = delegated_to(later);
    let mut all = held(later, &own, None);
    if all.is_empty() {
        return;
    }
    let others: Vec<Vec<Host>> = earlier.iter().map(|part| delegated_to(&part.snapshot.inventory)).collect();
    for (part, hosts) in earlier.iter().zip(&others) {
        all.extend(held(&part.snapshot.inventory, hosts, Some(part.label)));
    }
    for [outer, inner] in nested(all) {
        let ((own, holder), (other, other_holder), label) = match (outer.1.earlier, inner.1.earlier) {
            (None, Some(label)) => (outer, inner, label),
            (Some(label), None) => (inner, outer, label),
            _ => continue,
        };
        // Links are told by `networks`.
        if !(holder.is_link && other_holder.is_link) {
            let message =
                format!("{holder} ({own}) shares addresses with {other_holder} ({other}) of `{label}`");
            findings.push(clash(Rule::DuplicateAddress, holder.span, message, label));
        }
    }
}

/// Who has a prefix.
#[derive(Clone, Copy)]
struct Holder<'a> {
    /// Label of its source; none: the one that is judged.
    earlier: Option<&'a str>,
    /// Whether machines are in the prefix, not behind other routers.
    is_link: bool,
    kind: &'static str,
    name: &'a dyn fmt::Display,
    span: Span,
}

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// The hosts of a source that prefixes are delegated to.
fn delegated_to(inventory: &Inventory) -> Vec<Host> {
    inventory.shards.iter().flat_map(|shard| delegating(shard)).collect()
}

/// The IPv6 prefixes of the networks and pools of a source, and of these hosts of it.
fn held<'a>(
    inventory: &'a Inventory,
    hosts: &'a [Host],
    earlier: Option<&'a str>,
) -> Vec<(Ipv6Net, Holder<'a>)> {
    let of_network = move |network: &'a Network| {
        let holder =
            Holder { earlier, is_link: false, kind: "network", name: &network.name, span: network.span };
        let link = network.ipv6.map(|link| (link.trunc(), Holder { is_link: true, ..holder }));
        link.into_iter().chain(network.pd_pools.iter().map(move |pool| (*pool, holder)))
    };
    let of_host = move |host: &'a Host| {
        let name = &host.name.fqdn;
        let all = host.nics.iter().flat_map(Nic::delegations);
        all.map(move |(prefix, span)| {
            (*prefix, Holder { earlier, is_link: false, kind: "host", name, span: *span })
        })
    };
    let networks = inventory.globals.networks.iter().flat_map(of_network);
    networks.chain(hosts.iter().flat_map(of_host)).collect()
}

fn zones(earlier: &Part<'_>, later: &Inventory, findings: &mut Vec<Finding>) {
    let before = &earlier.snapshot.inventory;
    for zone in &later.globals.zones {
        for other in &before.globals.zones {
            if zone.name == other.name {
                // A reverse zone that follows from networks of both is shared.
                if zone.derived.is_none() || other.derived.is_none() {
                    let message = format!("zone `{}` is a zone of `{}`", zone.name, earlier.label);
                    findings.push(clash(Rule::DefinedTwice, zone.span, message, earlier.label));
                }
            } else if zone.derived.is_some() || other.derived.is_some() {
                // What lies in them follows from networks, which share no addresses.
            } else if zone.name.is_within(&other.name) {
                if let Some((name, _)) = name_within(before, other, &zone.name) {
                    let message =
                        format!("zone `{}` would hide the name `{name}` of `{}`", zone.name, earlier.label);
                    findings.push(clash(Rule::OutOfZone, zone.span, message, earlier.label));
                }
            } else if other.name.is_within(&zone.name)
                && let Some((name, span)) = name_within(later, zone, &other.name)
            {
                let message =
                    format!("the name `{name}` lies in zone `{}` of `{}`", other.name, earlier.label);
                findings.push(clash(Rule::OutOfZone, span, message, earlier.label));
            }
        }
    }
}

/// A name of `inventory` at or below `apex`, the apex of another's zone below its own `zone`.
fn name_within(inventory: &Inventory, zone: &Zone, apex: &Name) -> Option<(Name, Span)> {
    let records = zone.records.iter().filter(|record| record.owner.is_within(apex));
    let mut records = records.filter(|record| record.owner != *apex || !DELEGATING.contains(&record.rtype.0));
    if let Some(record) = records.next() {
        return Some((record.owner.clone(), record.span));
    }
    inventory.each_host().find_map(|host| {
        let aliases = host.aliases.iter().map(|alias| (&alias.name.fqdn, alias.span));
        let nics = host.named_nics().map(|(name, nic)| (&name.fqdn, nic.name_span()));
        let mut names = std::iter::once((&host.name.fqdn, host.span)).chain(nics).chain(aliases);
        let (name, span) = names.find(|(name, _)| name.is_within(apex))?;
        Some((name.clone(), span))
    })
}

fn clash(rule: Rule, span: Span, message: String, earlier: &str) -> Finding {
    let help = format!("`{earlier}` is named earlier on the command line, and so goes first");
    Finding::new(rule, span, message).help(help)
}
