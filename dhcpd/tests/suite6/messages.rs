//! What each message gets (RFC 8415, section 18.3).

use std::net::Ipv6Addr;

use dhcpd::core::v6::{Event, Notice, Outcome, Reason};

use super::lab::{Lab, SERVER, SITE, STRANGER, WEB, WEB_ADDRESS, WEB_HOST, link};
use super::packet::{Ask, Sent, address, duid_ll, link_local, prefix};

const SOLICIT: u8 = 1;
const REQUEST: u8 = 3;
const CONFIRM: u8 = 4;
const RENEW: u8 = 5;
const REBIND: u8 = 6;
const RELEASE: u8 = 8;
const DECLINE: u8 = 9;
const INFORMATION_REQUEST: u8 = 11;

/// A message of `web`.
fn web(kind: u8) -> Ask {
    Ask::new(kind, &duid_ll(WEB))
}

/// A message of `web` to us.
fn to_us(kind: u8) -> Ask {
    web(kind).with(2, SERVER)
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// Addresses with their valid lifetimes.
fn lifetimes(sent: &Sent) -> Vec<(Ipv6Addr, u32)> {
    sent.na().addresses.into_iter().map(|(address, _, valid)| (address, valid)).collect()
}

#[test]
fn a_solicit_is_advertised_and_committed_only_where_rapid_commit_asks_for_it() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(WEB, &web(SOLICIT).na(1, &[]));
    assert_eq!((answer.one().kind(), answer.address()), (2, ip(WEB_ADDRESS)));
    assert_eq!(answer.one().codes(), [1, 2, 7, 3]);
    assert_eq!(answer.one().option(7), Some(vec![255]), "nobody knows the machine better");
    assert_eq!(answer.events, [Event::Solicit, Event::Advertise]);
    let answer = lab.ask(WEB, &web(SOLICIT).na(1, &[]).with(14, &[]));
    assert_eq!((answer.one().kind(), answer.address()), (7, ip(WEB_ADDRESS)));
    assert_eq!(answer.one().codes(), [1, 2, 14, 3]);
}

#[test]
fn a_host_without_an_ipv6_address_is_told_that_there_is_none() {
    let mut lab =
        Lab::new("[host.old]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n");
    for ask in [web(SOLICIT), web(SOLICIT).with(14, &[])] {
        let answer = lab.ask(WEB, &ask.na(1, &[]).pd(2, &[]).oro(&[23]));
        assert_eq!(answer.outcome, Outcome::Refused(Reason::NothingToGive));
        assert_eq!(answer.one().codes(), [1, 2, 3, 25, 23], "an advertisement without a preference");
        assert_eq!((answer.one().kind(), answer.one().na().status), (2, Some(2)));
    }
}

#[test]
fn machines_that_are_not_served_are_met_by_silence() {
    for state in ["planned", "retired"] {
        let mut lab = Lab::new(&format!("{WEB_HOST}state = \"{state}\"\n"));
        assert_eq!(lab.ask(WEB, &web(SOLICIT).na(1, &[])).silence(), Reason::NotServed);
        assert_eq!(lab.ask(WEB, &web(INFORMATION_REQUEST)).silence(), Reason::NotServed);
    }
    let ignoring = SITE.replace("lease =", "unknown = \"ignore\"\nlease =");
    let mut lab = Lab::on(&format!("{ignoring}{WEB_HOST}"), vec![link()]);
    let ask = Ask::new(SOLICIT, &duid_ll(STRANGER)).na(1, &[]);
    assert_eq!(lab.ask(STRANGER, &ask).silence(), Reason::UnknownMachine);
    let mut lab = Lab::new(&format!("{WEB_HOST}dhcp = false\n"));
    for kind in [SOLICIT, REBIND, INFORMATION_REQUEST] {
        assert_eq!(lab.ask(WEB, &web(kind)).silence(), Reason::DhcpOff, "{kind}");
    }
}

#[test]
fn a_machine_that_nobody_wrote_down_is_told_that_there_is_nothing_where_there_is_no_pool() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(STRANGER, &Ask::new(SOLICIT, &duid_ll(STRANGER)).na(1, &[]).pd(2, &[]));
    assert_eq!(answer.outcome, Outcome::Refused(Reason::NothingToGive));
    assert_eq!((answer.one().kind(), answer.one().na().status), (2, Some(2)));
    assert_eq!(answer.one().codes(), [1, 2, 3, 25], "no preference: another server may have more");
}

#[test]
fn two_identity_associations_at_once_get_the_address_once() {
    let mut lab = Lab::new(WEB_HOST);
    let nas = |ask: Ask| lab.ask(WEB, &ask).one().nas();
    let [first, second] = &*{ nas }(to_us(REQUEST).na(1, &[]).na(2, &[])) else { panic!("two") };
    assert_eq!((first.id, first.addresses[0].0, first.status), (1, ip(WEB_ADDRESS), None));
    assert_eq!((second.id, second.addresses.len(), second.status), (2, 0, Some(2)));
    assert_eq!(second.timers, (0, 0));
}

#[test]
fn the_identity_association_that_has_the_address_keeps_it_and_no_other_loses_it() {
    let mut lab = Lab::new(WEB_HOST);
    let ask = to_us(RENEW).na(1, &[address("2001:db8:77::99")]).na(2, &[address(WEB_ADDRESS)]);
    let nas = lab.ask(WEB, &ask).one().nas();
    assert_eq!(nas[0].addresses, [(ip("2001:db8:77::99"), 0, 0)]);
    assert_eq!(nas[1].addresses, [(ip(WEB_ADDRESS), 3600, 3600)]);
    // Both have it: it is extended once, and never taken away in the same breath.
    let ask = to_us(RENEW).na(1, &[address(WEB_ADDRESS)]).na(2, &[address(WEB_ADDRESS)]);
    let nas = lab.ask(WEB, &ask).one().nas();
    assert_eq!(nas[0].addresses, [(ip(WEB_ADDRESS), 3600, 3600)]);
    assert_eq!((nas[1].addresses.len(), nas[1].status), (0, Some(3)));
}

#[test]
fn an_edit_takes_the_old_address_away_at_the_next_renew_and_gives_the_new_one() {
    for kind in [to_us(RENEW), web(REBIND)] {
        let mut lab = Lab::new(WEB_HOST);
        let ask = kind.na(7, &[address(WEB_ADDRESS)]);
        assert_eq!(lifetimes(lab.ask(WEB, &ask).one()), [(ip(WEB_ADDRESS), 3600)]);
        lab.edit(&WEB_HOST.replace("::11", "::12"));
        let answer = lab.ask(WEB, &ask);
        assert_eq!(lifetimes(answer.one()), [(ip("2001:db8:77::12"), 3600), (ip(WEB_ADDRESS), 0)]);
        assert!(answer.events.contains(&Event::Withdrawn));
    }
}

#[test]
fn a_deleted_a_retired_and_a_planned_host_lose_their_address_at_the_next_renew() {
    let ask = to_us(RENEW).na(7, &[address(WEB_ADDRESS)]);
    let retired = format!("{WEB_HOST}state = \"retired\"\n");
    let planned = format!("{WEB_HOST}state = \"planned\"\n");
    for hosts in ["", &retired, &planned] {
        let mut lab = Lab::new(WEB_HOST);
        lab.ask(WEB, &ask).address();
        lab.edit(hosts);
        let answer = lab.ask(WEB, &ask);
        assert_eq!(lifetimes(answer.one()), [(ip(WEB_ADDRESS), 0)], "{hosts}");
        assert_eq!(answer.one().na().timers, (0, 0));
        assert_eq!(answer.outcome, Outcome::Refused(Reason::NothingToGive));
    }
}

/// Other servers may serve the link as well.
#[test]
fn at_a_rebind_strangers_and_addresses_of_other_networks_are_left_to_their_servers() {
    let mut lab = Lab::new(WEB_HOST);
    let ask = Ask::new(REBIND, &duid_ll(STRANGER)).na(1, &[address("2001:db8:77::99")]);
    assert_eq!(lab.ask(STRANGER, &ask).silence(), Reason::UnknownMachine);
    let ask = web(REBIND).na(1, &[address("2001:db8:1::9")]).pd(1, &[prefix("2001:db8:4000::", 56)]);
    let answer = lab.ask(WEB, &ask);
    assert_eq!(lifetimes(answer.one()), [(ip(WEB_ADDRESS), 3600)]);
    assert_eq!(answer.one().option(25), None);
    // Named, we must have given them.
    let ask = to_us(RENEW).na(1, &[address("2001:db8:1::9")]).pd(1, &[prefix("2001:db8:4000::", 56)]);
    let answer = lab.ask(WEB, &ask);
    assert_eq!(lifetimes(answer.one()), [(ip(WEB_ADDRESS), 3600), (ip("2001:db8:1::9"), 0)]);
    let prefix = answer.one().option(25).unwrap();
    assert_eq!(prefix[12..24], [0, 26, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0], "lifetimes of 0");
}

#[test]
fn a_request_for_an_address_of_another_link_is_told_so() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(WEB, &to_us(REQUEST).na(1, &[address("2001:db8:1::9")]));
    let ia = answer.one().na();
    assert_eq!((ia.addresses.len(), ia.status), (0, Some(4)));
}

#[test]
fn a_request_of_a_stranger_that_names_us_is_told_that_there_is_nothing() {
    let ask = Ask::new(REQUEST, &duid_ll(STRANGER)).with(2, SERVER).na(1, &[]);
    let answer = Lab::new(WEB_HOST).ask(STRANGER, &ask);
    assert_eq!((answer.one().kind(), answer.one().na().status), (7, Some(2)));
}

#[test]
fn a_confirm_is_good_only_for_the_address_that_the_inventory_gives() {
    let mut lab = Lab::new(WEB_HOST);
    let status = |lab: &mut Lab, ask: Ask| lab.ask(WEB, &ask).one().status().unwrap();
    assert_eq!(status(&mut lab, web(CONFIRM).na(1, &[address(WEB_ADDRESS)])), 0);
    assert_eq!(status(&mut lab, web(CONFIRM).na(1, &[address("2001:db8:1::9")])), 4, "moved");
    let ask = web(CONFIRM).na(1, &[address(WEB_ADDRESS)]).na(2, &[address("2001:db8:77::99")]);
    assert_eq!(status(&mut lab, ask), 4, "edited");
    assert_eq!(lab.ask(WEB, &web(CONFIRM).na(1, &[])).silence(), Reason::NoAddressNamed);
    let ask = Ask::new(CONFIRM, &duid_ll(STRANGER)).na(1, &[address("2001:db8:77::99")]);
    assert_eq!(lab.ask(STRANGER, &ask).silence(), Reason::UnknownMachine);
    lab.edit(&format!("{WEB_HOST}state = \"retired\"\n"));
    assert_eq!(status(&mut lab, web(CONFIRM).na(1, &[address(WEB_ADDRESS)])), 4);
}

#[test]
fn a_release_is_acknowledged_and_changes_nothing() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(WEB, &to_us(RELEASE).na(1, &[address(WEB_ADDRESS)]));
    assert_eq!((answer.outcome, answer.one().status()), (Outcome::Acknowledged, Some(0)));
    assert_eq!(answer.one().codes(), [1, 2, 13]);
    let answer = lab.ask(WEB, &to_us(RELEASE).na(1, &[address("2001:db8:77::99")]));
    assert_eq!((answer.one().status(), answer.one().na().status), (Some(0), Some(3)));
    lab.ask(WEB, &web(SOLICIT).na(2, &[])).address();
}

#[test]
fn a_declined_reservation_is_told_to_the_operator_once_an_hour() {
    let mut lab = Lab::new(WEB_HOST);
    let ask = to_us(DECLINE).na(1, &[address(WEB_ADDRESS)]);
    let answer = lab.ask(WEB, &ask);
    assert_eq!((answer.outcome, answer.one().status()), (Outcome::Acknowledged, Some(0)));
    let [Notice::AddressConflict { address, host }] = &*answer.notices else { panic!("{answer:?}") };
    assert_eq!((*address, host.to_string()), (ip(WEB_ADDRESS), "web.lab.test".to_owned()));
    assert_eq!(lab.ask(WEB, &ask).notices, []);
    let other = to_us(DECLINE).na(1, &[super::packet::address("2001:db8:77::99")]);
    assert_eq!(lab.ask(WEB, &other).one().na().status, Some(3));
}

#[test]
fn options_alone_are_told_to_strangers_as_well() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(STRANGER, &Ask { kind: INFORMATION_REQUEST, options: Vec::new() }.oro(&[23, 24]));
    assert_eq!(answer.one().codes(), [2, 23, 24], "without a client id there is none in the reply");
    assert!(matches!(answer.outcome, Outcome::Answered(_, None)));
    let ask = web(INFORMATION_REQUEST).na(1, &[]);
    assert_eq!(lab.ask(WEB, &ask).silence(), Reason::AddressesNamed);
}

/// RFC 8415, section 16.
#[test]
fn messages_that_must_or_must_not_name_a_server_or_a_client_are_held_to_it() {
    let mut lab = Lab::new(WEB_HOST);
    for kind in [SOLICIT, CONFIRM, REBIND] {
        assert_eq!(lab.ask(WEB, &to_us(kind)).silence(), Reason::ServerIdPresent, "{kind}");
    }
    for kind in [REQUEST, RENEW, RELEASE, DECLINE] {
        assert_eq!(lab.ask(WEB, &web(kind)).silence(), Reason::NoServerId, "{kind}");
        let other = web(kind).with(2, &duid_ll(STRANGER));
        assert_eq!(lab.ask(WEB, &other).silence(), Reason::OtherServer, "{kind}");
        let nobody = Ask { kind, options: Vec::new() }.with(2, SERVER);
        assert_eq!(lab.ask(WEB, &nobody).silence(), Reason::NoClientId, "{kind}");
    }
    let other = web(INFORMATION_REQUEST).with(2, &duid_ll(STRANGER));
    assert_eq!(lab.ask(WEB, &other).silence(), Reason::OtherServer);
    for kind in [0, 2, 7, 10, 13, 14, 255] {
        assert_eq!(lab.ask(WEB, &to_us(kind)).silence(), Reason::MessageType, "{kind}");
    }
}

#[test]
fn what_must_be_multicast_is_not_served_by_unicast() {
    let mut lab = Lab::new(WEB_HOST);
    let ours = link().addresses;
    for to in ours {
        for kind in [REQUEST, RENEW, RELEASE, DECLINE] {
            let octets = to_us(kind).na(1, &[address(WEB_ADDRESS)]).octets();
            let answer = lab.hear(&octets, link_local(WEB), to);
            assert_eq!((answer.one().codes(), answer.one().status()), (vec![1, 2, 13], Some(5)), "{kind}");
            assert_eq!(answer.outcome, Outcome::Refused(Reason::Unicast));
            assert_eq!(answer.way().source, Some(to));
        }
        for kind in [SOLICIT, CONFIRM, REBIND, INFORMATION_REQUEST] {
            let answer = lab.hear(&web(kind).octets(), link_local(WEB), to);
            assert_eq!(answer.silence(), Reason::Unicast, "{kind}");
        }
    }
}

#[test]
fn a_hosts_own_lease_time_is_its_lifetime() {
    let mut lab = Lab::new(&format!("{WEB_HOST}lease = \"10m\"\n"));
    let ia = lab.ask(WEB, &to_us(REQUEST).na(1, &[])).one().na();
    assert_eq!((ia.timers, ia.addresses[0].2), ((300, 480), 600));
}

#[test]
fn temporary_addresses_are_refused_and_not_taken_for_others() {
    let mut lab = Lab::new(WEB_HOST);
    let answer = lab.ask(WEB, &to_us(REQUEST).with(4, &[0, 0, 0, 9]).na(1, &[]));
    assert_eq!(answer.address(), ip(WEB_ADDRESS));
    let temporary = answer.one().option(4).unwrap();
    assert_eq!((temporary[..4].to_vec(), temporary[8..10].to_vec()), (vec![0, 0, 0, 9], vec![0, 2]));
}
