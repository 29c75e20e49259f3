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
        for (address, span) in nic.addresses.iter().zip(&nic.address_spans) {
            if let Some(finding) = misplaced(host, *address, *span, network, vague) {
                findings.push(finding);
            }
        }
        if !vague {
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
    let pool = network.pool_of(address)?;
    let message =
        format!("address {address} of `{name}` lies inside pool {pool} of network `{}`", network.name);
    let finding =
        Finding::new(Rule::InsidePool, span, message).other(network.span, "the network with that pool");
    Some(finding.help("choose an address outside the pools, or take it out of the pool"))
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
    let served = host.state.is_served() && nic.dhcp && network.dhcp && nic.mac.is_some();
    if !served || !nic.addresses.is_empty() || !network.pools.is_empty() {
        return None;
    }
    let message = format!(
        "`{}` can get no address: it has no `ip`, and network `{}` has no pool",
        host.name.fqdn, network.name
    );
    Some(Finding::new(Rule::NoAddress, nic.mac_span, message).other(network.span, "the network"))
}
