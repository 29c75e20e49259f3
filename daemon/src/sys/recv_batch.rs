//! Datagrams received many at a time, each with the address that was asked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use super::cmsg::{Control, Received};
use super::mmsg::{self, Filled, MAX_BATCH, RecvSlot, Wait};
use super::send_batch::Route;
use super::sockaddr::{Name, needs_interface};

/// Buffers for up to [`MAX_BATCH`] received datagrams, allocated once.
///
/// Fill them with [`receive`](RecvBatch::receive), then walk them with [`iter`](RecvBatch::iter) or
/// [`get`](RecvBatch::get). Each datagram stays until the next `receive`.
pub struct RecvBatch {
    payload: Box<[u8]>,
    stride: usize,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    filled: Box<[Filled]>,
    count: usize,
    size: usize,
}

/// One received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The payload; its beginning when `truncated`.
    pub bytes: &'a [u8],
    /// The datagram was longer than the buffer.
    pub truncated: bool,
    /// Who sent it.
    pub from: SocketAddr,
    /// The destination address in its IP header: perhaps a broadcast or multicast address. `None` when
    /// the socket does not report it (every socket from [`crate::udp::bind`] does).
    pub to: Option<IpAddr>,
    /// This machine's own address to answer from. `None` when it came by IPv6 multicast, or by
    /// broadcast on an interface without an IPv4 address.
    pub local: Option<IpAddr>,
    /// Index of the interface it came in by, 0 when unknown.
    pub interface: u32,
    /// Datagrams which this socket lost because its buffer was full, counted by the kernel since the
    /// socket was made and wrapping at 2^32; 0 as long as none was lost.
    pub overflow: u32,
}

impl Datagram<'_> {
    /// The way back: from the asked address, by the routing table; out of the interface it came in by
    /// where the asked address means nothing without one (IPv6 link-local or multicast).
    pub fn reply_route(&self) -> Route {
        let scoped = match self.local {
            Some(local) => needs_interface(local),
            None => self.to.is_some_and(|to| to.is_ipv6()),
        };
        Route { source: self.local, interface: if scoped { self.interface } else { 0 } }
    }
}

impl RecvBatch {
    /// Allocates room for `count` datagrams (1 to [`MAX_BATCH`], clamped) of up to `size` bytes.
    pub fn new(count: usize, size: usize) -> RecvBatch {
        let count = count.clamp(1, MAX_BATCH);
        let stride = stride(size);
        RecvBatch {
            payload: vec![0; stride * count].into_boxed_slice(),
            stride,
            names: vec![Name::EMPTY; count].into_boxed_slice(),
            controls: vec![Control::EMPTY; count].into_boxed_slice(),
            filled: vec![Filled::default(); count].into_boxed_slice(),
            count: 0,
            size,
        }
    }

    /// Receives what waits, up to the batch's room, in place of what the batch held; returns how many.
    ///
    /// `Ok(0)`: nothing waits, or a signal came. Errors are those of the socket (`ENETDOWN`, `ENOBUFS`…);
    /// the batch is empty then.
    pub fn receive(&mut self, socket: impl AsFd, wait: Wait) -> io::Result<usize> {
        self.count = 0;
        let payloads = self.payload.chunks_exact_mut(self.stride);
        let places = payloads.zip(&mut self.names).zip(&mut self.controls);
        let size = self.size;
        let slots = places.map(|((payload, name), control)| {
            let payload = payload.get_mut(..size).unwrap_or_default();
            RecvSlot { payload, name, control }
        });
        match mmsg::receive(socket.as_fd(), slots, &mut self.filled, wait) {
            Ok(count) => {
                self.count = count;
                Ok(count)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// How many datagrams the batch holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether the batch holds no datagram.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The datagram at `index`. `None` past the end, and for a sender without an IP address.
    pub fn get(&self, index: usize) -> Option<Datagram<'_>> {
        let filled = self.filled.get(..self.count)?.get(index)?;
        let start = index * self.stride;
        let bytes = self.payload.get(start..start + filled.len)?;
        let from = self.names.get(index)?.decode(filled.name_len)?;
        let Received { to, local, interface, overflow } = self.controls.get(index)?.read(filled.control_len);
        let overflow = overflow.unwrap_or(0);
        Some(Datagram { bytes, truncated: filled.truncated, from, to, local, interface, overflow })
    }

    /// The payloads alone, in the order of their arrival; of those that were too long the beginning.
    pub fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        let filled = self.filled.get(..self.count).unwrap_or_default();
        filled
            .iter()
            .zip(self.payload.chunks_exact(self.stride))
            .filter_map(|(filled, octets)| octets.get(..filled.len))
    }

    /// The datagrams in the order of their arrival.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.count).filter_map(|index| self.get(index))
    }
}

/// Distance of two payloads: whole cache lines, an odd number of them. With a power of two the first
/// lines of all payloads would share one set of the cache and evict each other.
pub(super) fn stride(size: usize) -> usize {
    const LINE: usize = 64;
    (size.div_ceil(LINE) | 1) * LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_an_odd_number_of_cache_lines_apart_and_have_room() {
        for size in [0, 1, 63, 64, 65, 512, 1232, 4096, 65_535] {
            let stride = stride(size);
            assert!(stride >= size && stride % 128 == 64, "{size}");
        }
    }

    #[test]
    fn the_way_back_names_an_interface_only_where_the_address_needs_one() {
        let datagram = |to: &str, local: Option<&str>| Datagram {
            bytes: &[],
            truncated: false,
            from: "192.0.2.1:1".parse().unwrap(),
            to: Some(to.parse().unwrap()),
            local: local.map(|text| text.parse().unwrap()),
            interface: 7,
            overflow: 0,
        };
        assert_eq!(datagram("192.0.2.5", Some("192.0.2.5")).reply_route().interface, 0);
        assert_eq!(datagram("255.255.255.255", None).reply_route().interface, 0);
        assert_eq!(datagram("2001:db8::1", Some("2001:db8::1")).reply_route().interface, 0);
        assert_eq!(datagram("fe80::1", Some("fe80::1")).reply_route().interface, 7);
        assert_eq!(datagram("ff02::1:2", None).reply_route().interface, 7);
    }
}
