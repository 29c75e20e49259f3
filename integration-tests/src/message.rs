//! DHCPv4 messages as octets: requests as a test wants them, also wrong ones, and replies as they came.
//!
//! Neither the server's code nor a library's, so that a slip of theirs cannot hide.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const FIXED: usize = 236;
const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// DHCPDISCOVER: this and the others are types of messages (RFC 2132, section 9.6).
pub const DISCOVER: u8 = 1;
/// DHCPOFFER.
pub const OFFER: u8 = 2;
/// DHCPREQUEST.
pub const REQUEST: u8 = 3;
/// DHCPACK.
pub const ACK: u8 = 5;
/// DHCPNAK.
pub const NAK: u8 = 6;
/// DHCPINFORM.
pub const INFORM: u8 = 8;

/// A message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where the datagram comes from.
    pub from: SocketAddrV4,
    /// Where it goes.
    pub to: SocketAddrV4,
    fixed: [u8; FIXED],
    options: Vec<(u8, Vec<u8>)>,
}

impl Ask {
    /// A BOOTREQUEST of a machine without an address, by broadcast.
    pub fn bootp(mac: [u8; 6]) -> Ask {
        let mut fixed = [0; FIXED];
        fixed[..3].copy_from_slice(&[1, 1, 6]);
        fixed[28..34].copy_from_slice(&mac);
        let (from, to) = (SocketAddrV4::new(ANY, 68), SocketAddrV4::new(Ipv4Addr::BROADCAST, 67));
        Ask { from, to, fixed, options: Vec::new() }
    }

    /// A message of this type.
    pub fn new(kind: u8, mac: [u8; 6]) -> Ask {
        Ask::bootp(mac).option(53, &[kind])
    }

    /// DHCPDISCOVER.
    pub fn discover(mac: [u8; 6]) -> Ask {
        Ask::new(DISCOVER, mac)
    }

    /// DHCPREQUEST of a client that accepts an offer.
    pub fn selecting(mac: [u8; 6], address: Ipv4Addr, server: Ipv4Addr) -> Ask {
        Ask::new(REQUEST, mac).address(50, address).address(54, server)
    }

    /// DHCPREQUEST of a client that has started again.
    pub fn init_reboot(mac: [u8; 6], address: Ipv4Addr) -> Ask {
        Ask::new(REQUEST, mac).address(50, address)
    }

    /// DHCPREQUEST of a client that keeps its address and asks everybody.
    pub fn rebinding(mac: [u8; 6], address: Ipv4Addr) -> Ask {
        Ask::new(REQUEST, mac).ciaddr(address)
    }

    /// DHCPREQUEST of a client that keeps its address and asks its server.
    pub fn renewing(mac: [u8; 6], address: Ipv4Addr, server: Ipv4Addr) -> Ask {
        Ask::rebinding(mac, address).to(server)
    }

    /// DHCPRELEASE.
    pub fn releasing(mac: [u8; 6], address: Ipv4Addr, server: Ipv4Addr) -> Ask {
        Ask::new(7, mac).ciaddr(address).address(54, server).to(server)
    }

    /// DHCPDECLINE.
    pub fn declining(mac: [u8; 6], address: Ipv4Addr, server: Ipv4Addr) -> Ask {
        Ask::new(4, mac).address(50, address).address(54, server)
    }

    /// With this option; several of one code stand side by side.
    #[must_use]
    pub fn option(mut self, code: u8, data: &[u8]) -> Ask {
        self.options.push((code, data.to_vec()));
        self
    }

    /// With this address as an option.
    #[must_use]
    pub fn address(self, code: u8, address: Ipv4Addr) -> Ask {
        self.option(code, &address.octets())
    }

    /// With these octets at `at` of the fixed fields.
    #[must_use]
    pub fn field(mut self, at: usize, octets: &[u8]) -> Ask {
        self.fixed[at..at + octets.len()].copy_from_slice(octets);
        self
    }

    /// With this number of the exchange.
    #[must_use]
    pub fn xid(self, xid: u32) -> Ask {
        self.field(4, &xid.to_be_bytes())
    }

    /// With the broadcast flag.
    #[must_use]
    pub fn broadcast(self) -> Ask {
        self.field(10, &[0x80])
    }

    /// From a client that has this address.
    #[must_use]
    pub fn ciaddr(mut self, address: Ipv4Addr) -> Ask {
        self.from.set_ip(address);
        self.field(12, &address.octets())
    }

    /// By unicast.
    #[must_use]
    pub fn to(mut self, server: Ipv4Addr) -> Ask {
        self.to.set_ip(server);
        self
    }

    /// As the relay agent `agent` passes it on to `server`.
    #[must_use]
    pub fn relayed(mut self, agent: Ipv4Addr, server: Ipv4Addr) -> Ask {
        self.from = SocketAddrV4::new(agent, 67);
        self.to = SocketAddrV4::new(server, 67);
        self.field(3, &[1]).field(24, &agent.octets())
    }

    /// Hardware address of the client.
    pub fn mac(&self) -> [u8; 6] {
        *self.fixed[28..].first_chunk().unwrap()
    }

    /// Its type, if it has one.
    pub fn kind(&self) -> Option<u8> {
        self.data(53)?.first().copied()
    }

    /// The address that the client says it has.
    pub fn own(&self) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = *self.fixed[12..].first_chunk().unwrap();
        Some(Ipv4Addr::from(octets)).filter(|address| *address != ANY)
    }

    /// Octets that its hardware address has, as it says.
    pub fn hardware_octets(&self) -> u8 {
        self.fixed[2]
    }

    /// Whether it goes to one server.
    pub fn is_unicast(&self) -> bool {
        !self.to.ip().is_broadcast()
    }

    /// The first option with this code.
    pub fn data(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(other, _)| *other == code).map(|(_, data)| &**data)
    }

    /// Whether it has an option with this code.
    pub fn has(&self, code: u8) -> bool {
        self.data(code).is_some()
    }

    /// Number of the exchange.
    pub fn number(&self) -> u32 {
        u32::from_be_bytes(*self.fixed[4..].first_chunk().unwrap())
    }

    /// The datagram's payload.
    ///
    /// # Panics
    /// An option has more than 255 octets.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = [&self.fixed[..], &COOKIE].concat();
        for (code, data) in &self.options {
            octets.extend([*code, u8::try_from(data.len()).unwrap()]);
            octets.extend(data);
        }
        octets.push(255);
        octets
    }
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    fixed: [u8; FIXED],
    /// Data by code; parts of one option are joined.
    pub options: BTreeMap<u8, Vec<u8>>,
}

impl Message {
    /// The reply of a server in a datagram's payload, if it is one.
    pub fn read_reply(octets: &[u8]) -> Option<Message> {
        Message::read(octets).filter(|message| message.fixed[0] == 2)
    }

    /// The message of a client in a datagram's payload, if it is one.
    pub fn read_request(octets: &[u8]) -> Option<Message> {
        Message::read(octets).filter(|message| message.fixed[0] == 1)
    }

    fn read(octets: &[u8]) -> Option<Message> {
        let (fixed, rest) = octets.split_first_chunk::<FIXED>()?;
        let mut rest = rest.strip_prefix(&COOKIE)?;
        let mut options: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        loop {
            match *rest {
                [0, ref tail @ ..] => rest = tail,
                [255, ..] | [] => return Some(Message { fixed: *fixed, options }),
                [code, len, ref tail @ ..] => {
                    let (data, after) = tail.split_at_checked(usize::from(len))?;
                    options.entry(code).or_default().extend(data);
                    rest = after;
                }
                [_] => return None,
            }
        }
    }

    /// Its type; 0 if it has none (BOOTP).
    pub fn kind(&self) -> u8 {
        self.options.get(&53).and_then(|data| data.first()).copied().unwrap_or(0)
    }

    /// Number of the exchange.
    pub fn xid(&self) -> u32 {
        u32::from_be_bytes(self.at(4))
    }

    /// Hardware address of the client.
    pub fn mac(&self) -> [u8; 6] {
        self.at(28)
    }

    /// The address that the client says it has.
    pub fn ciaddr(&self) -> Ipv4Addr {
        self.at::<4>(12).into()
    }

    /// The address that the client is given.
    pub fn yiaddr(&self) -> Ipv4Addr {
        self.at::<4>(16).into()
    }

    /// The server's address as it calls itself.
    pub fn server(&self) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::from(*self.options.get(&54)?.first_chunk::<4>()?))
    }

    /// `N` octets of the fixed fields.
    ///
    /// # Panics
    /// There are fewer at this place.
    pub fn at<const N: usize>(&self, at: usize) -> [u8; N] {
        *self.fixed[at..].first_chunk().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_with_its_split_options_joined() {
        let mut octets = Ask::new(OFFER, [2; 6]).xid(7).option(43, b"one").option(43, b"two").octets();
        assert_eq!(Message::read_reply(&octets), None, "a request");
        octets[0] = 2;
        octets.extend([0, 0]);
        let reply = Message::read_reply(&octets).unwrap();
        assert_eq!((reply.kind(), reply.xid(), reply.mac()), (OFFER, 7, [2; 6]));
        assert_eq!(reply.options[&43], b"onetwo");
        assert_eq!(Message::read_reply(&octets[..octets.len() - 5]), None, "an option is cut short");
    }
}
