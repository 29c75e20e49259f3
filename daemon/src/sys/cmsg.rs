//! Control messages (cmsg(3)): the address that was asked, the one to answer from, and the count of
//! datagrams that the kernel threw away.
//!
//! Written and read as bytes: the alignment rules are those of `CMSG_ALIGN`, a machine word.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of control data per datagram. IPv6 packet information and the drop count need 64; the rest is
/// for options that whoever handed us the socket may have set.
pub(super) const CONTROL_LEN: usize = 128;

const WORD: usize = size_of::<usize>();
const HEADER: usize = size_of::<libc::cmsghdr>();

/// Room for the control messages of one datagram, aligned as `cmsghdr` asks.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Control {
    bytes: [u8; CONTROL_LEN],
}

/// What the control messages of a received datagram say.
#[derive(Clone, Copy, Default)]
pub(super) struct Received {
    /// Destination address in the IP header: may be a broadcast or multicast address.
    pub(super) to: Option<IpAddr>,
    /// The address of this machine to answer from; `None` when the kernel knows none.
    pub(super) local: Option<IpAddr>,
    /// Index of the interface, 0 when unknown.
    pub(super) interface: u32,
    /// Datagrams that found the socket's buffer full, since the socket was made (`SO_RXQ_OVFL`).
    /// The kernel leaves it out as long as it is zero.
    pub(super) overflow: Option<u32>,
}

impl Control {
    pub(super) const EMPTY: Control = Control { bytes: [0; CONTROL_LEN] };

    /// Where the kernel reads or writes; [`CONTROL_LEN`] bytes are there.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr()
    }

    /// Writes the packet information of a datagram to be sent and returns its length in bytes.
    ///
    /// `interface` 0 leaves the choice to the routing table. Without `source` the kernel chooses it.
    pub(super) fn write_packet_info(&mut self, v6: bool, source: Option<IpAddr>, interface: u32) -> usize {
        match (v6, source) {
            (false, Some(IpAddr::V4(ip))) => self.write_v4(ip, interface),
            (false, _) if interface != 0 => self.write_v4(Ipv4Addr::UNSPECIFIED, interface),
            (true, Some(IpAddr::V6(ip))) => self.write_v6(ip, interface),
            (true, _) if interface != 0 => self.write_v6(Ipv6Addr::UNSPECIFIED, interface),
            _ => 0,
        }
    }

    /// `struct in_pktinfo { int ipi_ifindex; in_addr ipi_spec_dst; in_addr ipi_addr; }`, ip(7).
    fn write_v4(&mut self, source: Ipv4Addr, interface: u32) -> usize {
        let mut info = [0; 12];
        info[..4].copy_from_slice(&interface.to_ne_bytes());
        info[4..8].copy_from_slice(&source.octets());
        self.write(libc::IPPROTO_IP, libc::IP_PKTINFO, &info)
    }

    /// `struct in6_pktinfo { in6_addr ipi6_addr; unsigned ipi6_ifindex; }`, RFC 3542, section 6.
    fn write_v6(&mut self, source: Ipv6Addr, interface: u32) -> usize {
        let mut info = [0; 20];
        info[..16].copy_from_slice(&source.octets());
        info[16..].copy_from_slice(&interface.to_ne_bytes());
        self.write(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info)
    }

    fn write<const N: usize>(&mut self, level: i32, kind: i32, data: &[u8; N]) -> usize {
        const { assert!(HEADER + align(N) <= CONTROL_LEN) };
        let b = &mut self.bytes;
        b[..WORD].copy_from_slice(&(HEADER + N).to_ne_bytes());
        b[HEADER - 8..HEADER - 4].copy_from_slice(&level.to_ne_bytes());
        b[HEADER - 4..HEADER].copy_from_slice(&kind.to_ne_bytes());
        b[HEADER..HEADER + N].copy_from_slice(data);
        b[HEADER + N..HEADER + align(N)].fill(0);
        HEADER + align(N)
    }

    /// Reads what the kernel wrote, `len` bytes. Messages not asked for are passed over.
    pub(super) fn read(&self, len: usize) -> Received {
        let mut rest = self.bytes.get(..len).unwrap_or(&self.bytes);
        let mut received = Received::default();
        while let Some((header, _)) = rest.split_at_checked(HEADER) {
            let total = usize::from_ne_bytes(field(header, 0));
            let Some(data) = rest.get(HEADER..total) else { break };
            let level = i32::from_ne_bytes(field(header, HEADER - 8));
            let kind = i32::from_ne_bytes(field(header, HEADER - 4));
            received.take(level, kind, data);
            let Some(next) = rest.get(align(total)..) else { break };
            rest = next;
        }
        received
    }
}

impl Received {
    fn take(&mut self, level: i32, kind: i32, data: &[u8]) {
        match (level, kind, data.len()) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO, 12..) => {
                self.interface = u32::from_ne_bytes(field(data, 0));
                let local = Ipv4Addr::from(field::<4>(data, 4));
                self.local = (!local.is_unspecified()).then_some(IpAddr::V4(local));
                self.to = Some(IpAddr::V4(Ipv4Addr::from(field::<4>(data, 8))));
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, 20..) => {
                let to = Ipv6Addr::from(field::<16>(data, 0));
                self.interface = u32::from_ne_bytes(field(data, 16));
                self.local = (!to.is_multicast()).then_some(IpAddr::V6(to));
                self.to = Some(IpAddr::V6(to));
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 4..) => {
                self.overflow = Some(u32::from_ne_bytes(field(data, 0)));
            }
            _ => {}
        }
    }
}

/// `N` bytes at `at`; zeros where the data is shorter, which its callers have ruled out.
fn field<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    data.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}

const fn align(len: usize) -> usize {
    (len + WORD - 1) & !(WORD - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_libc() {
        assert_eq!(size_of::<libc::in_pktinfo>(), 12);
        assert_eq!(size_of::<libc::in6_pktinfo>(), 20);
        assert_eq!(std::mem::offset_of!(libc::cmsghdr, cmsg_level), HEADER - 8);
        assert_eq!(std::mem::offset_of!(libc::cmsghdr, cmsg_type), HEADER - 4);
        // SAFETY: CMSG_SPACE only computes.
        assert_eq!(unsafe { libc::CMSG_SPACE(20) } as usize, HEADER + align(20));
    }

    #[test]
    fn packet_information_is_read_back_as_written() {
        let mut control = Control::EMPTY;
        let source: IpAddr = "192.0.2.7".parse().unwrap();
        let len = control.write_packet_info(false, Some(source), 3);
        let read = control.read(len);
        assert_eq!((read.local, read.interface, read.overflow), (Some(source), 3, None));

        let source: IpAddr = "fe80::7".parse().unwrap();
        let len = control.write_packet_info(true, Some(source), 9);
        let read = control.read(len);
        assert_eq!((read.local, read.to, read.interface), (Some(source), Some(source), 9));
    }

    #[test]
    fn nothing_is_written_where_the_kernel_may_choose_everything() {
        let mut control = Control::EMPTY;
        assert_eq!(control.write_packet_info(false, None, 0), 0);
        assert_eq!(control.write_packet_info(true, None, 0), 0);
        let other_family = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(control.write_packet_info(true, other_family, 0), 0);
    }

    #[test]
    fn a_multicast_destination_is_no_address_to_answer_from() {
        let mut control = Control::EMPTY;
        let len = control.write_packet_info(true, Some("ff02::1:2".parse().unwrap()), 2);
        let read = control.read(len);
        assert_eq!((read.to, read.local), (Some("ff02::1:2".parse().unwrap()), None));
    }

    #[test]
    fn control_data_cut_at_any_byte_is_no_panic_and_no_invented_address() {
        let mut control = Control::EMPTY;
        let len = control.write_packet_info(false, Some("192.0.2.7".parse().unwrap()), 3);
        for cut in 0..HEADER + 12 {
            assert_eq!(control.read(cut).to, None, "{cut} bytes");
        }
        assert!(control.read(len).to.is_some());
        control.bytes[..WORD].copy_from_slice(&usize::MAX.to_ne_bytes());
        assert_eq!(control.read(len).to, None);
        control.bytes[..WORD].copy_from_slice(&0usize.to_ne_bytes());
        assert_eq!(control.read(len).to, None);
    }
}
