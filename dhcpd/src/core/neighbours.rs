//! Addresses that machines have made themselves, as neighbour discovery shows them (RFC 4861): to be offered
//! to the operator, and nothing else. No answer follows from them, and nothing is written.
//!
//! Whoever looks for this machine's address says its own and its card's. So what uses this server or is
//! routed by it is seen; nobody is asked.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use inventory_core::mac::MacAddr;

use super::input::Now;
use crate::view::{DhcpView, NetworkView6};

/// Neighbours that are remembered at most.
const MAX: usize = 512;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Options that say a hardware address: the sender's in a solicitation, the target's in an advertisement.
const SOURCE: u8 = 1;
const TARGET: u8 = 2;
/// Octets before the options: type, code, checksum, flags, target.
const HEAD: usize = 24;

/// A packet of neighbour discovery.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Its octets, from the type on.
    pub octets: &'a [u8],
    /// Its hop limit: 255 if it was not forwarded.
    pub hop_limit: u8,
    /// Who sent it.
    pub from: Ipv6Addr,
}

/// A machine that uses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its hardware address.
    pub mac: MacAddr,
    /// When it was heard first, in milliseconds since 1970.
    pub first: i64,
    /// When it was heard last.
    pub last: i64,
    /// How often it was heard.
    pub count: u64,
}

/// Those that were heard.
#[derive(Debug, Default)]
pub struct Neighbours(BTreeMap<Ipv6Addr, Neighbour>);

impl Neighbours {
    /// Hears a packet; false if it shows nothing.
    pub fn hear(&mut self, heard: Heard<'_>, now: Now) -> bool {
        let Some((address, mac)) = shown(heard) else { return false };
        if self.0.len() >= MAX && !self.0.contains_key(&address) {
            let oldest = self.0.iter().min_by_key(|(_, neighbour)| neighbour.last).map(|(at, _)| *at);
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let fresh = Neighbour { mac, first: now.unix_ms, last: now.unix_ms, count: 0 };
        let neighbour = self.0.entry(address).or_insert(fresh);
        if neighbour.mac != mac {
            *neighbour = fresh;
        }
        (neighbour.last, neighbour.count) = (now.unix_ms, neighbour.count + 1);
        true
    }

    /// Those whose addresses `view` neither reserves for their machine nor gives from a pool, each with its
    /// network.
    pub fn unwritten<'s, 'v>(
        &'s self,
        view: &'v DhcpView,
    ) -> impl Iterator<Item = (Ipv6Addr, &'s Neighbour, &'v NetworkView6)> + use<'s, 'v> {
        self.0.iter().filter_map(move |(address, neighbour)| {
            let network = view.network6_of(*address)?;
            let host = view.by_mac(network.id, neighbour.mac);
            let written = host.is_some_and(|nic| nic.has_address6(*address));
            (!written && !network.pool.contains(*address)).then_some((*address, neighbour, network))
        })
    }
}

/// The global address that a packet shows, with its machine's card.
fn shown(heard: Heard<'_>) -> Option<(Ipv6Addr, MacAddr)> {
    let wanted = match *heard.octets.first()? {
        SOLICITATION => SOURCE,
        ADVERTISEMENT => TARGET,
        _ => return None,
    };
    let special = heard.from.is_unspecified() || heard.from.is_multicast() || heard.from.is_loopback();
    if heard.hop_limit != 255 || special || heard.from.is_unicast_link_local() {
        return None;
    }
    let mut rest = heard.octets.get(HEAD..)?;
    while let [kind, units, ..] = rest {
        let (option, after) = rest.split_at_checked(usize::from(*units) * 8).filter(|_| *units > 0)?;
        if *kind == wanted {
            let mac = MacAddr(option.get(2..8)?.try_into().ok()?);
            return mac.reject().is_none().then_some((heard.from, mac));
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    fn solicitation() -> Vec<u8> {
        [
            &[SOLICITATION, 0, 0, 0, 0, 0, 0, 0][..],
            &[0xfe; 16],
            &[14, 1, 0, 0, 0, 0, 0, 0],
            &[SOURCE, 1],
            &MAC,
        ]
        .concat()
    }

    fn hears(octets: &[u8], hop_limit: u8, from: &str) -> bool {
        let from = from.parse().unwrap();
        Neighbours::default().hear(Heard { octets, hop_limit, from }, Now::default())
    }

    #[test]
    fn who_looks_for_a_neighbour_shows_its_address_and_card() {
        let octets = solicitation();
        let heard = Heard { octets: &octets, hop_limit: 255, from: "2001:db8::5".parse().unwrap() };
        assert_eq!(shown(heard), Some(("2001:db8::5".parse().unwrap(), MacAddr(MAC))));
        assert!(!hears(&octets, 64, "2001:db8::5"), "it came through a router");
        assert!(!hears(&octets, 255, "fe80::5") && !hears(&octets, 255, "::"), "no global address");
        for len in 0..octets.len() {
            assert!(!hears(&octets[..len], 255, "2001:db8::5"), "{len}");
        }
        let endless = [&octets[..HEAD], &[9, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert!(!hears(&endless, 255, "2001:db8::5"));
    }

    #[test]
    fn the_one_that_was_heard_longest_ago_is_forgotten_first() {
        let mut neighbours = Neighbours::default();
        let octets = solicitation();
        for number in 0..=MAX {
            let from = Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::try_from(number).unwrap());
            let now = Now { unix_ms: i64::try_from(number).unwrap(), ..Now::default() };
            assert!(neighbours.hear(Heard { octets: &octets, hop_limit: 255, from }, now));
        }
        assert_eq!(neighbours.0.len(), MAX);
        assert!(!neighbours.0.contains_key(&Ipv6Addr::from_bits(0x2001_0db8_u128 << 96)));
    }
}
