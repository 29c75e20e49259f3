//! `hostbook free`: which addresses of a network nobody has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

use inventory_core::diag::did_you_mean;
use inventory_core::model::{Inventory, Network, NetworkId};
use serde_json::json;

use crate::args::Free;
use crate::exit::{Failure, Outcome};
use crate::{inventory, leases, output};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Prints the next free addresses of a network.
pub(crate) fn run(args: &Free) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let inventory = &snapshot.inventory;
    let id = network_named(inventory, &args.network)?;
    let network = inventory.globals.network(id);
    let family = match (args.v6, network.ipv4, network.ipv6) {
        (false, Some(_), _) => Family::V4,
        (_, _, Some(_)) => Family::V6,
        (true, _, None) => return Err(Failure::new(format!("network `{}` has no `ipv6`", network.name))),
        (false, None, None) => {
            return Err(Failure::new(format!("network `{}` has no addresses", network.name)));
        }
    };
    let held = leases::held(&args.control);
    if let Some(why) = &held.trouble {
        eprintln!("hostbook: leases are not considered: {why}");
    }
    let found: Vec<IpAddr> = free(inventory, id, family, &held.addresses).take(args.count).collect();
    if args.format.is_json() {
        output::line(&json!(found).to_string());
    } else {
        found.iter().for_each(|address| output::line(&address.to_string()));
    }
    if found.len() < args.count {
        let why = if found.is_empty() { "no address" } else { "no further address" };
        return Err(Failure::new(format!("{why} of network `{}` is free", network.name)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The network of this name, or what is near.
pub(crate) fn network_named(inventory: &Inventory, name: &str) -> Result<NetworkId, Failure> {
    inventory.globals.network_named(name).ok_or_else(|| {
        let names = inventory.globals.networks.iter().map(|network| &*network.name);
        let hint =
            did_you_mean(name, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Failure::new(format!("there is no network `{name}`{hint}"))
    })
}

/// The addresses of a network that a new host can have, ascending: no host's (planned and retired ones
/// hold theirs), not the gateway's, a resolver's or an inline record's, in no pool and no exclusion, and not
/// in `held`.
pub(crate) fn free(
    inventory: &Inventory,
    network: NetworkId,
    family: Family,
    held: &[IpAddr],
) -> impl Iterator<Item = IpAddr> + use<> {
    let network = inventory.globals.network(network);
    let bounds = bounds(network, family);
    let mut taken = taken(inventory, network, held, family);
    taken.sort_unstable();
    let mut taken = taken.into_iter().peekable();
    let mut next = bounds.map(|(first, _)| first);
    let last = bounds.map_or(0, |(_, last)| last);
    std::iter::from_fn(move || {
        let mut here = next?;
        while let Some((from, to)) = taken.peek().copied() {
            if here < from {
                break;
            }
            here = here.max(to.checked_add(1)?);
            taken.next();
        }
        next = here.checked_add(1);
        (here <= last).then(|| address(here, family))
    })
}

/// First and last address that a host can have.
fn bounds(network: &Network, family: Family) -> Option<(u128, u128)> {
    match family {
        Family::V4 => {
            let net = network.ipv4?;
            let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
            // The network's own and the broadcast address, unless there are only two (RFC 3021).
            let edge = u32::from(net.prefix_len() < 31);
            Some(((first + edge).into(), (last - edge).into()))
        }
        Family::V6 => {
            let net = network.ipv6?;
            // The subnet-router anycast address (RFC 4291, section 2.6.1).
            let edge = u128::from(net.prefix_len() < 127);
            Some((net.network().to_bits() + edge, net.broadcast().to_bits()))
        }
    }
}

/// Ranges that somebody has.
fn taken(inventory: &Inventory, network: &Network, held: &[IpAddr], family: Family) -> Vec<(u128, u128)> {
    let nics = inventory.hosts().flat_map(|host| &host.nics).flat_map(|nic| nic.addresses.iter().copied());
    let gateway = network.gateway.map(IpAddr::V4);
    let records = inventory.globals.zones.iter().flat_map(|zone| zone.records.iter());
    let records = records.filter_map(|record| match (record.rtype.0, &*record.rdata) {
        (1, rdata) => <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from),
        (28, rdata) => <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from),
        _ => None,
    });
    let single = nics
        .chain(gateway)
        .chain(inventory.globals.networks.iter().flat_map(|network| network.dns.iter().copied()))
        .chain(records)
        .chain(held.iter().copied())
        .map(|address| (address, address));
    let ranges = network.pools.iter().chain(&network.exclude).map(|range| (range.first(), range.last()));
    let wanted = move |(first, _): &(IpAddr, IpAddr)| first.is_ipv4() == (family == Family::V4);
    single.chain(ranges).filter(wanted).map(|(first, last)| (bits(first), bits(last))).collect()
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(bits: u128, family: Family) -> IpAddr {
    match (family, u32::try_from(bits)) {
        (Family::V4, Ok(bits)) => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [site]
        nameservers = ["ns1.lab.example.org"]
        contact = "h@lab.example.org"
        [zone."lab.example.org"]
        records = "x A 10.0.0.4"
        [network.n]
        zone = "lab.example.org"
        ipv4 = "10.0.0.0/28"
        ipv6 = "2001:db8::/64"
        gateway = "10.0.0.1"
        dns = ["10.0.0.2"]
        pool = ["10.0.0.8-10.0.0.11"]
        exclude = ["10.0.0.9"]
        [host.ns1]
        network = "n"
        ip = ["10.0.0.3", "2001:db8::1"]
        state = "planned"
    "#;

    fn found(family: Family, held: &[&str]) -> Vec<String> {
        let snapshot = inventory_core::load_texts(&[("a.toml", SITE)]).unwrap();
        let held: Vec<IpAddr> = held.iter().map(|text| text.parse().unwrap()).collect();
        let free = free(&snapshot.inventory, NetworkId(0), family, &held);
        free.take(20).map(|address| address.to_string()).collect()
    }

    #[test]
    fn what_anybody_has_is_left_out() {
        let free = ["10.0.0.5", "10.0.0.7", "10.0.0.12", "10.0.0.13", "10.0.0.14"];
        assert_eq!(found(Family::V4, &["10.0.0.6"]), free);
    }

    #[test]
    fn ipv6_begins_after_the_routers_address() {
        assert_eq!(found(Family::V6, &[])[..2], ["2001:db8::2", "2001:db8::3"]);
    }
}
