//! A DHCPv6 client of our own that speaks for any number of machines, as a relay agent does, which tells the
//! server their hardware addresses (RFC 6939).

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};

use crate::run::PATIENCE;

/// An Advertise, or a Reply, with all that it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertise {
    /// Addresses and prefixes with their length and their valid lifetime in seconds.
    pub given: Vec<(Ipv6Addr, u8, u32)>,
    /// Data of each option but the frame of the message, by code.
    pub options: BTreeMap<u16, Vec<u8>>,
}

/// Sends one message at a time.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    own: Ipv6Addr,
    next_xid: u8,
}

/// Message types (RFC 8415, section 7.3).
const ADVERTISE: u8 = 2;
const REPLY: u8 = 7;
/// Options that say nothing to the client.
const FRAME: [u16; 8] = [1, 2, 3, 4, 7, 13, 14, 25];
/// Options that are asked for.
const CODES_MAX: u16 = 300;

impl Client {
    /// A client at `own`, which must be an address of this machine and in the machines' network, that asks
    /// the server at `server`.
    ///
    /// # Panics
    /// Port 547 of `own` is not to be had.
    pub fn new(own: Ipv6Addr, server: Ipv6Addr) -> Client {
        let socket = UdpSocket::bind((own, 547)).unwrap();
        socket.connect(SocketAddr::from((server, 547))).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket, own, next_xid: 0 }
    }

    /// Sends a Solicit of `mac` for an address, and a prefix if it is wanted, that asks for every option, and
    /// waits for the Advertise.
    ///
    /// # Panics
    /// There is no reply, or another one.
    pub fn solicit(&mut self, mac: [u8; 6], wants_prefix: bool) -> Advertise {
        let xid = self.send(mac, wants_prefix, false);
        let (answered, advertise) = self.receive(ADVERTISE);
        assert_eq!(answered, xid, "a reply to something else: {advertise:?}");
        advertise
    }

    /// What `mac` leases in two messages (RFC 8415, section 18.2.1): an address, and a prefix if it is wanted.
    ///
    /// # Panics
    /// There is no reply, or another one.
    pub fn lease(&mut self, mac: [u8; 6], wants_prefix: bool) -> Advertise {
        let xid = self.send(mac, wants_prefix, true);
        let (answered, reply) = self.receive(REPLY);
        assert_eq!(answered, xid, "a reply to something else: {reply:?}");
        reply
    }

    /// Whether a Solicit of `mac` meets silence. One of `known`, which is always answered, follows it:
    /// messages are answered in order, so only silence lets its reply come first.
    ///
    /// # Panics
    /// Neither is answered.
    pub fn is_silence(&mut self, mac: [u8; 6], known: [u8; 6]) -> bool {
        let first = self.send(mac, false, false);
        let second = self.send(known, false, false);
        let (answered, _) = self.receive(ADVERTISE);
        if answered == first {
            self.receive(ADVERTISE);
        }
        answered == second
    }

    fn send(&mut self, mac: [u8; 6], wants_prefix: bool, is_rapid: bool) -> u8 {
        self.next_xid += 1;
        let mut solicit = vec![1, 0x68, 0x62, self.next_xid];
        push(&mut solicit, 1, &[&[0, 3, 0, 1], &mac[..]].concat());
        push(&mut solicit, 8, &[0, 0]);
        let codes: Vec<u8> =
            (1..=CODES_MAX).filter(|code| !FRAME.contains(code)).flat_map(u16::to_be_bytes).collect();
        push(&mut solicit, 6, &codes);
        push(&mut solicit, 3, &[&[0, 0, 0, 1][..], &[0; 8]].concat());
        if wants_prefix {
            push(&mut solicit, 25, &[&[0, 0, 0, 2][..], &[0; 8]].concat());
        }
        if is_rapid {
            push(&mut solicit, 14, &[]);
        }
        let [a, b, c, d, e, f] = mac;
        let peer = Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        let mut forward = [&[12, 0][..], &self.own.octets(), &peer.octets()].concat();
        push(&mut forward, 79, &[&[0, 1], &mac[..]].concat());
        push(&mut forward, 9, &solicit);
        self.socket.send(&forward).unwrap();
        self.next_xid
    }

    /// The number of the exchange, and what a message of this type tells.
    fn receive(&self, kind: u8) -> (u8, Advertise) {
        let mut buffer = vec![0; 4096];
        let length =
            self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("a message was lost: {error}"));
        assert_eq!(buffer[0], 13, "no Relay-reply");
        let message = options(&buffer[34..length]).remove(&9).unwrap();
        assert_eq!(message[0], kind, "another type");
        let mut advertise = Advertise { options: options(&message[4..]), ..Advertise::default() };
        let associations: Vec<u8> = [3, 25]
            .iter()
            .filter_map(|code| advertise.options.get(code))
            .flat_map(|data| data[12..].to_vec())
            .collect();
        let number = |octets: &[u8]| u32::from_be_bytes(octets.try_into().unwrap());
        let address = |octets: &[u8]| Ipv6Addr::from(<[u8; 16]>::try_from(octets).unwrap());
        for (code, data) in options(&associations) {
            match code {
                5 => advertise.given.push((address(&data[..16]), 128, number(&data[20..24]))),
                26 => advertise.given.push((address(&data[9..25]), data[8], number(&data[4..8]))),
                _ => {}
            }
        }
        advertise.options.retain(|code, _| !FRAME.contains(code));
        (message[3], advertise)
    }
}

fn push(octets: &mut Vec<u8>, code: u16, data: &[u8]) {
    octets.extend(code.to_be_bytes());
    octets.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    octets.extend(data);
}

/// Options by code; of one that is there several times the data are joined.
fn options(mut rest: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let mut options: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    while let [a, b, c, d, after @ ..] = rest {
        let (data, after) = after.split_at(usize::from(u16::from_be_bytes([*c, *d])));
        options.entry(u16::from_be_bytes([*a, *b])).or_default().extend(data);
        rest = after;
    }
    options
}
