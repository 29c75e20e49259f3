//! Addresses in names: `4.3.2.1.in-addr.arpa` (RFC 1035, section 3.5) and 32 nibbles below
//! `ip6.arpa` (RFC 3596, section 2.5).
//!
//! A name with fewer labels stands for all addresses below it. So whether it is an empty
//! non-terminal is a question for a sorted set of addresses: nothing has to be kept for it, however
//! sparse the addresses.

#![deny(clippy::indexing_slicing)]

use inventory_core::model::Reverse;
use inventory_core::name::Name;

use super::labels;

/// The addresses whose reverse names are one name or lie below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// From the first to the last of IPv4.
    V4(u32, u32),
    /// From the first to the last of IPv6.
    V6(u128, u128),
}

impl Block {
    /// The address, if it is one of IPv4 and no more.
    #[inline]
    pub(crate) fn single_v4(self) -> Option<u32> {
        match self {
            Block::V4(first, last) if first == last => Some(first),
            Block::V4(..) | Block::V6(..) => None,
        }
    }
}

const V4_TREE: &[u8] = b"\x07in-addr\x04arpa\0";
const V6_TREE: &[u8] = b"\x03ip6\x04arpa\0";
/// Where both lie.
pub(crate) const ARPA: &[u8] = b"\x04arpa\0";

/// What the names in a zone map, if its apex is a block's name.
pub(crate) fn family(apex: &Name) -> Option<Reverse> {
    let family = [(V4_TREE, Reverse::V4), (V6_TREE, Reverse::V6)]
        .into_iter()
        .find(|(tree, _)| apex.as_wire().ends_with(tree))
        .map(|(_, family)| family)?;
    block(apex.as_wire(), family).map(|_| family)
}

/// The addresses that `name` stands for: a name in lower-case wire form, known to lie below the tree
/// of `family`. `None` if its labels are not numbers as they are written there.
#[inline]
pub(crate) fn block(name: &[u8], family: Reverse) -> Option<Block> {
    match family {
        Reverse::V4 => v4_block(name.strip_suffix(V4_TREE)?),
        Reverse::V6 => v6_block(name.strip_suffix(V6_TREE)?),
    }
}

/// The addresses that `name` stands for, in whatever tree it lies.
pub(crate) fn block_of_any(name: &[u8]) -> Option<Block> {
    block(name, Reverse::V4).or_else(|| block(name, Reverse::V6))
}

/// Whether both reverse trees lie below `apex`: the root, or `arpa`.
pub(crate) fn is_above(apex: &Name) -> bool {
    apex.is_root() || apex.as_wire() == ARPA
}

#[inline]
fn v6_block(labels: &[u8]) -> Option<Block> {
    let (words, rest) = labels.as_chunks::<8>();
    let (pairs, odd) = rest.as_chunks::<2>();
    let count = words.len() * 4 + pairs.len();
    if !odd.is_empty() || count > 32 {
        return None;
    }
    let mut value: u128 = 0;
    for [length, digit] in pairs.iter().rev() {
        value = value << 4 | u128::from(four_nibbles([*length, *digit, 1, b'0', 1, b'0', 1, b'0'])?);
    }
    for word in words.iter().rev() {
        value = value << 16 | u128::from(four_nibbles(*word)?);
    }
    let free = 4 * (32 - u32::try_from(count).ok()?);
    let below = 1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let first = value.checked_shl(free).unwrap_or(0);
    Some(Block::V6(first, first | below))
}

/// The number that four labels of one hexadecimal digit say, the first of them last. All at once: a name has 32,
/// and reading them one by one is what makes addresses of IPv6 dear.
#[inline]
fn four_nibbles(labels: [u8; 8]) -> Option<u64> {
    const LOW: u64 = 0x0001_0001_0001_0001;
    let word = u64::from_le_bytes(labels);
    let (lengths, digits) = (word & (0xff * LOW), word >> 8 & (0xff * LOW));
    // Letters have bit 6, and `a` has the low half of `1`.
    let nibbles = (digits & (0x0f * LOW)) + 9 * (digits >> 6 & LOW);
    let letters = (nibbles + 6 * LOW) >> 4 & LOW;
    let written = nibbles + 0x30 * LOW + 0x27 * letters;
    let right = lengths == LOW && written == digits && nibbles & (0x10 * LOW) == 0;
    right.then_some((nibbles | nibbles >> 12 | nibbles >> 24 | nibbles >> 36) & 0xffff)
}

fn v4_block(relative: &[u8]) -> Option<Block> {
    let mut value: u32 = 0;
    let mut count: u32 = 0;
    for label in labels::iter(relative) {
        let octet = decimal(label)?;
        value = value >> 8 | u32::from(octet) << 24;
        count += 1;
    }
    // The last label read is the first octet; fewer than four leave the low octets free.
    let below = u32::MAX.checked_shr(8 * count).unwrap_or(0);
    (count <= 4).then_some(Block::V4(value, value | below))
}

/// The octet that `digits` say, as it is always written: no zero in front.
pub(crate) fn decimal(digits: &[u8]) -> Option<u8> {
    match digits {
        [b'0', _, ..] | [] => None,
        digits if digits.len() > 3 => None,
        digits => digits.iter().try_fold(0_u8, |value, digit| {
            let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
            value.checked_mul(10)?.checked_add(digit)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn block_of(text: &str) -> Option<Block> {
        let name = Name::parse(text, None).unwrap();
        block(name.as_wire(), if text.ends_with("ip6.arpa") { Reverse::V6 } else { Reverse::V4 })
    }

    #[test]
    fn whole_names_are_one_address() {
        for text in ["10.20.0.11", "0.0.0.0", "255.255.255.255"] {
            let address: Ipv4Addr = text.parse().unwrap();
            let name = Name::reverse(address.into());
            let bits = address.to_bits();
            assert_eq!(block(name.as_wire(), Reverse::V4), Some(Block::V4(bits, bits)));
        }
        for text in ["2001:db8:20::1f", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            let address: Ipv6Addr = text.parse().unwrap();
            let name = Name::reverse(address.into());
            let bits = address.to_bits();
            assert_eq!(block(name.as_wire(), Reverse::V6), Some(Block::V6(bits, bits)));
        }
    }

    #[test]
    fn labels_of_ip6_are_one_lower_case_hexadecimal_digit_and_nothing_else() {
        for place in 0..4 {
            for octet in 0..=u8::MAX {
                let mut labels = *b"\x010\x010\x010\x010";
                labels[place * 2 + 1] = octet;
                let digit = char::from(octet).to_digit(16).filter(|_| !octet.is_ascii_uppercase());
                let value = digit.map(|digit| u64::from(digit) << (4 * place));
                assert_eq!(four_nibbles(labels), value, "octet {octet} at {place}");
                labels = *b"\x01f\x01f\x01f\x01f";
                labels[place * 2] = octet;
                assert_eq!(four_nibbles(labels).is_some(), octet == 1, "length {octet} at {place}");
            }
        }
    }

    #[test]
    fn shorter_names_are_blocks() {
        assert_eq!(block_of("20.10.in-addr.arpa"), Some(Block::V4(0x0a14_0000, 0x0a14_ffff)));
        assert_eq!(block_of("in-addr.arpa"), Some(Block::V4(0, u32::MAX)));
        assert_eq!(block_of("ip6.arpa"), Some(Block::V6(0, u128::MAX)));
        let first = 0x2001_0db8_u128 << 96;
        assert_eq!(block_of("8.b.d.0.1.0.0.2.ip6.arpa"), Some(Block::V6(first, first | ((1 << 96) - 1))));
    }

    #[test]
    fn numbers_written_otherwise_are_none() {
        for text in [
            "010.in-addr.arpa",
            "256.in-addr.arpa",
            "1.2.3.4.5.in-addr.arpa",
            "x.10.in-addr.arpa",
            "0/25.2.0.192.in-addr.arpa",
            "g.ip6.arpa",
            "10.ip6.arpa",
            "1.10.ip6.arpa",
        ] {
            assert_eq!(block_of(text), None, "{text}");
        }
        assert_eq!(block_of(&format!("{}ip6.arpa", "0.".repeat(33))), None);
        assert_eq!(family(&Name::parse("0/25.2.0.192.in-addr.arpa", None).unwrap()), None);
        assert_eq!(family(&Name::parse("2.0.192.in-addr.arpa", None).unwrap()), Some(Reverse::V4));
        assert_eq!(family(&Name::parse("example", None).unwrap()), None);
    }
}
