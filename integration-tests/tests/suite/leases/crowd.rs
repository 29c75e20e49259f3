//! Any number of clients, for which one machine speaks as a relay agent does, and what they were promised.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use integration_tests::message::{ACK, Ask, DISCOVER, Message, NAK, OFFER, REQUEST};
use integration_tests::net::Machine;
use integration_tests::run::{PATIENCE, wait_for};

use super::Net;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
/// The machine that speaks for the clients.
const AGENT: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 3);

/// Speaks for many clients at once.
pub(super) struct Crowd {
    socket: UdpSocket,
    _machine: Machine,
    next_xid: u32,
}

/// A reply: type, hardware address, address.
pub(super) type Reply = (u8, [u8; 6], Ipv4Addr);

impl Crowd {
    pub(super) fn new(net: &Net) -> Crowd {
        let machine = net.lan.attach("agent", "02:00:00:00:0a:0a");
        machine.sh(&format!("ip address add {AGENT}/16 dev eth0"));
        let socket = machine.on(|| UdpSocket::bind((AGENT, 67)).unwrap());
        socket.connect(SocketAddr::from((SERVER, 67))).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        Crowd { socket, _machine: machine, next_xid: 0 }
    }

    pub(super) fn send(&mut self, kind: u8, mac: [u8; 6], options: &[(u8, Ipv4Addr)]) {
        self.next_xid += 1;
        let ask = Ask::new(kind, mac).relayed(AGENT, SERVER).xid(self.next_xid);
        let ask = options.iter().fold(ask, |ask, (code, address)| ask.address(*code, *address));
        // A daemon that was killed refuses; the client will ask again.
        let _ = self.socket.send(&ask.octets());
    }

    /// The next reply; `None` if nothing comes for a while.
    pub(super) fn receive(&self) -> Option<Reply> {
        let mut buffer = [0; 2048];
        let length = loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => break length,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
                Err(_) => return None,
            }
        };
        let reply = Message::read_reply(&buffer[..length]).unwrap();
        Some((reply.kind(), reply.mac(), reply.yiaddr()))
    }

    /// Sends DISCOVERs for all, and REQUESTs for the offers; `acknowledged` says whether to go on.
    pub(super) fn join(&mut self, macs: &[[u8; 6]], mut acknowledged: impl FnMut([u8; 6], Ipv4Addr) -> bool) {
        for mac in macs {
            self.send(DISCOVER, *mac, &[]);
        }
        while let Some((kind, mac, address)) = self.receive() {
            match kind {
                OFFER => self.send(REQUEST, mac, &[(50, address), (54, SERVER)]),
                ACK if !acknowledged(mac, address) => return,
                _ => {}
            }
        }
    }

    /// The address that one client gets, which asks until it does.
    pub(super) fn gets(&mut self, mac: [u8; 6]) -> Ipv4Addr {
        wait_for("a lease", || self.lease(mac))
    }

    /// The address that one client gets; `None`: it gets none for a while.
    pub(super) fn lease(&mut self, mac: [u8; 6]) -> Option<Ipv4Addr> {
        let mut leased = None;
        self.join(&[mac], |_, address| {
            leased = Some(address);
            false
        });
        leased
    }
}

/// The hardware address of client `n`.
pub(super) fn mac(n: u32) -> [u8; 6] {
    let [a, b, c, d] = n.to_be_bytes();
    [2, 1, a, b, c, d]
}

/// What clients were promised: nobody else may be promised the same.
#[derive(Default)]
pub(super) struct Promised {
    pub(super) by_mac: BTreeMap<[u8; 6], Ipv4Addr>,
    by_address: BTreeMap<Ipv4Addr, [u8; 6]>,
}

impl Promised {
    pub(super) fn note(&mut self, mac: [u8; 6], address: Ipv4Addr) {
        let before = self.by_mac.insert(mac, address);
        assert!(before.is_none_or(|before| before == address), "{mac:?} had {before:?} and got {address}");
        let holder = self.by_address.insert(address, mac);
        assert!(holder.is_none_or(|holder| holder == mac), "{address} is {holder:?}'s and went to {mac:?}");
    }

    /// Every client finds its lease again.
    pub(super) fn check(&self, crowd: &mut Crowd) {
        self.check_those(crowd, |_| true);
    }

    /// Clients of which `wanted` is true of their hardware address find their leases again.
    pub(super) fn check_those(&self, crowd: &mut Crowd, wanted: impl Fn([u8; 6]) -> bool) {
        let those = self.by_mac.iter().filter(|(mac, _)| wanted(**mac));
        let all: Vec<_> = those.map(|(mac, address)| (*mac, *address)).collect();
        for group in all.chunks(32) {
            let mut open: BTreeMap<_, _> = group.iter().copied().collect();
            // A daemon that was started a moment ago may not listen yet, and messages may be lost.
            let deadline = Instant::now() + PATIENCE;
            while !open.is_empty() && Instant::now() < deadline {
                for (mac, address) in &open {
                    crowd.send(REQUEST, *mac, &[(50, *address)]);
                }
                while !open.is_empty()
                    && let Some((kind, mac, address)) = crowd.receive()
                {
                    assert_ne!(kind, NAK, "the lease of {mac:?} is lost");
                    if kind == ACK && open.get(&mac) == Some(&address) {
                        open.remove(&mac);
                    }
                }
            }
            assert!(open.is_empty(), "no answer for {open:?}");
        }
    }
}
