//! Relay agents that ask for many leases at once (RFC 6926).

use std::net::Ipv4Addr;
use std::sync::Arc;

use dhcpd::core::bulk::{BadQuery, Query, Status, Walk, done};

use super::lab::{Lab, SERVER, STRANGER, WEB, WEB_HOST};
use super::packet::{Ask, COOKIE};
use super::pools::{at, mac, site};

const AGENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
const XID: u32 = 77;
const UNASSIGNED: u8 = 11;
const ACTIVE: u8 = 13;
/// Remote id and relay id.
const BEHIND: &[u8] = b"\x02\x03sw1\x0c\x02r1";

fn lab() -> Lab {
    let keys = "pool = \"10.77.0.100-10.77.0.104\"\nprobe = false\nleasequery = \"10.77.0.254\"";
    let other =
        "[network.other]\nzone = \"lab.test\"\nipv4 = \"10.88.0.0/24\"\npool = \"10.88.0.10-10.88.0.11\"\n";
    Lab::of(&format!("{}{WEB_HOST}{other}", site(keys)))
}

/// A question that names nothing.
fn question(mac: [u8; 6]) -> Ask {
    Ask::new(14, mac).xid(XID)
}

/// What is told of an address.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    kind: u8,
    address: Ipv4Addr,
    hardware: Vec<u8>,
    options: Vec<(u8, Vec<u8>)>,
}

impl Told {
    fn read(octets: &[u8]) -> Told {
        assert_eq!((octets[0], &octets[4..8], &octets[236..240]), (2, &XID.to_be_bytes()[..], &COOKIE[..]));
        let (mut options, mut rest) = (Vec::new(), &octets[240..]);
        while let [code, len, tail @ ..] = rest {
            let (data, after) = tail.split_at(usize::from(*len));
            options.push((*code, data.to_vec()));
            rest = after;
        }
        assert_eq!(rest, [255]);
        let address = <[u8; 4]>::try_from(&octets[12..16]).unwrap().into();
        let hardware = octets[28..28 + usize::from(octets[2])].to_vec();
        Told { kind: options[0].1[0], address, hardware, options }
    }

    fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(other, _)| *other == code).map(|(_, data)| &**data)
    }

    /// The state (option 156).
    fn state(&self) -> u8 {
        self.option(156).unwrap()[0]
    }

    fn number(&self, code: u8) -> Option<u32> {
        self.option(code).map(|data| u32::from_be_bytes(data.try_into().unwrap()))
    }
}

/// The messages in a stream of them.
fn messages(mut octets: &[u8]) -> Vec<Told> {
    let mut all = Vec::new();
    while let [high, low, rest @ ..] = octets {
        let (message, after) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        all.push(Told::read(message));
        octets = after;
    }
    all
}

/// The whole answer, with so many leases known at a time.
fn answer_by(lab: &Lab, ask: &Ask, leases: usize) -> Vec<Told> {
    let query = Query::read(&ask.octets()).unwrap();
    let walk = Walk::new(query, Arc::new(lab.view.clone()), AGENT, SERVER).unwrap();
    let (mut octets, mut told, mut from) = (Vec::new(), 0, Some(Ipv4Addr::UNSPECIFIED));
    while let Some(here) = from {
        let page = walk.page(here, &lab.core.leases_from(here, leases), lab.now, &mut octets);
        told += page.told;
        from = page.next;
        assert!(from.is_none_or(|next| next > here), "it goes on");
    }
    let all = messages(&octets);
    assert_eq!(all.len(), usize::try_from(told).unwrap());
    all
}

fn answer(lab: &Lab, ask: &Ask) -> Vec<Told> {
    let all = answer_by(lab, ask, 128);
    for leases in [1, 2] {
        assert_eq!(answer_by(lab, ask, leases), all, "in pages of {leases}");
    }
    all
}

/// Address, type and state of each.
fn shown(all: &[Told]) -> Vec<(Ipv4Addr, u8, u8)> {
    all.iter().map(|told| (told.address, told.kind, told.state())).collect()
}

fn join_behind(lab: &mut Lab, n: u8) -> Ipv4Addr {
    let behind = |ask: Ask| ask.option(82, BEHIND).relayed(AGENT, SERVER);
    let offered = lab.ask(&behind(Ask::discover(mac(n)))).offered();
    lab.ask(&behind(Ask::selecting(mac(n), offered, SERVER))).acknowledged()
}

#[test]
fn all_addresses_are_told_of_with_what_they_are() {
    let mut lab = lab();
    assert_eq!([lab.join(mac(1)), lab.join(mac(2)), lab.join(mac(3))], [at(100), at(101), at(102)]);
    lab.ask(&Ask::releasing(mac(2), at(101), SERVER));
    lab.ask(&Ask::new(4, mac(3)).address(50, at(102)).address(54, SERVER));
    lab.pass(600_000);
    let all = answer(&lab, &question([0; 6]));
    let expected = [
        (at(11), ACTIVE, 2),
        (at(100), ACTIVE, 2),
        (at(101), UNASSIGNED, 4),
        (at(102), UNASSIGNED, 5),
        (at(103), UNASSIGNED, 1),
        (at(104), UNASSIGNED, 1),
    ];
    assert_eq!(shown(&all), expected);
    let [web, leased, released, ..] = &*all else { panic!("{all:?}") };
    assert_eq!((&*web.hardware, web.number(51)), (&WEB[..], Some(3600)));
    assert_eq!(
        (&*leased.hardware, leased.number(51), leased.number(91)),
        (&mac(1)[..], Some(3000), Some(600))
    );
    assert_eq!((released.number(51), released.number(153)), (None, Some(600)));
    assert_eq!(leased.number(152), Some(1_700_000_600), "the time here");
    assert_eq!(leased.option(54), Some(&SERVER.octets()[..]));
    lab.pass(3_600_000);
    let later = answer(&lab, &question([0; 6]));
    assert_eq!(shown(&later)[1], (at(100), UNASSIGNED, 3), "it has run out");
    assert_eq!(later[1].number(153), Some(600), "since when");
}

#[test]
fn addresses_are_asked_for_by_card_by_identifier_and_by_relay_agent() {
    let mut lab = lab();
    assert_eq!([join_behind(&mut lab, 1), lab.join(STRANGER)], [at(100), at(101)]);
    let id = b"\x00my own";
    let offered = lab.ask(&Ask::discover(mac(3)).option(61, id)).offered();
    lab.ask(&Ask::selecting(mac(3), offered, SERVER).option(61, id));
    let found = |ask: &Ask| answer(&lab, ask).iter().map(|told| told.address).collect::<Vec<_>>();
    assert_eq!(found(&question(STRANGER)), [at(101)]);
    assert_eq!(found(&question(mac(3))), [at(102)], "known by its identifier, but that is its card");
    assert_eq!(found(&question(WEB)), [at(11)]);
    assert_eq!(found(&question([0; 6]).option(61, id)), [at(102)]);
    for by in [b"\x02\x03sw1", &b"\x0c\x02r1"[..]] {
        assert_eq!(found(&question([0; 6]).option(82, by)), [at(100)]);
    }
    for nobody in [
        question(mac(9)),
        question([0; 6]).option(61, b"\x00other"),
        question([0; 6]).option(82, b"\x02\x03sw2"),
    ] {
        assert!(found(&nobody).is_empty());
    }
    let told = answer(&lab, &question(mac(1)));
    assert_eq!(told[0].option(82), Some(BEHIND), "as the agent said it");
    assert_eq!(answer(&lab, &question(mac(3)))[0].option(61), Some(&id[..]));
}

#[test]
fn what_a_relay_agent_said_outlives_a_restart_and_a_renewal_without_it() {
    let mut lab = lab();
    assert_eq!(join_behind(&mut lab, 1), at(100));
    lab.pass(1_800_000);
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(100), SERVER)).acknowledged(), at(100));
    lab.restart(None);
    let by_remote = question([0; 6]).option(82, b"\x02\x03sw1");
    assert_eq!(answer(&lab, &by_remote)[0].address, at(100));
    let moved = Ask::rebinding(mac(1), at(100)).option(82, b"\x02\x03sw2").relayed(AGENT, SERVER);
    assert_eq!(lab.ask(&moved).acknowledged(), at(100));
    assert!(answer(&lab, &by_remote).is_empty());
    lab.restart(None);
    assert_eq!(answer(&lab, &question([0; 6]).option(82, b"\x02\x03sw2"))[0].address, at(100));
}

#[test]
fn times_select_what_has_changed_then() {
    let mut lab = lab();
    lab.join(mac(1));
    lab.pass(100_000);
    lab.join(mac(2));
    let time = |code, seconds: u32| question([0; 6]).option(code, &(1_700_000_000 + seconds).to_be_bytes());
    let found = |ask: &Ask| answer(&lab, ask).iter().map(|told| told.address).collect::<Vec<_>>();
    assert_eq!(found(&time(154, 50)), [at(11), at(101)], "a host's address counts at any time");
    assert_eq!(found(&time(155, 50)), [at(11), at(100)]);
    assert_eq!(
        found(&time(154, 0).option(155, &1_700_000_100_u32.to_be_bytes())),
        [at(11), at(100), at(101)]
    );
    assert_eq!(found(&time(154, 101)), [at(11)]);
}

#[test]
fn an_agent_hears_of_no_network_that_does_not_name_it() {
    let lab = lab();
    assert!(shown(&answer(&lab, &question([0; 6]))).iter().all(|(address, ..)| address.octets()[1] == 77));
    let query = Query::read(&question([0; 6]).octets()).unwrap();
    let stranger = Ipv4Addr::new(10, 77, 0, 253);
    assert!(Walk::new(query, Arc::new(lab.view.clone()), stranger, SERVER).is_none());
}

#[test]
fn a_query_that_makes_no_sense_is_refused() {
    let malformed = Err(BadQuery::Malformed { xid: XID });
    let none = [0; 6];
    for ask in [
        Ask::discover(STRANGER).xid(XID),
        question(STRANGER).option(61, b"\x00x"),
        question(STRANGER).option(82, b"\x02\x01x"),
        question(none).option(82, b"\x02\x01x\x0c\x01y"),
        question(none).option(82, b"\x01\x01x"),
        question(none).option(154, b"\x01"),
        question(none).ciaddr(at(1)),
    ] {
        assert_eq!(Query::read(&ask.octets()).map(|_| ()), malformed, "{ask:?}");
    }
    let whole = question(none).option(154, &[0; 4]).octets();
    for cut in 0..240 {
        assert_eq!(Query::read(&whole[..cut]).map(|_| ()), Err(BadQuery::Unreadable));
    }
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut octets = whole.clone();
            octets[place] ^= 1 << bit;
            let _ = Query::read(&octets);
        }
    }
}

#[test]
fn a_large_pool_is_told_of_in_pages_that_end() {
    let keys = "pool = \"10.77.0.3-10.77.0.250\"\nprobe = false\nleasequery = \"10.77.0.254\"";
    let wide = site(keys).replace("10.77.0.0/24", "10.77.0.0/16").replace("10.77.0.250", "10.77.9.250");
    let wide = wide.replace("gateway = \"10.77.0.254\"", "gateway = \"10.77.255.254\"");
    let lab = Lab::of(&wide);
    let query = Query::read(&question([0; 6]).octets()).unwrap();
    let walk = Walk::new(query, Arc::new(lab.view.clone()), AGENT, SERVER).unwrap();
    let mut octets = Vec::new();
    let known = lab.core.leases_from(Ipv4Addr::UNSPECIFIED, 128);
    let page = walk.page(Ipv4Addr::UNSPECIFIED, &known, lab.now, &mut octets);
    // It looks at 256 addresses; of .1, whose host has no card, there is nothing to tell.
    assert_eq!((page.told, page.next), (255, Some(Ipv4Addr::new(10, 77, 1, 2))));
    assert!(octets.len() < 100_000, "{}", octets.len());
    // All from .3 on.
    assert_eq!(answer(&lab, &question([0; 6])).len(), 9 * 256 + 251 - 3);
}

#[test]
fn an_answer_ends_with_how_it_went() {
    let ended = |status| {
        let mut octets = Vec::new();
        done(&mut octets, XID, status);
        let [message] = <[Told; 1]>::try_from(messages(&octets)).unwrap();
        assert_eq!(message.kind, 15);
        message.option(151).map(<[u8]>::to_vec)
    };
    assert_eq!(ended(Status::Success), None);
    assert_eq!([ended(Status::Terminated), ended(Status::NotAllowed)], [Some(vec![2]), Some(vec![4])]);
}
