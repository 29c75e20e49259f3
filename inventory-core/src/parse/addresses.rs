//! Reading addresses of both kinds, networks and ranges.
//!
//! Each function takes a value and returns `None` after it has reported what is wrong with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::read::{Findings, refuse, string};
use crate::diag::Rule;
use crate::mac::MacAddr;
use crate::model::Range;
use crate::toml::Value;

/// IPv4-mapped addresses (RFC 4291, section 2.5.5.2): IPv4 in programs, and on no link.
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

pub(super) fn mac(value: Value<'_, '_>, findings: Findings<'_>) -> Option<MacAddr> {
    let text = string(value, findings)?;
    let Ok(mac) = text.parse::<MacAddr>() else {
        let help = match other_form(text) {
            Some(mac) => format!("write `{mac}`"),
            None => "write six octets as in `52:54:00:aa:00:11`".to_owned(),
        };
        return refuse(Rule::InvalidMac, value, format!("`{text}` is not a MAC address"), &help, findings);
    };
    match mac.reject() {
        None => Some(mac),
        Some(why) => {
            let help = "write the interface's own address, as `ip link` shows it";
            refuse(Rule::InvalidMac, value, format!("MAC address `{text}` {why}"), help, findings)
        }
    }
}

/// The address in a form that others write: `5254.00aa.0011`, `525400aa0011`.
fn other_form(text: &str) -> Option<MacAddr> {
    let digits: String = text.chars().filter(|c| !['.', ':', '-', ' '].contains(c)).collect();
    let is_mac = digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let value = u64::from_str_radix(&digits, 16).ok().filter(|_| is_mac)?;
    let [_, _, octets @ ..] = value.to_be_bytes();
    Some(MacAddr(octets))
}

pub(super) fn address(value: Value<'_, '_>, findings: Findings<'_>) -> Option<IpAddr> {
    let text = string(value, findings)?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let help = if text.contains('/') {
        "write the address alone; its network says the prefix length".to_owned()
    } else if let Some(plain) = without_leading_zeros(text) {
        format!("write `{plain}`: some read leading zeros as octal")
    } else {
        "write it as in `10.20.0.11` or `2001:db8:20::11`".to_owned()
    };
    refuse(Rule::InvalidAddress, value, format!("`{text}` is not an IP address"), &help, findings)
}

/// `10.20.0.011` as it was meant.
fn without_leading_zeros(text: &str) -> Option<Ipv4Addr> {
    let octets: Option<Vec<u8>> = text.split('.').map(|octet| octet.parse().ok()).collect();
    let octets: [u8; 4] = octets?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}

pub(super) fn ipv4(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv4Addr> {
    match address(value, findings)? {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => {
            let help = "IPv6 routers announce themselves; no key names them";
            refuse(
                Rule::InvalidAddress,
                value,
                format!("`{v6}` is IPv6; this key takes IPv4"),
                help,
                findings,
            )
        }
    }
}

pub(super) fn ipv4_net(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv4Net> {
    const EXAMPLE: &str = "write a prefix as in `10.20.0.0/24`";
    let text = string(value, findings)?;
    let Ok(net) = text.parse::<Ipv4Net>() else {
        let family = if text.parse::<Ipv6Net>().is_ok() {
            "is IPv6; `ipv4` takes IPv4"
        } else {
            "is not an IPv4 prefix"
        };
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` {family}"), EXAMPLE, findings);
    };
    let first = net.network();
    if net.addr() != first {
        return host_bits(IpNet::V4(net), value, findings);
    }
    if net.prefix_len() == 0 {
        let why = "a network of length /0 is the whole Internet";
        return refuse(Rule::InvalidPrefix, value, why, EXAMPLE, findings);
    }
    if first.is_multicast() || first.is_loopback() || first.octets()[0] == 0 {
        return not_for_hosts(IpNet::V4(net), value, findings);
    }
    Some(net)
}

pub(super) fn ipv6_net(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv6Net> {
    const EXAMPLE: &str = "write a prefix as in `2001:db8:20::/64`";
    let text = string(value, findings)?;
    let Ok(net) = text.parse::<Ipv6Net>() else {
        let family = if text.parse::<Ipv4Net>().is_ok() {
            "is IPv4; `ipv6` takes IPv6"
        } else {
            "is not an IPv6 prefix"
        };
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` {family}"), EXAMPLE, findings);
    };
    let first: Ipv6Addr = net.network();
    if net.addr() != first {
        return host_bits(IpNet::V6(net), value, findings);
    }
    if net.prefix_len() < 4 {
        let why = format!("a network of length /{} is no site's", net.prefix_len());
        return refuse(Rule::InvalidPrefix, value, why, EXAMPLE, findings);
    }
    let is_mapped = net.contains(&MAPPED) || MAPPED.contains(&net);
    if first.is_multicast() || first.is_unicast_link_local() || first.is_loopback() || is_mapped {
        return not_for_hosts(IpNet::V6(net), value, findings);
    }
    Some(net)
}

/// A prefix that is delegated, or that others are delegated from: at most 64 bits, or no link fits in.
pub(super) fn delegation(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv6Net> {
    let net = ipv6_net(value, findings)?;
    if net.prefix_len() <= 64 {
        return Some(net);
    }
    let why = format!("`{net}` is too small to be delegated: a link takes 64 bits");
    refuse(Rule::InvalidPrefix, value, why, "write a prefix as in `2001:db8:40::/56`", findings)
}

fn host_bits<T>(net: IpNet, value: Value<'_, '_>, findings: Findings<'_>) -> Option<T> {
    let help = format!("the network is `{}`", net.trunc());
    refuse(Rule::InvalidPrefix, value, format!("`{net}` has host bits set"), &help, findings)
}

fn not_for_hosts<T>(net: IpNet, value: Value<'_, '_>, findings: Findings<'_>) -> Option<T> {
    let address = net.addr();
    let what = if address.is_multicast() {
        "are multicast addresses"
    } else if address.is_loopback() {
        "are loopback addresses"
    } else if address.is_ipv4() {
        "are addresses of \"this\" network (RFC 1122, section 3.2.1.3)"
    } else if matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
        "are link-local addresses"
    } else {
        "holds IPv4-mapped addresses (RFC 4291, section 2.5.5.2)"
    };
    let why = format!("`{net}` {what}, which no host of an inventory has");
    refuse(Rule::InvalidPrefix, value, why, "write the network that the hosts are in", findings)
}

/// `FIRST-LAST`, or one address.
pub(super) fn range(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Range> {
    let text = string(value, findings)?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let ends = [first.trim(), last.trim()].map(str::parse::<IpAddr>);
    let help = |meant: Option<String>| {
        let meant = meant.unwrap_or_else(|| "FIRST-LAST` as in `10.20.0.200-10.20.0.250".to_owned());
        format!("write `{meant}`")
    };
    let [Ok(first), Ok(last)] = ends else {
        let wrong = if ends[0].is_err() { first.trim() } else { last.trim() };
        let why = if wrong == text {
            format!("`{text}` is not an address range")
        } else {
            format!("`{wrong}` in the range `{text}` is not an IP address")
        };
        return refuse(Rule::InvalidRange, value, why, &help(range_meant(text)), findings);
    };
    Range::new(first, last).or_else(|| {
        let (why, meant) = if first.is_ipv4() == last.is_ipv4() {
            (format!("range `{text}` runs backwards"), Some(format!("{last}-{first}")))
        } else {
            (format!("range `{text}` starts in one address family and ends in the other"), None)
        };
        refuse(Rule::InvalidRange, value, why, &help(meant), findings)
    })
}

/// A prefix or a shortened end (`10.20.0.200-250`) as a range.
fn range_meant(text: &str) -> Option<String> {
    if let Ok(net) = text.parse::<IpNet>() {
        // Up to the one before the last, which is the broadcast address if the network ends there.
        let last = match net.broadcast() {
            IpAddr::V4(last) => IpAddr::V4(Ipv4Addr::from_bits(last.to_bits().saturating_sub(1))),
            last @ IpAddr::V6(_) => last,
        };
        return Some(format!("{}-{last}", net.network()));
    }
    let (first, last) = text.split_once('-')?;
    let first: Ipv4Addr = first.trim().parse().ok()?;
    let last: u8 = last.trim().parse().ok()?;
    let [a, b, c, _] = first.octets();
    Some(format!("{first}-{}", Ipv4Addr::new(a, b, c, last)))
}
