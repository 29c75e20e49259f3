//! The label of a pool address: `dhcp-10-20-0-200` or `dhcp-2001-db8-20--1000`.
//!
//! The address as it is written (RFC 5952), with hyphens for dots and colons. An address that ends in `::` has
//! a zero after it: a label of a host ends in no hyphen (RFC 1123, section 2.1). IPv4-mapped addresses (RFC 4291,
//! section 2.5.5.2) are written with dots, so their labels are not read back; no network holds any.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Range;

/// What such labels begin with.
const PREFIX: &[u8] = b"dhcp-";
/// `dhcp-`, eight groups of four digits with hyphens between, and the length octet.
const OCTETS_MAX: usize = 1 + 5 + 39;

/// The label of a pool address. Lives on the stack.
#[derive(Clone, Copy, Debug)]
pub struct PoolLabel {
    octets: [u8; OCTETS_MAX],
    length: u8,
}

impl PoolLabel {
    /// That of `address`.
    pub fn new(address: IpAddr) -> PoolLabel {
        let mut label = PoolLabel { octets: [0; OCTETS_MAX], length: 1 };
        PREFIX.iter().for_each(|octet| label.push(*octet));
        // Writing never fails: what is too long does not exist.
        let _ = write!(label, "{address}");
        if label.as_wire().ends_with(b"--") {
            label.push(b'0');
        }
        let length = label.length - 1;
        if let Some(first) = label.octets.first_mut() {
            *first = length;
        }
        label
    }

    /// The longest label of the addresses of `range`, or one that is as long.
    pub fn longest(range: Range) -> PoolLabel {
        let (first, last) = (to_bits(range.first()), to_bits(range.last()));
        let is_v4 = range.first().is_ipv4();
        let (group_bits, groups) = if is_v4 { (8, 4) } else { (16, 8) };
        let address = |bits: u128| match is_v4 {
            true => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
            false => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        // Below the group in which an address leaves one of the ends, its groups are longest with all bits set.
        let fullest = (0..groups).flat_map(|free| {
            let free = (1_u128 << (free * group_bits)) - 1;
            [first | free, (last & !free).saturating_sub(1)]
        });
        let within = fullest.chain([last]).map(address).filter(|address| range.contains(*address));
        let labels = within.map(PoolLabel::new).max_by_key(|label| label.length);
        labels.unwrap_or_else(|| PoolLabel::new(range.first()))
    }

    /// The address that this is the label of, without its length octet and in lower case. `None` also for an
    /// address that is written otherwise than here.
    pub fn read(label: &[u8]) -> Option<IpAddr> {
        let address = label.strip_prefix(PREFIX)?;
        let mut text = [0; OCTETS_MAX];
        let text = text.get_mut(..address.len())?;
        text.copy_from_slice(address);
        let is_v4 = address.split(|octet| *octet == b'-').filter(|part| !part.is_empty()).count() == 4
            && !address.windows(2).any(|pair| pair == b"--");
        let dividing = if is_v4 { b'.' } else { b':' };
        text.iter_mut().filter(|octet| **octet == b'-').for_each(|octet| *octet = dividing);
        let address = std::str::from_utf8(text).ok()?.parse().ok()?;
        (PoolLabel::new(address).text() == label).then_some(address)
    }

    /// Its octets without the length: ASCII.
    pub fn text(&self) -> &[u8] {
        self.as_wire().get(1..).unwrap_or(&[])
    }

    /// Wire form: its length, then its text.
    pub fn as_wire(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or(&[])
    }

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(usize::from(self.length)) {
            *place = octet;
            self.length += 1;
        }
    }
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Write for PoolLabel {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let hyphenated = text.bytes().map(|octet| if matches!(octet, b'.' | b':') { b'-' } else { octet });
        hyphenated.for_each(|octet| self.push(octet));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_addresses_with_hyphens_and_fit_host_names() {
        for (address, label) in [
            ("10.20.0.200", "dhcp-10-20-0-200"),
            ("255.255.255.255", "dhcp-255-255-255-255"),
            ("2001:db8:20::1000", "dhcp-2001-db8-20--1000"),
            ("2001:db8::", "dhcp-2001-db8--0"),
            ("2001:1db8:1111:2222:3333:4444:5555:6666", "dhcp-2001-1db8-1111-2222-3333-4444-5555-6666"),
        ] {
            let address = address.parse().unwrap();
            let own = PoolLabel::new(address);
            assert_eq!((own.text(), usize::from(own.as_wire()[0])), (label.as_bytes(), label.len()));
            assert_eq!(PoolLabel::read(label.as_bytes()), Some(address));
        }
    }

    #[test]
    fn addresses_written_otherwise_have_no_labels() {
        for label in [
            "dhcp-2001-db8-0--1",
            "dhcp-2001-db8--01",
            "dhcp-2001-db8--",
            "dhcp-2001-db8--x",
            "dhcp-2001-db8",
            "dhcp-10-20-0-0200",
            "dhcp-10-20-200",
            "dhcp-10-20-0-200-1",
            "dhcp-10-20-0-",
            "dhcp-",
            "dhc",
            "dhcp-1-2-3-4-5-6-7-8-9",
            "dhcp-2001-db8-0-0-0-0-0-1-0000000000000000000000000",
        ] {
            assert_eq!(PoolLabel::read(label.as_bytes()), None, "{label}");
        }
    }

    /// Whether `longest` says of the range what all its addresses say.
    fn is_longest(first: IpAddr, last: IpAddr, all: impl Iterator<Item = IpAddr>) -> bool {
        let longest = all.map(|address| PoolLabel::new(address).text().len()).max();
        Some(PoolLabel::longest(Range::new(first, last).unwrap()).text().len()) == longest
    }

    proptest! {
        #[test]
        fn no_label_of_a_range_is_longer_than_the_longest(
            address: u128, zeros in 0..128_u32, below in 0..1500_u128, count in 0..3000_u128,
        ) {
            let first = (address >> zeros << zeros).saturating_sub(below).min(u128::MAX - count);
            let all = || (first..=first + count).map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
            prop_assert!(is_longest(all().next().unwrap(), all().next_back().unwrap(), all()));
            let first = u32::try_from(first >> 96).unwrap().saturating_sub(4000);
            let all = || (first..=first + 3000).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
            prop_assert!(is_longest(all().next().unwrap(), all().next_back().unwrap(), all()));
        }

        #[test]
        fn the_label_of_any_address_is_read_back(address: u128, zeros in 0..128_u32) {
            for address in [address, address >> zeros << zeros] {
                let address = IpAddr::V6(Ipv6Addr::from_bits(address));
                prop_assert_eq!(PoolLabel::read(PoolLabel::new(address).text()), Some(address));
            }
        }
    }
}
