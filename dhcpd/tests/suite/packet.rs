//! Requests written and replies read by code of the tests' own, so that a slip of the core can't hide.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcpd::core::{Destination, Reply};

pub(crate) const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// A client's message.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) from: SocketAddrV4,
    pub(crate) to: Ipv4Addr,
    fixed: [u8; 236],
    options: Vec<(u8, Vec<u8>)>,
}

impl Ask {
    /// A message of this type, by broadcast.
    pub(crate) fn new(kind: u8, mac: [u8; 6]) -> Ask {
        let mut fixed = [0; 236];
        fixed[..8].copy_from_slice(&[1, 1, 6, 0, 0xab, 0xcd, 0, mac[5]]);
        fixed[28..34].copy_from_slice(&mac);
        Ask {
            from: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
            to: Ipv4Addr::BROADCAST,
            fixed,
            options: vec![(53, vec![kind])],
        }
    }

    /// BOOTREQUEST without a type.
    pub(crate) fn bootp(mac: [u8; 6]) -> Ask {
        Ask { options: Vec::new(), ..Ask::new(0, mac) }
    }

    /// DHCPDISCOVER.
    pub(crate) fn discover(mac: [u8; 6]) -> Ask {
        Ask::new(1, mac)
    }

    /// DHCPREQUEST in state SELECTING.
    pub(crate) fn selecting(mac: [u8; 6], address: impl Into<Ipv4Addr>, server: Ipv4Addr) -> Ask {
        Ask::new(3, mac).address(50, address).address(54, server)
    }

    /// DHCPREQUEST in state INIT-REBOOT.
    pub(crate) fn init_reboot(mac: [u8; 6], address: impl Into<Ipv4Addr>) -> Ask {
        Ask::new(3, mac).address(50, address)
    }

    /// DHCPREQUEST in state RENEWING: by unicast to `server`.
    pub(crate) fn renewing(mac: [u8; 6], address: impl Into<Ipv4Addr>, server: Ipv4Addr) -> Ask {
        let address = address.into();
        let mut ask = Ask::new(3, mac).ciaddr(address);
        ask.from = SocketAddrV4::new(address, 68);
        ask.to = server;
        ask
    }

    /// DHCPREQUEST in state REBINDING: by broadcast.
    pub(crate) fn rebinding(mac: [u8; 6], address: impl Into<Ipv4Addr>) -> Ask {
        let address = address.into();
        let mut ask = Ask::new(3, mac).ciaddr(address);
        ask.from = SocketAddrV4::new(address, 68);
        ask
    }

    /// DHCPRELEASE: by unicast to `server`.
    pub(crate) fn releasing(mac: [u8; 6], address: impl Into<Ipv4Addr>, server: Ipv4Addr) -> Ask {
        let address = address.into();
        let mut ask = Ask::new(7, mac).ciaddr(address).address(54, server);
        ask.from = SocketAddrV4::new(address, 68);
        ask.to = server;
        ask
    }

    /// With this option.
    pub(crate) fn option(mut self, code: u8, data: &[u8]) -> Ask {
        self.options.push((code, data.to_vec()));
        self
    }

    /// With this address as an option.
    pub(crate) fn address(self, code: u8, address: impl Into<Ipv4Addr>) -> Ask {
        self.option(code, &address.into().octets())
    }

    /// With this number of the exchange.
    pub(crate) fn xid(self, xid: u32) -> Ask {
        self.at(4, &xid.to_be_bytes())
    }

    /// With the broadcast flag.
    pub(crate) fn broadcast(self) -> Ask {
        self.at(10, &[0x80])
    }

    /// With `ciaddr`.
    pub(crate) fn ciaddr(self, address: impl Into<Ipv4Addr>) -> Ask {
        self.at(12, &address.into().octets())
    }

    /// With `giaddr`, sent from there to `server`.
    pub(crate) fn relayed(mut self, giaddr: impl Into<Ipv4Addr>, server: Ipv4Addr) -> Ask {
        let giaddr = giaddr.into();
        self.from = SocketAddrV4::new(giaddr, 67);
        self.to = server;
        self.at(3, &[1]).at(24, &giaddr.octets())
    }

    /// With these octets at `start` of the fixed fields.
    pub(crate) fn at(mut self, start: usize, octets: &[u8]) -> Ask {
        self.fixed[start..start + octets.len()].copy_from_slice(octets);
        self
    }

    /// The datagram's payload.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets = self.fixed.to_vec();
        octets.extend(COOKIE);
        for (code, data) in &self.options {
            octets.extend([*code, u8::try_from(data.len()).unwrap()]);
            octets.extend(data);
        }
        octets.push(255);
        octets
    }
}

fn parts(mut rest: &[u8]) -> Vec<(u8, &[u8])> {
    let mut parts = Vec::new();
    loop {
        match *rest {
            [255, ref pad @ ..] => {
                assert!(pad.iter().all(|octet| *octet == 0), "octets after the end");
                return parts;
            }
            [code, len, ref tail @ ..] if code != 0 => {
                let (data, after) = tail.split_at(usize::from(len));
                parts.push((code, data));
                rest = after;
            }
            _ => panic!("no option at {rest:?}"),
        }
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Destination,
    pub(crate) octets: Vec<u8>,
    /// The record that it waits for.
    pub(crate) after: Option<u64>,
}

impl Sent {
    pub(crate) fn new(reply: &Reply, octets: &[u8]) -> Sent {
        assert!(octets.len() >= 300, "relay agents drop shorter messages: {}", octets.len());
        assert_eq!(octets[236..240], COOKIE);
        assert_eq!(octets[0], 2, "op");
        Sent {
            source: reply.source,
            destination: reply.destination,
            octets: octets.to_vec(),
            after: reply.after,
        }
    }

    /// Code and data of each option as they stand, parts not joined; those in other fields last, `file` first.
    pub(crate) fn parts(&self) -> Vec<(u8, &[u8])> {
        let mut parts = parts(&self.octets[240..]);
        let overload = parts.iter().find(|(code, _)| *code == 52).map_or(0, |(_, data)| data[0]);
        for (bit, field) in [(1, 108..236), (2, 44..108)] {
            if overload & bit != 0 {
                parts.extend(self::parts(&self.octets[field]));
            }
        }
        parts
    }

    /// Codes in the order of their first part.
    pub(crate) fn codes(&self) -> Vec<u8> {
        let mut codes: Vec<u8> = self.parts().iter().map(|(code, _)| *code).collect();
        codes.dedup();
        codes
    }

    /// An option's data.
    pub(crate) fn option(&self, code: u8) -> Option<Vec<u8>> {
        let parts: Vec<_> = self.parts().into_iter().filter(|(other, _)| *other == code).collect();
        (!parts.is_empty()).then(|| parts.iter().flat_map(|(_, data)| data.iter().copied()).collect())
    }

    /// An option's number.
    pub(crate) fn number(&self, code: u8) -> Option<u32> {
        self.option(code).map(|data| u32::from_be_bytes(data.try_into().unwrap()))
    }

    /// An option's address.
    pub(crate) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.number(code).map(Ipv4Addr::from)
    }

    /// The message type.
    pub(crate) fn kind(&self) -> u8 {
        self.option(53).unwrap()[0]
    }

    pub(crate) fn ciaddr(&self) -> Ipv4Addr {
        self.field(12)
    }

    pub(crate) fn yiaddr(&self) -> Ipv4Addr {
        self.field(16)
    }

    pub(crate) fn siaddr(&self) -> Ipv4Addr {
        self.field(20)
    }

    pub(crate) fn giaddr(&self) -> Ipv4Addr {
        self.field(24)
    }

    pub(crate) fn flags(&self) -> [u8; 2] {
        [self.octets[10], self.octets[11]]
    }

    fn field(&self, at: usize) -> Ipv4Addr {
        let octets: [u8; 4] = self.octets[at..at + 4].try_into().unwrap();
        octets.into()
    }
}
