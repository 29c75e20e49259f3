//! Networks, in themselves and against each other.

use std::net::{IpAddr, Ipv4Addr};

use crate::diag::{Finding, Rule, did_you_mean};
use crate::model::{PoolLabel, Range};
use crate::parse::{Field, NetworkDecl, Spanned};
use crate::span::Span;

/// Checks every network of the files. Works on what is written, since that knows the places.
pub(crate) fn check(networks: &[&NetworkDecl], findings: &mut Vec<Finding>) {
    for network in networks {
        gateway(network, findings);
        pools(network, findings);
        pool_names(network, findings);
        servers(network, findings);
    }
    links(networks, findings);
    overlaps(networks, findings);
}

/// A link is there to be shared: one that nobody else names is mostly a slip.
fn links(networks: &[&NetworkDecl], findings: &mut Vec<Finding>) {
    if networks.iter().any(|network| network.vague || network.link.is_broken()) {
        return;
    }
    let all = || networks.iter().filter_map(|network| network.link.get());
    for network in networks {
        let Field::Set(name, span) = &network.link else { continue };
        if all().filter(|other| *other == name).count() == 1 {
            let message = format!("no other network is on link `{name}`");
            let finding = Finding::new(Rule::LinkOfOne, *span, message);
            let others = all().map(|other| &**other).filter(|other| **other != **name);
            findings.push(match did_you_mean(name, others) {
                Some(other) => finding.help(format!("did you mean `{other}`?")),
                None => {
                    finding.help("networks share a link that all of them name; without others, leave it out")
                }
            });
        }
    }
}

fn gateway(network: &NetworkDecl, findings: &mut Vec<Finding>) {
    let Field::Set(gateway, span) = &network.gateway else {
        return;
    };
    let Field::Set(net, net_span) = &network.ipv4 else {
        if network.ipv4.is_absent() && !network.vague {
            let message = format!("network `{}` has a gateway and no `ipv4`", network.name);
            let finding = Finding::new(Rule::BadGateway, *span, message);
            findings.push(
                finding.help("`gateway` is IPv4's; IPv6 hosts learn theirs from router advertisements"),
            );
        }
        return;
    };
    let why = if !net.contains(gateway) {
        format!("lies outside {net}")
    } else if net.prefix_len() < 31 && (*gateway == net.network() || *gateway == net.broadcast()) {
        format!("is the network or broadcast address of {net}")
    } else {
        if let Some(pool) = pool_with(network, IpAddr::V4(*gateway)) {
            let message = format!("gateway {gateway} lies inside a pool of network `{}`", network.name);
            let finding = Finding::new(Rule::BadGateway, *span, message).other(pool.span, "the pool");
            findings.push(finding.help(format!("keep it out: `exclude = [\"{gateway}\"]`")));
        }
        return;
    };
    let message = format!("gateway {gateway} of network `{}` {why}", network.name);
    findings.push(Finding::new(Rule::BadGateway, *span, message).other(*net_span, "the network's addresses"));
}

/// The pool that would give `address`.
fn pool_with(network: &NetworkDecl, address: IpAddr) -> Option<&Spanned<Range>> {
    let pool = network.pools().find(|pool| pool.value.contains(address));
    pool.filter(|_| !is_excluded(network, address))
}

/// Whether no pool gives `address`, or that cannot be known.
fn is_excluded(network: &NetworkDecl, address: IpAddr) -> bool {
    let mut holes = network.exclude.get().into_iter().flatten();
    network.exclude.is_broken() || holes.any(|hole| hole.value.contains(address))
}

fn pools(network: &NetworkDecl, findings: &mut Vec<Finding>) {
    let pools: Vec<_> = network.pools().collect();
    let exclude: &[_] = network.exclude.get().map_or(&[], Vec::as_slice);
    for range in &pools {
        inside(network, range, "pool", findings);
    }
    for range in exclude {
        inside(network, range, "exclusion", findings);
    }
    for (index, one) in pools.iter().enumerate() {
        if let Some(other) = pools[..index].iter().find(|other| other.value.overlaps(one.value)) {
            let message = format!(
                "pools {} and {} of network `{}` share addresses",
                other.value, one.value, network.name
            );
            findings
                .push(Finding::new(Rule::PoolOverlap, one.span, message).other(other.span, "the other pool"));
        }
    }
}

/// The names of pool addresses must fit below the zone (RFC 1035, section 2.3.4).
fn pool_names(network: &NetworkDecl, findings: &mut Vec<Finding>) {
    let Field::Set(zone, span) = &network.zone else { return };
    let labels = network.pools().map(|pool| PoolLabel::longest(pool.value));
    let Some(label) = labels.max_by_key(|label| label.text().len()) else { return };
    let label = String::from_utf8_lossy(label.text());
    if zone.child(&label).is_err() {
        let message =
            format!("names of pool addresses are too long in the zone of network `{}`", network.name);
        let finding = Finding::new(Rule::InvalidName, *span, message);
        findings
            .push(finding.help(format!("one is `{label}`, and a name has 255 octets with its zone at most")));
    }
}

/// A range must lie in its network; a pool must not hold its network or broadcast address.
fn inside(network: &NetworkDecl, range: &Spanned<Range>, what: &str, findings: &mut Vec<Finding>) {
    let (first, last) = (range.value.first(), range.value.last());
    let (prefix, span, holds) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => match &network.ipv4 {
            Field::Set(net, span) => {
                (net.to_string(), Some(*span), net.contains(&first) && net.contains(&last))
            }
            Field::Absent if !network.vague => ("it: it has no `ipv4`".to_owned(), None, false),
            Field::Absent | Field::Broken => return,
        },
        (IpAddr::V6(first), IpAddr::V6(last)) => match &network.ipv6 {
            Field::Set(net, span) => {
                (net.to_string(), Some(*span), net.contains(&first) && net.contains(&last))
            }
            Field::Absent if !network.vague => ("it: it has no `ipv6`".to_owned(), None, false),
            Field::Absent | Field::Broken => return,
        },
        _ => return,
    };
    if !holds {
        let message = format!("{what} {} of network `{}` lies outside {prefix}", range.value, network.name);
        let finding = Finding::new(Rule::PoolOutsideNetwork, range.span, message);
        findings.push(match span {
            Some(span) => finding.other(span, "the network's addresses"),
            None => finding,
        });
        return;
    }
    if what != "pool" {
        return;
    }
    let v4 = network.ipv4.get().filter(|net| net.prefix_len() < 31);
    let v6 = network.ipv6.get().filter(|net| net.prefix_len() < 127);
    let ends = [
        v4.map(|net| (IpAddr::V4(net.network()), "network address")),
        v4.map(|net| (IpAddr::V4(net.broadcast()), "broadcast address")),
        v6.map(|net| (IpAddr::V6(net.network()), "routers' anycast address")),
    ];
    let held: Vec<String> = ends
        .into_iter()
        .flatten()
        .filter(|(address, _)| range.value.contains(*address) && !is_excluded(network, *address))
        .map(|(address, name)| format!("the {name} {address}"))
        .collect();
    if held.is_empty() {
        return;
    }
    let held = held.join(" and ");
    let message = format!("pool {} of network `{}` holds {held}", range.value, network.name);
    let finding = Finding::new(Rule::PoolOutsideNetwork, range.span, message);
    findings.push(finding.help("no host can have that address: let the pool begin and end within"));
}

/// What clients are told to ask must be asked somewhere.
fn servers(network: &NetworkDecl, findings: &mut Vec<Finding>) {
    for server in network.dns.get().into_iter().flatten() {
        if let Some(why) = never_a_host(server.value) {
            let message = format!("resolver {} of network `{}` is {why}", server.value, network.name);
            findings.push(Finding::new(Rule::ReservedAddress, server.span, message));
        }
    }
    for server in network.boot_server.get().into_iter().flatten() {
        if let Some(why) = never_a_host(server.value) {
            let message = format!("boot server {} of network `{}` is {why}", server.value, network.name);
            findings.push(Finding::new(Rule::ReservedAddress, server.span, message));
        }
    }
}

/// Why no host can have `address`, whatever the network.
pub(super) fn never_a_host(address: IpAddr) -> Option<&'static str> {
    if address.is_unspecified() {
        Some("the unspecified address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.is_loopback() {
        Some("a loopback address")
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Some("the broadcast address")
    } else {
        None
    }
}

/// Networks of one family must not share addresses. Sorted by first address, an overlap is always
/// seen against the one before that reaches furthest.
fn overlaps(networks: &[&NetworkDecl], findings: &mut Vec<Finding>) {
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for network in networks {
        if let Field::Set(net, span) = &network.ipv4 {
            v4.push((IpAddr::V4(net.network()), IpAddr::V4(net.broadcast()), *span, network));
        }
        if let Field::Set(net, span) = &network.ipv6 {
            v6.push((IpAddr::V6(net.network()), IpAddr::V6(net.broadcast()), *span, network));
        }
    }
    for mut list in [v4, v6] {
        // Stable, so that of equals the order of the files decides.
        list.sort_by_key(|(first, last, _, _)| (*first, std::cmp::Reverse(*last)));
        let mut reach: Option<(IpAddr, Span, &NetworkDecl)> = None;
        for (first, last, span, network) in list {
            if let Some((end, other_span, other)) = reach
                && first <= end
                && other.name != network.name
            {
                let message = format!("networks `{}` and `{}` share addresses", other.name, network.name);
                findings.push(
                    Finding::new(Rule::NetworkOverlap, span, message).other(other_span, "the other network"),
                );
            }
            if reach.is_none_or(|(end, _, _)| last > end) {
                reach = Some((last, span, network));
            }
        }
    }
}
