//! Any number of clients, for which one machine speaks as a relay agent does, and what they were promised.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use integration_tests::net::Machine;
use integration_tests::run::{PATIENCE, wait_for};

use super::Net;
use super::tongue::{Kind, Reply, Say, Tongue};

/// Speaks for many clients at once.
pub(super) struct Crowd {
    tongue: Tongue,
    socket: UdpSocket,
    _machine: Machine,
    next_xid: u32,
}

impl Crowd {
    pub(super) fn new(net: &Net) -> Crowd {
        let (agent, server) = (net.family.agent(), net.family.server());
        let machine = net.lan.attach("agent", "02:00:00:00:0a:0a");
        machine.add_address(&format!("{agent}/{}", net.family.prefix_len()));
        let port = net.family.port();
        let socket = machine.on(|| UdpSocket::bind((agent, port)).unwrap());
        socket.connect(SocketAddr::from((server, port))).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        Crowd { tongue: Tongue::new(net.family), socket, _machine: machine, next_xid: 0 }
    }

    pub(super) fn send(&mut self, say: Say, mac: [u8; 6]) {
        self.next_xid += 1;
        // A daemon that was killed refuses; the client will ask again.
        let _ = self.socket.send(&self.tongue.octets(say, mac, self.next_xid));
    }

    /// The next reply; `None` if nothing comes for a while.
    pub(super) fn receive(&mut self) -> Option<Reply> {
        let mut buffer = [0; 2048];
        let length = loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => break length,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
                Err(_) => return None,
            }
        };
        Some(self.tongue.read(&buffer[..length]))
    }

    /// Has all discover servers, and accept what they are offered; `acknowledged` says whether to go on.
    pub(super) fn join(&mut self, macs: &[[u8; 6]], mut acknowledged: impl FnMut([u8; 6], IpAddr) -> bool) {
        for mac in macs {
            self.send(Say::Discover, *mac);
        }
        while let Some((kind, mac, address)) = self.receive() {
            match kind {
                Kind::Offer => self.send(Say::Accept(address), mac),
                Kind::Ack if !acknowledged(mac, address) => return,
                Kind::Ack | Kind::Nak => {}
            }
        }
    }

    /// The address that one client gets, which asks until it does.
    pub(super) fn gets(&mut self, mac: [u8; 6]) -> IpAddr {
        wait_for("a lease", || self.lease(mac))
    }

    /// The address that one client gets; `None`: it gets none for a while.
    pub(super) fn lease(&mut self, mac: [u8; 6]) -> Option<IpAddr> {
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
    pub(super) by_mac: BTreeMap<[u8; 6], IpAddr>,
    by_address: BTreeMap<IpAddr, [u8; 6]>,
}

impl Promised {
    pub(super) fn note(&mut self, mac: [u8; 6], address: IpAddr) {
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
                    crowd.send(Say::Keep(*address), *mac);
                }
                while !open.is_empty()
                    && let Some((kind, mac, address)) = crowd.receive()
                {
                    assert_ne!(kind, Kind::Nak, "the lease of {mac:?} is lost");
                    if kind == Kind::Ack && open.get(&mac) == Some(&address) {
                        open.remove(&mac);
                    }
                }
            }
            assert!(open.is_empty(), "no answer for {open:?}");
        }
    }
}
