//! One host against its networks.

use std::net::IpAddr;

use super::network::never_a_host;
use crate::diag::{Finding, Rule};
use crate::model::{Host, Network, Nic};
use crate::resolve::Context;
use crate::span::Span;

/// Checks addresses and reachability of each interface of `host`.
pub(crate) fn check(host: &Host, context: &Context, findings: &mut Vec<Finding>) {
    for nic in &host.nics {
        let network = context.globals.network(nic.network);
        let vague = context.vague_prefix.contains(&nic.network);
        let vague_pool = context.vague_pool.contains(&nic.network);
        for (address, span) in nic.addresses.iter().zip(nic.address_spans()) {
            let finding = misplaced(host, *address, span, network, vague);
            // An exclusion may be what could not be read.
            findings.extend(finding.filter(|finding| !vague_pool || finding.rule != Rule::InsidePool));
        }
        if !vague && !vague_pool {
            findings.extend(unreachable(host, nic, network));
        }
    }
}

fn misplaced(host: &Host, address: IpAddr, span: Span, network: &Network, vague: bool) -> Option<Finding> {
    let name = &host.name.fqdn;
    if let Some(why) = never_a_host(address) {
        let message = format!("address {address} of `{name}` is {why}");
        return Some(Finding::new(Rule::ReservedAddress, span, message));
    }
    if !network.contains(address) {
        return (!vague).then(|| outside(host, address, span, network));
    }
    if let (IpAddr::V4(v4), Some(net)) = (address, network.ipv4)
        && net.prefix_len() < 31
        && (v4 == net.network() || v4 == net.broadcast())
    {
        let which = if v4 == net.network() { "network" } else { "broadcast" };
        let message = format!("address {address} of `{name}` is the {which} address of {net}");
        return Some(Finding::new(Rule::ReservedAddress, span, message).other(network.span, "the network"));
    }
    if let (IpAddr::V6(v6), Some(net)) = (address, network.ipv6)
        && net.prefix_len() < 127
        && v6 == net.network()
    {
        let message = format!("address {address} of `{name}` is the anycast address of the routers of {net}");
        let finding = Finding::new(Rule::ReservedAddress, span, message).other(network.span, "the network");
        return Some(
            finding.help("the first address of an IPv6 network is not a host's (RFC 4291, section 2.6.1)"),
        );
    }
    if Some(address) == network.gateway.map(IpAddr::V4) {
        // A router may be a host; if the gateway lies in a pool, that is told at the network.
        return None;
    }
    let pool = network.pool_of(address)?;
    let message =
        format!("address {address} of `{name}` lies inside pool {pool} of network `{}`", network.name);
    let finding =
        Finding::new(Rule::InsidePool, span, message).other(network.span, "the network with that pool");
    Some(
        finding.help(format!(
            "choose an address outside the pools, or keep it out: `exclude = [\"{address}\"]`"
        )),
    )
}

fn outside(host: &Host, address: IpAddr, span: Span, network: &Network) -> Finding {
    let name = &host.name.fqdn;
    let prefix = match address {
        IpAddr::V4(_) => network.ipv4.map(|net| net.to_string()),
        IpAddr::V6(_) => network.ipv6.map(|net| net.to_string()),
    };
    let message = format!("address {address} of `{name}` lies outside network `{}`", network.name);
    let finding = Finding::new(Rule::OutsideNetwork, span, message).other(network.span, "the network");
    match prefix {
        Some(prefix) => finding.label(format!("not in {prefix}")),
        None => {
            let (family, key) = if address.is_ipv4() { ("IPv4", "ipv4") } else { ("IPv6", "ipv6") };
            finding
                .label(format!("`{}` has no {family} addresses", network.name))
                .help(format!("add `{key}` to the network"))
        }
    }
}

/// An interface that DHCP is to serve and that can get no address.
fn unreachable(host: &Host, nic: &Nic, network: &Network) -> Option<Finding> {
    let served = host.state.is_served() && nic.dhcp && network.dhcp;
    let known = nic.mac.is_some() || nic.rest.identifiers.is_some();
    if !served || !nic.addresses.is_empty() || (known && !network.pools.is_empty()) {
        return None;
    }
    let name = nic.rest.name.as_ref().map_or(&host.name.fqdn, |name| &name.fqdn);
    if !known {
        let message = format!("`{name}` can get no address: it has neither `ip` nor `mac`");
        let finding = Finding::new(Rule::NoAddress, nic.mac_span(), message);
        return Some(
            finding.help("add what is known; until then `state = \"planned\"` says that it is not there yet"),
        );
    }
    let message =
        format!("`{name}` can get no address: it has no `ip`, and network `{}` has no pool", network.name);
    let finding = Finding::new(Rule::NoAddress, nic.mac_span(), message).other(network.span, "the network");
    Some(finding.help("add an `ip` to it, or a `pool` to the network"))
}
