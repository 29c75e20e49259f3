//! A packet socket that only sends (packet(7)): for clients which have no address yet.
//!
//! A UDP socket would ask by ARP who has the address that the reply is about to give away, and nobody
//! would answer. Here the caller writes the IP header and names the hardware address. The kernel
//! builds the link header (`SOCK_DGRAM`), so VLANs and other links than Ethernet work as well.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::mmsg::Wait;
use super::send_batch::{SendBatch, SendFailure};
use crate::frame::UDP_FRAME_OVERHEAD;

/// A link-layer socket for replies, on all interfaces of the network namespace it was made in.
///
/// Works as the socket of [`SendBatch::send`], with frames from [`SendBatch::commit_udp_frame`].
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
}

impl PacketSocket {
    /// Opens the socket. Needs `CAP_NET_RAW` here and not later: open it before privileges are dropped.
    pub fn open() -> io::Result<PacketSocket> {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // Protocol 0: the socket is bound to no protocol and so receives nothing, ever.
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(PacketSocket { socket: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Sends one UDP datagram to the machine `mac` on the interface with index `interface`.
    ///
    /// For the odd one; it allocates. Many replies go through a [`SendBatch`]. A payload longer than
    /// the interface's MTU allows is [`SendFailure::TooLong`].
    pub fn send_udp(
        &self,
        interface: u32,
        mac: [u8; 6],
        from: SocketAddrV4,
        to: SocketAddrV4,
        payload: &[u8],
    ) -> Result<(), SendFailure> {
        let mut batch = SendBatch::new(1, payload.len() + UDP_FRAME_OVERHEAD);
        let room = batch.buffer().and_then(|buffer| buffer.get_mut(..payload.len()));
        room.ok_or(SendFailure::TooLong)?.copy_from_slice(payload);
        if !batch.commit_udp_frame(payload.len(), interface, mac, from, to) {
            return Err(SendFailure::TooLong);
        }
        let report = batch.send(self, Wait::Never);
        match report.failures().next() {
            Some((failure, _)) => Err(failure),
            None if report.blocked => Err(SendFailure::NoBuffers),
            None => Ok(()),
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}
