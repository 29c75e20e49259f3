//! What two sources cannot both have.

use super::Part;
use crate::check::delegation::nested;
use crate::diag::{Finding, Rule};
use crate::model::{Inventory, Nic, Zone};
use crate::name::Name;
use crate::span::Span;

/// NS, DS, RRSIG and NSEC: what a zone says of the zone below it.
const DELEGATING: [u16; 4] = [2, 43, 46, 47];

/// Why `later` cannot be served beside `earlier`; its spans are those of `later`. Empty: it can.
pub fn clashes(earlier: &[Part<'_>], later: &Inventory) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in earlier {
        networks(part, later, &mut findings);
        prefixes(part, later, &mut findings);
        zones(part, later, &mut findings);
        keys(part, later, &mut findings);
    }
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
fn prefixes(earlier: &Part<'_>, later: &Inventory, findings: &mut Vec<Finding>) {
    let of = |inventory: &Inventory, is_later: bool| {
        let networks = &inventory.globals.networks;
        let pools =
            networks.iter().flat_map(|network| network.pd_pools.iter().map(|pool| (*pool, network.span)));
        let links = networks.iter().filter_map(|network| Some((network.ipv6?.trunc(), network.span)));
        let hosts = inventory.hosts().flat_map(|host| &host.nics).flat_map(Nic::delegations);
        let delegated = pools.chain(hosts.map(|(prefix, span)| (*prefix, *span)));
        let all = links.map(|link| (link, true)).chain(delegated.map(|prefix| (prefix, false)));
        all.map(|((prefix, span), is_link)| (prefix, (is_later, is_link, span))).collect::<Vec<_>>()
    };
    let mut all = of(&earlier.snapshot.inventory, false);
    all.extend(of(later, true));
    for [outer, inner] in nested(all) {
        let ((_, (outer_is_later, outer_is_link, _)), (_, (inner_is_later, inner_is_link, _))) =
            (outer, inner);
        // Links are told by `networks`.
        if outer_is_later == inner_is_later || (outer_is_link && inner_is_link) {
            continue;
        }
        let ((own, (.., span)), (other, _)) = if inner_is_later { (inner, outer) } else { (outer, inner) };
        let message = format!("prefix {own} shares addresses with {other} of `{}`", earlier.label);
        findings.push(clash(Rule::DuplicateAddress, span, message, earlier.label));
    }
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
    inventory.hosts().find_map(|host| {
        let aliases = host.aliases.iter().map(|alias| (&alias.name.fqdn, alias.span));
        let nics = host.named_nics().map(|(name, nic)| (&name.fqdn, nic.name_span));
        let mut names = std::iter::once((&host.name.fqdn, host.span)).chain(nics).chain(aliases);
        let (name, span) = names.find(|(name, _)| name.is_within(apex))?;
        Some((name.clone(), span))
    })
}

fn clash(rule: Rule, span: Span, message: String, earlier: &str) -> Finding {
    let help = format!("`{earlier}` is named earlier on the command line, and so goes first");
    Finding::new(rule, span, message).help(help)
}
