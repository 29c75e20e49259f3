//! The end of an Ethernet cable: whole frames out and in, in batches, by a packet socket.
//!
//! So a test or a load speaks for any number of machines that have no address yet, and for relay agents
//! and routers as well. Only what DHCPv4 needs is read: ARP, and UDP over IPv4.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use daemon::frame::{UDP_FRAME_OVERHEAD, wrap_udp};
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{RcvBufForce, SndBufForce};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, bind, recvmmsg,
    sendmmsg, setsockopt, socket,
};

/// Frames of one system call.
pub const BATCH: usize = 64;
/// Octets of a frame that are read.
const FRAME_OCTETS: usize = 2048;
/// Octets of the buffers, so that a burst of thousands of frames is no loss that nobody asked for.
const BUFFER: usize = 16 << 20;
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP: [u8; 2] = [0x08, 0x06];
const BROADCAST_MAC: [u8; 6] = [0xff; 6];

/// An interface's frames.
#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
    buffers: Vec<[u8; FRAME_OCTETS]>,
}

/// A datagram on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Hardware address that it is for.
    pub mac: [u8; 6],
    /// Where it comes from.
    pub from: SocketAddrV4,
    /// Where it goes.
    pub to: SocketAddrV4,
    /// What it carries.
    pub payload: &'a [u8],
}

impl Wire {
    /// The frames of `interface`, which is in this thread's network namespace.
    ///
    /// # Panics
    /// There is no such interface, or packet sockets are not permitted.
    pub fn open(interface: &str) -> Wire {
        let address: LinkAddr = getifaddrs()
            .unwrap()
            .filter(|one| one.interface_name == interface)
            .find_map(|one| one.address?.as_link_addr().copied())
            .unwrap_or_else(|| panic!("there is no interface `{interface}`"));
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).unwrap();
        bind(socket.as_raw_fd(), &address).unwrap();
        // Only root of the first user namespace may have more than the system's limit.
        let _ = setsockopt(&socket, RcvBufForce, &BUFFER);
        let _ = setsockopt(&socket, SndBufForce, &BUFFER);
        Wire { socket, buffers: vec![[0; FRAME_OCTETS]; BATCH] }
    }

    /// Sends all `frames`, waiting for room where there is none.
    ///
    /// # Panics
    /// The interface is down.
    pub fn send(&self, frames: &[Vec<u8>]) {
        let mut headers = MultiHeaders::<LinkAddr>::preallocate(BATCH, None);
        let mut left = frames;
        while !left.is_empty() {
            let batch = &left[..left.len().min(BATCH)];
            let slices: Vec<[IoSlice<'_>; 1]> = batch.iter().map(|frame| [IoSlice::new(frame)]).collect();
            let nowhere = vec![None; batch.len()];
            let fd = self.socket.as_raw_fd();
            match sendmmsg(fd, &mut headers, &slices, &nowhere, [], MsgFlags::empty()) {
                Ok(sent) => left = &left[sent.count()..],
                Err(Errno::EAGAIN | Errno::ENOBUFS) => self.wait(PollFlags::POLLOUT, Duration::from_secs(1)),
                Err(error) => panic!("frames cannot be sent: {error}"),
            }
        }
    }

    /// Calls `take` with each frame that waits, at most a batch of them, having waited for the first one
    /// for as long as `patience`; returns how many there were.
    ///
    /// # Panics
    /// The interface is gone.
    pub fn receive(&mut self, patience: Duration, mut take: impl FnMut(&[u8])) -> usize {
        self.wait(PollFlags::POLLIN, patience);
        let lengths = self.fill();
        for (buffer, length) in self.buffers.iter().zip(&lengths) {
            take(&buffer[..*length]);
        }
        lengths.len()
    }

    /// Receives into the buffers; returns the frames' lengths.
    fn fill(&mut self) -> Vec<usize> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let mut headers = MultiHeaders::<LinkAddr>::preallocate(BATCH, None);
        let fd = self.socket.as_raw_fd();
        match recvmmsg(fd, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(received) => received.map(|message| message.bytes).collect(),
            Err(Errno::EAGAIN | Errno::EINTR) => Vec::new(),
            Err(error) => panic!("frames cannot be received: {error}"),
        }
    }

    fn wait(&self, what: PollFlags, patience: Duration) {
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(self.socket.as_fd(), what)], timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("waiting for frames: {error}"),
        }
    }
}

/// The frame of a datagram from the machine `source`. `mac` is whom it is for; `None`: everybody.
///
/// # Panics
/// It is too long for a frame.
pub fn udp_frame(
    source: [u8; 6],
    mac: Option<[u8; 6]>,
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = payload.to_vec();
    packet.resize(payload.len() + UDP_FRAME_OVERHEAD, 0);
    wrap_udp(&mut packet, payload.len(), from, to).unwrap();
    [&mac.unwrap_or(BROADCAST_MAC)[..], &source, &IPV4, &packet].concat()
}

/// The datagram in a frame, if there is one.
pub fn read_udp(frame: &[u8]) -> Option<Datagram<'_>> {
    let (mac, rest) = frame.split_first_chunk::<6>()?;
    let packet = rest.get(6..)?.strip_prefix(&IPV4)?;
    let header = usize::from(packet.first()? & 0x0f) * 4;
    if packet.get(9) != Some(&17) {
        return None;
    }
    let address = |at: usize| Some(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let udp = packet.get(header..)?;
    let number = |at: usize| Some(u16::from_be_bytes(*udp.get(at..)?.first_chunk::<2>()?));
    Some(Datagram {
        mac: *mac,
        from: SocketAddrV4::new(address(12)?, number(0)?),
        to: SocketAddrV4::new(address(16)?, number(2)?),
        payload: udp.get(8..usize::from(number(4)?))?,
    })
}

/// The answer of a machine `mac` that has every address, if the frame asks for one by ARP. Probes (RFC
/// 5227), which ask whether an address is in use, get none.
pub fn answer_arp(frame: &[u8], mac: [u8; 6]) -> Option<Vec<u8>> {
    let packet = frame.get(12..)?.strip_prefix(&ARP)?;
    let (head, rest) = packet.split_first_chunk::<8>()?;
    let (asker, rest) = rest.split_first_chunk::<6>()?;
    let (asks, rest) = rest.split_first_chunk::<4>()?;
    let wanted = rest.get(6..10)?;
    let is_question = *head == [0, 1, 8, 0, 6, 4, 0, 1] && *asks != [0; 4] && asks[..] != *wanted;
    let head = [0, 1, 8, 0, 6, 4, 0, 2];
    is_question.then(|| [&asker[..], &mac, &ARP, &head, &mac, wanted, &asker[..], asks].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_read_back_from_its_frame() {
        let (from, to) = ("10.0.0.1:67".parse().unwrap(), "10.0.0.2:68".parse().unwrap());
        let frame = udp_frame([2; 6], Some([4; 6]), from, to, b"hello");
        assert_eq!(frame.len(), 14 + UDP_FRAME_OVERHEAD + 5);
        assert_eq!(read_udp(&frame), Some(Datagram { mac: [4; 6], from, to, payload: b"hello" }));
        for len in 0..frame.len() {
            assert_eq!(read_udp(&frame[..len]), None);
        }
    }

    #[test]
    fn questions_are_answered_and_probes_are_not() {
        let question = |asks: [u8; 4]| {
            let head: &[u8] = &[0, 1, 8, 0, 6, 4, 0, 1];
            [&[0xff; 6], &[2; 6][..], &ARP, head, &[2; 6], &asks, &[0; 6], &[10, 0, 0, 9]].concat()
        };
        let answer = answer_arp(&question([10, 0, 0, 1]), [4; 6]).unwrap();
        let head: &[u8] = &[0, 1, 8, 0, 6, 4, 0, 2];
        let expected =
            [&[2; 6], &[4; 6][..], &ARP, head, &[4; 6], &[10, 0, 0, 9], &[2; 6], &[10, 0, 0, 1]].concat();
        assert_eq!(answer, expected);
        assert_eq!(answer_arp(&question([0; 4]), [4; 6]), None);
        assert_eq!(answer_arp(&answer, [4; 6]), None);
    }
}
