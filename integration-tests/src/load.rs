//! Thousands of DHCP clients at once, on a network that loses and doubles what they say and hear.
//!
//! Each client is one of RFC 2131: it asks, asks again later and later, and begins anew when it is
//! refused. Every reply is checked; at the end each client has an address and none has another's. Losses
//! are made here, by a seed, on both ways: not every kernel can make them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::message::{ACK, Ask, Message, NAK, OFFER};
use crate::random::Random;
use crate::run::PATIENCE;
use crate::wire::{Wire, answer_arp, read_udp, udp_frame};

/// The first wait for an answer; it doubles each time up to the last.
const WAIT_MS: (u64, u64) = (300, 1500);
/// Hardware address that answers for the clients when the server looks for them.
const ROUTER: [u8; 6] = [2, 0xee, 0, 0, 0, 1];

/// An inventory with a pool for 250,000 clients on the interface `server` of [`CABLE`].
pub const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.test"]
[zone."lab.test"]
[network.lab]
zone = "lab.test"
ipv4 = "10.20.0.0/14"
gateway = "10.20.0.1"
dns = ["10.20.0.2"]
pool = ["10.20.1.0-10.23.255.200"]
lease = "1h"
[host.ns1]
network = "lab"
ip = "10.20.0.2"
"#;

/// Makes the cable, with the server's address, in a network namespace that has nothing else.
pub const CABLE: &str = "ip link add clients type veth peer name server
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip address add 10.20.0.2/14 dev server
    ip link set server up
    ip link set clients up";

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Number of clients; all of them begin at once.
    pub clients: usize,
    /// Of a hundred frames, so many are lost on each way, and so many more come twice.
    pub loss: usize,
    /// Other seeds lose other frames.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// From the first message to the last client's acknowledgement.
    pub took: Duration,
    /// Messages sent, with those that were lost on the way.
    pub sent: usize,
    /// Replies received, without those that were lost.
    pub received: usize,
    /// Messages and replies lost.
    pub lost: usize,
    /// Messages and replies doubled.
    pub doubled: usize,
    /// DHCPNAKs.
    pub refused: usize,
    /// Who has which address.
    pub addresses: HashMap<Ipv4Addr, usize>,
}

/// Clients on the cable that ends in one interface.
#[derive(Debug)]
pub struct Clients {
    wire: Wire,
    load: Load,
    random: Random,
    clients: Vec<Client>,
    /// When a client says something again: the time, the client, what it waited for.
    due: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    to_send: Vec<Vec<u8>>,
    report: Report,
    unbound: usize,
}

#[derive(Clone, Debug)]
struct Client {
    xid: u32,
    wait: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Selecting,
    Requesting(Ipv4Addr, Ipv4Addr),
    Rebooting(Ipv4Addr),
    Bound(Ipv4Addr),
}

impl Clients {
    /// Clients that speak by `interface`, none of which has an address.
    pub fn new(interface: &str, load: Load) -> Clients {
        let client = Client { xid: 0, wait: 0, state: State::Selecting };
        Clients {
            wire: Wire::open(interface),
            load,
            random: Random::new(load.seed),
            clients: vec![client; load.clients],
            due: BinaryHeap::new(),
            to_send: Vec::new(),
            report: Report::default(),
            unbound: 0,
        }
    }

    /// All of them start, and each gets an address.
    ///
    /// # Panics
    /// One gets none in time, or a reply is wrong.
    pub fn bind(&mut self) -> Report {
        self.phase(|_| State::Selecting)
    }

    /// All of them start again with the addresses that they have.
    ///
    /// # Panics
    /// One loses its address, or a reply is wrong.
    pub fn reboot(&mut self) -> Report {
        let before = self.report.addresses.clone();
        let report = self.phase(|state| match state {
            State::Bound(address) => State::Rebooting(address),
            other => other,
        });
        assert_eq!(report.refused, 0, "none is refused what it has");
        assert!(report.addresses == before, "each has what it had");
        report
    }

    fn phase(&mut self, begin: impl Fn(State) -> State) -> Report {
        self.report = Report::default();
        self.unbound = self.clients.len();
        self.due.clear();
        let started = Instant::now();
        for number in 0..self.clients.len() {
            let state = begin(self.clients[number].state);
            self.enter(number, state);
        }
        // Each loss costs a wait, and any number of them may follow each other.
        let mut progress = Instant::now();
        while self.unbound > 0 {
            let before = self.unbound;
            self.flush();
            self.hear();
            self.repeat();
            if self.unbound < before {
                progress = Instant::now();
            }
            assert!(
                progress.elapsed() < PATIENCE,
                "{} clients wait in vain: {:?}",
                self.unbound,
                self.report
            );
        }
        self.report.took = started.elapsed();
        self.report.clone()
    }

    /// A client begins to wait for something else.
    fn enter(&mut self, number: usize, state: State) {
        let client = &mut self.clients[number];
        client.state = state;
        client.wait = WAIT_MS.0;
        client.xid = client.xid.wrapping_add(1);
        if let State::Bound(address) = state {
            self.unbound -= 1;
            let other = self.report.addresses.insert(address, number);
            assert_eq!(other, None, "{address} is given to client {number} as well");
            return;
        }
        self.say(number);
    }

    /// A client says what it has to say, once more perhaps.
    fn say(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let mac = mac(number);
        let ask = match client.state {
            State::Selecting => Ask::discover(mac),
            State::Requesting(address, server) => Ask::selecting(mac, address, server),
            State::Rebooting(address) => Ask::init_reboot(mac, address),
            State::Bound(_) => return,
        };
        let ask = ask.xid(xid(number, client.xid)).option(55, &[1, 3, 6, 15, 51]);
        // Not all in the same moment again.
        let wait = client.wait + self.random.number() % (client.wait / 4);
        client.wait = (client.wait * 2).min(WAIT_MS.1);
        self.due.push(Reverse((Instant::now() + Duration::from_millis(wait), number, client.xid)));
        let frame = udp_frame(mac, None, ask.from, ask.to, &ask.octets());
        for _ in 0..self.copies() {
            self.to_send.push(frame.clone());
        }
        self.report.sent += 1;
    }

    /// How often a frame arrives.
    fn copies(&mut self) -> usize {
        let chance = self.random.below(100);
        if chance < self.load.loss {
            self.report.lost += 1;
            return 0;
        }
        let again = usize::from(chance < self.load.loss * 2);
        self.report.doubled += again;
        1 + again
    }

    fn flush(&mut self) {
        self.wire.send(&self.to_send);
        self.to_send.clear();
    }

    fn hear(&mut self) {
        let patience = self.due.peek().map_or(Duration::ZERO, |Reverse((at, ..))| {
            at.saturating_duration_since(Instant::now()).min(Duration::from_millis(100))
        });
        let (mut replies, mut answers) = (Vec::new(), Vec::new());
        self.wire.receive(patience, |frame| {
            answers.extend(answer_arp(frame, ROUTER));
            replies.extend(read_udp(frame).and_then(|datagram| {
                let reply = Message::read_reply(datagram.payload)?;
                assert!(datagram.mac == reply.mac() || datagram.mac == [0xff; 6], "{reply:?}");
                Some(reply)
            }));
        });
        self.to_send.append(&mut answers);
        for reply in replies {
            for _ in 0..self.copies() {
                self.report.received += 1;
                self.take(&reply);
            }
        }
    }

    fn take(&mut self, reply: &Message) {
        let number = number_of(reply.mac()).filter(|number| *number < self.clients.len());
        let number = number.unwrap_or_else(|| panic!("a reply to nobody: {reply:?}"));
        let client = &self.clients[number];
        if reply.xid() != xid(number, client.xid) {
            return; // An answer to what it said before.
        }
        match (client.state, reply.kind()) {
            (State::Selecting, OFFER) => {
                let server = reply.server().unwrap_or_else(|| panic!("no server: {reply:?}"));
                assert!(!reply.yiaddr().is_unspecified(), "{reply:?}");
                self.enter(number, State::Requesting(reply.yiaddr(), server));
            }
            (State::Requesting(address, _) | State::Rebooting(address), ACK) => {
                assert_eq!(reply.yiaddr(), address, "another address than asked for: {reply:?}");
                assert!(reply.options.get(&51).is_some_and(|data| data.len() == 4), "no lease: {reply:?}");
                self.enter(number, State::Bound(address));
            }
            (State::Requesting(..) | State::Rebooting(_), NAK) => {
                self.report.refused += 1;
                self.enter(number, State::Selecting);
            }
            (state, kind) => panic!("a reply of type {kind} to {state:?}"),
        }
    }

    /// Those who have waited long enough say it again.
    fn repeat(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, number, xid))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            if self.clients[number].xid == xid {
                self.say(number);
            }
        }
    }
}

/// Hardware address of a client.
fn mac(number: usize) -> [u8; 6] {
    let [a, b, c, d] = u32::try_from(number).unwrap().to_be_bytes();
    [2, 7, a, b, c, d]
}

fn number_of(mac: [u8; 6]) -> Option<usize> {
    let [2, 7, a, b, c, d] = mac else { return None };
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()
}

/// Number of a client's exchange: no two clients have the same.
fn xid(number: usize, exchange: u32) -> u32 {
    u32::try_from(number).unwrap() << 12 | exchange & 0xfff
}
