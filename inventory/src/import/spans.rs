//! Networks and ranges of addresses: what holds what, and what is left of a pool.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use inventory_core::model::Range;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::book::Net;

/// Whether `address` lies in a prefix of `net`.
pub(super) fn holds(net: &Net, address: IpAddr) -> bool {
    net.prefixes.iter().any(|prefix| prefix.contains(&address))
}

/// Whether a network has IPv4 only or IPv6 only; `None`: both.
pub(super) fn one_family(net: &Net) -> Option<bool> {
    let v4 = net.prefixes.iter().any(|prefix| prefix.addr().is_ipv4());
    let v6 = net.prefixes.iter().any(|prefix| prefix.addr().is_ipv6());
    (v4 != v6).then_some(v4)
}

/// Makes one network of two.
pub(super) fn absorb(net: &mut Net, other: Net) {
    net.prefixes.extend(other.prefixes);
    net.pools.extend(other.pools);
    net.dns.extend(other.dns);
    net.options.extend(other.options);
    net.gateway = net.gateway.or(other.gateway);
    net.zone = net.zone.take().or(other.zone);
    net.link = net.link.take().or(other.link);
    net.lease_seconds = net.lease_seconds.or(other.lease_seconds);
    if net.name.is_empty() {
        net.name = other.name;
    }
}

/// The prefix that an address is of where nobody says one.
pub(super) fn assumed(address: IpAddr) -> IpNet {
    let net = match address {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new_assert(v4, 24)),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, 64)),
    };
    net.trunc()
}

/// The parts of `range` between the addresses that are taken.
pub(super) fn without(range: Range, taken: &[IpAddr]) -> Vec<Range> {
    let mut holes: Vec<IpAddr> = taken.iter().copied().filter(|address| range.contains(*address)).collect();
    holes.sort_unstable();
    holes.dedup();
    let mut parts = Vec::new();
    let mut first = Some(range.first());
    for hole in holes {
        if let Some(last) = step(hole, false) {
            parts.extend(first.and_then(|first| Range::new(first, last)));
        }
        first = step(hole, true);
    }
    parts.extend(first.and_then(|first| Range::new(first, range.last())));
    parts
}

/// The address after or before.
fn step(address: IpAddr, up: bool) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let bits = if up { v4.to_bits().checked_add(1) } else { v4.to_bits().checked_sub(1) };
            bits.map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(v6) => {
            let bits = if up { v6.to_bits().checked_add(1) } else { v6.to_bits().checked_sub(1) };
            bits.map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_addresses_are_cut_out_of_pools() {
        let ip = |last: u8| IpAddr::from([10, 0, 0, last]);
        let shown = |taken: &[IpAddr]| {
            without(Range::new(ip(10), ip(20)).unwrap(), taken)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]), ["10.0.0.10-10.0.0.20"]);
        assert_eq!(shown(&[ip(12), ip(10), ip(20), ip(99)]), ["10.0.0.11", "10.0.0.13-10.0.0.19"]);
    }
}
