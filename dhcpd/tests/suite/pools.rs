//! Addresses from pools: who gets which, for how long, and what ends it.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Core, Input, Notice, Outcome, Reason, State};

use super::lab::{Answer, Lab, SERVER, SITE, STRANGER, WEB};
use super::packet::Ask;

/// A network of which four addresses are given away, and one host without an address.
pub(crate) const POOL: &str = r#"
pool = ["10.77.0.100-10.77.0.105"]
exclude = ["10.77.0.102"]
probe = false
"#;
const HOUR: i64 = 3_600_000;

pub(crate) fn site(keys: &str) -> String {
    SITE.replace("lease = \"1h\"", &format!("lease = \"1h\"\n{keys}"))
}

fn lab() -> Lab {
    Lab::of(&site(POOL))
}

pub(crate) fn mac(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 1, n]
}

pub(crate) fn at(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, n)
}

#[test]
fn a_stranger_is_offered_and_given_an_address_of_the_pool() {
    let mut lab = lab();
    let offer = lab.ask(&Ask::discover(STRANGER));
    assert_eq!(offer.offered(), at(100));
    assert!(offer.records.is_empty() && offer.one().after.is_none(), "an offer writes nothing");
    let ack = lab.ask(&Ask::selecting(STRANGER, at(100), SERVER).option(12, b"laptop"));
    assert_eq!(ack.acknowledged(), at(100));
    assert_eq!(ack.one().after, Some(1));
    let [record] = &*ack.records else { panic!("{ack:?}") };
    assert_eq!((record.address, record.state), (at(100).into(), State::Bound));
    assert_eq!((record.name.as_deref(), record.written), (Some("laptop"), 1_700_000_000));
    assert!(record.seconds >= 3600, "what is written covers what is promised");
    assert_eq!(ack.one().number(51), Some(3600));
    assert_eq!(ack.changed(), [(at(100), Changed::Granted)]);
}

#[test]
fn no_address_is_given_that_is_excluded_special_or_taken_and_a_full_pool_is_counted() {
    let inventory = SITE.replace(
        "lease = \"1h\"",
        "pool = [\"10.77.0.1-10.77.0.5\"]\nexclude = \"10.77.0.3\"\nprobe = false",
    );
    let mut lab = Lab::of(&inventory.replace("ip = \"10.77.0.1\"", "ip = \"10.77.0.200\""));
    // .1 is the server and a resolver, .2 a resolver, .3 excluded.
    assert_eq!([lab.join(mac(1)), lab.join(mac(2))], [at(4), at(5)]);
    assert_eq!(lab.ask(&Ask::discover(mac(3))).silence(), Reason::PoolFull);
}

#[test]
fn a_client_gets_its_old_address_again_and_again_what_it_was_offered() {
    let mut lab = lab();
    assert_eq!(lab.join(mac(1)), at(100));
    assert_eq!(lab.join(mac(2)), at(101));
    assert_eq!(lab.ask(&Ask::discover(mac(1))).offered(), at(100));
    assert_eq!(lab.ask(&Ask::discover(mac(3))).offered(), at(103));
    assert_eq!(lab.ask(&Ask::discover(mac(3))).offered(), at(103));
    lab.pass(5 * HOUR);
    assert_eq!(lab.ask(&Ask::discover(mac(2))).offered(), at(101), "after its end, too");
}

#[test]
fn a_client_gets_the_address_that_it_asks_for_if_that_is_free() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::discover(mac(1)).address(50, at(104))).offered(), at(104));
    assert_eq!(lab.ask(&Ask::discover(mac(2)).address(50, at(104))).offered(), at(100), "offered");
    assert_eq!(lab.ask(&Ask::discover(mac(3)).address(50, at(102))).offered(), at(101), "excluded");
    assert_eq!(lab.ask(&Ask::discover(mac(4)).address(50, at(9))).offered(), at(103), "in no pool");
}

#[test]
fn an_offer_lapses_and_its_address_is_given_to_others() {
    let mut lab = lab();
    for n in 1..=5 {
        lab.ask(&Ask::discover(mac(n))).offered();
    }
    assert_eq!(lab.ask(&Ask::discover(mac(6))).silence(), Reason::PoolFull);
    lab.pass(30_000);
    assert_eq!(lab.ask(&Ask::discover(mac(6))).offered(), at(100));
    let late = lab.ask(&Ask::selecting(mac(1), at(100), SERVER));
    assert_eq!(late.refusal(), Reason::NotOffered);
}

#[test]
fn the_lease_that_ended_first_goes_first_when_no_fresh_address_is_left() {
    let mut lab = lab();
    for n in 1..=5 {
        lab.join(mac(n));
        lab.pass(60_000);
    }
    // The second renews, so that the others end before it.
    lab.ask(&Ask::renewing(mac(2), at(101), SERVER)).acknowledged();
    assert_eq!(lab.ask(&Ask::discover(mac(9))).silence(), Reason::PoolFull);
    lab.pass(HOUR);
    assert_eq!(lab.join(mac(9)), at(100));
    assert_eq!(lab.join(mac(10)), at(103));
    assert_eq!(lab.ask(&Ask::discover(mac(2))).offered(), at(101));
}

#[test]
fn a_request_repeated_gets_the_same_answer_and_no_second_record() {
    let mut lab = lab();
    lab.commits = false;
    lab.ask(&Ask::discover(mac(1)));
    let ask = Ask::selecting(mac(1), at(100), SERVER);
    let first = lab.ask(&ask);
    let second = lab.ask(&ask);
    assert_eq!((first.records.len(), second.records.len()), (1, 0));
    assert_eq!((first.one().after, second.one().after), (Some(1), Some(1)), "both wait for it");
    lab.input(&Input::Committed(1));
    let third = lab.ask(&ask);
    assert_eq!((third.one().after, &third.one().octets), (None, &first.one().octets));
}

#[test]
fn a_renewal_is_written_unless_what_is_written_covers_it() {
    let mut lab = lab();
    lab.join(mac(1));
    lab.pass(HOUR / 8);
    let early = lab.ask(&Ask::renewing(mac(1), at(100), SERVER));
    assert_eq!((early.acknowledged(), early.records.len()), (at(100), 0));
    lab.pass(HOUR / 2);
    let due = lab.ask(&Ask::renewing(mac(1), at(100), SERVER));
    assert_eq!((due.acknowledged(), due.records.len()), (at(100), 1));
    assert!(due.one().after.is_some());
    assert_eq!(due.changed(), [(at(100), Changed::Renewed)]);
}

#[test]
fn the_name_of_a_client_is_the_last_that_it_has_said() {
    let mut lab = lab();
    lab.ask(&Ask::discover(mac(1)));
    lab.ask(&Ask::selecting(mac(1), at(100), SERVER).option(12, b"laptop")).acknowledged();
    let renew = || Ask::renewing(mac(1), at(100), SERVER);
    let names = |reply: &Answer| reply.records.iter().map(|record| record.name.clone()).collect::<Vec<_>>();
    lab.pass(HOUR * 5 / 8);
    assert_eq!(names(&lab.ask(&renew())), [Some("laptop".into())], "it was silent of it");
    assert_eq!(names(&lab.ask(&renew().option(12, b"laptop"))), [], "and it is covered");
    assert_eq!(names(&lab.ask(&renew().option(12, b"desktop"))), [Some("desktop".into())]);
    lab.input(&Input::StoreFailing);
    let kept = lab.ask(&renew().option(12, b"other"));
    assert_eq!((kept.acknowledged(), names(&kept)), (at(100), vec![]), "the address is covered all the same");
}

#[test]
fn rebooting_and_rebinding_clients_keep_their_leases() {
    let mut lab = lab();
    lab.join(mac(1));
    for ask in [Ask::init_reboot(mac(1), at(100)), Ask::rebinding(mac(1), at(100))] {
        assert_eq!(lab.ask(&ask).acknowledged(), at(100));
    }
    // Its lease has ended and nobody has taken the address since.
    lab.pass(3 * HOUR);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(1), at(100))).acknowledged(), at(100));
}

#[test]
fn a_lease_of_another_client_and_one_that_nobody_knows_are_refused() {
    let mut lab = lab();
    lab.join(mac(1));
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), at(100))).refusal(), Reason::OtherClient);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), at(104))).refusal(), Reason::UnknownLease);
    assert_eq!(lab.ask(&Ask::rebinding(mac(2), at(104))).refusal(), Reason::UnknownLease);
    assert_eq!(lab.ask(&Ask::selecting(mac(2), at(104), SERVER)).refusal(), Reason::NotOffered);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), [192, 168, 1, 9])).refusal(), Reason::WrongNetwork);
}

#[test]
fn a_server_that_is_not_authoritative_is_silent_about_what_it_does_not_know_unless_it_is_asked() {
    let mut lab = Lab::of(&site(&format!("{POOL}authoritative = false")));
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), at(104))).silence(), Reason::UnknownLease);
    assert_eq!(lab.ask(&Ask::rebinding(mac(2), at(104))).silence(), Reason::UnknownLease);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), [192, 168, 1, 9])).silence(), Reason::WrongNetwork);
    // By unicast it is us who gave the address, whoever we were.
    assert_eq!(lab.ask(&Ask::renewing(mac(2), at(104), SERVER)).refusal(), Reason::UnknownLease);
    assert_eq!(lab.join(mac(1)), at(100), "it serves all the same");
    assert_eq!(lab.ask(&Ask::init_reboot(mac(2), at(100))).refusal(), Reason::OtherClient);
}

#[test]
fn a_network_without_a_pool_can_be_made_authoritative() {
    let mut lab = Lab::of(&site("authoritative = true"));
    assert_eq!(lab.ask(&Ask::init_reboot(STRANGER, at(104))).refusal(), Reason::UnknownLease);
    assert_eq!(lab.ask(&Ask::discover(STRANGER)).silence(), Reason::UnknownMachine);
}

#[test]
fn a_released_address_waits_for_its_client_and_goes_to_others_last_come_last() {
    let mut lab = lab();
    for n in 1..=5 {
        lab.join(mac(n));
    }
    let other = lab.ask(&Ask::releasing(mac(2), at(100), SERVER));
    assert_eq!((other.silence(), other.changes.len()), (Reason::Released, 0), "not its own");
    let answer = lab.ask(&Ask::releasing(mac(1), at(100), SERVER));
    assert_eq!(answer.changed(), [(at(100), Changed::Released)]);
    assert_eq!(answer.records[0].state, State::Released);
    assert!(lab.ask(&Ask::releasing(mac(1), at(100), SERVER)).records.is_empty());
    assert_eq!(lab.ask(&Ask::discover(mac(1))).offered(), at(100));
    lab.pass(31_000);
    assert_eq!(lab.join(mac(9)), at(100));
    assert_eq!(lab.ask(&Ask::init_reboot(mac(1), at(100))).refusal(), Reason::OtherClient);
}

#[test]
fn a_declined_address_is_on_probation_for_everybody() {
    let mut lab = lab();
    lab.join(mac(1));
    let stranger = Ask::new(4, mac(2)).address(50, at(100)).address(54, SERVER);
    assert!(lab.ask(&stranger).changes.is_empty(), "only its client can decline it");
    let answer = lab.ask(&Ask::new(4, mac(1)).address(50, at(100)).address(54, SERVER));
    assert_eq!((answer.silence(), answer.changed()), (Reason::Declined, vec![(at(100), Changed::Declined)]));
    assert_eq!(lab.ask(&Ask::discover(mac(1))).offered(), at(101));
    assert_eq!(lab.ask(&Ask::discover(mac(2)).address(50, at(100))).offered(), at(103));
    lab.restart(None);
    assert_eq!(lab.ask(&Ask::discover(mac(3)).address(50, at(100))).offered(), at(101), "written down");
    lab.pass(HOUR);
    assert_eq!(lab.ask(&Ask::discover(mac(4)).address(50, at(100))).offered(), at(100));
}

#[test]
fn clients_are_told_apart_by_their_identifiers_and_boot_stages_are_one_client() {
    let mut lab = lab();
    let loader = [1, 2, 0, 0, 0, 1, 1];
    assert_eq!(lab.join(mac(1)), at(100));
    // iPXE sends 01 and the hardware address: still the same card.
    assert_eq!(lab.ask(&Ask::discover(mac(1)).option(61, &loader)).offered(), at(100));
    // Two containers behind one card have identifiers of their own.
    let duid = |n| Ask::discover(mac(1)).option(61, &[255, 0, 0, 0, n, 0, 2, 0, 0, 9, 9]);
    assert_eq!(lab.ask(&duid(1)).offered(), at(101));
    assert_eq!(lab.ask(&duid(2)).offered(), at(103));
    assert_eq!(lab.ask(&duid(1)).offered(), at(101));
}

#[test]
fn a_client_that_does_not_say_who_it_is_gets_nothing() {
    let mut lab = lab();
    assert_eq!(lab.ask(&Ask::discover([0; 6])).silence(), Reason::NoIdentity);
    assert_eq!(lab.ask(&Ask::discover([0; 6]).option(61, b"\0me")).offered(), at(100));
}

#[test]
fn a_host_without_an_address_takes_one_from_the_pool_and_keeps_its_name() {
    let host = "[host.roamer]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nlease = \"5m\"\n";
    let mut lab = Lab::of(&(site(POOL) + host));
    let offer = lab.ask(&Ask::discover(WEB).option(55, &[12]));
    assert_eq!(offer.offered(), at(100));
    assert_eq!((offer.one().option(12), offer.one().number(51)), (Some(b"roamer".to_vec()), Some(300)));
    // It is its card, whatever identifier the stages of its boot send.
    let system = Ask::discover(WEB).option(61, &[255, 0, 0, 0, 4, 0, 1, 9, 9]);
    assert_eq!(lab.ask(&system).offered(), at(100));
    let mut bare = Lab::new(host);
    assert_eq!(bare.ask(&Ask::discover(WEB)).silence(), Reason::NoPool);
}

#[test]
fn planned_and_switched_off_hosts_get_no_address_from_a_pool() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n";
    for (key, reason) in [("state = \"planned\"", Reason::NotServed), ("dhcp = false", Reason::DhcpOff)] {
        let mut lab = Lab::of(&format!("{}{host}{key}\n", site(POOL)));
        assert_eq!(lab.ask(&Ask::discover(WEB)).silence(), reason);
    }
}

#[test]
fn a_client_that_is_written_down_is_refused_into_its_reservation() {
    let mut lab = lab();
    lab.join(WEB);
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    lab.edit(&(site(POOL) + host));
    for ask in
        [Ask::renewing(WEB, at(100), SERVER), Ask::rebinding(WEB, at(100)), Ask::init_reboot(WEB, at(100))]
    {
        assert_eq!(lab.ask(&ask).refusal(), Reason::WrongAddress);
    }
    assert_eq!(lab.journal.last().unwrap().1.state, State::Released);
    assert_eq!(lab.join(WEB), at(11));
    assert_eq!(lab.ask(&Ask::discover(mac(9)).address(50, at(100))).offered(), at(100), "free at once");
}

#[test]
fn a_lease_ends_when_its_client_takes_its_reservation_without_asking_for_the_old_address() {
    let mut lab = lab();
    lab.join(WEB);
    lab.edit(
        &(site(POOL) + "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n"),
    );
    lab.ask(&Ask::discover(WEB));
    let answer = lab.ask(&Ask::selecting(WEB, at(11), SERVER));
    assert_eq!(
        (answer.acknowledged(), answer.one().after),
        (at(11), None),
        "a reservation waits for nothing"
    );
    assert_eq!(answer.changed(), [(at(100), Changed::Withdrawn)]);
}

#[test]
fn a_deleted_host_loses_its_address_at_renewal_with_and_without_a_pool() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    for site in [SITE.to_owned(), site(POOL)] {
        let mut lab = Lab::of(&format!("{site}{host}"));
        assert_eq!(lab.ask(&Ask::renewing(WEB, at(11), SERVER)).acknowledged(), at(11));
        lab.edit(&site);
        assert_eq!(lab.ask(&Ask::renewing(WEB, at(11), SERVER)).refusal(), Reason::UnknownLease);
    }
}

#[test]
fn an_address_that_a_client_still_leases_is_not_given_to_the_host_that_gets_it() {
    let mut lab = lab();
    lab.join(STRANGER);
    // The pool shrinks, and a host gets the stranger's address.
    let shrunk = site(&POOL.replace("10.77.0.100-", "10.77.0.103-"));
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.100\"\n";
    lab.edit(&(shrunk.replace("exclude = [\"10.77.0.102\"]\n", "") + host));
    let offer = lab.ask(&Ask::discover(WEB));
    assert_eq!(offer.notices, [Notice::Stranded { leases: 1 }]);
    assert_eq!(
        (offer.offered(), offer.one().number(51)),
        (at(103), Some(300)),
        "meanwhile, and not for long"
    );
    lab.ask(&Ask::selecting(WEB, at(103), SERVER)).acknowledged();
    // Once the stranger has been refused, the host moves in.
    let refused = lab.ask(&Ask::renewing(STRANGER, at(100), SERVER));
    assert_eq!(
        (refused.refusal(), refused.changed()),
        (Reason::NotGiven, vec![(at(100), Changed::Withdrawn)])
    );
    assert_eq!(lab.ask(&Ask::renewing(WEB, at(103), SERVER)).refusal(), Reason::WrongAddress);
    assert_eq!(lab.join(WEB), at(100));
    assert_eq!(lab.join(STRANGER), at(104));
}

#[test]
fn without_a_pool_the_host_waits_until_its_address_is_free() {
    let mut lab = lab();
    lab.join(STRANGER);
    lab.edit(
        &(SITE.to_owned()
            + "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.100\"\n"),
    );
    assert_eq!(lab.ask(&Ask::discover(WEB)).silence(), Reason::AddressHeld);
    let ended = lab.pass(2 * HOUR);
    assert_eq!(ended.changed(), [(at(100), Changed::Ended)]);
    assert_eq!(ended.records.last().unwrap().state, State::Forgotten, "of no use to anybody");
    assert_eq!(lab.join(WEB), at(100));
}

#[test]
fn a_known_card_of_another_network_is_a_stranger_here() {
    let other = "[network.far]\nzone = \"lab.test\"\nipv4 = \"10.79.0.0/24\"
[host.far1]\nnetwork = \"far\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.79.0.5\"\n";
    let mut lab = Lab::of(&(site(POOL) + other));
    assert_eq!(lab.join(WEB), at(100));
}

#[test]
fn bootp_machines_that_are_written_down_get_their_address_and_others_nothing() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    let mut lab = Lab::of(&(site(POOL) + host));
    let answer = lab.ask(&Ask::bootp(WEB));
    assert!(matches!(answer.outcome, Some(Outcome::Booted(..))), "{answer:?}");
    let sent = answer.one();
    assert_eq!((sent.yiaddr(), sent.octets.len()), (at(11), 300));
    assert_eq!(sent.codes(), [1, 3, 6, 12, 15, 28], "no DHCP options");
    assert_eq!(lab.ask(&Ask::bootp(STRANGER)).silence(), Reason::Bootp);
}

#[test]
fn the_client_fqdn_option_says_the_name_and_that_we_keep_it() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    let mut lab = Lab::of(&(site(POOL) + host));
    let ask = |mac, data: &[u8]| Ask::discover(mac).option(81, data).option(55, &[3]);
    let mut said = |mac, data: &[u8]| lab.ask(&ask(mac, data)).one().option(81).unwrap();
    // In wire format, and asking the server to keep it.
    assert_eq!(said(WEB, b"\x05\0\0\x01x\0"), b"\x05\xff\xff\x03web\x03lab\x04test\0");
    // In text, and wanting to keep it itself: overridden.
    assert_eq!(said(WEB, b"\0\0\0x.y"), b"\x03\xff\xffweb.lab.test");
    assert_eq!(said(STRANGER, b"\x01\0\0"), b"\x01\xff\xffdhcp-10-77-0-100.lab.test");
    assert_eq!(lab.ask(&Ask::discover(WEB)).one().option(81), None, "only who sends it");
    assert_eq!(lab.ask(&ask(WEB, b"")).one().option(81), None);
}

#[test]
fn a_relay_agent_may_name_the_link_and_the_server_apart_from_its_own_address() {
    let far = "[network.far]\nzone = \"lab.test\"\nipv4 = \"10.79.0.0/24\"\npool = [\"10.79.0.50-10.79.0.60\"]\nprobe = false\n";
    let mut lab = Lab::of(&(SITE.to_owned() + far));
    let agent = Ipv4Addr::new(192, 168, 9, 9);
    let override_ = Ipv4Addr::new(10, 79, 0, 1);
    // RFC 3527: link selection; RFC 5107: server identifier override.
    let information = [5, 4, 10, 79, 0, 0, 11, 4, 10, 79, 0, 1];
    let offer = lab.ask(&Ask::discover(mac(1)).option(82, &information).relayed(agent, SERVER));
    assert_eq!(offer.offered(), Ipv4Addr::new(10, 79, 0, 50));
    assert_eq!((offer.one().address(54), offer.one().source), (Some(override_), SERVER));
    let ask = Ask::selecting(mac(1), [10, 79, 0, 50], override_);
    let answer = lab.ask(&ask.clone().option(82, &information).relayed(agent, SERVER));
    assert_eq!(answer.acknowledged(), Ipv4Addr::new(10, 79, 0, 50));
    assert_eq!(lab.ask(&ask).silence(), Reason::OtherServer, "only with the agent's word");
    assert_eq!(lab.ask(&Ask::discover(mac(2)).relayed(agent, SERVER)).silence(), Reason::UnknownRelay);
}

#[test]
fn what_is_plugged_into_a_port_renews_directly_without_saying_where_it_is() {
    let host = "[host.desk]\nnetwork = \"lab\"\nip = \"10.77.0.20\"\nport = \"7\"\n";
    let mut lab = Lab::of(&(site(POOL) + host));
    let port = |ask: Ask| ask.option(82, &[1, 1, b'7']).relayed(at(250), SERVER);
    assert_eq!(lab.ask(&port(Ask::discover(mac(1)))).offered(), at(20));
    let answer = lab.ask(&port(Ask::selecting(mac(1), at(20), SERVER)));
    assert_eq!((answer.acknowledged(), answer.one().after), (at(20), Some(1)), "it is a lease");
    // The system that was booted has an identifier: it is the same card.
    for ask in
        [Ask::renewing(mac(1), at(20), SERVER), Ask::renewing(mac(1), at(20), SERVER).option(61, b"\0me")]
    {
        assert_eq!(lab.ask(&ask).acknowledged(), at(20));
    }
    assert_eq!(lab.ask(&Ask::renewing(mac(2), at(20), SERVER)).refusal(), Reason::OtherClient);
}

#[test]
fn while_the_store_fails_no_lease_is_given_and_reservations_go_on() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    let mut lab = Lab::of(&(site(POOL) + host));
    assert_eq!(lab.join(mac(1)), at(100));
    lab.ask(&Ask::discover(mac(2))).offered();
    lab.commits = false;
    lab.input(&Input::StoreFailing);
    assert_eq!(lab.ask(&Ask::discover(mac(3))).silence(), Reason::StoreFailing);
    assert_eq!(lab.ask(&Ask::init_reboot(mac(3), at(104))).silence(), Reason::StoreFailing, "who knows");
    assert_eq!(lab.ask(&Ask::selecting(mac(2), at(101), SERVER)).silence(), Reason::StoreFailing);
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(100), SERVER)).acknowledged(), at(100), "it is covered");
    lab.pass(HOUR / 2);
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(100), SERVER)).silence(), Reason::StoreFailing);
    let reserved = lab.ask(&Ask::selecting(WEB, at(11), SERVER));
    assert_eq!((reserved.acknowledged(), reserved.one().after), (at(11), None));
    // It heals when anything could be written.
    lab.input(&Input::Committed(1));
    assert_eq!(lab.ask(&Ask::renewing(mac(1), at(100), SERVER)).acknowledged(), at(100));
}

#[test]
fn where_strangers_are_ignored_the_pool_is_for_hosts_without_an_address() {
    let host = "[host.roamer]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n";
    let mut lab = Lab::of(&(site(&format!("{POOL}unknown = \"ignore\"")) + host));
    assert_eq!(lab.join(WEB), at(100));
    assert_eq!(lab.ask(&Ask::discover(STRANGER)).silence(), Reason::UnknownMachine);
    assert_eq!(lab.ask(&Ask::init_reboot(STRANGER, at(104))).silence(), Reason::UnknownLease);
}

#[test]
fn machines_that_nobody_has_written_down_are_recorded_and_a_flood_of_them_is_bounded() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n";
    let mut lab = Lab::new(host);
    lab.ask(&Ask::discover(WEB));
    lab.ask(&Ask::discover(STRANGER).option(12, b"laptop").option(60, b"PXEClient"));
    lab.pass(5000);
    let uuid: Vec<u8> = (0..17).collect();
    let ask = Ask::discover(STRANGER).option(12, &[0xff, 1]).option(93, &[0, 7, 0, 0]).option(97, &uuid);
    lab.ask(&ask.option(55, &[1, 3, 6]));
    {
        let seen: Vec<_> = lab.core.seen().collect();
        let [(mac, machine)] = &*seen else { panic!("{seen:?}") };
        assert_eq!((mac.0, machine.count, machine.last - machine.first), (STRANGER, 2, 5000));
        assert_eq!(machine.name, None, "what it said last, and that was no text");
        assert_eq!((machine.architecture, machine.uuid.map(|uuid| uuid[15])), (Some(7), Some(16)));
        assert_eq!((machine.network.as_deref(), &*machine.asked), (Some("lab"), &[1, 3, 6][..]));
    }
    for n in 0..2000_u16 {
        let [high, low] = n.to_be_bytes();
        lab.ask(&Ask::discover([2, 9, 9, 9, high, low]));
    }
    assert_eq!(lab.core.seen().count(), 512);
    assert_eq!(lab.core.seen().next().unwrap().0.0, [2, 9, 9, 9, 7, 207], "the latest first");
    // After a restart they are still there, and in the same order.
    let before = std::mem::take(&mut lab.core).into_seen();
    let again = Core::new().with_seen(before.clone().into_iter());
    assert!(again.seen().map(|(mac, _)| mac).eq(before.iter().map(|(mac, _)| *mac)));
}

#[test]
fn a_client_keeps_its_lease_when_it_is_written_down_without_an_address() {
    let mut lab = lab();
    let duid = [255, 0, 0, 0, 4, 0, 1, 9, 9];
    let with_id = |ask: Ask| ask.option(61, &duid);
    lab.ask(&with_id(Ask::discover(WEB))).offered();
    lab.ask(&with_id(Ask::selecting(WEB, at(100), SERVER))).acknowledged();
    lab.edit(&(site(POOL) + "[host.roamer]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n"));
    assert_eq!(lab.ask(&with_id(Ask::discover(WEB))).offered(), at(100));
    assert_eq!(lab.ask(&with_id(Ask::renewing(WEB, at(100), SERVER))).acknowledged(), at(100));
    assert_eq!(lab.ask(&Ask::discover(WEB)).offered(), at(100), "it is its card from then on");
    assert_eq!(lab.ask(&Ask::discover(mac(2)).address(50, at(100))).offered(), at(101));
}

#[test]
fn an_address_that_was_only_offered_cannot_be_declined() {
    let mut lab = lab();
    for n in 1..=20 {
        let offered = lab.ask(&Ask::discover(mac(n))).offered();
        let decline = Ask::new(4, mac(n)).address(50, offered).address(54, SERVER);
        let answer = lab.ask(&decline);
        assert_eq!((answer.silence(), answer.records.len()), (Reason::Declined, 0));
        lab.pass(30_000);
    }
}

#[test]
fn a_lease_is_not_given_in_a_message_that_the_client_cannot_take() {
    let mut lab = lab();
    lab.ask(&Ask::discover(mac(1))).offered();
    // What the relay agent wants back leaves no room for anything else.
    let ask = Ask::selecting(mac(1), at(100), SERVER).option(82, &[9; 250]).option(82, &[9; 250]);
    let answer = lab.ask(&ask.relayed(at(250), SERVER));
    assert_eq!((answer.silence(), answer.records.len()), (Reason::NoRoom, 0));
    assert!(answer.changes.is_empty() && lab.core.leases().count() == 0);
    assert_eq!(lab.ask(&Ask::selecting(mac(1), at(100), SERVER)).acknowledged(), at(100));
}
