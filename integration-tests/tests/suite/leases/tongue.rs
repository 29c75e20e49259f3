//! What clients of either family say and hear through a relay agent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use integration_tests::message::{self, Message};
use integration_tests::message6::{self, IA_NA, duid_ll, link_local};
use ipnet::Ipv6Net;

/// Which DHCP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// What a client says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Say {
    /// Who is there?
    Discover,
    /// It takes what it was offered.
    Accept(IpAddr),
    /// It has this already, whoever gave it.
    Keep(IpAddr),
}

/// What kind of reply it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Offer,
    Ack,
    Nak,
}

/// A reply: type, hardware address, address.
pub(super) type Reply = (Kind, [u8; 6], IpAddr);

/// Makes and reads messages.
pub(super) struct Tongue {
    family: Family,
    /// DUID of the server that was heard last.
    server: Vec<u8>,
}

const AGENT4: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 3);
const SERVER4: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const AGENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0, 0, 0, 3);
const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0, 0, 0, 2);

impl Family {
    /// Address of the machine that speaks for the clients.
    pub(super) fn agent(self) -> IpAddr {
        if self == Family::V4 { AGENT4.into() } else { AGENT6.into() }
    }

    /// Address of the server.
    pub(super) fn server(self) -> IpAddr {
        if self == Family::V4 { SERVER4.into() } else { SERVER6.into() }
    }

    pub(super) fn prefix_len(self) -> u8 {
        if self == Family::V4 { 16 } else { 64 }
    }

    /// Port of servers and relay agents.
    pub(super) fn port(self) -> u16 {
        if self == Family::V4 { 67 } else { 547 }
    }

    /// File of the leases in the state directory.
    pub(super) fn journal(self) -> &'static str {
        if self == Family::V4 { "leases.redb" } else { "leases6.redb" }
    }
}

impl Tongue {
    pub(super) fn new(family: Family) -> Tongue {
        Tongue { family, server: Vec::new() }
    }

    pub(super) fn octets(&self, say: Say, mac: [u8; 6], xid: u32) -> Vec<u8> {
        match self.family {
            Family::V4 => octets4(say, mac, xid),
            Family::V6 => self.octets6(say, mac, xid),
        }
    }

    fn octets6(&self, say: Say, mac: [u8; 6], xid: u32) -> Vec<u8> {
        let ask = |kind| message6::Ask::from(kind, &duid_ll(mac));
        let has = |address| match address {
            IpAddr::V6(address) => [address.into()],
            IpAddr::V4(_) => panic!("{address} in DHCPv6"),
        };
        let ask = match say {
            Say::Discover => ask(message6::SOLICIT).ia(IA_NA, 1, &[]),
            Say::Accept(address) => ask(message6::REQUEST).server(&self.server).ia(IA_NA, 1, &has(address)),
            Say::Keep(address) => ask(message6::REBIND).ia(IA_NA, 1, &has(address)),
        };
        ask.relayed(AGENT6, link_local(mac), Vec::new()).xid(xid).octets()
    }

    /// What a datagram says.
    pub(super) fn read(&mut self, octets: &[u8]) -> Reply {
        match self.family {
            Family::V4 => read4(octets),
            Family::V6 => {
                let reply = message6::Reply::read(octets).unwrap();
                self.server = reply.data(2).unwrap().to_vec();
                let mac = *reply.data(1).unwrap().last_chunk().unwrap();
                let given = reply.given().first().map(Ipv6Net::addr);
                let kind = match (given, reply.kind) {
                    (None, _) => Kind::Nak,
                    (Some(_), message6::ADVERTISE) => Kind::Offer,
                    (Some(_), _) => Kind::Ack,
                };
                (kind, mac, given.unwrap_or(Ipv6Addr::UNSPECIFIED).into())
            }
        }
    }
}

fn octets4(say: Say, mac: [u8; 6], xid: u32) -> Vec<u8> {
    let ask = |kind| message::Ask::new(kind, mac).relayed(AGENT4, SERVER4).xid(xid);
    let wants = |address| match address {
        IpAddr::V4(address) => ask(message::REQUEST).address(50, address),
        IpAddr::V6(_) => panic!("{address} in DHCPv4"),
    };
    match say {
        Say::Discover => ask(message::DISCOVER).octets(),
        Say::Accept(address) => wants(address).address(54, SERVER4).octets(),
        Say::Keep(address) => wants(address).octets(),
    }
}

fn read4(octets: &[u8]) -> Reply {
    let reply = Message::read_reply(octets).unwrap();
    let kind = match reply.kind() {
        message::OFFER => Kind::Offer,
        message::ACK => Kind::Ack,
        message::NAK => Kind::Nak,
        other => panic!("a reply of type {other}"),
    };
    (kind, reply.mac(), reply.yiaddr().into())
}
