//! Prefixes that are delegated: pools of them on networks, and those of hosts with their reverse names.

use ipnet::Ipv6Net;

use super::names;
use crate::diag::{Finding, Rule};
use crate::model::{Host, Network, Nic, Shard, Zone, reverse_names_v6};
use crate::name::Name;
use crate::parse::NetworkDecl;
use crate::resolve::Context;
use crate::span::Span;

/// Checks the pools of all networks: against each other, against networks, and in themselves.
pub(crate) fn check_pools(networks: &[&NetworkDecl], findings: &mut Vec<Finding>) {
    let mut pools: Vec<(Ipv6Net, Span)> = Vec::new();
    for network in networks {
        for pool in network.pd_pool.get().into_iter().flatten() {
            let (prefix, span) = (pool.value, pool.span);
            if let Some(length) =
                network.pd_length.get().filter(|length| **length < prefix.prefix_len().into())
            {
                let message = format!("no prefix of length /{length} fits into pool {prefix}");
                let finding = Finding::new(Rule::PoolOutsideNetwork, span, message);
                findings.push(match network.pd_length.span() {
                    Some(length) => finding.other(length, "the length of what is delegated"),
                    None => finding,
                });
            }
            if let Some((other, at)) = pools.iter().find(|(other, _)| overlap(*other, prefix)) {
                let message = format!("pools {other} and {prefix} share prefixes");
                findings.push(Finding::new(Rule::PoolOverlap, span, message).other(*at, "the other pool"));
            }
            pools.push((prefix, span));
        }
    }
    let linked = networks.iter().filter_map(|network| Some((network, network.ipv6.get()?)));
    for (network, prefix) in linked {
        for (pool, span) in pools.iter().filter(|(pool, _)| overlap(*pool, *prefix)) {
            let message = format!("pool {pool} shares addresses with network `{}`", network.name);
            let at = network.ipv6.span().unwrap_or(network.span);
            let finding = Finding::new(Rule::NetworkOverlap, *span, message).other(at, "the network");
            findings.push(finding.help("what is delegated lies behind other routers, not on a link of ours"));
        }
    }
}

/// Checks the prefixes of one host against pools and networks.
pub(crate) fn check_host(host: &Host, context: &Context, findings: &mut Vec<Finding>) {
    for nic in &host.nics {
        check_names(nic, context, findings);
    }
    for (prefix, span) in host.nics.iter().flat_map(Nic::delegations) {
        let name = &host.name.fqdn;
        let of_pool = |network: &&Network| network.pd_pools.iter().any(|pool| overlap(*pool, *prefix));
        let on_link = |network: &&Network| network.ipv6.is_some_and(|link| overlap(link, *prefix));
        if let Some(network) = context.globals.networks.iter().find(of_pool) {
            let message = format!(
                "prefix {prefix} of `{name}` lies inside the `pd-pool` of network `{}`",
                network.name
            );
            let finding = Finding::new(Rule::InsidePool, *span, message);
            findings.push(finding.other(network.span, "the network with that pool"));
        } else if let Some(network) = context.globals.networks.iter().find(on_link) {
            let message =
                format!("prefix {prefix} of `{name}` shares addresses with network `{}`", network.name);
            let finding =
                Finding::new(Rule::NetworkOverlap, *span, message).other(network.span, "the network");
            findings.push(finding.help("what is delegated lies behind other routers, not on a link of ours"));
        }
    }
}

/// Checks prefixes of all hosts against each other: of one inside another, nobody knows which router has it. Equal
/// ones are found as other claims are.
pub(crate) fn check_together<'a>(shards: impl Iterator<Item = &'a Shard>, findings: &mut Vec<Finding>) {
    let hosts: Vec<(&str, Host)> =
        shards.flat_map(|shard| delegating(shard).map(|host| (&*shard.path, host))).collect();
    let mut all = Vec::new();
    for (path, host) in &hosts {
        let own = host.nics.iter().flat_map(Nic::delegations);
        all.extend(own.map(|(prefix, span)| (*prefix, (*path, span.start, *span, &host.name.fqdn))));
    }
    for [outer, inner] in nested(all) {
        if outer.0 == inner.0 {
            continue;
        }
        let later_is_inner = (outer.1.0, outer.1.1) < (inner.1.0, inner.1.1);
        let (first, later) = if later_is_inner { (outer, inner) } else { (inner, outer) };
        let ((prefix, (.., span, name)), (other, (.., at, other_name))) = (later, first);
        let message =
            format!("prefix {prefix} of `{name}` shares addresses with prefix {other} of `{other_name}`");
        let finding = Finding::new(Rule::DuplicateAddress, span, message).other(at, "the other prefix");
        findings
            .push(finding.help("delegate each address to one router: shorten one prefix or choose another"));
    }
}

/// The hosts that prefixes are delegated to. Cost: nothing where there are none.
pub(crate) fn delegating(shard: &Shard) -> impl Iterator<Item = Host> + '_ {
    let any = shard.nic_rests().any(|rest| !rest.delegated.prefixes.is_empty());
    let hosts = any.then(|| shard.iter()).into_iter().flatten();
    hosts.filter(|host| host.nics.iter().any(|nic| !nic.delegations().is_empty()))
}

/// Every prefix that lies in another or equals it, after the closest one around it.
pub(crate) fn nested<T: Copy>(mut all: Vec<(Ipv6Net, T)>) -> Vec<[(Ipv6Net, T); 2]> {
    // What contains others comes right before them.
    all.sort_by_key(|(prefix, _)| *prefix);
    let mut around: Vec<(Ipv6Net, T)> = Vec::new();
    let mut found = Vec::new();
    for inner in all {
        while around.last().is_some_and(|outer| !outer.0.contains(&inner.0)) {
            around.pop();
        }
        found.extend(around.last().map(|outer| [*outer, inner]));
        around.push(inner);
    }
    found
}

/// Checks the delegation of the reverse names of an interface's prefixes.
fn check_names(nic: &Nic, context: &Context, findings: &mut Vec<Finding>) {
    let delegated = &nic.rest.delegated;
    if delegated.nameservers.is_empty() {
        return;
    }
    for (prefix, span) in &delegated.prefixes {
        let wrong = reverse_names_v6(*prefix).find_map(|owner| name_delegated(&owner, *span, context));
        findings.extend(wrong);
    }
}

/// What keeps `owner` from being delegated: it must lie in a zone that is written down, with nothing of ours at
/// it or below.
fn name_delegated(owner: &Name, span: Span, context: &Context) -> Option<Finding> {
    let globals = &context.globals;
    let served = globals.zones.iter().find(|zone| zone.derived.is_none() && zone.name.is_within(owner));
    if let Some(zone) = served {
        let message = format!("`{}` is served from here, so `{owner}` cannot be delegated", zone.name);
        let finding = Finding::new(Rule::ConflictingKeys, span, message).other(zone.span, "the zone");
        return Some(finding.help("remove `pd-nameservers`, or the zone"));
    }
    let around = globals.zone_of(owner).map(|id| globals.zone(id));
    let Some(zone) = around.filter(|zone| zone.derived.is_none()) else {
        let message = format!("no zone of the inventory is there to delegate `{owner}` from");
        let define = owner.parent().unwrap_or_else(|| owner.clone());
        let help = format!("write one down that is delegated to you, such as `[zone.\"{define}\"]`");
        return Some(Finding::new(Rule::NoZone, span, message).help(help));
    };
    beside_written(owner, span, zone)
}

/// A written record at a name that is delegated, below it, or around it so that nobody would see the delegation.
fn beside_written(owner: &Name, span: Span, zone: &Zone) -> Option<Finding> {
    if let Some(record) = zone.records.iter().find(|record| record.owner.is_within(owner)) {
        let message = format!("`{}` has a written record, and `{owner}` is delegated", record.owner);
        let finding = Finding::new(Rule::ConflictingKeys, span, message).other(record.span, "the record");
        return Some(
            finding.help("remove `pd-nameservers`, or write that record in the zone of the servers"),
        );
    }
    names::hidden(format_args!("the delegation of `{owner}`"), owner, span, zone)
}

fn overlap(one: Ipv6Net, other: Ipv6Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}
