//! Messages to send and replies to look at. Replies are decoded by `dhcproto`, which did not write them.

use std::net::Ipv6Addr;

use dhcproto::Decodable;
use dhcproto::v6::{DhcpOption, Message, MessageType, OptionCode};
use ipnet::Ipv6Net;

/// A client's message.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) kind: u8,
    pub(crate) options: Vec<u8>,
}

/// DUID-LL of a hardware address.
pub(crate) fn duid_ll(mac: [u8; 6]) -> Vec<u8> {
    [&[0, 3, 0, 1][..], &mac].concat()
}

/// The link-local address that a hardware address gives.
pub(crate) fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// An option.
pub(crate) fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).unwrap();
    [&code.to_be_bytes()[..], &len.to_be_bytes(), data].concat()
}

/// An address in an identity association.
pub(crate) fn address(address: &str) -> Vec<u8> {
    let address: Ipv6Addr = address.parse().unwrap();
    option(5, &[&address.octets()[..], &[0; 8]].concat())
}

/// A prefix in an identity association.
pub(crate) fn prefix(address: &str, len: u8) -> Vec<u8> {
    let address: Ipv6Addr = address.parse().unwrap();
    option(26, &[&[0; 8][..], &[len], &address.octets()].concat())
}

impl Ask {
    /// A message of this type from the client with this DUID.
    pub(crate) fn new(kind: u8, duid: &[u8]) -> Ask {
        Ask { kind, options: option(1, duid) }
    }

    /// With an option.
    pub(crate) fn with(mut self, code: u16, data: &[u8]) -> Ask {
        self.options.extend(option(code, data));
        self
    }

    /// With an identity association for addresses.
    pub(crate) fn na(self, id: u32, inner: &[Vec<u8>]) -> Ask {
        let data = [&id.to_be_bytes()[..], &[0; 8], &inner.concat()].concat();
        self.with(3, &data)
    }

    /// With an identity association for prefixes.
    pub(crate) fn pd(self, id: u32, inner: &[Vec<u8>]) -> Ask {
        let data = [&id.to_be_bytes()[..], &[0; 8], &inner.concat()].concat();
        self.with(25, &data)
    }

    /// That asks for options.
    pub(crate) fn oro(self, codes: &[u16]) -> Ask {
        let data: Vec<u8> = codes.iter().flat_map(|code| code.to_be_bytes()).collect();
        self.with(6, &data)
    }

    /// As octets.
    pub(crate) fn octets(&self) -> Vec<u8> {
        [&[self.kind, 0xaa, 0xbb, 0xcc][..], &self.options].concat()
    }
}

/// Puts a relay agent's message around `inner`.
pub(crate) fn relay(hops: u8, link: &str, peer: Ipv6Addr, options: &[u8], inner: &[u8]) -> Vec<u8> {
    let link: Ipv6Addr = link.parse().unwrap();
    [&[12, hops][..], &link.octets(), &peer.octets(), options, &option(9, inner)].concat()
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) octets: Vec<u8>,
}

/// A reply as a relay agent gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) hops: u8,
    pub(crate) link: Ipv6Addr,
    pub(crate) peer: Ipv6Addr,
    /// All but the message in it.
    pub(crate) options: Vec<(u16, Vec<u8>)>,
    pub(crate) inner: Sent,
}

/// An identity association in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentIa {
    pub(crate) id: u32,
    pub(crate) timers: (u32, u32),
    /// Addresses with their preferred and valid lifetimes.
    pub(crate) addresses: Vec<(Ipv6Addr, u32, u32)>,
    pub(crate) status: Option<u16>,
}

/// An identity association of any kind in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnyIa {
    /// Addresses and prefixes with their preferred and valid lifetimes.
    pub(crate) leases: Vec<(Ipv6Net, u32, u32)>,
    pub(crate) status: Option<u16>,
}

impl Sent {
    pub(crate) fn message(&self) -> Message {
        Message::from_bytes(&self.octets).unwrap_or_else(|error| panic!("{error}: {:02x?}", self.octets))
    }

    /// As a relay agent reads it. `dhcproto` takes what is in a relay message for another relay message.
    pub(crate) fn relayed(&self) -> Relayed {
        let [13, hops, rest @ ..] = &*self.octets else { panic!("{:02x?}", self.octets) };
        let (link, rest) = rest.split_first_chunk::<16>().unwrap();
        let (peer, rest) = rest.split_first_chunk::<16>().unwrap();
        let options: Vec<(u16, Vec<u8>)> = walk(rest).map(|(code, data)| (code, data.to_vec())).collect();
        let (last, others) = options.split_last().unwrap();
        assert_eq!(last.0, 9, "the message comes last");
        let inner = Sent { octets: last.1.clone() };
        Relayed { hops: *hops, link: (*link).into(), peer: (*peer).into(), options: others.to_vec(), inner }
    }

    pub(crate) fn kind(&self) -> u8 {
        match self.message().msg_type() {
            MessageType::Advertise => 2,
            MessageType::Reply => 7,
            other => panic!("{other:?}"),
        }
    }

    /// Codes of the options, in their order.
    pub(crate) fn codes(&self) -> Vec<u16> {
        walk(&self.octets[4..]).map(|(code, _)| code).collect()
    }

    /// Data of the first option with this code.
    pub(crate) fn option(&self, code: u16) -> Option<Vec<u8>> {
        walk(&self.octets[4..]).find(|(other, _)| *other == code).map(|(_, data)| data.to_vec())
    }

    /// Status of the whole message.
    pub(crate) fn status(&self) -> Option<u16> {
        self.option(13).map(|data| u16::from_be_bytes([data[0], data[1]]))
    }

    /// The identity associations for addresses.
    pub(crate) fn nas(&self) -> Vec<SentIa> {
        let message = self.message();
        let all = message.opts().iter().filter_map(|option| match option {
            DhcpOption::IANA(ia) => Some(ia),
            _ => None,
        });
        all.map(|ia| {
            let addresses = ia.opts.iter().filter_map(|option| match option {
                DhcpOption::IAAddr(a) => Some((a.addr, a.preferred_life, a.valid_life)),
                _ => None,
            });
            let status = ia.opts.get(OptionCode::StatusCode).map(|option| match option {
                DhcpOption::StatusCode(status) => u16::from(status.status),
                other => panic!("{other:?}"),
            });
            SentIa { id: ia.id, timers: (ia.t1, ia.t2), addresses: addresses.collect(), status }
        })
        .collect()
    }

    /// All identity associations, in their order: addresses are prefixes of 128 bits.
    pub(crate) fn ias(&self) -> Vec<AnyIa> {
        let all = walk(&self.octets[4..]).filter(|(code, _)| [3, 4, 25].contains(code));
        all.map(|(code, data)| {
            let inner = if code == 4 { &data[4..] } else { &data[12..] };
            let mut ia = AnyIa { leases: Vec::new(), status: None };
            let number = |at: &[u8]| u32::from_be_bytes(at.try_into().unwrap());
            for (code, data) in walk(inner) {
                let address = |at: &[u8]| Ipv6Addr::from(<[u8; 16]>::try_from(at).unwrap());
                match code {
                    5 => {
                        let net = Ipv6Net::from(address(&data[..16]));
                        ia.leases.push((net, number(&data[16..20]), number(&data[20..24])));
                    }
                    26 => {
                        let net = Ipv6Net::new(address(&data[9..25]), data[8]).unwrap();
                        ia.leases.push((net, number(&data[..4]), number(&data[4..8])));
                    }
                    13 => ia.status = Some(u16::from_be_bytes([data[0], data[1]])),
                    other => panic!("{other}"),
                }
            }
            ia
        })
        .collect()
    }

    /// The one identity association for addresses.
    pub(crate) fn na(&self) -> SentIa {
        let [ia] = &*self.nas() else { panic!("one identity association: {:02x?}", self.octets) };
        ia.clone()
    }
}

/// The options of a list.
pub(crate) fn walk(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, tail) = rest.split_first_chunk::<4>()?;
        let (data, after) = tail.split_at(usize::from(u16::from_be_bytes([header[2], header[3]])));
        rest = after;
        Some((u16::from_be_bytes([header[0], header[1]]), data))
    })
}
