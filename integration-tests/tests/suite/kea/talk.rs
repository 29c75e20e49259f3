//! What a client says to one server and hears from it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use integration_tests::message::{ACK, Ask, INFORM, Message, OFFER};
use integration_tests::run::PATIENCE;
use integration_tests::wire::{Wire, answer_arp, read_udp, udp_frame};

use super::scenarios::WANTS;
use super::servers::{Server, mac, server_address, server_mac};

/// The machine of the marker and the router, which has all other addresses, too.
const ROUTER: [u8; 6] = [2, 0xee, 0, 0, 0, 1];
/// Last octet of the marker's address.
const MARKER: u8 = 250;

/// A conversation of one scenario with one server.
pub(super) struct Talk<'s> {
    /// Number of the scenario.
    pub(super) n: u8,
    server: &'s Server,
    wire: Wire,
    xid: u32,
    /// Each message and what came of it.
    pub(super) said: Vec<(Ask, Option<Heard>)>,
}

/// A reply as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) reply: Message,
    /// Hardware address, address and port that it was sent to.
    pub(super) mac: [u8; 6],
    pub(super) address: Ipv4Addr,
    pub(super) port: u16,
}

impl<'s> Talk<'s> {
    pub(super) fn new(server: &'s Server, n: u8) -> Talk<'s> {
        Talk { n, server, wire: Wire::open(&server.cable(n)), xid: 0, said: Vec::new() }
    }

    /// A hardware address.
    pub(super) fn mac(&self, number: u8) -> [u8; 6] {
        mac(self.n, number)
    }

    /// An address of the network that the server is in.
    pub(super) fn near(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.n, 0, host)
    }

    /// An address of the network behind a relay agent.
    pub(super) fn far(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.n, 1, host)
    }

    /// The server's address.
    pub(super) fn own(&self) -> Ipv4Addr {
        server_address(self.n)
    }

    /// `ask` as the relay agent of the far network passes it on.
    pub(super) fn relay(&self, ask: Ask) -> Ask {
        ask.relayed(self.far(254), self.own())
    }

    /// Says something; `None` is silence.
    pub(super) fn say(&mut self, ask: Ask) -> Option<Message> {
        self.xid += 1;
        let ask = ask.xid(u32::from(self.n) << 16 | self.xid);
        let heard = self.exchange(&ask);
        let reply = heard.as_ref().map(|heard| heard.reply.clone());
        self.said.push((ask, heard));
        reply
    }

    /// DHCPDISCOVER as `ask`, then DHCPREQUEST for what is offered; the address that the client has then.
    pub(super) fn join(&mut self, ask: Ask, options: &[(u8, &[u8])]) -> Ipv4Addr {
        let with = |ask: Ask| options.iter().fold(ask, |ask, (code, data)| ask.option(*code, data));
        let offer = self.say(with(ask.clone())).unwrap_or_else(|| panic!("no offer for {ask:?}"));
        assert_eq!(offer.kind(), OFFER);
        let ask = Ask::selecting(offer.mac(), offer.yiaddr(), offer.server().unwrap());
        let ack = self.say(with(ask)).unwrap();
        assert_eq!(ack.kind(), ACK);
        ack.yiaddr()
    }

    /// The same for a machine `number` of the near network that says nothing else.
    pub(super) fn lease(&mut self, number: u8) -> Ipv4Addr {
        self.join(Ask::discover(self.mac(number)), WANTS)
    }

    fn exchange(&mut self, ask: &Ask) -> Option<Heard> {
        // Answered in any case, and after `ask`: so silence can be told from slowness.
        let marker = Ask::new(INFORM, ROUTER).ciaddr(self.near(MARKER)).xid(ask.number() | 0x8000_0000);
        let unicast = ask.is_unicast().then(|| server_mac(self.n));
        // A client's own frame, or one that its router or relay agent has passed on.
        let source = if unicast.is_some() { ROUTER } else { ask.mac() };
        self.wire.send(&[
            udp_frame(source, unicast, ask.from, ask.to, &ask.octets()),
            udp_frame(ROUTER, None, marker.from, marker.to, &marker.octets()),
        ]);
        let (mut heard, mut marked) = (None, false);
        let deadline = Instant::now() + PATIENCE;
        while !(marked && (heard.is_some() || self.server.is_silent())) {
            assert!(Instant::now() < deadline, "{}: no marker after {ask:?}", self.server.name);
            let mut answers = Vec::new();
            let mut replies = Vec::new();
            self.wire.receive(Duration::from_millis(50), |frame| {
                answers.extend(answer_arp(frame, ROUTER));
                replies.extend(read_udp(frame).and_then(|datagram| {
                    let reply = Message::read_reply(datagram.payload)?;
                    let (address, port) = (*datagram.to.ip(), datagram.to.port());
                    Some(Heard { reply, mac: datagram.mac, address, port })
                }));
            });
            self.wire.send(&answers);
            for reply in replies {
                self.server.seen.set(self.server.seen.get() + 1);
                if reply.reply.xid() == marker.number() {
                    marked = true;
                } else {
                    assert_eq!(reply.reply.xid(), ask.number(), "{}: {reply:?}", self.server.name);
                    assert!(heard.replace(reply).is_none(), "{}: two replies to {ask:?}", self.server.name);
                }
            }
        }
        heard
    }
}
