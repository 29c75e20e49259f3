//! Packets of IPv6's neighbour discovery (RFC 4861): solicitations of routers, and what neighbours say of
//! their addresses, in; advertisements out.
//!
//! One raw socket for all interfaces, opened while there are privileges: later it joins the group of
//! routers on those that come. The kernel makes and checks the checksums.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::sys::sockopt::set_bytes;

/// Type of the question for routers.
pub const ROUTER_SOLICITATION: u8 = 133;
/// Types of the messages that are heard: that, and solicitations and advertisements of neighbours.
const HEARD: [u8; 3] = [ROUTER_SOLICITATION, 135, 136];
/// All routers of a link.
const ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// Octets that are read of a packet.
const OCTETS: usize = 1500;

/// The socket.
#[derive(Debug)]
pub struct NeighbourSocket(Socket);

/// A packet that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its octets, from the type on.
    pub octets: Vec<u8>,
    /// Its hop limit: 255 if it was not forwarded.
    pub hop_limit: u8,
    /// Index of the interface it came in by.
    pub interface: u32,
    /// Who sent it.
    pub from: Ipv6Addr,
}

impl NeighbourSocket {
    /// Opens the socket, which needs `CAP_NET_RAW`.
    ///
    /// # Errors
    /// That is missing, or there is no IPv6.
    pub fn open() -> io::Result<NeighbourSocket> {
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        socket.set_nonblocking(true)?;
        // A set bit blocks its type.
        let mut words = [u32::MAX; 8];
        for kind in HEARD {
            if let Some(word) = words.get_mut(usize::from(kind / 32)) {
                *word &= !(1 << (kind % 32));
            }
        }
        let blocked: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        set_bytes(socket.as_fd(), libc::IPPROTO_ICMPV6, ICMP6_FILTER, &blocked)?;
        setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        // What we say to everybody is not for us.
        socket.set_multicast_loop_v6(false)?;
        Ok(NeighbourSocket(socket))
    }

    /// Hears what is said to routers, beside what is said to this machine, on the interface with this index.
    ///
    /// # Errors
    /// There is no such interface, or it is joined already.
    pub fn join(&self, interface: u32) -> io::Result<()> {
        self.0.join_multicast_v6(&ROUTERS, interface)
    }

    /// The next packet; `None` when there is no more.
    pub fn hear(&self) -> Option<Heard> {
        let mut octets = vec![0; OCTETS];
        let mut space = nix::cmsg_space!(libc::in6_pktinfo, libc::c_int);
        let (length, from, hop_limit, interface) = {
            let mut parts = [IoSliceMut::new(&mut octets)];
            let flags = MsgFlags::MSG_DONTWAIT;
            let message =
                recvmsg::<SockaddrIn6>(self.0.as_raw_fd(), &mut parts, Some(&mut space), flags).ok()?;
            let (mut hop_limit, mut interface) = (0, 0);
            for control in message.cmsgs().ok()? {
                match control {
                    ControlMessageOwned::Ipv6HopLimit(hops) => hop_limit = u8::try_from(hops).unwrap_or(0),
                    ControlMessageOwned::Ipv6PacketInfo(info) => interface = info.ipi6_ifindex,
                    _ => {}
                }
            }
            (message.bytes, message.address?.ip(), hop_limit, interface)
        };
        octets.truncate(length);
        Some(Heard { octets, hop_limit, interface, from })
    }

    /// Sends `octets`, without their checksum, with a hop limit of 255.
    ///
    /// # Errors
    /// The interface is gone or down.
    pub fn send(&self, interface: u32, from: Ipv6Addr, to: Ipv6Addr, octets: &[u8]) -> io::Result<()> {
        let info = libc::in6_pktinfo {
            ipi6_addr: libc::in6_addr { s6_addr: from.octets() },
            ipi6_ifindex: interface,
        };
        let controls = [ControlMessage::Ipv6PacketInfo(&info), ControlMessage::Ipv6HopLimit(&255)];
        let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, interface));
        let parts = [IoSlice::new(octets)];
        sendmsg(self.0.as_raw_fd(), &parts, &controls, MsgFlags::MSG_DONTWAIT, Some(&to))?;
        Ok(())
    }
}

/// Of `linux/icmpv6.h`; the `libc` crate has it not.
const ICMP6_FILTER: i32 = 1;

impl AsFd for NeighbourSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
