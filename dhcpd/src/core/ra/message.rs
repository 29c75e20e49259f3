//! The octets of router advertisements and solicitations (RFC 4861, sections 4.1 and 4.2).
//!
//! What is announced follows from the network: see `docs/reference/inventory.md`.

use std::net::Ipv6Addr;

use inventory_core::model::RouterAdvertisement;
use ipnet::Ipv6Net;

use super::Link;
use crate::code6;
use crate::view::NetworkView6;

const SOLICITATION: u8 = 133;
const ADVERTISEMENT: u8 = 134;
/// Hops of every packet of neighbour discovery: one that comes from elsewhere has fewer.
pub(super) const HOP_LIMIT: u8 = 255;
/// Hops that machines put into their own packets.
const CURRENT_HOPS: u8 = 64;
const MANAGED: u8 = 0x80;
const OTHER: u8 = 0x40;
const ON_LINK: u8 = 0x80;
const AUTONOMOUS: u8 = 0x40;
/// Seconds for which this machine is a default router where it forwards.
const ROUTER_SECONDS: u16 = 1800;
/// Lifetimes of prefixes: that of addresses that machines make, and until when those are preferred.
const VALID_SECONDS: u32 = 86_400;
const PREFERRED_SECONDS: u32 = 14_400;
/// Lifetime of resolvers, search domains and NAT64 prefixes: three intervals (RFC 8106, section 5.1).
const OTHER_SECONDS: u32 = 1800;

/// Whether the octets are a solicitation that is to be heard (RFC 4861, section 6.1.1).
pub(super) fn is_solicitation(octets: &[u8], hop_limit: u8, from: Ipv6Addr) -> bool {
    let [SOLICITATION, 0, _, _, _, _, _, _, options @ ..] = octets else { return false };
    let mut rest = options;
    while let [kind, length, ..] = *rest {
        // From a machine without an address there can be no hardware address to answer to.
        let odd = length == 0 || kind == SOURCE_LINK_LAYER && from.is_unspecified();
        match rest.get(usize::from(length) * 8..) {
            Some(after) if !odd => rest = after,
            _ => return false,
        }
    }
    hop_limit == HOP_LIMIT && rest.is_empty()
}

const SOURCE_LINK_LAYER: u8 = 1;
const PREFIX: u8 = 3;
const MTU: u8 = 5;
const RESOLVERS: u8 = 25;
const SEARCH_DOMAINS: u8 = 31;
const CAPTIVE_PORTAL: u8 = 37;
const PREF64: u8 = 38;

/// The advertisement of `networks` on `link`; `None`: nothing is announced there. The first network that
/// says it decides about what there can be only one of.
pub(super) fn advertisement<'v>(
    link: &Link,
    networks: impl Iterator<Item = &'v NetworkView6> + Clone,
) -> Option<Vec<u8>> {
    let announced = networks.filter_map(|network| Some((network, network.ra.as_deref()?)));
    let (first, ra) = announced.clone().next()?;
    let lifetime = ra.lifetime.unwrap_or(if link.forwards { ROUTER_SECONDS } else { 0 });
    let flags = if first.dhcp { MANAGED | OTHER } else { 0 };
    let [high, low] = lifetime.to_be_bytes();
    let mut out = vec![ADVERTISEMENT, 0, 0, 0, CURRENT_HOPS, flags, high, low];
    // Reachable and retransmission times: machines know better.
    out.extend_from_slice(&[0; 8]);
    if let Some(mac) = link.mac {
        option(&mut out, SOURCE_LINK_LAYER, &mac);
    }
    if let Some(mtu) = announced.clone().find_map(|(_, ra)| ra.mtu) {
        option(&mut out, MTU, &[&[0, 0][..], &mtu.to_be_bytes()].concat());
    }
    for (network, ra) in announced.clone() {
        prefix(&mut out, network, ra);
    }
    let written = |code| announced.clone().find_map(|(network, _)| data(network, code));
    let seconds = OTHER_SECONDS.to_be_bytes();
    if let Some(resolvers) = written(code6::DNS_SERVERS) {
        option(&mut out, RESOLVERS, &[&[0, 0][..], &seconds, resolvers].concat());
    }
    if let Some(domains) = written(code6::DOMAIN_SEARCH) {
        option(&mut out, SEARCH_DOMAINS, &[&[0, 0][..], &seconds, domains].concat());
    }
    if let Some(portal) = written(code6::CAPTIVE_PORTAL) {
        option(&mut out, CAPTIVE_PORTAL, portal);
    }
    if let Some(prefix) = announced.clone().find_map(|(_, ra)| ra.pref64) {
        pref64(&mut out, prefix);
    }
    Some(out)
}

/// The advertisement that says that there is none any more (RFC 4861, section 6.2.5).
pub(super) fn farewell(link: &Link) -> Vec<u8> {
    let mut out = vec![ADVERTISEMENT, 0, 0, 0, CURRENT_HOPS, 0, 0, 0];
    out.extend_from_slice(&[0; 8]);
    if let Some(mac) = link.mac {
        option(&mut out, SOURCE_LINK_LAYER, &mac);
    }
    out
}

fn prefix(out: &mut Vec<u8>, network: &NetworkView6, ra: &RouterAdvertisement) {
    let bits = network.prefix.prefix_len();
    let autonomous = ra.slaac.unwrap_or(bits == 64);
    let flags = ON_LINK | if autonomous { AUTONOMOUS } else { 0 };
    let mut data = vec![bits, flags];
    data.extend_from_slice(&VALID_SECONDS.to_be_bytes());
    data.extend_from_slice(&PREFERRED_SECONDS.to_be_bytes());
    data.extend_from_slice(&[0; 4]);
    data.extend_from_slice(&network.prefix.network().octets());
    option(out, PREFIX, &data);
}

/// RFC 8781, section 4: a lifetime in units of 8 seconds, and the length by its number.
fn pref64(out: &mut Vec<u8>, prefix: Ipv6Net) {
    let length = match prefix.prefix_len() {
        96 => 0,
        64 => 1,
        56 => 2,
        48 => 3,
        40 => 4,
        32 => 5,
        _ => return,
    };
    let scaled = u16::try_from(OTHER_SECONDS / 8).unwrap_or(0) << 3 | length;
    let mut data = scaled.to_be_bytes().to_vec();
    data.extend(prefix.network().octets().into_iter().take(12));
    option(out, PREF64, &data);
}

/// Appends an option, filled up with zeros to a multiple of eight octets. One that is too long is left
/// out: its length has one octet.
fn option(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let len = (data.len() + 2).next_multiple_of(8);
    let Ok(eights) = u8::try_from(len / 8) else { return };
    out.push(kind);
    out.push(eights);
    out.extend_from_slice(data);
    out.resize(out.len() + len - 2 - data.len(), 0);
}

/// Data of the network's option with this code.
fn data(network: &NetworkView6, code: u16) -> Option<&[u8]> {
    let (header, rest) = network.options.get(code)?.split_first_chunk::<4>()?;
    let [_, _, high, low] = *header;
    rest.get(..usize::from(u16::from_be_bytes([high, low])))
}
