//! A DHCPv6 client of our own that speaks for any number of machines, as a relay agent does, which tells the
//! server their hardware addresses (RFC 6939).

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};

use crate::message6::{ADVERTISE, Ask, IA_NA, IA_PD, REPLY, Reply, SOLICIT, duid_ll, link_local};
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
    next_xid: u32,
}

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

    fn send(&mut self, mac: [u8; 6], wants_prefix: bool, is_rapid: bool) -> u32 {
        self.next_xid += 1;
        let codes: Vec<u16> = (1..=CODES_MAX).filter(|code| !FRAME.contains(code)).collect();
        let mut ask = Ask::from(SOLICIT, &duid_ll(mac)).xid(self.next_xid).option(8, &[0, 0]).wants(&codes);
        ask = ask.ia(IA_NA, 1, &[]);
        if wants_prefix {
            ask = ask.ia(IA_PD, 2, &[]);
        }
        if is_rapid {
            ask = ask.option(14, &[]);
        }
        let link_layer = [&[0, 1][..], &mac].concat();
        let ask = ask.relayed(self.own, link_local(mac), vec![(79, link_layer)]);
        self.socket.send(&ask.octets()).unwrap();
        self.next_xid
    }

    /// The number of the exchange, and what a message of this type tells.
    fn receive(&self, kind: u8) -> (u32, Advertise) {
        let mut buffer = vec![0; 4096];
        let length =
            self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("a message was lost: {error}"));
        let reply = Reply::read(&buffer[..length]).expect("a whole reply");
        assert_eq!((reply.kind, reply.relays.len()), (kind, 1), "{reply:?}");
        let leases = reply.ias().into_iter().flat_map(|ia| ia.leases);
        let given = leases.map(|(lease, _, valid)| (lease.addr(), lease.prefix_len(), valid)).collect();
        let mut options: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for (code, data) in reply.options.into_iter().filter(|(code, _)| !FRAME.contains(code)) {
            options.entry(code).or_default().extend(data);
        }
        (reply.xid, Advertise { given, options })
    }
}
