//! The guard: which octets are a DHCPv4 request at all.
//!
//! `dhcproto`'s borrowed message is sound only after these checks: its `chaddr()` panics when the
//! packet says that a hardware address has more than 16 octets, and it takes a packet without the magic
//! cookie. Its option iterator is not used: see [`super::options`].

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed;
use inventory_core::mac::MacAddr;

use super::options::Options;
use super::reason::Reason;
use crate::code;

/// Octets in front of the options: the fixed fields of RFC 2131, section 2, and the magic cookie.
pub const FIXED_OCTETS: usize = 240;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const BOOTREQUEST: u8 = 1;
/// Hardware types whose addresses are EUI-48: Ethernet and IEEE 802.
const ETHERNET: [u8; 2] = [1, 6];

/// A request that can be answered.
#[derive(Debug)]
pub struct Message<'a> {
    fixed: &'a [u8; FIXED_OCTETS],
    wire: borrowed::Message<'a>,
    kind: Kind,
    /// Its options.
    pub options: Options<'a>,
}

/// The types that clients send (option 53, RFC 2132, section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DHCPDISCOVER.
    Discover,
    /// DHCPREQUEST.
    Request,
    /// DHCPDECLINE.
    Decline,
    /// DHCPRELEASE.
    Release,
    /// DHCPINFORM.
    Inform,
    /// No type at all: BOOTP (RFC 951).
    Bootp,
    /// A type that only servers send, or one that is not known here.
    Other(u8),
}

impl Kind {
    fn of(number: u8) -> Kind {
        match number {
            1 => Kind::Discover,
            3 => Kind::Request,
            4 => Kind::Decline,
            7 => Kind::Release,
            8 => Kind::Inform,
            other => Kind::Other(other),
        }
    }
}

impl<'a> Message<'a> {
    /// Reads the octets of a datagram; the reason why it is no request that is answered.
    pub fn read(octets: &'a [u8]) -> Result<Message<'a>, Reason> {
        let Some((fixed, rest)) = octets.split_first_chunk::<FIXED_OCTETS>() else {
            return Err(Reason::Short);
        };
        let [op, _htype, hlen, ..] = *fixed;
        if op != BOOTREQUEST {
            return Err(Reason::NotARequest);
        }
        if hlen > 16 {
            return Err(Reason::HardwareAddress);
        }
        let Some((_, cookie)) = fixed.split_last_chunk::<4>() else { return Err(Reason::Short) };
        if *cookie != COOKIE {
            return Err(Reason::NoCookie);
        }
        let (file, sname) = (field(fixed, 108), field(fixed, 44));
        let (Some(file), Some(sname)) = (file, sname) else { return Err(Reason::Short) };
        let options = Options::read(rest, file, sname);
        let kind = match options.fixed::<1>(code::MESSAGE_TYPE) {
            Ok(Some([kind])) => Kind::of(kind),
            Ok(None) => Kind::Bootp,
            Err(_) => return Err(Reason::BadOption),
        };
        let wire = borrowed::Message::new(octets).map_err(|_| Reason::Short)?;
        Ok(Message { fixed, wire, kind, options })
    }

    /// Where a request says that it comes from, without a look at whether it is one: its relay agent's address
    /// and the hardware address. `None`: it is too short.
    pub(super) fn origin(octets: &[u8]) -> Option<(Ipv4Addr, MacAddr)> {
        let giaddr = octets.get(24..)?.first_chunk::<4>()?;
        let mac = octets.get(28..)?.first_chunk::<6>()?;
        Some((Ipv4Addr::from(*giaddr), MacAddr(*mac)))
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of the exchange, chosen by the client.
    pub fn xid(&self) -> u32 {
        self.wire.xid()
    }

    /// The client's address that it can be reached by; unspecified if it has none.
    pub fn ciaddr(&self) -> Ipv4Addr {
        self.wire.ciaddr()
    }

    /// Address of the relay agent nearest to the client; unspecified if there is none.
    pub fn giaddr(&self) -> Ipv4Addr {
        self.wire.giaddr()
    }

    /// The flags as they came.
    pub fn flags(&self) -> u16 {
        let [.., high, low] = *field::<12>(self.fixed, 0).unwrap_or(&[0; 12]);
        u16::from_be_bytes([high, low])
    }

    /// Whether the client can't take a unicast before it is configured.
    pub fn wants_broadcast(&self) -> bool {
        self.wire.flags().broadcast()
    }

    /// Whether it is a DHCPDISCOVER that a DHCPACK may answer (RFC 4039, section 3.1).
    pub fn wants_rapid_commit(&self) -> bool {
        self.kind == Kind::Discover && self.options.fixed::<0>(code::RAPID_COMMIT) == Ok(Some([]))
    }

    /// The hardware address as it came, at most 16 octets.
    pub fn chaddr(&self) -> &'a [u8] {
        // The packet has all 16 octets, and no more are taken: `read` has checked the length.
        self.wire.chaddr()
    }

    /// The hardware address, where it is an Ethernet one.
    pub fn mac(&self) -> Option<MacAddr> {
        let [_, htype, ..] = *self.fixed;
        let octets = self.chaddr().try_into().ok()?;
        ETHERNET.contains(&htype).then_some(MacAddr(octets))
    }

    /// Hardware type, length, and the whole field `chaddr`, to be copied into a reply.
    pub(super) fn hardware(&self) -> (u8, u8, &'a [u8; 16]) {
        let [_, htype, hlen, ..] = *self.fixed;
        (htype, hlen, field(self.fixed, 28).unwrap_or(&[0; 16]))
    }
}

/// `N` octets at `at`; `None` past the end, which constant arguments rule out.
fn field<const N: usize>(fixed: &[u8; FIXED_OCTETS], at: usize) -> Option<&[u8; N]> {
    fixed.get(at..)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(options: &[u8]) -> Vec<u8> {
        let mut octets = vec![0; FIXED_OCTETS];
        octets[..3].copy_from_slice(&[1, 1, 6]);
        octets[4..8].copy_from_slice(&[1, 2, 3, 4]);
        octets[10] = 0x80;
        octets[24..28].copy_from_slice(&[10, 0, 0, 1]);
        octets[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        octets[236..].copy_from_slice(&COOKIE);
        octets.extend(options);
        octets
    }

    #[test]
    fn the_fields_are_read_from_their_places() {
        let octets = packet(&[53, 1, 1, 255]);
        let message = Message::read(&octets).unwrap();
        assert_eq!(message.kind(), Kind::Discover);
        assert_eq!(message.xid(), 0x0102_0304);
        assert!(message.wants_broadcast());
        assert_eq!(message.flags(), 0x8000);
        assert_eq!(message.giaddr(), Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(message.mac(), Some(MacAddr([2, 0, 0, 0, 0, 7])));
    }

    #[test]
    fn a_hardware_address_of_more_than_16_octets_is_refused_and_does_not_panic() {
        // dhcproto 0.15 slices out of bounds in `chaddr()`: CRATES, trap 1.
        for hlen in 17..=255 {
            let mut octets = packet(&[53, 1, 1, 255]);
            octets[2] = hlen;
            assert_eq!(Message::read(&octets).unwrap_err(), Reason::HardwareAddress);
        }
        let mut octets = packet(&[53, 1, 1, 255]);
        octets[2] = 16;
        let message = Message::read(&octets).unwrap();
        assert_eq!((message.chaddr().len(), message.mac()), (16, None));
    }

    #[test]
    fn a_packet_without_the_cookie_is_refused() {
        // dhcproto 0.15 does not look at it: CRATES, trap 5.
        let mut octets = packet(&[53, 1, 1, 255]);
        octets[236] = 0;
        assert_eq!(Message::read(&octets).unwrap_err(), Reason::NoCookie);
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        let whole = packet(&[53, 1, 1, 255]);
        for len in 0..FIXED_OCTETS {
            assert_eq!(Message::read(&whole[..len]).unwrap_err(), Reason::Short);
        }
        let mut reply = whole.clone();
        reply[0] = 2;
        assert_eq!(Message::read(&reply).unwrap_err(), Reason::NotARequest);
        assert_eq!(Message::read(&packet(&[255])).unwrap().kind(), Kind::Bootp);
        assert_eq!(Message::read(&packet(&[53, 2, 1, 1, 255])).unwrap_err(), Reason::BadOption);
    }

    #[test]
    fn other_hardware_has_no_mac_address() {
        for (htype, hlen) in [(32, 0), (32, 6), (1, 0), (1, 7), (0, 6)] {
            let mut octets = packet(&[53, 1, 1, 255]);
            octets[1..3].copy_from_slice(&[htype, hlen]);
            assert_eq!(Message::read(&octets).unwrap().mac(), None, "{htype} {hlen}");
        }
    }
}
