//! UDP sockets for servers: bound with the options a server needs, read and written in batches.
//!
//! A datagram says which address was asked and by which interface it came; its reply leaves from that
//! address. A server on a wildcard address of a machine with several addresses needs this: clients
//! throw away an answer that comes from somewhere else.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use crate::listen_error::{ListenError, Transport};
use crate::sys::sockopt::set_int;

pub use crate::frame::UDP_FRAME_OVERHEAD;
pub use crate::sys::arp::{ArpClaim, ArpSocket};
pub use crate::sys::mmsg::{MAX_BATCH, Wait};
pub use crate::sys::packet::PacketSocket;
pub use crate::sys::recv_batch::{Datagram, RecvBatch};
pub use crate::sys::send_batch::{Route, SendBatch, SendFailure, SendReport};

/// How to bind a server's UDP socket.
///
/// ```no_run
/// let options = daemon::udp::Options::new("[::]:53".parse()?);
/// let workers = daemon::udp::bind_group(&options, 2)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen. An IPv6 address means IPv6 only, so that `0.0.0.0` and `[::]` go side by side.
    pub address: SocketAddr,
    /// Hear and send on this interface only (`SO_BINDTODEVICE`).
    pub device: Option<String>,
    /// Permit sending to broadcast addresses.
    pub broadcast: bool,
    /// Bytes of receive buffer to ask for. Without `CAP_NET_ADMIN` the kernel grants no more than
    /// `net.core.rmem_max`; less is not an error.
    pub receive_buffer: usize,
    /// Whether calls on the socket never wait. Needed under tokio.
    pub nonblocking: bool,
}

impl Options {
    /// Options for a unicast server at `address`: any interface, 4 MiB of receive buffer, non-blocking.
    pub fn new(address: SocketAddr) -> Options {
        Options { address, device: None, broadcast: false, receive_buffer: 4 << 20, nonblocking: true }
    }
}

/// Binds one socket, which nobody else can share.
pub fn bind(options: &Options) -> Result<UdpSocket, ListenError> {
    let socket = prepare(options).map_err(|error| explain(options, error))?;
    socket.bind(&options.address.into()).map_err(|error| explain(options, error))?;
    Ok(socket.into())
}

/// Binds `count` sockets (at least one) to one address; the kernel spreads clients over them by a hash
/// of their address and port (`SO_REUSEPORT`).
///
/// The first is bound without sharing, so a second daemon started by mistake gets "address in use"
/// instead of silently half of the clients. With port 0 all get the port that the first was given.
pub fn bind_group(options: &Options, count: usize) -> Result<Vec<UdpSocket>, ListenError> {
    let first = bind(options)?;
    let shared = || -> io::Result<Vec<UdpSocket>> {
        socket2::SockRef::from(&first).set_reuse_port(true)?;
        let address = first.local_addr()?;
        (1..count)
            .map(|_| {
                let socket = prepare(options)?;
                socket.set_reuse_port(true)?;
                socket.bind(&address.into())?;
                Ok(socket.into())
            })
            .collect()
    };
    let others = shared().map_err(|error| explain(options, error))?;
    Ok(std::iter::once(first).chain(others).collect())
}

/// Opens the socket for replies to clients without an address. Needs `CAP_NET_RAW`.
pub fn open_packet_socket() -> Result<PacketSocket, ListenError> {
    PacketSocket::open().map_err(ListenError::packet)
}

/// The error of a socket that was to be bound by `options`, for people.
pub fn explain(options: &Options, error: io::Error) -> ListenError {
    ListenError::listen(Transport::Udp, options.address, options.device.clone(), error)
}

/// A socket with every option set, not yet bound.
fn prepare(options: &Options) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(options.address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(options.nonblocking)?;
    if options.address.is_ipv6() {
        socket.set_only_v6(true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    } else {
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
    }
    setsockopt(&socket, sockopt::RxqOvfl, &1)?;
    ignore_path_mtu(&socket, options.address.is_ipv6())?;
    if let Some(device) = &options.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if options.broadcast {
        socket.set_broadcast(true)?;
    }
    grow_receive_buffer(&socket, options.receive_buffer);
    Ok(socket)
}

/// Does not use the path MTU that the kernel learns: a forged ICMP "fragmentation needed" would make it
/// fragment answers, which is the first half of a cache poisoning attack (RFC 9715, section 1).
fn ignore_path_mtu(socket: &Socket, v6: bool) -> io::Result<()> {
    let (level, name, value) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)
    } else {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)
    };
    set_int(socket.as_fd(), level, name, value)
}

/// Best effort: a smaller buffer loses datagrams in bursts only, and the kernel counts those.
fn grow_receive_buffer(socket: &Socket, bytes: usize) {
    if setsockopt(socket, sockopt::RcvBufForce, &bytes).is_err() {
        let _ = socket.set_recv_buffer_size(bytes);
    }
}

#[cfg(test)]
mod tests;
