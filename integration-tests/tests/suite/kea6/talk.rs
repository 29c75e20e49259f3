//! What a client says to one server and hears from it.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::{Duration, Instant};

use integration_tests::message6::{
    ADVERTISE, Ask, INFORMATION_REQUEST, REPLY, REQUEST, Reply, SOLICIT, duid_ll, link_local,
};
use integration_tests::run::PATIENCE;
use integration_tests::wire::Wire;
use integration_tests::wire6::{answer_neighbour, ask_neighbour, read_udp6, udp6_frame};
use ipnet::Ipv6Net;

use super::site::{address, mac, server_address, server_mac};
use crate::suite::kea::servers::Server;

/// All_DHCP_Relay_Agents_and_Servers.
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// The relay agents' and the marker's machine.
const ROUTER: [u8; 6] = [2, 0xee, 0, 0, 0, 1];
const ROUTER_HOST: u16 = 0xfe;

/// A conversation of one scenario with one server.
pub(super) struct Talk<'s> {
    /// Number of the scenario.
    pub(super) n: u8,
    server: &'s Server,
    wire: Wire,
    xid: u32,
    /// The server's DUID, as it has said.
    duid: Vec<u8>,
    /// Each message and what came of it.
    pub(super) said: Vec<(Ask, Option<Heard>)>,
}

/// A reply as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) reply: Reply,
    pub(super) mac: [u8; 6],
    pub(super) to: SocketAddrV6,
    /// Whether it says the server's DUID.
    pub(super) is_named: bool,
}

/// Who says something, and where to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// The machine with this hardware address, to all servers.
    Link([u8; 6]),
    /// The same, to the server alone.
    Unicast([u8; 6]),
    /// A machine that has made its link-local address of something else.
    From([u8; 6], Ipv6Addr),
    /// A relay agent.
    Agent,
}

impl<'s> Talk<'s> {
    pub(super) fn new(server: &'s Server, n: u8) -> Talk<'s> {
        let wire = Wire::open(&server.cable(n));
        let mut talk = Talk { n, server, wire, xid: 0, duid: Vec::new(), said: Vec::new() };
        let ask = Ask::from(INFORMATION_REQUEST, &duid_ll(ROUTER)).xid(0x7f_ffff);
        let heard = talk.exchange(&ask, Way::Link(ROUTER)).expect("the server's DUID");
        talk.duid = heard.reply.data(2).unwrap().to_vec();
        talk
    }

    /// A hardware address.
    pub(super) fn mac(&self, number: u8) -> [u8; 6] {
        mac(self.n, number)
    }

    /// An address of the network that the server is in.
    pub(super) fn near(&self, host: u16) -> Ipv6Net {
        address(self.n, 0, host).into()
    }

    /// An address of the network behind a relay agent.
    pub(super) fn far(&self, host: u16) -> Ipv6Net {
        address(self.n, 1, host).into()
    }

    /// A prefix of so many bits: of the pool, which begins with 0x1000, or another one.
    pub(super) fn prefix(&self, network: u16, bits: u8) -> Ipv6Net {
        Ipv6Net::new(address(self.n, network, 0), bits).unwrap()
    }

    /// `ask` for this very server.
    pub(super) fn named(&self, ask: Ask) -> Ask {
        ask.server(&self.duid)
    }

    /// A message from a machine, which is known by its hardware address alone, with the options that an
    /// ordinary client wants.
    pub(super) fn ask(&self, kind: u8, number: u8) -> Ask {
        let ask = Ask::from(kind, &duid_ll(self.mac(number))).option(8, &[0, 0]);
        ask.wants(&[23, 24, 31])
    }

    /// Says something on the link; `None` is silence.
    pub(super) fn say(&mut self, number: u8, ask: Ask) -> Option<Reply> {
        self.say_by(Way::Link(self.mac(number)), ask)
    }

    /// Says something through a relay agent of the far network.
    pub(super) fn relay(&mut self, number: u8, options: Vec<(u16, Vec<u8>)>, ask: Ask) -> Option<Reply> {
        let (link, peer) = (self.far(ROUTER_HOST).addr(), link_local(self.mac(number)));
        self.say_by(Way::Agent, ask.relayed(link, peer, options))
    }

    /// Says something.
    pub(super) fn say_by(&mut self, way: Way, ask: Ask) -> Option<Reply> {
        self.xid += 1;
        let ask = ask.xid(u32::from(self.n) << 8 | self.xid);
        let heard = self.exchange(&ask, way);
        let reply = heard.as_ref().map(|heard| heard.reply.clone());
        // A server's DUID is its own.
        let mut said = ask;
        said.options.iter_mut().filter(|(code, _)| *code == 2).for_each(|(_, data)| *data = vec![0]);
        self.said.push((said, heard));
        reply
    }

    /// Solicit and Request with these identity associations, which are empty; what the client has then.
    /// Nothing if the server offers nothing: what it says instead is compared.
    pub(super) fn join(&mut self, number: u8, ias: &[(u16, u32)]) -> Vec<Ipv6Net> {
        let with = |ask: Ask| ias.iter().fold(ask, |ask, (code, id)| ask.ia(*code, *id, &[]));
        let offer = self.say(number, with(self.ask(SOLICIT, number)));
        let Some(offer) = offer.filter(|offer| offer.kind == ADVERTISE) else { return Vec::new() };
        let mut ask = self.named(self.ask(REQUEST, number));
        for ia in offer.ias() {
            let leases: Vec<Ipv6Net> = ia.leases.iter().map(|(lease, ..)| *lease).collect();
            ask = ask.ia(ia.code, ia.id, &leases);
        }
        self.say(number, ask)
            .filter(|reply| reply.kind == REPLY)
            .map(|reply| reply.given())
            .unwrap_or_default()
    }

    fn exchange(&mut self, ask: &Ask, way: Way) -> Option<Heard> {
        // Answered in any case, and after `ask`: so silence can be told from slowness.
        let marker = Ask::from(INFORMATION_REQUEST, &duid_ll(ROUTER)).xid(ask.xid | 0x80_0000);
        let everybody = SocketAddrV6::new(SERVERS, 547, 0, 0);
        let router = SocketAddrV6::new(link_local(ROUTER), 546, 0, 0);
        let client = |mac| SocketAddrV6::new(link_local(mac), 546, 0, 0);
        let server = SocketAddrV6::new(server_address(self.n), 547, 0, 0);
        let (source, from) = match way {
            Way::Link(mac) | Way::Unicast(mac) => (mac, client(mac)),
            Way::From(mac, from) => (mac, SocketAddrV6::new(from, 546, 0, 0)),
            Way::Agent => (ROUTER, SocketAddrV6::new(self.near(ROUTER_HOST).addr(), 547, 0, 0)),
        };
        let frame = match way {
            Way::Unicast(_) => udp6_frame(source, Some(server_mac(self.n)), from, server, &ask.octets()),
            Way::Link(_) | Way::From(..) | Way::Agent => {
                udp6_frame(source, None, from, everybody, &ask.octets())
            }
        };
        // Who must first be looked for would get its reply after the marker's.
        let known = ask_neighbour(source, *from.ip(), server_address(self.n));
        let marker_known = ask_neighbour(ROUTER, *router.ip(), server_address(self.n));
        let marker_frame = udp6_frame(ROUTER, None, router, everybody, &marker.octets());
        self.wire.send(&[known, marker_known, frame, marker_frame]);
        let (mut heard, mut marked) = (None, false);
        let deadline = Instant::now() + PATIENCE;
        while !(marked && (heard.is_some() || self.server.is_silent())) {
            assert!(Instant::now() < deadline, "{}: no marker after {ask:?}", self.server.name);
            let (mut answers, mut replies) = (Vec::new(), Vec::new());
            let duid = &self.duid;
            self.wire.receive(Duration::from_millis(50), |frame| {
                answers.extend(answer_neighbour(frame, machine_of(frame)));
                replies.extend(read_udp6(frame).and_then(|datagram| {
                    let reply = Reply::read(datagram.payload)?;
                    let is_named = reply.data(2) == Some(duid);
                    Some(Heard { reply, mac: datagram.mac, to: datagram.to, is_named })
                }));
            });
            self.wire.send(&answers);
            for reply in replies {
                self.server.seen.set(self.server.seen.get() + 1);
                if reply.reply.xid == marker.xid {
                    marked = true;
                } else {
                    assert_eq!(reply.reply.xid, ask.xid, "{}: {reply:?}", self.server.name);
                    assert!(heard.replace(reply).is_none(), "{}: two replies to {ask:?}", self.server.name);
                }
            }
        }
        heard
    }
}

/// Whose the address is that a frame asks for: of the machine that it is made of, else the router's.
fn machine_of(frame: &[u8]) -> [u8; 6] {
    match frame.get(62..78) {
        Some([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a, b, c, 0xff, 0xfe, d, e, f]) => [a ^ 2, *b, *c, *d, *e, *f],
        _ => ROUTER,
    }
}
