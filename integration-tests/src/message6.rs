//! DHCPv6 messages as octets: requests as a test wants them, also wrong ones, and replies as they came.
//!
//! Neither the server's code nor a library's, so that a slip of theirs cannot hide.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

/// SOLICIT: this and the others are types of messages (RFC 8415, section 7.3).
pub const SOLICIT: u8 = 1;
/// ADVERTISE.
pub const ADVERTISE: u8 = 2;
/// REQUEST.
pub const REQUEST: u8 = 3;
/// CONFIRM.
pub const CONFIRM: u8 = 4;
/// RENEW.
pub const RENEW: u8 = 5;
/// REBIND.
pub const REBIND: u8 = 6;
/// REPLY.
pub const REPLY: u8 = 7;
/// RELEASE.
pub const RELEASE: u8 = 8;
/// DECLINE.
pub const DECLINE: u8 = 9;
/// RECONFIGURE.
pub const RECONFIGURE: u8 = 10;
/// INFORMATION-REQUEST.
pub const INFORMATION_REQUEST: u8 = 11;
/// RELAY-FORW.
pub const RELAY_FORWARD: u8 = 12;
/// RELAY-REPL.
pub const RELAY_REPLY: u8 = 13;

/// Identity association for addresses: this and the others are codes of options.
pub const IA_NA: u16 = 3;
/// Identity association for temporary addresses.
pub const IA_TA: u16 = 4;
/// Identity association for prefixes.
pub const IA_PD: u16 = 25;

/// Options in their order.
pub type Options = Vec<(u16, Vec<u8>)>;

/// A message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its type.
    pub kind: u8,
    /// Number of the exchange, in 24 bits.
    pub xid: u32,
    /// Its options, in their order.
    pub options: Options,
    /// Relay agents that it has come through, the nearest to the server first.
    pub relays: Vec<Relay>,
}

/// What a relay agent puts around a message, and takes off again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Relay agents that the message has come through before.
    pub hops: u8,
    /// An address of the client's link.
    pub link: Ipv6Addr,
    /// Who has sent the message to the relay agent.
    pub peer: Ipv6Addr,
    /// Options but for the message.
    pub options: Options,
}

/// A message of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its type.
    pub kind: u8,
    /// Number of the exchange.
    pub xid: u32,
    /// Its options, in their order.
    pub options: Options,
    /// Relay agents that it goes through, the nearest to the server first.
    pub relays: Vec<Relay>,
}

/// An identity association in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ia {
    /// The option's code.
    pub code: u16,
    /// The client's number for it.
    pub id: u32,
    /// T1 and T2; 0 where there are none.
    pub timers: (u32, u32),
    /// Addresses, as prefixes of 128 bits, and prefixes, with their preferred and valid lifetimes.
    pub leases: Vec<(Ipv6Net, u32, u32)>,
    /// Its status.
    pub status: Option<u16>,
}

/// DUID-LL of a hardware address.
pub fn duid_ll(mac: [u8; 6]) -> Vec<u8> {
    [&[0, 3, 0, 1][..], &mac].concat()
}

/// The link-local address that is made of a hardware address.
pub fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

impl Ask {
    /// A message of this type without options.
    pub fn new(kind: u8) -> Ask {
        Ask { kind, xid: 0, options: Vec::new(), relays: Vec::new() }
    }

    /// A message of this type from the client with this DUID.
    pub fn from(kind: u8, duid: &[u8]) -> Ask {
        Ask::new(kind).option(1, duid)
    }

    /// With this option; several of one code stand side by side.
    #[must_use]
    pub fn option(mut self, code: u16, data: &[u8]) -> Ask {
        self.options.push((code, data.to_vec()));
        self
    }

    /// For the server with this DUID.
    #[must_use]
    pub fn server(self, duid: &[u8]) -> Ask {
        self.option(2, duid)
    }

    /// With an identity association that holds `leases`: addresses are prefixes of 128 bits.
    #[must_use]
    pub fn ia(self, code: u16, id: u32, leases: &[Ipv6Net]) -> Ask {
        let mut data = id.to_be_bytes().to_vec();
        if code != IA_TA {
            data.extend([0; 8]);
        }
        for lease in leases {
            let address = lease.addr().octets();
            match code {
                IA_PD => push(&mut data, 26, &[&[0; 8][..], &[lease.prefix_len()], &address].concat()),
                _ => push(&mut data, 5, &[&address[..], &[0; 8]].concat()),
            }
        }
        self.option(code, &data)
    }

    /// That asks for options.
    #[must_use]
    pub fn wants(self, codes: &[u16]) -> Ask {
        let data: Vec<u8> = codes.iter().flat_map(|code| code.to_be_bytes()).collect();
        self.option(6, &data)
    }

    /// With this number of the exchange.
    #[must_use]
    pub fn xid(mut self, xid: u32) -> Ask {
        self.xid = xid & 0xff_ffff;
        self
    }

    /// As one more relay agent passes it on.
    #[must_use]
    pub fn relayed(mut self, link: Ipv6Addr, peer: Ipv6Addr, options: Options) -> Ask {
        let hops = u8::try_from(self.relays.len()).unwrap_or(u8::MAX);
        self.relays.insert(0, Relay { hops, link, peer, options });
        self
    }

    /// Data of the first option with this code.
    pub fn data(&self, code: u16) -> Option<&[u8]> {
        first(&self.options, code)
    }

    /// Whether it has an option with this code.
    pub fn has(&self, code: u16) -> bool {
        self.data(code).is_some()
    }

    /// The datagram's payload.
    pub fn octets(&self) -> Vec<u8> {
        let [_, a, b, c] = self.xid.to_be_bytes();
        let mut octets = vec![self.kind, a, b, c];
        self.options.iter().for_each(|(code, data)| push(&mut octets, *code, data));
        for relay in self.relays.iter().rev() {
            let inner = octets;
            octets = vec![RELAY_FORWARD, relay.hops];
            octets.extend(relay.link.octets());
            octets.extend(relay.peer.octets());
            relay.options.iter().for_each(|(code, data)| push(&mut octets, *code, data));
            push(&mut octets, 9, &inner);
        }
        octets
    }
}

impl Reply {
    /// The message of a server in a datagram's payload, if it is one: options are whole, and a relay
    /// agent's message has one in it.
    pub fn read(octets: &[u8]) -> Option<Reply> {
        let (mut relays, mut rest) = (Vec::new(), octets.to_vec());
        while rest.first() == Some(&RELAY_REPLY) {
            let address = |at: usize| Some(Ipv6Addr::from(*rest.get(at..)?.first_chunk::<16>()?));
            let (hops, link, peer) = (*rest.get(1)?, address(2)?, address(18)?);
            let mut options = walk(rest.get(34..)?)?;
            let at = options.iter().position(|(code, _)| *code == 9)?;
            rest = options.remove(at).1;
            relays.push(Relay { hops, link, peer, options });
        }
        let ([kind, a, b, c], options) = rest.split_first_chunk::<4>()?;
        let is_servers = [ADVERTISE, REPLY, RECONFIGURE].contains(kind);
        let xid = u32::from_be_bytes([0, *a, *b, *c]);
        is_servers.then_some(Reply { kind: *kind, xid, options: walk(options)?, relays })
    }

    /// Data of the first option with this code.
    pub fn data(&self, code: u16) -> Option<&[u8]> {
        first(&self.options, code)
    }

    /// Status of the whole message.
    pub fn status(&self) -> Option<u16> {
        status(self.data(13)?)
    }

    /// The identity associations, in their order.
    ///
    /// # Panics
    /// One is not whole.
    pub fn ias(&self) -> Vec<Ia> {
        let those = self.options.iter().filter(|(code, _)| [IA_NA, IA_TA, IA_PD].contains(code));
        those.map(|(code, data)| Ia::read(*code, data).unwrap_or_else(|| panic!("{self:02x?}"))).collect()
    }

    /// What it gives: addresses and prefixes that are valid for some time.
    pub fn given(&self) -> Vec<Ipv6Net> {
        let leases = self.ias().into_iter().flat_map(|ia| ia.leases);
        leases.filter(|(_, _, valid)| *valid > 0).map(|(lease, ..)| lease).collect()
    }
}

impl Ia {
    fn read(code: u16, data: &[u8]) -> Option<Ia> {
        let number = |data: &[u8], at: usize| Some(u32::from_be_bytes(*data.get(at..)?.first_chunk()?));
        let id = number(data, 0)?;
        let (timers, inner) = match code {
            IA_TA => ((0, 0), data.get(4..)?),
            _ => ((number(data, 4)?, number(data, 8)?), data.get(12..)?),
        };
        let mut ia = Ia { code, id, timers, leases: Vec::new(), status: None };
        for (code, data) in walk(inner)? {
            let address = |at: usize| Some(Ipv6Addr::from(*data.get(at..)?.first_chunk::<16>()?));
            match code {
                5 => ia.leases.push((address(0)?.into(), number(&data, 16)?, number(&data, 20)?)),
                26 => {
                    let prefix = Ipv6Net::new(address(9)?, *data.get(8)?).ok()?;
                    ia.leases.push((prefix, number(&data, 0)?, number(&data, 4)?));
                }
                13 => ia.status = status(&data),
                _ => {}
            }
        }
        Some(ia)
    }
}

fn first(options: &Options, code: u16) -> Option<&[u8]> {
    options.iter().find(|(other, _)| *other == code).map(|(_, data)| &**data)
}

fn status(data: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*data.first_chunk()?))
}

fn push(octets: &mut Vec<u8>, code: u16, data: &[u8]) {
    octets.extend(code.to_be_bytes());
    octets.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    octets.extend(data);
}

/// The options of a list; `None` if one is cut short.
fn walk(mut rest: &[u8]) -> Option<Options> {
    let mut options = Vec::new();
    while !rest.is_empty() {
        let ([a, b, c, d], tail) = rest.split_first_chunk::<4>()?;
        let (data, after) = tail.split_at_checked(usize::from(u16::from_be_bytes([*c, *d])))?;
        options.push((u16::from_be_bytes([*a, *b]), data.to_vec()));
        rest = after;
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_through_two_relay_agents_is_read_from_octets() {
        let ask = Ask::from(SOLICIT, &[0, 3, 0, 1, 2, 2, 2, 2, 2, 2]).ia(IA_NA, 7, &[]).xid(0x0a_0b0c);
        let [near, far] = ["2001:db8:1::1", "2001:db8:2::1"].map(|text| text.parse().unwrap());
        let mut relayed = ask.relayed(near, link_local([2; 6]), vec![(18, b"port".to_vec())]);
        relayed = relayed.relayed(far, near, Vec::new());
        let mut octets = relayed.octets();
        // What a server makes of it: the same agents, with a message of its own in them.
        (octets[0], octets[38]) = (RELAY_REPLY, RELAY_REPLY);
        let at = octets.windows(4).position(|four| four == [SOLICIT, 0x0a, 0x0b, 0x0c]).unwrap();
        octets[at] = ADVERTISE;
        let reply = Reply::read(&octets).unwrap();
        assert_eq!((reply.kind, reply.xid, &reply.relays), (ADVERTISE, 0x0a_0b0c, &relayed.relays));
        assert_eq!((reply.relays[0].hops, reply.relays[1].hops), (1, 0));
        assert_eq!(reply.ias()[0].id, 7);
        for len in 0..octets.len() {
            assert_eq!(Reply::read(&octets[..len]), None, "{len}");
        }
    }

    #[test]
    fn an_identity_association_is_read_with_its_lifetimes_and_status() {
        let address: Ipv6Addr = "2001:db8::5".parse().unwrap();
        let mut data = [[0, 0, 0, 9], [0, 0, 1, 0], [0, 0, 2, 0]].concat();
        push(&mut data, 5, &[&address.octets()[..], &[0, 0, 0, 1], &[0, 0, 0, 2]].concat());
        push(&mut data, 13, &[0, 6, b'x']);
        let ia = Ia::read(IA_NA, &data).unwrap();
        assert_eq!((ia.id, ia.timers, ia.status), (9, (256, 512), Some(6)));
        assert_eq!(ia.leases, [(Ipv6Net::from(address), 1, 2)]);
    }
}
