//! What depends on who asks: cookies, the server's name, limits, access.

use std::net::IpAddr;
use std::time::Duration;

use crate::core::cookie::CookieSecret;
use crate::core::dnssec::Algorithm;
use crate::core::identity::Identity;
use crate::core::limit::Limiter;
use crate::core::serial::UnixSeconds;
use crate::core::{Asked, Outcome, QueryContext, Reason, Transport, rcode};
use crate::testing::{Ask, Reply, view};
use crate::view::{DnsView, rtype};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const COOKIE: u16 = 10;
const NSID: u16 = 3;
const EXTENDED_ERROR: u16 = 15;
const RD: u16 = 0x0100;

struct Server {
    identity: Identity,
    limiter: Limiter,
    view: DnsView,
}

impl Server {
    fn new(text: &str) -> Server {
        let identity = Identity::new(b"ns1", CookieSecret::new([7; 16]));
        Server { identity, limiter: Limiter::new(1), view: view(text) }
    }

    fn ask(&self, ask: &Ask, peer: &str, transport: Transport) -> (Outcome, Option<Reply>) {
        let context = QueryContext {
            transport,
            peer: peer.parse::<IpAddr>().unwrap(),
            now: NOW,
            keys: None,
            identity: Some(&self.identity),
            limiter: Some((&self.limiter, Duration::from_secs(3600))),
        };
        ask.by(&self.view, context)
    }

    fn udp(&self, ask: &Ask, peer: &str) -> Reply {
        self.ask(ask, peer, Transport::Udp).1.expect("a reply")
    }
}

fn with(code: u16, data: &[u8]) -> Ask {
    let mut ask = Ask::new("ns1.lab.example", rtype::A);
    let length = u16::try_from(data.len()).unwrap();
    ask.edns = Some((1232, 0, 0, [&code.to_be_bytes()[..], &length.to_be_bytes(), data].concat()));
    ask
}

/// The data of an option of the reply.
fn option(reply: &Reply, wanted: u16) -> Option<Vec<u8>> {
    let mut rest = reply.edns.as_ref()?.3.as_slice();
    while let [c0, c1, l0, l1, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if u16::from_be_bytes([*c0, *c1]) == wanted {
            return Some(tail[..length].to_vec());
        }
        rest = &tail[length..];
    }
    None
}

const LAB: &str = "[zone.\"lab.example\"]\n";

#[test]
fn a_client_cookie_comes_back_with_one_of_ours() {
    let server = Server::new(LAB);
    let reply = server.udp(&with(COOKIE, b"8 octets"), "192.0.2.1");
    let both = option(&reply, COOKIE).unwrap();
    assert_eq!((&both[..8], both.len(), reply.answer.len()), (&b"8 octets"[..], 24, 1));
    let again = server.udp(&with(COOKIE, &both), "192.0.2.1");
    assert_eq!(option(&again, COOKIE), Some(both), "the same within a second");
    for length in [1, 7, 9, 15, 41] {
        let (outcome, reply) = server.ask(&with(COOKIE, &vec![1; length]), "192.0.2.1", Transport::Tcp);
        assert!(matches!(outcome, Outcome::Failed { reason: Reason::Options, .. }), "{length}");
        assert_eq!(reply.unwrap().rcode, rcode::FORMERR);
    }
    assert_eq!(
        option(&server.udp(&with(NSID, b""), "192.0.2.1"), COOKIE),
        None,
        "only who sends one gets one"
    );
}

#[test]
fn a_cookie_is_to_be_had_without_a_question() {
    let server = Server::new(LAB);
    let ask = |data: &[u8]| Ask { questions: 0, ..with(COOKIE, data) };
    let (outcome, reply) = server.ask(&ask(b"8 octets"), "192.0.2.1", Transport::Udp);
    let reply = reply.unwrap();
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::CookieAsked, .. }));
    assert_eq!((reply.rcode, reply.question.clone(), reply.answer.len()), (rcode::NOERROR, None, 0));
    let both = option(&reply, COOKIE).unwrap();
    assert_eq!(both.len(), 24);
    assert_eq!(server.udp(&ask(&both), "192.0.2.1").rcode, rcode::NOERROR, "it holds");
    for (shown, peer) in [(both.clone(), "192.0.2.2"), (vec![1; 24], "192.0.2.1"), (vec![1; 16], "192.0.2.1")]
    {
        let reply = server.udp(&ask(&shown), peer);
        assert_eq!((reply.rcode, option(&reply, COOKIE).unwrap().len()), (rcode::BADCOOKIE, 24), "{peer}");
    }
    let nothing = Ask { questions: 0, ..with(NSID, b"") };
    assert_eq!(server.udp(&nothing, "192.0.2.1").rcode, rcode::FORMERR);
    let (_, without_cookies) = ask(b"8 octets").by(&server.view, crate::testing::UDP);
    assert_eq!(without_cookies.unwrap().rcode, rcode::FORMERR);
}

#[test]
fn the_servers_name_is_for_who_asks() {
    let server = Server::new(LAB);
    assert_eq!(option(&server.udp(&with(NSID, b""), "192.0.2.1"), NSID), Some(b"ns1".to_vec()));
    assert_eq!(option(&server.udp(&with(COOKIE, b"8 octets"), "192.0.2.1"), NSID), None);
}

#[test]
fn a_refusal_says_why_to_who_speaks_edns() {
    let server = Server::new(&format!("{LAB}allow-query = [\"10.20.0.0/16\"]\n"));
    let mut elsewhere = with(NSID, b"");
    elsewhere.name = Ask::new("elsewhere.test", rtype::A).name;
    let reply = server.udp(&elsewhere, "10.20.0.9");
    assert_eq!((reply.rcode, option(&reply, EXTENDED_ERROR)), (rcode::REFUSED, Some(vec![0, 20])));
    let reply = server.udp(&with(NSID, b""), "192.0.2.1");
    assert_eq!((reply.rcode, option(&reply, EXTENDED_ERROR)), (rcode::REFUSED, Some(vec![0, 18])));
    assert_eq!(server.udp(&Ask::new("elsewhere.test", rtype::A), "192.0.2.1").edns, None);
}

#[test]
fn a_zone_answers_those_that_it_is_for_also_through_an_alias() {
    let server = Server::new(
        "[zone.\"lab.example\"]\nallow-query = [\"10.20.0.0/16\", \"2001:db8::/32\"]\n\
         [zone.\"example\"]\nrecords = \"\"\"\nwww CNAME ns1.lab\n@ MX 10 ns1.lab\n\"\"\"\n",
    );
    let (inside, outside) = ("10.20.7.7", "192.0.2.1");
    let host = Ask::new("ns1.lab.example", rtype::A);
    let reverse = Ask::new("2.0.20.10.in-addr.arpa", rtype::PTR);
    let alias = Ask::new("www.example", rtype::A);
    for ask in [&host, &reverse] {
        for transport in [Transport::Udp, Transport::Tcp] {
            assert_eq!(server.ask(ask, inside, transport).1.unwrap().answer.len(), 1);
            let (outcome, _) = server.ask(ask, outside, transport);
            assert!(matches!(outcome, Outcome::Failed { reason: Reason::NotAllowed, .. }));
        }
    }
    assert_eq!(server.udp(&alias, inside).answer.len(), 2);
    assert_eq!(server.udp(&alias, outside).answer.len(), 1, "the alias and not what it leads to");
    assert_eq!(server.udp(&host, "::ffff:10.20.7.7").answer.len(), 1);
    let mail = Ask::new("example", rtype::MX);
    for (peer, addresses) in [(inside, 2), (outside, 0)] {
        let reply = server.udp(&mail, peer);
        assert_eq!((reply.answer.len(), reply.additional.len()), (1, addresses), "{peer}");
    }
}

#[test]
fn a_foreign_network_gets_so_many_answers_and_a_way_to_more() {
    let server = Server::new(LAB);
    let plain = Ask::new("ns1.lab.example", rtype::A);
    let said = |ask: &Ask, peer: &str| {
        let (mut answers, mut slips, mut drops) = (0, 0, 0);
        for _ in 0..300 {
            match server.ask(ask, peer, Transport::Udp) {
                (Outcome::Answered { .. }, _) => answers += 1,
                (_, Some(reply)) => {
                    assert!(reply.answer.is_empty() && (reply.tc() || reply.rcode == rcode::BADCOOKIE));
                    slips += 1;
                }
                (_, None) => drops += 1,
            }
        }
        (answers, slips, drops)
    };
    assert_eq!(said(&plain, "198.51.100.9"), (200, 50, 50));
    assert_eq!(said(&plain, "203.0.113.9"), (200, 50, 50), "another network has its own count");
    assert_eq!(said(&plain, "10.20.0.9"), (300, 0, 0), "a network of the inventory");
    assert_eq!(said(&plain, "127.0.0.1"), (300, 0, 0));
    let (outcome, _) = server.ask(&plain, "198.51.100.9", Transport::Tcp);
    assert!(matches!(outcome, Outcome::Answered { .. }), "who comes back by TCP is answered");
    // A cookie of ours shows that the address is no forgery; one gets it instead of the answer.
    let first = with(COOKIE, b"8 octets");
    let refused = (0..2).find_map(|_| server.ask(&first, "198.51.100.9", Transport::Udp).1).unwrap();
    assert_eq!((refused.rcode, refused.tc()), (rcode::BADCOOKIE, false));
    let with_ours = with(COOKIE, &option(&refused, COOKIE).unwrap());
    assert_eq!(said(&with_ours, "198.51.100.9"), (300, 0, 0));
    assert!(said(&with_ours, "198.51.100.8").0 == 0, "of another address it is none");
}

#[test]
fn names_that_do_not_exist_are_one_answer_however_many_they_are() {
    let server = Server::new(LAB);
    let sent = (0..900).filter(|n| {
        let ask = Ask::new(&format!("no{n}.lab.example"), rtype::A);
        matches!(server.ask(&ask, "198.51.100.9", Transport::Udp).0, Outcome::Answered { .. })
    });
    assert_eq!(sent.count(), 200);
}

#[test]
fn who_gets_no_answer_costs_no_signature() {
    let mut server = Server::new(LAB);
    super::signed::sign(&mut server.view, Algorithm::Ed25519, |_| true);
    let answered = (0..900).filter(|n| {
        let mut ask = Ask::new(&format!("no{n}.lab.example"), rtype::A);
        ask.edns = Some((1232, 0, 0x8000, Vec::new()));
        let (outcome, reply) = server.ask(&ask, "198.51.100.9", Transport::Udp);
        let signatures = reply
            .map_or(0, |reply| reply.authority.iter().filter(|record| record.rtype == rtype::RRSIG).count());
        let is_answer = matches!(outcome, Outcome::Answered { .. });
        assert_eq!(signatures, if is_answer { 3 } else { 0 }, "no{n}");
        is_answer
    });
    assert_eq!(answered.count(), 200);
    // One for each name, and one for the wildcard that is not there.
    let made = server.view.signing().denials();
    assert!((150..=201).contains(&made), "{made}");
}

#[test]
fn what_our_reply_leaves_open_is_for_the_servers_of_the_clients_network() {
    let zones = "[zone.\"lab.example\"]\nrecords = \"\"\"\nout CNAME www.elsewhere.example.\nin CNAME ns1\nloop CNAME loop\n\
                 below CNAME a.sub\nsub NS ns.elsewhere.example.\n\"\"\"\n[zone.\"closed.example\"]\nallow-query = \"10.9.0.0/16\"\n\
                 [network.guests]\nipv4 = \"10.30.0.0/24\"\nforward = [\"9.9.9.9\", \"[2620:fe::fe]:5353\"]\n";
    let server = Server::new(zones);
    let upstream = |name: &str, peer: &str, change: fn(&mut Ask)| {
        let mut ask = Ask::new(name, rtype::A);
        ask.flags |= RD;
        change(&mut ask);
        let (query, mut out) = (ask.octets(), [0; 1232]);
        let peer: IpAddr = peer.parse().unwrap();
        let mut asked = Asked::read(&query);
        let context = QueryContext { peer, ..QueryContext::anonymous(Transport::Udp) };
        let outcome = asked.answer(&server.view, &query, context, &mut out);
        let recursive = out[3] & 0x80 != 0;
        let servers = asked.upstream(&server.view, peer, outcome);
        (servers.map(|servers| servers.len()), recursive)
    };
    let as_is: fn(&mut Ask) = |_| {};
    for name in ["www.elsewhere.example", "out.lab.example", "a.sub.lab.example", "below.lab.example"] {
        assert_eq!(upstream(name, "10.30.0.9", as_is).0, Some(2), "{name}");
        assert_eq!(upstream(name, "::ffff:10.30.0.9", as_is).0, Some(2), "{name}");
        assert_eq!(upstream(name, "10.20.0.9", as_is), (None, false), "{name}: of another network");
        let without = upstream(name, "10.30.0.9", |ask| ask.flags &= !RD);
        assert_eq!(without.0, None, "{name}: wants no recursion");
        assert_eq!(upstream(name, "10.30.0.9", |ask| ask.rtype = rtype::ANY).0, None, "{name}: of any type");
    }
    for name in ["ns1.lab.example", "in.lab.example", "loop.lab.example", "nothing.lab.example"] {
        assert_eq!(upstream(name, "10.30.0.9", as_is), (None, true), "{name}: ours");
    }
    assert_eq!(upstream("closed.example", "10.30.0.9", as_is).0, None, "not for this client");
}
