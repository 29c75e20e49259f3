//! A packet socket for ARP (RFC 826): asking whether anybody has an IPv4 address (RFC 5227).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::sys::socket::{LinkAddr, recvfrom};

use super::sockaddr::Name;

const ETHERTYPE_ARP: u16 = 0x0806;
/// Ethernet and IPv4, addresses of 6 and 4 octets.
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const OCTETS: usize = 28;
const REQUEST: u8 = 1;

/// Hears and sends ARP on all interfaces of the network namespace it was made in. Never waits.
#[derive(Debug)]
pub struct ArpSocket {
    socket: OwnedFd,
}

/// Somebody says that an address is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpClaim {
    /// The address.
    pub address: Ipv4Addr,
    /// Hardware address of who says so.
    pub mac: [u8; 6],
    /// Index of the interface that it was heard on.
    pub interface: u32,
}

impl ArpSocket {
    /// Opens the socket. Needs `CAP_NET_RAW` here and not later: open it before privileges are dropped.
    ///
    /// # Errors
    /// The capability is missing, or there are too many files.
    pub fn open() -> io::Result<ArpSocket> {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, i32::from(ETHERTYPE_ARP.to_be())) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(ArpSocket { socket: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Asks on the interface with this index and hardware address who has `address`, as one that has no
    /// address itself (a probe, RFC 5227, section 2.1.1): nobody's table changes by it.
    ///
    /// # Errors
    /// The kernel does not take it, such as when the interface is down.
    pub fn probe(&self, interface: u32, mac: [u8; 6], address: Ipv4Addr) -> io::Result<()> {
        let packet = request(mac, address);
        let mut to = Name::link(ETHERTYPE_ARP, interface, [0xff; 6]);
        // SAFETY: both pointers are valid for the lengths that stand beside them, and only read.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                packet.as_ptr().cast(),
                packet.len(),
                0,
                to.as_mut_ptr().cast(),
                to.len().into(),
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// What the next packet claims, if anything; `None` when none waits.
    pub fn hear(&self) -> Option<Option<ArpClaim>> {
        let mut packet = [0; 64];
        let (len, from) = loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut packet) {
                Ok(received) => break received,
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return None,
            }
        };
        let interface = from.and_then(|from| u32::try_from(from.ifindex()).ok()).unwrap_or(0);
        let claim = packet.get(..len).and_then(claim);
        Some(claim.map(|(address, mac)| ArpClaim { address, mac, interface }))
    }
}

impl AsFd for ArpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn request(mac: [u8; 6], address: Ipv4Addr) -> [u8; OCTETS] {
    let mut packet = [0; OCTETS];
    packet[..6].copy_from_slice(&HEAD);
    packet[7] = REQUEST;
    packet[8..14].copy_from_slice(&mac);
    packet[24..28].copy_from_slice(&address.octets());
    packet
}

/// What an ARP packet claims, be it a request or a reply; a probe claims nothing.
fn claim(packet: &[u8]) -> Option<(Ipv4Addr, [u8; 6])> {
    let (head, rest) = packet.split_first_chunk::<6>()?;
    let (_operation, rest) = rest.split_first_chunk::<2>()?;
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    let address = Ipv4Addr::from(*rest.first_chunk::<4>()?);
    (*head == HEAD && !address.is_unspecified()).then_some((address, *mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_claims_nothing_and_an_answer_does() {
        let mut packet = request([2, 0, 0, 0, 0, 1], [10, 0, 0, 5].into());
        assert_eq!(claim(&packet), None);
        packet[7] = 2;
        packet[8..14].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        packet[14..18].copy_from_slice(&[10, 0, 0, 5]);
        assert_eq!(claim(&packet), Some(([10, 0, 0, 5].into(), [2, 0, 0, 0, 0, 9])));
        for len in 0..18 {
            assert_eq!(claim(&packet[..len]), None);
        }
        packet[1] = 6;
        assert_eq!(claim(&packet), None, "no Ethernet");
    }
}
