//! The network interfaces of this machine (of the network namespace that asks), as they are now.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use crate::sys::ioctl;

/// One interface with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Name, such as `eth0`.
    pub name: String,
    /// The kernel's index: never 0, and another one after the interface was removed and made again.
    pub index: u32,
    /// Hardware address; `None` on links without a six-byte one (loopback has zeros, which count as none).
    pub mac: Option<[u8; 6]>,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// IPv4 addresses with the length of their prefix (0 to 32), in the kernel's order: primary first.
    pub ipv4: Vec<(Ipv4Addr, u8)>,
    /// IPv6 addresses with the length of their prefix (0 to 128), in the kernel's order.
    pub ipv6: Vec<(Ipv6Addr, u8)>,
    /// An administrator switched it on.
    pub up: bool,
    /// It has a link, too.
    pub running: bool,
    /// Frames can be broadcast: what DHCPv4 needs.
    pub broadcast: bool,
    /// It is the loopback interface.
    pub loopback: bool,
}

/// Lists the interfaces, sorted by index.
///
/// An interface that goes away meanwhile is left out.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    // Any socket of this network namespace will do for the ioctl.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut by_name = BTreeMap::new();
    for entry in getifaddrs()? {
        // An address with a label (`eth0:1`, of old ifconfig) comes under the label's name.
        let name = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
        by_name.entry(name).or_insert_with(Vec::new).push(entry);
    }
    let mut all: Vec<Interface> = by_name
        .into_iter()
        .filter_map(|(name, entries)| {
            let index = if_nametoindex(name.as_str()).ok()?;
            let mtu = ioctl::mtu(socket.as_fd(), &name).ok()?;
            Some(assemble(name, index, mtu, &entries))
        })
        .collect();
    all.sort_by_key(|interface| interface.index);
    Ok(all)
}

/// Tells that something about interfaces or addresses has changed (rtnetlink(7)).
///
/// A hint and no more: what changed is not read, since messages may be lost. List them again.
#[derive(Debug)]
pub struct Changes {
    socket: OwnedFd,
}

impl Changes {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses it, as some sandboxes do: then list the interfaces every few seconds.
    pub fn listen() -> io::Result<Changes> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let protocol = SockProtocol::NetlinkRoute;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        let groups = [libc::RTMGRP_LINK, libc::RTMGRP_IPV4_IFADDR, libc::RTMGRP_IPV6_IFADDR];
        let groups = groups.into_iter().fold(0, |all, group| all | group.cast_unsigned());
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(Changes { socket })
    }

    /// Forgets what was heard, so that the socket is readable at the next change.
    pub fn clear(&self) {
        let mut scrap = [0; 4096];
        // ENOBUFS says that messages were lost; there may be more behind it.
        while !matches!(
            recv(self.socket.as_raw_fd(), &mut scrap, MsgFlags::empty()),
            Ok(0) | Err(Errno::EAGAIN | Errno::EBADF)
        ) {}
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn assemble(name: String, index: u32, mtu: u32, entries: &[InterfaceAddress]) -> Interface {
    let flags = entries.iter().fold(InterfaceFlags::empty(), |flags, entry| flags | entry.flags);
    let mut interface = Interface {
        name,
        index,
        mac: None,
        mtu,
        ipv4: Vec::new(),
        ipv6: Vec::new(),
        up: flags.contains(InterfaceFlags::IFF_UP),
        running: flags.contains(InterfaceFlags::IFF_RUNNING),
        broadcast: flags.contains(InterfaceFlags::IFF_BROADCAST),
        loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
    };
    for entry in entries {
        let Some(address) = &entry.address else { continue };
        let netmask = entry.netmask.as_ref();
        if let Some(link) = address.as_link_addr() {
            interface.mac = link.addr().filter(|mac| link.halen() == 6 && *mac != [0; 6]);
        } else if let Some(v4) = address.as_sockaddr_in() {
            let mask = netmask.and_then(|mask| mask.as_sockaddr_in()).map(|mask| mask.ip().to_bits());
            interface.ipv4.push((v4.ip(), mask.map_or(32, prefix_32)));
        } else if let Some(v6) = address.as_sockaddr_in6() {
            let mask = netmask.and_then(|mask| mask.as_sockaddr_in6()).map(|mask| mask.ip().to_bits());
            interface.ipv6.push((v6.ip(), mask.map_or(128, prefix_128)));
        }
    }
    interface
}

/// Length of a prefix; the kernel's masks have their ones in front.
fn prefix_32(mask: u32) -> u8 {
    u8::try_from(mask.leading_ones()).unwrap_or(32)
}

fn prefix_128(mask: u128) -> u8 {
    u8::try_from(mask.leading_ones()).unwrap_or(128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_listed_with_its_address_and_without_a_hardware_address() {
        let all = interfaces().unwrap();
        let lo = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(lo.loopback && lo.up && !lo.broadcast);
        assert!(lo.ipv4.contains(&(Ipv4Addr::LOCALHOST, 8)));
        assert_eq!(lo.mac, None);
        assert!(lo.index > 0 && lo.mtu >= 1500);
    }
}
