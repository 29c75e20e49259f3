//! Whether anybody uses an address, asked as anybody may ask it: by a datagram to a port where nobody listens.
//!
//! A machine that is there refuses it (ICMP), whatever router is between. On the own link it is enough that
//! the kernel learns its hardware address on the way. A refusal by anybody else, as of a firewall on the way,
//! means nothing, and silence means little: a firewall may be silent, too; so dhcpd probes what it offers by
//! itself.

use std::io::{ErrorKind, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};

/// Discard (RFC 863).
const PORT: u16 = 9;
/// How long an answer is waited for: ARP and ICMP on a LAN take milliseconds.
const PATIENCE: Duration = Duration::from_millis(400);
const POLL: Duration = Duration::from_millis(50);

/// Whether a machine answers at `address`. Takes up to 0.4 s; false where nothing can be sent.
pub(crate) fn is_in_use(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
    let open = || -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind((any, 0))?;
        if address.is_ipv4() {
            setsockopt(&socket, Ipv4RecvErr, &true)?;
        } else {
            setsockopt(&socket, Ipv6RecvErr, &true)?;
        }
        socket.connect((address, PORT))?;
        socket.set_read_timeout(Some(POLL))?;
        socket.send(&[])?;
        Ok(socket)
    };
    let Ok(socket) = open() else { return false };
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match socket.recv(&mut [0; 16]) {
            Ok(_) => return true,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                return refuser(&socket) == Some(address);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return false,
        }
        if is_neighbour(address) {
            return true;
        }
    }
    false
}

/// Who sent the ICMP message that refuses what was sent by `socket` (ip(7): `IP_RECVERR`).
fn refuser(socket: &UdpSocket) -> Option<IpAddr> {
    let (mut octets, mut control) = ([0; 64], nix::cmsg_space!([u8; 128]));
    let mut parts = [IoSliceMut::new(&mut octets)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).ok()?;
    message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::Ipv4RecvErr(_, from) => {
            from.map(|from| Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)).into())
        }
        ControlMessageOwned::Ipv6RecvErr(_, from) => from.map(|from| IpAddr::from(from.sin6_addr.s6_addr)),
        _ => None,
    })
}

/// Whether the kernel knows a hardware address for it.
fn is_neighbour(address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let table = std::fs::read_to_string("/proc/net/arp").unwrap_or_default();
    table.lines().any(|line| complete(line) == Some(address))
}

/// The address of a line of the ARP table whose hardware address is known (arp(7): the flag `ATF_COM`).
fn complete(line: &str) -> Option<Ipv4Addr> {
    let mut words = line.split_whitespace();
    let (address, flags) = (words.next()?.parse().ok()?, words.nth(1)?.strip_prefix("0x")?);
    (u32::from_str_radix(flags, 16).ok()? & 2 != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_uses_its_own_addresses() {
        assert!(is_in_use([127, 0, 0, 1].into()));
        assert!(is_in_use([0, 0, 0, 0, 0, 0, 0, 1].into()));
    }

    #[test]
    fn a_neighbour_is_known_once_its_hardware_address_is() {
        let known = "10.20.0.7        0x1         0x2         52:54:00:aa:00:11     *        eth0";
        let asked = "10.20.0.8        0x1         0x0         00:00:00:00:00:00     *        eth0";
        assert_eq!((complete(known), complete(asked)), (Some([10, 20, 0, 7].into()), None));
        assert_eq!(complete("IP address       HW type     Flags       HW address"), None);
    }
}
