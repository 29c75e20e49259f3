//! Socket addresses as the kernel lays them out in memory, read and written as bytes.
//!
//! `sockaddr_in` (16 bytes), `sockaddr_in6` (28) and `sockaddr_ll` (20): see ip(7), ipv6(7), packet(7).
//! Family, scope and interface index are in host byte order, ports and protocol numbers in network order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Bytes of the longest address handled here: `sockaddr_in6`.
pub(super) const NAME_LEN: usize = 28;

const IN_LEN: u8 = 16;
const IN6_LEN: u8 = 28;
const LL_LEN: u8 = 20;

const AF_INET: u16 = (libc::AF_INET & 0xffff) as u16;
const AF_INET6: u16 = (libc::AF_INET6 & 0xffff) as u16;
const AF_PACKET: u16 = (libc::AF_PACKET & 0xffff) as u16;

/// Room for one kernel socket address, aligned as the kernel's structures are.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Name {
    bytes: [u8; NAME_LEN],
    len: u8,
}

impl Name {
    /// A place without an address.
    pub(super) const EMPTY: Name = Name { bytes: [0; NAME_LEN], len: 0 };

    /// The address of an IP socket. Flow labels are not sent.
    pub(super) fn inet(address: SocketAddr) -> Name {
        let mut name = Name::EMPTY;
        name.bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => {
                name.bytes[..2].copy_from_slice(&AF_INET.to_ne_bytes());
                name.bytes[4..8].copy_from_slice(&v4.ip().octets());
                name.len = IN_LEN;
            }
            SocketAddr::V6(v6) => {
                name.bytes[..2].copy_from_slice(&AF_INET6.to_ne_bytes());
                name.bytes[8..24].copy_from_slice(&v6.ip().octets());
                name.bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                name.len = IN6_LEN;
            }
        }
        name
    }

    /// The link-layer address of a frame to be sent: EtherType, interface and hardware address.
    pub(super) fn link(ethertype: u16, interface: u32, mac: [u8; 6]) -> Name {
        let mut name = Name::EMPTY;
        name.bytes[..2].copy_from_slice(&AF_PACKET.to_ne_bytes());
        name.bytes[2..4].copy_from_slice(&ethertype.to_be_bytes());
        name.bytes[4..8].copy_from_slice(&interface.to_ne_bytes());
        name.bytes[11] = 6;
        name.bytes[12..18].copy_from_slice(&mac);
        name.len = LL_LEN;
        name
    }

    /// Bytes in use.
    pub(super) fn len(&self) -> u8 {
        self.len
    }

    /// Where the kernel reads or writes the address; [`NAME_LEN`] bytes are there.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr()
    }

    /// Decodes an address which the kernel wrote, `len` bytes long. `None` for another family or a
    /// length that does not fit it.
    pub(super) fn decode(&self, len: usize) -> Option<SocketAddr> {
        let b = &self.bytes;
        let port = u16::from_be_bytes([b[2], b[3]]);
        match u16::from_ne_bytes([b[0], b[1]]) {
            AF_INET if len >= usize::from(IN_LEN) => {
                let ip = Ipv4Addr::new(b[4], b[5], b[6], b[7]);
                Some(SocketAddr::V4(SocketAddrV4::new(ip, port)))
            }
            AF_INET6 if len >= usize::from(IN6_LEN) => {
                let octets: [u8; 16] = b[8..24].try_into().ok()?;
                let scope = u32::from_ne_bytes([b[24], b[25], b[26], b[27]]);
                Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope)))
            }
            _ => None,
        }
    }
}

/// Returns whether `ip` is meaningful only together with an interface (RFC 4007).
pub(super) fn needs_interface(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_the_kernels_layout() {
        for text in ["127.0.0.1:53", "255.255.255.255:68", "[2001:db8::1]:547", "[fe80::1%7]:546"] {
            let address: SocketAddr = text.parse().unwrap();
            let name = Name::inet(address);
            assert_eq!(name.decode(usize::from(name.len())), Some(address), "{text}");
        }
    }

    #[test]
    fn the_layout_is_that_of_libc() {
        assert_eq!(size_of::<libc::sockaddr_in>(), usize::from(IN_LEN));
        assert_eq!(size_of::<libc::sockaddr_in6>(), usize::from(IN6_LEN));
        assert_eq!(size_of::<libc::sockaddr_ll>(), usize::from(LL_LEN));
        assert_eq!(std::mem::offset_of!(libc::sockaddr_in6, sin6_addr), 8);
        assert_eq!(std::mem::offset_of!(libc::sockaddr_in6, sin6_scope_id), 24);
        assert_eq!(std::mem::offset_of!(libc::sockaddr_ll, sll_ifindex), 4);
        assert_eq!(std::mem::offset_of!(libc::sockaddr_ll, sll_halen), 11);
        assert_eq!(std::mem::offset_of!(libc::sockaddr_ll, sll_addr), 12);
    }

    #[test]
    fn an_address_cut_short_or_of_another_family_is_none() {
        let name = Name::inet("[::1]:53".parse().unwrap());
        assert_eq!(name.decode(27), None);
        assert_eq!(Name::link(0x0800, 1, [2; 6]).decode(20), None);
        assert_eq!(Name::EMPTY.decode(28), None);
    }
}
