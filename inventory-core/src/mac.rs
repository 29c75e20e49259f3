//! Ethernet hardware addresses (EUI-48).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// An Ethernet hardware address. Any value; [`MacAddr::reject`] says whether a host may have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The address below `prefix`, of which 64 bits count, that is made of it (RFC 4291, appendix A).
    pub fn eui64(self, prefix: Ipv6Addr) -> Ipv6Addr {
        let MacAddr([a, b, c, d, e, f]) = self;
        let interface = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        Ipv6Addr::from_bits(prefix.to_bits() >> 64 << 64 | u128::from(interface))
    }

    /// Why no interface can have this address: all zero, or a group address. `None` if it may.
    pub fn reject(self) -> Option<&'static str> {
        if self.0 == [0; 6] {
            Some("is all zeros, which is no interface's address")
        } else if self.0[0] & 1 == 1 {
            Some("is a multicast address, which no interface has as its own")
        } else {
            None
        }
    }
}

/// The text is not six hexadecimal octets with `:` or `-` between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMac;

impl FromStr for MacAddr {
    type Err = InvalidMac;

    /// Reads `52:54:00:aa:00:11` or `52-54-00-AA-00-11`; one kind of separator throughout.
    fn from_str(text: &str) -> Result<MacAddr, InvalidMac> {
        let bytes: &[u8; 17] = text.as_bytes().try_into().map_err(|_| InvalidMac)?;
        let separator = bytes[2];
        if separator != b':' && separator != b'-' {
            return Err(InvalidMac);
        }
        let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(InvalidMac);
        let mut octets = [0; 6];
        for (octet, group) in octets.iter_mut().zip(bytes.chunks(3)) {
            if group.get(2).is_some_and(|&b| b != separator) {
                return Err(InvalidMac);
            }
            *octet = hex(group[0])? << 4 | hex(group[1])?;
        }
        Ok(MacAddr(octets))
    }
}

impl fmt::Display for MacAddr {
    /// Lower case, with colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_and_any_case_are_read() {
        let mac = MacAddr([0x52, 0x54, 0, 0xaa, 0, 0x11]);
        assert_eq!("52:54:00:aa:00:11".parse(), Ok(mac));
        assert_eq!("52-54-00-AA-00-11".parse(), Ok(mac));
        assert_eq!(mac.to_string(), "52:54:00:aa:00:11");
    }

    #[test]
    fn mixed_separators_short_and_non_hex_texts_are_refused() {
        for text in
            ["52:54-00:aa:00:11", "52:54:00:aa:00", "52:54:00:aa:00:1g", "525400aa0011", "é2:54:00:aa:00:11"]
        {
            assert_eq!(text.parse::<MacAddr>(), Err(InvalidMac), "{text}");
        }
    }
}
