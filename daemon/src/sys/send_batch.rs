//! Datagrams sent many at a time, each from the address that was asked.
//!
//! One datagram that cannot be sent never holds up or loses the others: it is counted by its reason
//! and the rest goes on.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;

use super::cmsg::Control;
use super::mmsg::{self, MAX_BATCH, SendSlot, Wait};
use super::recv_batch::stride;
use super::sockaddr::Name;
use crate::frame;
use crate::metrics::CountedReason;

/// The way of a datagram to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// This machine's address to send from; `None` (or one of the other family) lets the kernel choose.
    pub source: Option<IpAddr>,
    /// Index of the interface to send out of, 0 to follow the routing table. Broadcasts to
    /// 255.255.255.255 need one.
    pub interface: u32,
}

crate::counted_reasons! {
    /// Why the kernel refused to send a datagram.
    pub enum SendFailure {
        /// `ENOBUFS`, `ENOMEM`, or a full socket buffer that was not waited for: the link is slower than we are.
        NoBuffers => "no-buffers",
        /// `ENETUNREACH`, `EHOSTUNREACH`: no route to the client; on recent kernels also an asked address
        /// that is no longer ours.
        Unreachable => "unreachable",
        /// `EPERM`, `EACCES`: a packet filter or a missing capability.
        Forbidden => "forbidden",
        /// `EMSGSIZE`: longer than the link or the protocol allows.
        TooLong => "too-long",
        /// `EINVAL`, `EADDRNOTAVAIL`: a destination that is none (port 0), an asked address that is no longer ours.
        BadAddress => "bad-address",
        /// `ENODEV`, `ENXIO`, `ENETDOWN`: the interface is down or gone.
        NoInterface => "no-interface",
        /// Anything else.
        Other => "other",
    }
}

impl SendFailure {
    /// Classifies the error of a system call that sends.
    pub fn of(error: &io::Error) -> SendFailure {
        match error.raw_os_error().unwrap_or(0) {
            libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN => SendFailure::NoBuffers,
            libc::ENETUNREACH | libc::EHOSTUNREACH => SendFailure::Unreachable,
            libc::EPERM | libc::EACCES => SendFailure::Forbidden,
            libc::EMSGSIZE => SendFailure::TooLong,
            libc::EINVAL | libc::EADDRNOTAVAIL => SendFailure::BadAddress,
            libc::ENODEV | libc::ENXIO | libc::ENETDOWN => SendFailure::NoInterface,
            _ => SendFailure::Other,
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendReport {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// The socket's buffer is full: the rest is still in the batch. Wait until the socket is writable
    /// and send again, or discard it.
    pub blocked: bool,
    failed: [u32; SendFailure::ALL.len()],
}

impl SendReport {
    /// The datagrams that were given up, by reason; reasons without any are left out.
    pub fn failures(&self) -> impl Iterator<Item = (SendFailure, u32)> {
        SendFailure::ALL.iter().copied().zip(self.failed).filter(|(_, count)| *count != 0)
    }

    fn count(&mut self, failure: SendFailure) {
        if let Some(count) = self.failed.get_mut(failure.index()) {
            *count += 1;
        }
    }
}

/// Buffers for up to [`MAX_BATCH`] datagrams to be sent, allocated once.
///
/// For each datagram write into [`buffer`](SendBatch::buffer), then [`commit`](SendBatch::commit) it;
/// [`send`](SendBatch::send) them when the batch is full or nothing more is to be answered.
pub struct SendBatch {
    payload: Box<[u8]>,
    stride: usize,
    size: usize,
    slots: Box<[Slot]>,
    first: usize,
    end: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    name: Name,
    control: Control,
    control_len: usize,
    len: usize,
}

impl SendBatch {
    /// Allocates room for `count` datagrams (1 to [`MAX_BATCH`], clamped) of up to `size` bytes.
    pub fn new(count: usize, size: usize) -> SendBatch {
        let count = count.clamp(1, MAX_BATCH);
        let stride = stride(size);
        let slot = Slot { name: Name::EMPTY, control: Control::EMPTY, control_len: 0, len: 0 };
        SendBatch {
            payload: vec![0; stride * count].into_boxed_slice(),
            stride,
            size,
            slots: vec![slot; count].into_boxed_slice(),
            first: 0,
            end: 0,
        }
    }

    /// The room for the next payload, with the bytes of an earlier one in it. `None`: the batch is full.
    pub fn buffer(&mut self) -> Option<&mut [u8]> {
        if self.end == self.slots.len() {
            return None;
        }
        let start = self.end * self.stride;
        self.payload.get_mut(start..start + self.size)
    }

    /// Adds the first `len` bytes of the [`buffer`](SendBatch::buffer) as a datagram to `to`.
    ///
    /// Returns false, and adds nothing, when the batch is full or `len` exceeds the buffer.
    #[must_use = "false means that nothing was added"]
    pub fn commit(&mut self, len: usize, to: SocketAddr, route: Route) -> bool {
        self.add(len, |slot| {
            slot.name = Name::inet(to);
            slot.control_len = slot.control.write_packet_info(to.is_ipv6(), route.source, route.interface);
        })
    }

    /// Adds the first `len` bytes of the [`buffer`](SendBatch::buffer) as a UDP datagram with an IPv4
    /// header of our own, to the machine `mac` on the interface with index `interface`. For a
    /// [`PacketSocket`](super::packet::PacketSocket) only.
    ///
    /// The buffer must have room for [`UDP_FRAME_OVERHEAD`](frame::UDP_FRAME_OVERHEAD) bytes more than `len`. Returns false, and
    /// adds nothing, when it has not or the batch is full.
    #[must_use = "false means that nothing was added"]
    pub fn commit_udp_frame(
        &mut self,
        len: usize,
        interface: u32,
        mac: [u8; 6],
        from: SocketAddrV4,
        to: SocketAddrV4,
    ) -> bool {
        let Some(buffer) = self.buffer() else { return false };
        let Some(total) = frame::wrap_udp(buffer, len, from, to) else { return false };
        self.commit_link(total, ETHERTYPE_IPV4, interface, mac)
    }

    /// Adds the first `len` bytes of the [`buffer`](SendBatch::buffer) as what follows a link header
    /// (an IP packet, an ARP message). For a [`PacketSocket`](super::packet::PacketSocket) only.
    /// Returns false as [`commit`](SendBatch::commit) does.
    #[must_use = "false means that nothing was added"]
    pub fn commit_link(&mut self, len: usize, ethertype: u16, interface: u32, mac: [u8; 6]) -> bool {
        self.add(len, |slot| {
            slot.name = Name::link(ethertype, interface, mac);
            slot.control_len = 0;
        })
    }

    fn add(&mut self, len: usize, fill: impl FnOnce(&mut Slot)) -> bool {
        if len > self.size {
            return false;
        }
        let Some(slot) = self.slots.get_mut(self.end) else { return false };
        fill(slot);
        slot.len = len;
        self.end += 1;
        true
    }

    /// How many datagrams wait to be sent.
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Returns whether no datagram waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends all that wait, in order. The batch is empty afterwards, unless the report says `blocked`.
    pub fn send(&mut self, socket: impl AsFd, wait: Wait) -> SendReport {
        let mut report = SendReport::default();
        while !self.is_empty() {
            match mmsg::send(socket.as_fd(), self.waiting(), wait) {
                Ok(sent) => {
                    report.sent += sent;
                    self.first += sent.max(1);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    report.blocked = true;
                    return report;
                }
                Err(error) => {
                    report.count(SendFailure::of(&error));
                    self.first += 1;
                }
            }
        }
        self.discard();
        report
    }

    /// Empties the batch and returns how many datagrams were not sent.
    pub fn discard(&mut self) -> usize {
        let lost = self.len();
        self.first = 0;
        self.end = 0;
        lost
    }

    fn waiting(&mut self) -> impl Iterator<Item = SendSlot<'_>> {
        let payloads = self.payload.chunks_exact_mut(self.stride);
        let slots = payloads.zip(&mut self.slots).take(self.end).skip(self.first);
        slots.map(|(payload, slot)| SendSlot {
            payload: payload.get_mut(..slot.len).unwrap_or_default(),
            name: &mut slot.name,
            control: &mut slot.control,
            control_len: slot.control_len,
        })
    }
}

const ETHERTYPE_IPV4: u16 = (libc::ETH_P_IP & 0xffff) as u16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_as_many_as_it_has_room_for_and_no_longer_ones() {
        let to = "127.0.0.1:9".parse().unwrap();
        let mut batch = SendBatch::new(2, 100);
        assert_eq!(batch.buffer().unwrap().len(), 100);
        assert!(!batch.commit(101, to, Route::default()));
        assert!(batch.commit(100, to, Route::default()));
        assert!(batch.commit(0, to, Route::default()));
        assert!(batch.buffer().is_none());
        assert!(!batch.commit(1, to, Route::default()));
        assert_eq!((batch.discard(), batch.len()), (2, 0));
        assert!(batch.buffer().is_some());
    }

    #[test]
    fn every_error_of_a_send_has_a_reason() {
        let reason = |errno| SendFailure::of(&io::Error::from_raw_os_error(errno));
        assert_eq!(reason(libc::EPERM), SendFailure::Forbidden);
        assert_eq!(reason(libc::ENETUNREACH), SendFailure::Unreachable);
        assert_eq!(reason(libc::EMSGSIZE), SendFailure::TooLong);
        assert_eq!(reason(libc::ENOBUFS), SendFailure::NoBuffers);
        assert_eq!(reason(libc::ENETDOWN), SendFailure::NoInterface);
        assert_eq!(reason(libc::EIO), SendFailure::Other);
    }
}
